# shellcheck shell=bash
# `alluxio format`, for bin/alluxio and bin/alluxio-start.sh. Sourced after alluxio-hosts.sh.

# Formats the workers, then the journal. Returns whether the journal was formatted (the exit code if not); sets
# `hosts_failed` to 1 if a worker was not. Takes the words of the command.
format_cluster() {
  local word code=0
  local -a properties=()
  # No worker loses its blocks for a format that is refused.
  "${ALLUXIO_PROGRAM}" process may-format "$@" || code=$?
  case "${code}" in
    0) ;;
    3) return 0 ;; # -s, and it was formatted before
    *) return "${code}" ;;
  esac
  for word in "$@"; do
    [[ "${word}" != -D* ]] || properties+=("${word}")
  done
  run_on_all_hosts MASTER "${bin}/alluxio" formatWorker "${properties[@]}" || hosts_failed=1
  "${ALLUXIO_PROGRAM}" format "$@"
}
