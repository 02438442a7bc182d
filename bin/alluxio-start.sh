#!/usr/bin/env bash

# Starts servers of Alluxio on this node, and workers on the hosts of conf/workers. A server has started when it serves; if
# it fails before that, the reason is on the terminal and the exit code is not 0.

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
# shellcheck source=libexec/alluxio-hosts.sh
. "${libexec}/alluxio-hosts.sh"
# shellcheck source=libexec/alluxio-format.sh
. "${libexec}/alluxio-format.sh"
# shellcheck source=libexec/alluxio-memory.sh
. "${libexec}/alluxio-memory.sh"

stop_first="yes"
wait_for_end=""
restore=()
while getopts "hNwi:" option; do
  case "${option}" in
    h) usage; exit 0 ;;
    N) stop_first="" ;;
    w) wait_for_end="yes" ;;
    # Of 2.9, so the text of 1.2.0 above does not have it: docs/migration.md.
    i)
      [[ -n "${OPTARG}" ]] || refuse "Error: -i needs the URI of a backup"
      restore=("-Dalluxio.master.journal.init.from.backup=${OPTARG}")
      ;;
    *) refuse "" ;;
  esac
done
shift $((OPTIND - 1))

action="${1:-}"
mount_mode=""
case "${action}" in
  "") refuse "Error: no ACTION specified" ;;
  all | local | worker | workers) mount_mode="SudoMount" ;;
  master | restart_worker | restart_workers | safe) ;;
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
if [[ ${#restore[@]} -gt 0 ]]; then
  case "${action}" in
    all | local | master | safe) ;;
    *) refuse "Error: -i is for a master: ${action} starts none" ;;
  esac
fi
if [[ $# -gt 0 && "$1" != "-f" ]]; then
  refuse "Error: ${action} does not take: $*"
fi
if [[ $# -gt 1 ]]; then
  refuse "Error: nothing goes behind -f, but here is: ${*:2}"
fi
format=("$@")
case "${format[*]}${action}" in
  -frestart_worker | -frestart_workers | -fsafe) refuse "Error: -f does not go with ${action}" ;;
esac

is_running() {
  "${ALLUXIO_PROGRAM}" process running "$1"
}

# Starts a server. With -N, one that runs is as good. A failure ends the script.
start_server() {
  local server="$1" announced="$2"
  if [[ -z "${stop_first}" ]] && is_running "${server}"; then
    echo "The ${server} is running already."
    return
  fi
  echo "${announced}. Logging to ${ALLUXIO_LOGS_DIR}"
  "${ALLUXIO_PROGRAM}" process start "${server}" "${@:3}" || exit $?
  started+=("${server}")
}

start_master() {
  if [[ ${#format[@]} -gt 0 ]]; then
    # shellcheck disable=SC2119 # It takes the options of the command format.
    format_cluster || exit $?
  fi
  start_server master "Starting master @ ${ALLUXIO_MASTER_HOSTNAME:-localhost}" "${restore[@]}"
}

start_worker() {
  # One that runs keeps its memory, and is told of below.
  if [[ "${mount_mode}" != "NoMount" ]] && ! is_running worker; then
    if ! "${bin}/alluxio-mount.sh" "${mount_mode}" local; then
      echo "Mount failed, not starting worker" >&2
      exit 1
    fi
  fi
  start_server worker "Starting worker @ ${this_host}"
}

# Starts workers on the hosts of conf/workers, whatever becomes of single ones.
start_workers() {
  local keep=()
  [[ -n "${stop_first}" ]] || keep=(-N)
  run_on_all_hosts MASTER "${bin}/alluxio-start.sh" "${keep[@]}" worker "${mount_mode}" "$@" || hosts_failed=1
}

stop_all() {
  [[ -n "${stop_first}" ]] || return 0
  "${bin}/alluxio-stop.sh" all || hosts_failed=1
}

# Starts the master whenever there is none, until a signal ends the script.
keep_master() {
  while true; do
    if ! is_running master; then
      echo "Restarting the system master..."
      (start_master)
    fi
    ! is_running master || echo "Alluxio is running... "
    sleep 2
  done
}

started=()
hosts_failed=0
this_host="$(hostname -f 2>/dev/null || uname -n)"
if [[ "${mount_mode}" == "NoMount" ]]; then
  use_memory_that_is_there
fi
if [[ ! -d "${ALLUXIO_LOGS_DIR}" ]]; then
  echo "ALLUXIO_LOGS_DIR: ${ALLUXIO_LOGS_DIR}"
  mkdir -p "${ALLUXIO_LOGS_DIR}" || exit 1
fi

case "${action}" in
  all)
    stop_all
    start_master
    start_workers
    ;;
  local)
    stop_all
    start_master
    start_worker
    ;;
  master) start_master ;;
  worker)
    if [[ ${#format[@]} -gt 0 ]]; then "${ALLUXIO_PROGRAM}" formatWorker || exit $?; fi
    start_worker
    ;;
  workers) start_workers "${format[@]}" ;;
  restart_worker)
    if ! is_running worker; then
      # Where NoMount found its blocks a place, and with a RamFS that is mounted nothing else than that.
      use_memory_that_is_there
      start_server worker "Restarting worker @ ${this_host}"
    fi
    ;;
  restart_workers) run_on_all_hosts MASTER "${bin}/alluxio-start.sh" restart_worker || hosts_failed=1 ;;
  safe) keep_master ;;
esac
if [[ -n "${wait_for_end}" ]]; then
  "${ALLUXIO_PROGRAM}" process wait "${started[@]}" || exit $?
fi
exit "${hosts_failed}"
