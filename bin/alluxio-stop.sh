#!/usr/bin/env bash

# Stops servers of Alluxio on this node, and workers on the hosts of conf/workers, and waits for their end.

bin="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)"

usage() {
  cat <<'USAGE'
Usage: alluxio-stop.sh [-h] [component]
Where component is one of:
  all			Stop local master/worker and remote workers. Default.
  master		Stop local master.
  worker		Stop local worker.
  workers		Stop local worker and all remote workers.

-h  display this help.
USAGE
}

case "${1:--h}" in
  -h) usage; exit 0 ;;
  all | master | worker | workers) ;;
  *)
    echo "Error: Invalid component: $1" >&2
    usage >&2
    exit 1
    ;;
esac
if [[ $# -gt 1 ]]; then
  echo "Error: $1 does not take: ${*:2}" >&2
  usage >&2
  exit 1
fi

# shellcheck source=libexec/alluxio-config.sh
. "${ALLUXIO_LIBEXEC_DIR:-${bin}/../libexec}/alluxio-config.sh" || exit 1
# shellcheck source=libexec/alluxio-hosts.sh
. "${libexec}/alluxio-hosts.sh"

failed=0

stop_here() {
  "${ALLUXIO_PROGRAM}" process stop "$1" || failed=$?
}

stop_workers() {
  run_on_all_hosts WORKERS "${bin}/alluxio" killAll alluxio.worker.AlluxioWorker || failed=$?
}

# What fails keeps nothing else from being stopped.
case "$1" in
  all) stop_here master; stop_here worker; stop_workers ;;
  workers) stop_here worker; stop_workers ;;
  *) stop_here "$1" ;;
esac
exit "${failed}"
