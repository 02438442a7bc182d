# shellcheck shell=bash
# Flags of rustc by which a program holds no path of the machine that built it: what panics and logs name are
# `tokio-1.0.0/src/lib.rs`, not where cargo keeps it. Sourced, in the root of the project; needs cargo.

cargo fetch --locked --quiet # so that it is known where cargo keeps it
CARGO_ENCODED_RUSTFLAGS=--remap-path-prefix=$PWD=
for crates in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/; do
  CARGO_ENCODED_RUSTFLAGS+=$'\x1f'--remap-path-prefix=${crates%/}=
done
unset crates
export CARGO_ENCODED_RUSTFLAGS
