#!/usr/bin/env bash

# Runs a command on all hosts of conf/workers, and waits for it. Its output goes to logs/task.log.

bin="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)"
# shellcheck source=libexec/alluxio-config.sh
. "${ALLUXIO_LIBEXEC_DIR:-${bin}/../libexec}/alluxio-config.sh" || exit 1
# shellcheck source=libexec/alluxio-hosts.sh
. "${libexec}/alluxio-hosts.sh"

if [[ $# -eq 0 ]]; then
  echo "Usage: alluxio-workers.sh command..." >&2
  exit 1
fi
# 1.2.0 calls them tasks of the workers only when it stops them.
tasks="MASTER"
[[ "${3:-}" != "alluxio.worker.AlluxioWorker" ]] || tasks="WORKERS"

run_on_all_hosts "${tasks}" "$@"
