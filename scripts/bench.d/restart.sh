# shellcheck shell=bash
# `scripts/bench restart`: a master that begins with a large namespace, and writes a checkpoint of it under load.
# Sourced by scripts/bench.

# The first moment at which a client is answered. Usage: restart SERIES
restart() {
  local began
  began=$(now_ms)
  "$home/bin/alluxio-start.sh" master >&2
  "$home/bin/alluxio" fs ls / >/dev/null
  keep "$1 answers" $(($(now_ms) - began))
  keep "$1 rss" "$(rss_mib "$(cat "$home/logs/master.pid")")"
}

# The most that the process ever held, since the last look.
peak_mib() { awk '/^VmHWM/ {printf "%.1f", $2 / 1024}' "/proc/$1/status"; }

# One window of load; with a checkpoint that is written in it, or without. Usage: window SERIES with|without
window() {
  local pid checkpoint=
  pid=$(cat "$home/logs/master.pid")
  if [ "$2" = with ]; then
    echo 5 >"/proc/$pid/clear_refs" # forgets the peak
    keep "$1 before" "$(rss_mib "$pid")"
    # After the warm-up of the load.
    (sleep 3 && began=$(now_ms) && "$home/bin/alluxio" fsadmin journal checkpoint >&2 &&
      echo $(($(now_ms) - began)) >"$folder/checkpoint") &
    checkpoint=$!
  fi
  native_load "$1 $2" "127.0.0.1:$(property_of alluxio.master.rpc.port)" "$pid" 32
  [ -z "$checkpoint" ] || {
    wait "$checkpoint"
    keep "$1 checkpoint" "$(cat "$folder/checkpoint")"
    keep "$1 peak" "$(peak_mib "$pid")"
  }
}

# A local journal whose only checkpoint has so many files. Usage: fill_journal MILLIONS [FILES_PER_DIRECTORY]
fill_journal() {
  set_property alluxio.master.journal.folder "$folder/journal"
  rm -rf "$folder/journal"
  "$home/bin/alluxio" format >&2
  "$home/bin/alluxio-start.sh" master >&2
  "$home/bin/alluxio" fsadmin journal checkpoint >&2
  "$home/bin/alluxio-stop.sh" master >&2
  FILL=$folder/journal FILES_PER_DIRECTORY=${2:-1000} "$state" --bench "$1" >&2
}

bench_restart() {
  local millions generator state i
  generator=${MASTER_LOAD:-$(bench_program master_load)}
  state=${STATE:-$(bench_program state)}
  install
  set_property alluxio.zookeeper.enabled false
  for millions in 0.01 1 5; do
    fill_journal $millions
    for ((i = 1; i <= runs; i++)); do
      restart "M$millions"
      "$home/bin/alluxio-stop.sh" master >&2
    done
    restart "M$millions"
    for ((i = 1; i <= runs; i++)); do
      window "M$millions" without
      window "M$millions" with
    done
    "$home/bin/alluxio-stop.sh" master >&2
  done
  echo "| | median | min | max | runs |"
  echo "|---|---|---|---|---|"
  for millions in 0.01 1 5; do
    line "M$millions answers" "$millions M files: from \`alluxio-start.sh master\` until \`fs ls /\` is answered, ms"
    line "M$millions rss" "resident memory then, MiB"
    line "M$millions without 32 per_second" "32 clients, mkdir/s"
    line "M$millions with 32 per_second" "the same while a checkpoint is written"
    line "M$millions without 32 p99_ms" "32 clients, p99, ms"
    line "M$millions with 32 p99_ms" "the same while a checkpoint is written"
    line "M$millions checkpoint" "\`fsadmin journal checkpoint\` under that load, ms"
    line "M$millions before" "resident memory before it, MiB"
    line "M$millions peak" "peak of resident memory until the end of the load, MiB"
  done
}
