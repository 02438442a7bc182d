# shellcheck shell=bash
# `scripts/bench stress`: the stress benchmark of Alluxio 2.9.6 itself (StressMasterBench), at our master and at one of Java
# in turn, both with their journals on one HDFS. It measures its own client, too: 32 threads that take more CPU than either
# master. Sourced by scripts/bench.

# Those that ask find what those before them have made. RenameFile and DeleteFile are not among them: they fail once a fast
# master has no more of it (`scripts/bench metadata` has both).
stress_operations="CreateFile GetFileStatus GetBlockLocations OpenFile ListDir ListDirLocated CreateDir"

# One run. Usage: stress SIDE ADDRESS PID OPERATION
stress() {
  local side=$1 address=$2 pid=$3 operation=$4 cpu result=$folder/stress.json rate
  cpu=$(cpu_ticks "$pid")
  "$(java_command)" -cp "$stress_jars/*" -Dalluxio.home="$folder" -Dalluxio.logs.dir="$folder" \
    -Dalluxio.master.hostname="${address%:*}" -Dalluxio.master.rpc.port="${address##*:}" \
    alluxio.stress.cli.StressMasterBench --in-process --operation "$operation" --base "alluxio://$address/stress" \
    --threads 32 --warmup 2s --duration "${seconds}s" --target-throughput 1000000 --fixed-count 200 \
    --create-file-size 0 --write-type MUST_CACHE >"$result" 2>"$folder/errors" ||
    { cat "$folder/errors" >&2 && fail "$operation at $side ended with an error"; }
  grep -F '"errors" : [ ]' "$result" >/dev/null || { cat "$result" >&2 && fail "$operation at $side: failed calls"; }
  cpu=$(($(cpu_ticks "$pid") - cpu))
  rate=$(sed -n 's/.*"throughput" : \([0-9.]*\).*/\1/p' "$result" | head -1)
  keep "$side $operation rate" "$rate"
  # Of all that ran meanwhile, the warming up too.
  keep "$side $operation cpu" "$(awk -v ticks="$cpu" -v hz="$(getconf CLK_TCK)" -v rate="$rate" -v time=$((seconds + 2)) \
    'BEGIN {printf "%.1f", ticks / hz * 1e6 / (rate * time)}')"
}

bench_stress() {
  local stress_jars address mine operation
  stress_jars=$(jars alluxio-stress-2.9)
  install
  start_ours "$TESTBED_HDFS/bench/stress" hsync true
  address=127.0.0.1:$(property_of alluxio.master.rpc.port) mine=$(cat "$home/logs/master.pid")
  for ((i = 0; i <= runs; i++)); do
    for operation in $stress_operations; do
      stress ours "$address" "$mine" "$operation"
      stress java "$TESTBED_ALLUXIO_JAVA" "$TESTBED_ALLUXIO_JAVA_PIDS" "$operation"
    done
    # A Java server is at its speed after a while only.
    [ "$i" != 0 ] || : >"$found"
  done
  "$home/bin/alluxio-stop.sh" master >&2
  echo "| operation | ours, operations/s | Java 2.9.6 | ours / Java, by pair (min–max) | CPU of the master each, Java / ours |"
  echo "|---|---|---|---|---|"
  for operation in $stress_operations; do
    printf '| %s | %s | %s | %s | %s |\n' "$operation" "$(median "ours $operation rate")" "$(median "java $operation rate")" \
      "$(quotient "ours $operation rate" "java $operation rate")" "$(quotient "java $operation cpu" "ours $operation cpu")"
  done
}
