# shellcheck shell=bash
# Where a worker keeps its blocks. Sourced after alluxio-config.sh.

# A property as a worker has it.
property_of_worker() {
  ALLUXIO_USER_JAVA_OPTS="${ALLUXIO_WORKER_JAVA_OPTS:-}" "${ALLUXIO_PROGRAM}" getConf "$@"
}

# Whether a folder, or where it will be made, is in memory.
in_memory() {
  local folder="$1"
  while [[ ! -e "${folder}" ]]; do folder="$(dirname "${folder}")"; done
  case "$(stat -f -c %T "${folder}")" in
    tmpfs | ramfs) return 0 ;;
    *) return 1 ;;
  esac
}

# What NoMount does: blocks of a tier in memory go to the shared memory of the machine if their folder is not in memory.
use_memory_that_is_there() {
  local folder="${ALLUXIO_RAM_FOLDER:-}" tier
  tier="$(property_of_worker alluxio.worker.tieredstore.level0.alias)" || exit 1
  [[ "${tier}" == "MEM" ]] || return 0
  if [[ -z "${folder}" ]]; then
    folder="$(property_of_worker alluxio.worker.tieredstore.level0.dirs.path)" || exit 1
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
