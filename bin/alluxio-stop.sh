#!/usr/bin/env bash

# Stops servers of Alluxio on this node, and waits for their end.

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
  master | worker) ;;
  all | workers)
    echo "alluxio-stop.sh $1 is not available in this version; it stops servers of this node only:" \
      "alluxio-stop.sh master or worker" >&2
    exit 1
    ;;
  *)
    echo "Error: Invalid component: $1" >&2
    usage >&2
    exit 1
    ;;
esac

# shellcheck source=libexec/alluxio-config.sh
. "${ALLUXIO_LIBEXEC_DIR:-${bin}/../libexec}/alluxio-config.sh" || exit 1

exec "${ALLUXIO_PROGRAM}" process stop "$1"
