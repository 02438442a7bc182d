#!/usr/bin/env bash

# Mounts the RamFS of a worker, on this machine or on those of all workers. What was in it is gone.

bin="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)"

usage() {
  cat <<'USAGE' >&2
Usage: alluxio-mount.sh [Mount|SudoMount] [MACHINE] 
If omitted, MACHINE is default to be 'local'. MACHINE is one of:
 local			Mount local machine
 workers		Mount all the workers on worker nodes
USAGE
  exit 1
}

refuse() {
  echo "Error: $1" >&2
  usage
}

[[ $# -gt 0 ]] || usage
mode="$1" machine="${2:-local}"
[[ "${mode}" == "Mount" || "${mode}" == "SudoMount" ]] || refuse "Invalid mount mode: ${mode}"
[[ "${machine}" == "local" || "${machine}" == "workers" ]] || refuse "Invalid MACHINE: ${machine}"
[[ $# -le 2 ]] || refuse "${mode} ${machine} does not take: ${*:3}"

# shellcheck source=libexec/alluxio-config.sh
. "${ALLUXIO_LIBEXEC_DIR:-${bin}/../libexec}/alluxio-config.sh" || exit 1
# shellcheck source=libexec/alluxio-memory.sh
. "${libexec}/alluxio-memory.sh"

if [[ "${machine}" == "workers" ]]; then
  exec "${bin}/alluxio-workers.sh" "${bin}/alluxio-mount.sh" "${mode}" local
fi

# Sets `setting` to what a variable says, or the property behind it.
read_setting() {
  local variable="$1" property="$2"
  setting="${!variable:-}"
  [[ -z "${setting}" ]] || return 0
  setting="$(property_of_worker "${property}")" || exit 1
  if [[ "$(property_of_worker --source "${property}")" == "DEFAULT" ]]; then
    echo "${variable} was not set. Using the default one: ${setting}"
  fi
}

# The bytes of a size in lower case: 1gb, 512m, 1.5g, 4096. Nothing if it is none.
bytes_of() {
  local unit
  [[ "$1" =~ ^([0-9]+(\.[0-9]+)?|\.[0-9]+)([kmgt]?b?)$ ]] || return
  case "${BASH_REMATCH[3]%b}" in
    k) unit=1024 ;;
    m) unit=1048576 ;;
    g) unit=1073741824 ;;
    t) unit=1099511627776 ;;
    *) unit=1 ;;
  esac
  awk -v number="${BASH_REMATCH[1]}" -v unit="${unit}" 'BEGIN { printf "%.0f", number * unit }'
}

memory_bytes() {
  awk '$1 == "MemTotal:" { printf "%.0f", $2 * 1024 }' /proc/meminfo
}

read_setting ALLUXIO_WORKER_MEMORY_SIZE alluxio.worker.ramdisk.size
size="${setting,,}"
read_setting ALLUXIO_RAM_FOLDER alluxio.worker.tieredstore.level0.dirs.path
folder="${setting}"

bytes="$(bytes_of "${size}")"
if [[ -z "${bytes}" ]]; then
  echo "Please specify ALLUXIO_WORKER_MEMORY_SIZE in a correct form." >&2
  exit 1
fi
memory="$(memory_bytes)"
if [[ "${bytes}" -gt "${memory}" ]]; then
  echo "ERROR: Memory(${memory}) is less than requested ramdisk size(${bytes}). Please" >&2
  echo "    reduce ALLUXIO_WORKER_MEMORY_SIZE" >&2
  exit 1
fi
if [[ "${folder}" != /* ]]; then
  echo "ERROR: ALLUXIO_RAM_FOLDER is ${folder}: not a folder, from the root on" >&2
  exit 1
fi
as_root=(bash)
# Who is root already needs no sudo.
if [[ "${mode}" == "SudoMount" && "$(id -u)" != "0" ]]; then
  if ! command -v sudo >/dev/null; then
    echo "ERROR: $(id -un) is not root, and there is no sudo: start the worker with NoMount, or as root" >&2
    exit 1
  fi
  as_root=(sudo bash)
fi
exec "${as_root[@]}" "${libexec}/alluxio-ramfs.sh" "${folder}" "${size}"
