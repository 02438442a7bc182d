# shellcheck shell=bash
# Named steps with a log each, and a summary at the end. Sourced by scripts/check and scripts/test.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
logs=${CARGO_TARGET_DIR:-target}/test-logs
# What a test says of its failure is enough, and is shown; frames would push it out of what is shown.
export RUST_BACKTRACE=0
steps_failed=() tests_run=0 tests_failed=0 tests_skipped=0
mkdir -p "$logs"

need_cargo() {
  command -v cargo >/dev/null && return
  echo "${0##*/}: no cargo: install Rust with rustup (https://rustup.rs), then open a new terminal" >&2
  exit 1
}

# Runs a command; its output goes to a file and is shown if it fails. Usage: step NAME COMMAND...
step() {
  local name=$1 log began=$SECONDS
  log=$logs/${name//[^A-Za-z0-9.]/_}.log
  shift
  printf '%-44s' "$name"
  if "$@" >"$log" 2>&1; then
    printf ' ok      %4d s\n' $((SECONDS - began))
  else
    printf ' FAILED  %4d s\n' $((SECONDS - began))
    steps_failed+=("$name")
    grep -vE '^test .* \.\.\. ok$' "$log" | tail -60 | sed 's/^/    /'
    echo "    whole output: $log"
  fi
  count_tests "$log"
}

# Adds up the lines `test result: ok. 7 passed; 0 failed; 1 ignored; ...` of a log.
count_tests() {
  local passed failed ignored
  while read -r passed failed ignored; do
    tests_run=$((tests_run + passed + failed))
    tests_failed=$((tests_failed + failed))
    tests_skipped=$((tests_skipped + ignored))
  done < <(sed -nE 's/^test result: .*[^0-9]([0-9]+) passed; ([0-9]+) failed; ([0-9]+) ignored.*/\1 \2 \3/p' "$1")
}

summary() {
  echo "tests: $tests_run run, $tests_failed failed, $tests_skipped skipped; $((SECONDS / 60)) min $((SECONDS % 60)) s"
  [ ${#steps_failed[@]} = 0 ] && return
  printf 'failed steps:'
  printf ' [%s]' "${steps_failed[@]}"
  echo
  return 1
}

# What `scripts/check` runs; `scripts/test` runs it first.
quick_steps() {
  step "format" cargo fmt --check
  step "clippy" cargo clippy --locked --all-targets -- -D warnings
  step "unit tests" cargo test --locked --lib --bins
  step "tidy" cargo test --locked --test tidy
  step "wire" cargo test --locked --test wire
  step "worker over loopback" cargo test --locked --test worker
  step "web pages, figures and health" cargo test --locked --test web
  step "launchers, guardian, properties, containers" \
    cargo test --locked --test launchers --test guardian --test properties --test compatibility --test docker
  step "draws and comparisons of random calls" cargo test --locked --test differential
  step "damaged bytes for every decoder" cargo test --locked --test fuzz
  # Optimized a little: it computes for minutes, and is built apart anyway, with mutants.
  step "simulation, a few seeds, and mutants" env SIM_SEEDS="${SIM_SEEDS:-40}" \
    cargo test --locked --features mutants --config profile.dev.package.alluxio.opt-level=1 --test sim
  step "docs" env RUSTDOCFLAGS=-Dwarnings cargo doc --locked --no-deps
  step "shell scripts" shell_scripts
}

# Sourced files are read with the scripts that source them.
shell_scripts() {
  local file
  local -a found=() run=()
  while IFS= read -r file; do
    case $file in
      *.sh | *.bash) found+=("$file") ;;
      *) [[ ! $(head -n 1 "$file") =~ ^#!.*[/\ ](ba)?sh($|\ ) ]] || found+=("$file") ;;
    esac
  done < <(find bin scripts libexec .ci docker -type f 2>/dev/null | sort)
  [ ${#found[@]} -gt 5 ] || { echo "only ${#found[@]} scripts found" && return 1; }
  for file in "${found[@]}"; do bash -n "$file" || return 1; done
  # It ends at the first match, and with pipefail the death of whoever still writes to it counts as "not found".
  if grep -nE "[|] *grep +-[a-zA-Z]*q" "${found[@]}"; then
    echo "a pipe into grep -q: see has() in testbed.d" && return 1
  fi
  for file in "${found[@]}"; do [ ! -x "$file" ] || run+=("$file"); done
  if command -v shellcheck >/dev/null; then shellcheck -x -P SCRIPTDIR --severity=warning "${run[@]}"; fi
}
