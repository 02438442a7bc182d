# shellcheck shell=bash
# `scripts/bench journal`: directories that are journaled, by the number of clients and the place of the journal, at our
# master and at one of Java 2.9.6; beside them the bare flush of HDFS. One native generator drives both (benches/master_load).
# Sourced by scripts/bench.

clients_all="1 8 32 128"

# The path of a benchmark program, built if it is not. Usage: bench_program NAME
bench_program() {
  cargo bench --locked --bench "$1" --no-run 2>&1 | sed -n "s/.*(\(.*$1-[^)]*\)).*/\1/p"
}

# One load by the native generator. Usage: native_load SERIES ADDRESS PID CLIENTS [OPERATION]
native_load() {
  local result word
  result=$(MASTER=$2 SERVER_PID=$3 CLIENTS=$4 OPERATION=${5:-mkdir} DURATION_S=$seconds "$generator" 2>"$folder/errors") ||
    { cat "$folder/errors" >&2 && fail "the load failed: $result"; }
  for word in $result; do
    case $word in per_second=* | p50_ms=* | p99_ms=* | max_ms=* | cpu_us=*) keep "$1 $4 ${word%=*}" "${word#*=}" ;; esac
  done
}

# Starts our master with an empty journal there. Usage: start_ours FOLDER DURABILITY ELECTED
start_ours() {
  set_property alluxio.master.journal.folder "$1"
  set_property alluxio.master.journal.flush.durability "$2"
  set_property alluxio.zookeeper.enabled "$3"
  "$home/bin/alluxio" format >&2
  "$home/bin/alluxio-start.sh" master >&2
}

set_property() {
  sed -i "/^${1//./\\.}=/d" "$home/conf/alluxio-site.properties"
  echo "$1=$2" >>"$home/conf/alluxio-site.properties"
}

# All numbers of clients at our master, with the Java master after each if there is one to compare with.
# Usage: load_all SERIES [JAVA_SERIES]
load_all() {
  local clients
  for clients in $clients_all; do
    native_load "$1" "127.0.0.1:$(property_of alluxio.master.rpc.port)" "$(cat "$home/logs/master.pid")" "$clients"
    [ $# = 1 ] || native_load "$2" "$TESTBED_ALLUXIO_JAVA" "$TESTBED_ALLUXIO_JAVA_PIDS" "$clients"
  done
  "$home/bin/alluxio-stop.sh" master >&2
}

property_of() {
  sed -n "s/^${1//./\\.}=//p" "$home/conf/alluxio-site.properties"
}

# The bare flush, by Hadoop's client and by our writer. Usage: bare_flush DATANODES DURABILITY
bare_flush() {
  local times
  times=$(hadoop_append "$2" "bare-$1-$2")
  keep "bare java $1 $2 p50_ms" "${times% *}"
  keep "bare java $1 $2 p99_ms" "${times#* }"
  times=$(our_append "$2")
  keep "bare ours $1 $2 p50_ms" "${times% *}"
  keep "bare ours $1 $2 p99_ms" "${times#* }"
}

# Everything on one HDFS. Usage: journal_on DATANODES
journal_on() {
  local i how
  install
  # A Java server is at its speed after a while only.
  for ((i = 1; i <= 6; i++)); do
    native_load warm "$TESTBED_ALLUXIO_JAVA" "$TESTBED_ALLUXIO_JAVA_PIDS" 32
  done
  for ((i = 1; i <= runs; i++)); do
    for how in hsync hflush; do
      bare_flush "$1" $how
      start_ours "$TESTBED_HDFS/bench/$how-$i" $how true
      if [ $how = hsync ]; then load_all "hdfs $1 $how" "java $1"; else load_all "hdfs $1 $how"; fi
    done
    [ "$1" = 1 ] || continue
    # Nobody else can reach these journals, so nobody is elected.
    start_ours "$folder/journal-$i" hsync false
    load_all disk
    start_ours "$memory/journal-$i" hsync false
    load_all memory
  done
}

bench_journal() {
  local classes=$folder/classes jars count=2000 bytes=400 generator appender memory
  generator=${MASTER_LOAD:-$(bench_program master_load)}
  appender=${JOURNAL_APPEND:-$(bench_program journal_append)}
  memory=$(mktemp -d /dev/shm/alluxio-bench.XXXXXX)
  # shellcheck disable=SC2064 # the folder of now
  trap "rm -rf '$memory'; cleanup" EXIT
  compile_append
  journal_on 1
  scripts/testbed down --dir "$bed"
  bed_options="$bed_options --datanodes 3"
  bed_up
  journal_on 3
  journal_tables
}

# Median of a series. Usage: median SERIES
median() {
  grep -F -- "$1 " "$found" | awk '{print $NF}' | sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

# Median of the quotients of two series, pair by pair. Usage: quotient SERIES SERIES
quotient() {
  paste <(sed -n "s/^$1 //p" "$found") <(sed -n "s/^$2 //p" "$found") | awk '{printf "%.2f\n", $1 / $2}' | sort -n |
    awk '{ value[NR] = $1 } END { printf "%s (%s–%s)", value[int((NR + 1) / 2)], value[1], value[NR] }'
}

# Rows of one journal. Usage: journal_rows SERIES TITLE
journal_rows() {
  local clients what
  for clients in $clients_all; do
    printf '| %s | %s |' "$2" "$clients"
    for what in per_second p50_ms p99_ms cpu_us; do printf ' %s |' "$(median "$1 $clients $what")"; done
    echo
  done
}

journal_tables() {
  local datanodes how side clients
  echo "| journal | clients | mkdir/s | p50, ms | p99, ms | CPU of the master per mkdir, µs |"
  echo "|---|---|---|---|---|---|"
  for datanodes in 1 3; do
    for how in hsync hflush; do journal_rows "hdfs $datanodes $how" "ours, HDFS, DataNodes: $datanodes, $how"; done
    journal_rows "java $datanodes" "Java 2.9.6, HDFS, DataNodes: $datanodes (hsync)"
  done
  journal_rows disk "ours, local disk"
  journal_rows memory "ours, tmpfs"
  echo
  echo "| DataNodes | clients | ours / Java, mkdir/s, by pair (min–max) | Java / ours, CPU per mkdir |"
  echo "|---|---|---|---|"
  for datanodes in 1 3; do
    for clients in $clients_all; do
      printf '| %s | %s | %s | %s |\n' "$datanodes" "$clients" \
        "$(quotient "hdfs $datanodes hsync $clients per_second" "java $datanodes $clients per_second")" \
        "$(quotient "java $datanodes $clients cpu_us" "hdfs $datanodes hsync $clients cpu_us")"
    done
  done
  echo
  echo "| one append of $bytes bytes until durable, nothing else | DataNodes | p50, ms | p99, ms | ours / Java, p50, by pair |"
  echo "|---|---|---|---|---|"
  for datanodes in 1 3; do
    for how in hsync hflush; do
      for side in ours java; do
        printf '| %s, %s | %s | %s | %s | %s |\n' "$([ $side = ours ] && echo "our writer" || echo "Hadoop's client")" $how \
          $datanodes "$(median "bare $side $datanodes $how p50_ms")" "$(median "bare $side $datanodes $how p99_ms")" \
          "$([ $side != ours ] || quotient "bare ours $datanodes $how p50_ms" "bare java $datanodes $how p50_ms")"
      done
    done
  done
}
