#!/usr/bin/env bash
# First process of a container. Usage: entrypoint.sh master | worker | WORDS OF bin/alluxio...
#
# Any property can be given as a variable: ALLUXIO_ZOOKEEPER_ADDRESS stands for alluxio.zookeeper.address. The variables
# that bin/alluxio knows by themselves keep their meaning, and weigh more.
set -euo pipefail

home="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)"

for name in $(compgen -e ALLUXIO_); do
  case "${name#ALLUXIO_}" in
    HOME | CONF_DIR | LOGS_DIR | LIBEXEC_DIR | SYSTEM_INSTALLATION | MASTER_ADDRESS) continue ;;
    MASTER_HOSTNAME | UNDERFS_ADDRESS | RAM_FOLDER | WORKER_MEMORY_SIZE | WORKER_RAMDISK_SIZE) continue ;;
    JAVA_OPTS | MASTER_JAVA_OPTS | WORKER_JAVA_OPTS | USER_JAVA_OPTS) continue ;;
  esac
  property="${name,,}"
  value="${!name}"
  # Quoted as a shell quotes, because the options are split as a shell splits. What is given last counts, and what
  # ALLUXIO_JAVA_OPTS says itself counts more.
  ALLUXIO_JAVA_OPTS="'-D${property//_/.}=${value//\'/\'\\\'\'}' ${ALLUXIO_JAVA_OPTS:-}"
  unset "${name}"
done
export ALLUXIO_JAVA_OPTS="${ALLUXIO_JAVA_OPTS:-}"

case "${1:-}" in
  # For healthcheck.sh.
  master | worker) echo "$1" >"${ALLUXIO_LOGS_DIR:-${home}/logs}/server" ;;
esac
case "${1:-}" in
  # A fenced master comes back as a standby in the same container.
  master) shift && set -- process guard master "$@" ;;
esac
exec "${home}/bin/alluxio" "$@"
