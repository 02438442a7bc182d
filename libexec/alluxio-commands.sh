# shellcheck shell=bash
# The commands of bin/alluxio that need no program. Sourced after alluxio-config.sh; each ends the shell.

# Ends servers of this installation whose name matches. Servers of others, and what is no server, are left alone.
kill_all() {
  local server name
  local -a found=()
  if [[ $# -ne 1 ]]; then
    echo "Usage: alluxio killAll <WORD>"
    exit 0
  fi
  for server in master worker; do
    name="alluxio.${server}.Alluxio${server^}"
    if grep -q -e "$1" <<<"${name}"; then found+=("${server}"); fi
  done
  exec "${ALLUXIO_PROGRAM}" process stop "${found[@]}"
}

copy_dir() {
  local path
  if [[ $# -ne 1 ]]; then
    echo "Usage: alluxio copyDir <path>" >&2
    exit 1
  fi
  path="$(readlink -e "$1")" || { echo "copyDir: $1 does not exist." >&2; exit 1; }
  command -v rsync >/dev/null || { echo "copyDir: there is no rsync; this host and the workers need it." >&2; exit 1; }
  # shellcheck source=libexec/alluxio-hosts.sh
  . "${libexec}/alluxio-hosts.sh"
  read_hosts || exit 1
  echo "RSYNC'ing ${path} to workers..."
  printf '%s\n' "${hosts[@]}"
  begin_on_hosts copy_to_host "${path}"
  end_on_hosts
  tell_failures || exit 1
  exit 0
}

copy_to_host() {
  local host="$1" path="$2"
  # It is there.
  ! is_this_host "${host}" || return 0
  # -s: blanks in the name stay what they are on the other side.
  exec rsync -s -e "ssh ${ssh_options[*]}" -az "${path}" "${host}:$(dirname "${path}")"
}

clear_cache() {
  if ! sync || ! { echo 3 >/proc/sys/vm/drop_caches; } 2>/dev/null; then
    echo "clearCache: cannot write /proc/sys/vm/drop_caches; it has to be run as root." >&2
    exit 1
  fi
  exit 0
}

load_ufs() {
  echo 'The "alluxio loadufs <AlluxioURI> <UfsURI>" command is deprecated since version 1.1.' >&2
  echo 'Use the "alluxio fs mount <AlluxioURI> <UfsURI>" command followed by the "alluxio fs ls -R <AlluxioURI>" command' \
    'instead.' >&2
  exit 1
}
