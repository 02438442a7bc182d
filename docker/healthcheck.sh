#!/usr/bin/env bash
# Healthy is a container whose server takes connections: a standby does, too. One that runs no server is healthy.
set -euo pipefail

home="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)"
server="$(cat "${ALLUXIO_LOGS_DIR:-${home}/logs}/server" 2>/dev/null)" || exit 0
port="$("${home}/docker/entrypoint.sh" getConf "alluxio.${server}.rpc.port")"
# The host name, because a server may listen on its own address only.
exec 3<>"/dev/tcp/$(uname -n)/${port}"
