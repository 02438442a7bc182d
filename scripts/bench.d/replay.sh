# shellcheck shell=bash
# `scripts/bench replay`: a journal without a checkpoint, its export, import and backup; Java 2.9.6 on the exported one.
# Sourced by scripts/bench.

# Entries that a large namespace has, a second. Usage: rate SERIES ENTRIES MILLISECONDS
rate() { keep "$1" "$(awk -v n="$2" -v ms="$3" 'BEGIN {printf "%.0f", n * 1000 / ms}')"; }

# Puts into $took how long a command takes, ms, and its output into $folder/said.
clocked() {
  local began
  began=$(now_ms)
  "$@" >"$folder/said"
  took=$(($(now_ms) - began))
}

# The exported journal under a Java master: what it takes until it answers, from that journal and from its own. Usage:
# java_replays MILLIONS ENTRIES
java_replays() {
  local java=$folder/java port i began tries
  port=$(($(property_of alluxio.master.rpc.port) + 5))
  mkdir -p "$java/conf" "$folder/ufs"
  cp tests/java/log4j.properties "$java/conf/"
  cat >"$java/conf/alluxio-site.properties" <<TEXT
alluxio.home=$java
alluxio.work.dir=$java/data
alluxio.master.hostname=127.0.0.1
alluxio.master.rpc.port=$port
alluxio.master.web.port=$((port + 1))
alluxio.master.journal.type=UFS
alluxio.master.journal.folder=$folder/exported
alluxio.master.mount.table.root.ufs=$folder/ufs
alluxio.master.metastore=HEAP
alluxio.master.worker.connect.wait.time=1ms
alluxio.master.update.check.enabled=false
TEXT
  for ((i = 1; i <= runs; i++)); do
    began=$(now_ms)
    _JAVA_OPTIONS=-Xmx8g scripts/java-master run "$java" >"$java/out" 2>&1 &
    java_pid=$!
    tries=0
    until timeout 60 "$home/libexec/alluxio" fs ls / -Dalluxio.master.hostname=127.0.0.1 -Dalluxio.master.rpc.port=$port \
      -Dalluxio.user.rpc.retry.max.duration=200ms >/dev/null 2>&1; do
      kill -0 "$java_pid" 2>/dev/null && [ $((tries += 1)) -lt 2000 ] || {
        echo "scripts/bench: the Java master does not serve:" >&2
        tail -5 "$java/out" >&2
        exit 1
      }
    done
    took=$(($(now_ms) - began))
    kill -9 "$java_pid"
    wait "$java_pid" || true
    java_pid=
    keep "M$1 java answers" $took
    rate "M$1 java replay" "$2" $took
  done
  rm -rf "$java" "$folder/ufs"
}

bench_replay() {
  local millions state i entries took
  java_pid= # not local: the trap outlives this function
  trap '[ -z "$java_pid" ] || kill -9 "$java_pid"; cleanup' EXIT
  alluxio_java_class_path >&2 # the jars come before anything is timed
  state=${STATE:-$(bench_program state)}
  install
  set_property alluxio.zookeeper.enabled false
  # None is to be written but where it is asked for.
  set_property alluxio.master.journal.checkpoint.period.entries 1000000000
  for millions in 0.01 1 5; do
    fill_journal $millions
    "$home/bin/alluxio-start.sh" master >&2
    for ((i = 1; i <= runs; i++)); do
      rm -rf "$folder/backups"
      clocked "$home/bin/alluxio" fsadmin backup "$folder/backups" --local
      entries=$(sed -n 's/^Backup Entry Count *: *//p' "$folder/said")
      rate "M$millions backup" "$entries" "$took"
    done
    "$home/bin/alluxio-stop.sh" master >&2
    set_property alluxio.master.journal.folder "$folder/again"
    for ((i = 1; i <= runs; i++)); do
      rm -rf "$folder/again"
      "$home/bin/alluxio" format >&2
      clocked "$home/bin/alluxio" journal import "$folder"/backups/*.gz
      rate "M$millions import" "$entries" "$took"
    done
    for ((i = 1; i <= runs; i++)); do
      rm -rf "$folder/exported"
      clocked "$home/bin/alluxio" journal export "$folder/exported"
      rate "M$millions export" "$entries" "$took"
    done
    for ((i = 1; i <= runs; i++)); do
      rm -f "$folder"/again/checkpoints/*
      clocked started_to_answer
      "$home/bin/alluxio-stop.sh" master >&2
      keep "M$millions answers" "$took"
      rate "M$millions replay" "$entries" "$took"
    done
    [ $millions = 5 ] || java_replays $millions "$entries"
  done
  echo "| | median | min | max | runs |"
  echo "|---|---|---|---|---|"
  for millions in 0.01 1 5; do
    line "M$millions answers" "$millions M files, no checkpoint: from \`alluxio-start.sh master\` until \`fs ls /\` is answered, ms"
    line "M$millions replay" "entries of the journal by that time, a second"
    [ $millions = 5 ] || {
      line "M$millions java answers" "Java 2.9.6 on the exported journal: from the start until \`fs ls /\` is answered, ms"
      line "M$millions java replay" "entries by that time, a second"
    }
    line "M$millions backup" "\`fsadmin backup --local\`, entries a second"
    line "M$millions export" "\`journal export\`, entries a second"
    line "M$millions import" "\`journal import\` of the backup, entries a second"
  done
}

# Usage: clocked started_to_answer
started_to_answer() {
  "$home/bin/alluxio-start.sh" master >&2
  "$home/bin/alluxio" fs ls /
}
