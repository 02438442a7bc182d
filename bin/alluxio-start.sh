#!/usr/bin/env bash

# Starts servers of Alluxio on this node. A server has started when it serves; if it fails before that, the reason is on
# the terminal and the exit code is not 0.

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
stop_first="yes"
while getopts "hNw" option; do
  case "${option}" in
    h) usage; exit 0 ;;
    N) stop_first="" ;;
    w) wait_for_end="-w" ;;
    *) refuse "" ;;
  esac
done
shift $((OPTIND - 1))

action="${1:-}"
case "${action}" in
  "") refuse "Error: no ACTION specified" ;;
  master) mount_mode="" ;;
  worker | local) mount_mode="SudoMount" ;;
  all | safe | workers | restart_worker | restart_workers)
    echo "alluxio-start.sh ${action} is not available in this version; it starts servers of this node only:" \
      "alluxio-start.sh master, worker or local" >&2
    exit 1
    ;;
  *) refuse "Error: Invalid ACTION: ${action}" ;;
esac
shift
if [[ -n "${mount_mode}" && $# -gt 0 && "$1" != "-f" ]]; then
  case "$1" in
    Mount | SudoMount | NoMount) mount_mode="$1" ;;
    *) refuse "Invalid mount mode: $1" ;;
  esac
  shift
fi
if [[ $# -gt 1 || ($# -eq 1 && "$1" != "-f") ]]; then
  refuse ""
fi
format="${1:-}"

# Whether a folder, or where it will be made, is in memory.
in_memory() {
  local folder="$1"
  while [[ ! -e "${folder}" ]]; do folder="$(dirname "${folder}")"; done
  case "$(stat -f -c %T "${folder}")" in
    tmpfs | ramfs) return 0 ;;
    *) return 1 ;;
  esac
}

# Sees to the folder of a worker's blocks. Nothing is mounted by this version.
prepare_ram_folder() {
  local folder="${ALLUXIO_RAM_FOLDER:-}"
  if [[ -z "${folder}" ]]; then
    folder="$("${ALLUXIO_PROGRAM}" getConf alluxio.worker.tieredstore.level0.dirs.path 2>/dev/null)"
  fi
  if [[ "${mount_mode}" != "NoMount" ]]; then
    if [[ "${folder}" != /* ]] || ! in_memory "${folder}"; then
      echo "${mount_mode}: this version does not mount a RamFS. ${folder} is used as it is, and is not in memory;" \
        "mount a tmpfs or ramfs there, or use NoMount." >&2
    fi
    return
  fi
  if [[ "${folder}" != /* ]] || ! in_memory "${folder}"; then
    echo "WARNING: Overriding ALLUXIO_RAM_FOLDER to /dev/shm to use tmpFS now."
    export ALLUXIO_RAM_FOLDER="/dev/shm"
    folder="/dev/shm"
  fi
  if [[ "${folder%/}" == "/dev/shm" ]]; then
    echo "WARNING: Using tmpFS which is not guaranteed to be in memory."
    echo "WARNING: Check vmstat for memory statistics (e.g. swapping)."
  fi
}

announce_master() {
  echo "Starting master @ ${ALLUXIO_MASTER_HOSTNAME:-localhost}. Logging to ${ALLUXIO_LOGS_DIR}"
}

announce_worker() {
  echo "Starting worker @ $(hostname -f 2>/dev/null || uname -n). Logging to ${ALLUXIO_LOGS_DIR}"
}

if [[ -n "${mount_mode}" ]]; then
  prepare_ram_folder
fi
if [[ "${action}" == "local" && -n "${stop_first}" ]]; then
  "${ALLUXIO_PROGRAM}" process stop master || exit $?
  "${ALLUXIO_PROGRAM}" process stop worker || exit $?
fi
if [[ ! -d "${ALLUXIO_LOGS_DIR}" ]]; then
  echo "ALLUXIO_LOGS_DIR: ${ALLUXIO_LOGS_DIR}"
  mkdir -p "${ALLUXIO_LOGS_DIR}" || exit 1
fi
if [[ -n "${format}" && "${action}" != "master" ]]; then
  "${ALLUXIO_PROGRAM}" formatWorker || exit $?
fi
if [[ -n "${format}" && "${action}" != "worker" ]]; then
  "${ALLUXIO_PROGRAM}" format || exit $?
fi
if [[ "${action}" == "master" ]]; then
  announce_master
  exec "${ALLUXIO_PROGRAM}" process start master ${wait_for_end}
fi
if [[ "${action}" == "local" ]]; then
  announce_master
  "${ALLUXIO_PROGRAM}" process start master || exit $?
fi
announce_worker
exec "${ALLUXIO_PROGRAM}" process start worker ${wait_for_end}
