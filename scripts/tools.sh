# shellcheck shell=bash
# Programs from PyPI for the scripts that need them, each set in a virtual environment of its own that is kept. Sourced.

tools_root=${XDG_CACHE_HOME:-$HOME/.cache}/alluxio-rs

# Sets `tools` to the folder of a virtual environment with REQUIREMENTS, made when it is not there. Others are another
# folder, so that none is changed while it is in use. Two calls at once: the second to finish drops its own.
# Usage: python_tools NAME "REQUIREMENTS"
python_tools() {
  local name=$1 requirements=$2 new
  tools=$(tools_of "$name" "$requirements")
  [ ! -d "$tools" ] || return 0
  if ! command -v python3 >/dev/null; then
    echo "no python3: $requirements come from PyPI (Debian, Ubuntu: apt-get install python3-venv)" >&2
    return 1
  fi
  echo "fetching $requirements from PyPI (once)" >&2
  mkdir -p "$tools_root"
  new=$(mktemp -d "$tools.XXXXXX")
  # shellcheck disable=SC2086 # the requirements are words
  if ! { python3 -m venv "$new/python" && "$new/python/bin/pip" install -q $requirements; } >"$new/log" 2>&1; then
    tail -20 "$new/log" >&2
    rm -rf "$new"
    echo "$requirements could not be fetched (see above; without venv: apt-get install python3-venv)" >&2
    return 1
  fi
  mv -T "$new" "$tools" 2>/dev/null || rm -rf "$new"
}

# Where python_tools has it.
tools_of() {
  echo "$tools_root/$1-$(cksum <<<"$2" | cut -d ' ' -f 1)"
}
