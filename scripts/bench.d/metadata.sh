# shellcheck shell=bash
# `scripts/bench metadata`: what clients do most, by the number of clients, at our master and at one of Java 2.9.6 in turn,
# both with their journals on one HDFS; beside them a service that has its answers ready (benches/null_master.rs). One native
# generator drives all three (benches/master_load). Sourced by scripts/bench.

metadata_operations="getStatus listStatus mkdir create rename delete"

# One load at the service that has its answers ready, in a process of its own. Usage: null_load CLIENTS OPERATION
null_load() {
  local address=127.0.0.1:$((${TESTBED_ZOOKEEPER##*:} + 39)) pid
  NULL_MASTER=$address "$null_master" &
  pid=$!
  NULL=1 native_load "null $2" "$address" "$pid" "$1" "$2"
  kill "$pid"
  wait "$pid" 2>/dev/null || true
}

bench_metadata() {
  local generator null_master address mine operation clients
  generator=${MASTER_LOAD:-$(bench_program master_load)}
  null_master=${NULL_MASTER_PROGRAM:-$(bench_program null_master)}
  install
  start_ours "$TESTBED_HDFS/bench/metadata" hsync true
  address=127.0.0.1:$(property_of alluxio.master.rpc.port) mine=$(cat "$home/logs/master.pid")
  # A Java server is at its speed after a while only.
  for operation in $metadata_operations $metadata_operations; do
    native_load warm "$TESTBED_ALLUXIO_JAVA" "$TESTBED_ALLUXIO_JAVA_PIDS" 32 "$operation"
  done
  for ((i = 1; i <= runs; i++)); do
    for operation in $metadata_operations; do
      for clients in $clients_all; do
        native_load "ours $operation" "$address" "$mine" "$clients" "$operation"
        native_load "java $operation" "$TESTBED_ALLUXIO_JAVA" "$TESTBED_ALLUXIO_JAVA_PIDS" "$clients" "$operation"
        case $operation in getStatus | listStatus | mkdir) null_load "$clients" "$operation" ;; esac
      done
    done
    keep "ours rss" "$(rss_mib "$mine")"
    keep "java rss" "$(rss_mib "$TESTBED_ALLUXIO_JAVA_PIDS")"
  done
  "$home/bin/alluxio-stop.sh" master >&2
  metadata_tables
}

metadata_tables() {
  local operation clients side what
  echo "| operation | clients | | operations/s | p50, ms | p99, ms | CPU of the server each, µs |"
  echo "|---|---|---|---|---|---|---|"
  for operation in $metadata_operations; do
    for clients in $clients_all; do
      for side in ours java null; do
        grep -q "^$side $operation $clients " "$found" || continue
        printf '| %s | %s | %s |' "$operation" "$clients" "$side"
        for what in per_second p50_ms p99_ms cpu_us; do printf ' %s |' "$(median "$side $operation $clients $what")"; done
        echo
      done
    done
  done
  echo
  echo "| operation | clients | ours / Java, operations/s, by pair (min–max) | Java / ours, CPU each | ours / null, CPU each |"
  echo "|---|---|---|---|---|"
  for operation in $metadata_operations; do
    for clients in $clients_all; do
      printf '| %s | %s | %s | %s | %s |\n' "$operation" "$clients" \
        "$(quotient "ours $operation $clients per_second" "java $operation $clients per_second")" \
        "$(quotient "java $operation $clients cpu_us" "ours $operation $clients cpu_us")" \
        "$(! grep -q "^null $operation $clients " "$found" || quotient "ours $operation $clients cpu_us" "null $operation $clients cpu_us")"
    done
  done
  echo
  echo "Resident memory at the end of a run, MiB: ours $(median "ours rss"), Java $(median "java rss")."
}
