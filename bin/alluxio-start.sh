#!/usr/bin/env bash

# Starts servers of Alluxio on this node. A master has started when it serves; if it fails before that, the reason is
# on the terminal and the exit code is not 0.

bin="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)"

usage() {
  cat <<'USAGE'
Usage: alluxio-start.sh [-hNw] ACTION [MOPT] [-f]
Where ACTION is one of:
  all [MOPT]     	Start master and all workers.
  local [MOPT]   	Start a master and worker locally.
  master         	Start the master on this node.
  safe           	Script will run continuously and start the master if it's not running.
  worker [MOPT]  	Start a worker on this node.
  workers [MOPT] 	Start workers on worker nodes.
  restart_worker 	Restart a failed worker on this node.
  restart_workers	Restart any failed workers on worker nodes.
MOPT (Mount Option) is one of:
  Mount    	Mount the configured RamFS. Notice: this will format the existing RamFS.
  SudoMount	Mount the configured RamFS using sudo.
           	Notice: this will format the existing RamFS.
  NoMount  	Do not mount the configured RamFS.
           	Notice: Use NoMount (Linux only) to use tmpFS to avoid sudo requirement.
  SudoMount is assumed if MOPT is specified.

-f  format Journal, UnderFS Data and Workers Folder on master
-N  do not try to kill prior running masters and/or workers in all or local
-w  wait for processes to end before returning
-h  display this help.
USAGE
}

refuse() {
  [[ -z "$1" ]] || echo "$1" >&2
  usage >&2
  exit 1
}

# shellcheck source=libexec/alluxio-config.sh
. "${ALLUXIO_LIBEXEC_DIR:-${bin}/../libexec}/alluxio-config.sh" || exit 1

wait_for_end=""
while getopts "hNw" option; do
  case "${option}" in
    h) usage; exit 0 ;;
    N) ;; # Nothing is stopped before a start.
    w) wait_for_end="-w" ;;
    *) refuse "" ;;
  esac
done
shift $((OPTIND - 1))

action="${1:-}"
case "${action}" in
  "") refuse "Error: no ACTION specified" ;;
  master) ;;
  all | local | safe | worker | workers | restart_worker | restart_workers)
    echo "alluxio-start.sh ${action} is not available in this version; it has masters only: alluxio-start.sh master" >&2
    exit 1
    ;;
  *) refuse "Error: Invalid ACTION: ${action}" ;;
esac
if [[ $# -gt 2 || ($# -eq 2 && "$2" != "-f") ]]; then
  refuse ""
fi

if [[ ! -d "${ALLUXIO_LOGS_DIR}" ]]; then
  echo "ALLUXIO_LOGS_DIR: ${ALLUXIO_LOGS_DIR}"
  mkdir -p "${ALLUXIO_LOGS_DIR}" || exit 1
fi
if [[ "${2:-}" == "-f" ]]; then
  "${ALLUXIO_PROGRAM}" format || exit $?
fi
echo "Starting master @ ${ALLUXIO_MASTER_HOSTNAME:-localhost}. Logging to ${ALLUXIO_LOGS_DIR}"
exec "${ALLUXIO_PROGRAM}" process start master ${wait_for_end}
