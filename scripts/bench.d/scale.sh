# shellcheck shell=bash
# `scripts/bench scale`: directories of a million files, listed and deleted while eight clients make directories, local
# journal. Sourced by scripts/bench.

# The load while a command runs; nothing is begun beside it for the series `alone`. Usage: beside SERIES [COMMAND...]
beside() {
  local series=$1 pid command=''
  shift
  pid=$(cat "$home/logs/master.pid")
  echo 5 >"/proc/$pid/clear_refs" # forgets the peak
  keep "$series before" "$(rss_mib "$pid")"
  [ $# = 0 ] || {
    # After the warm-up of the load.
    (
      sleep 3
      began=$(now_ms)
      "$@" >"$folder/said" 2>&1 || true # one is refused
      echo $(($(now_ms) - began)) >"$folder/took"
    ) &
    command=$!
  }
  native_load "$series" "127.0.0.1:$(property_of alluxio.master.rpc.port)" "$pid" 8
  [ -z "$command" ] || {
    wait "$command"
    keep "$series took" "$(cat "$folder/took")"
  }
  keep "$series peak" "$(peak_mib "$pid")"
}

shell() { "$home/bin/alluxio" fs "$@"; }

bench_scale() {
  local generator state i directory bob=-Dalluxio.security.login.username=bob
  generator=${MASTER_LOAD:-$(bench_program master_load)}
  state=${STATE:-$(bench_program state)}
  install
  set_property alluxio.zookeeper.enabled false
  set_property alluxio.compatibility 2.9
  fill_journal "$runs" 1000000
  "$home/bin/alluxio-start.sh" master >&2
  shell chmod 777 / >&2
  for ((i = 0; i < runs; i++)); do
    directory=/directory-$(printf %06d $i)
    shell chmod 777 "$directory" >&2
    beside alone
    beside list shell ls "$directory"
    keep "list lines" "$(grep -c file- "$folder/said")"
    # Who may not delete the files: all of them are looked at.
    beside refused shell rm -R "$directory" "$bob"
    grep -q "Failed to delete 1000001 paths" "$folder/said" || fail "not refused: $(tail -c 300 "$folder/said")"
    beside delete shell rm -R "$directory"
    ! shell ls "$directory" >"$folder/said" 2>&1 || fail "$directory is still there"
  done
  "$home/bin/alluxio-stop.sh" master >&2
  echo "| beside 8 clients that make directories | it takes, ms | mkdir/s | p50, ms | p99, ms | longest, ms | memory before, MiB | peak |"
  echo "|---|---|---|---|---|---|---|---|"
  for i in "alone:nothing" "list:\`fs ls\` of a million files" "refused:\`fs rm -R\` of them, by one who may not" "delete:\`fs rm -R\` of them"; do
    printf '| %s | %s |' "${i#*:}" "$(median "${i%%:*} took")"
    for what in per_second p50_ms p99_ms max_ms; do printf ' %s |' "$(median "${i%%:*} 8 $what")"; done
    printf ' %s | %s |\n' "$(median "${i%%:*} before")" "$(median "${i%%:*} peak")"
  done
  echo
  echo "Lines of a listing: $(median "list lines")."
}
