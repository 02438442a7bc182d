# shellcheck shell=bash
# One server = one folder below $dir: `run` (starts it in the foreground), `address`, `pid`, `log`, `conf/`, `data/`.
# Sourced by scripts/testbed. Nothing is ever found or stopped by name: only by pid, and only if the pid is still ours.

ready_limit_s=60
stop_limit_s=15

# Heap and collector of the test servers: small, since up to ten of them share a machine with the product.
server_jvm_flags="-Xms32m -Xmx256m -XX:+UseSerialGC -Djava.net.preferIPv4Stack=true"

servers() {
  local run
  for run in "$dir"/*/run; do
    [ -e "$run" ] && basename "$(dirname "$run")"
  done
}

# `datanode-2` → `datanode`; also the prefix of the function that waits for it.
kind_of() {
  local kind=${1%-[0-9]*}
  echo "${kind//-/_}"
}

# True if standard input holds the text. Reads all of it: `grep -q` ends at the first match, and with pipefail the death
# of whoever still writes to it would count as "not found".
has() {
  [[ $(cat) == *"$1"* ]]
}

pid_of() {
  cat "$dir/$1/pid" 2>/dev/null || true
}

# A pid may have been given to another process since: the command line must name the folder of this server.
alive() {
  local pid
  pid=$(pid_of "$1")
  [ -n "$pid" ] && ps -ww -o command= -p "$pid" 2>/dev/null | has "-Dtestbed.server=$dir/$1 " && ! zombie "$pid"
}

# Whether the process that was started is no more. Not the opposite of `alive`: between fork and exec the command line
# is not yet that of the server.
ended() {
  local pid
  pid=$(pid_of "$1")
  [ -z "$pid" ] || ! kill -0 "$pid" 2>/dev/null || zombie "$pid"
}

zombie() {
  [[ $(ps -o stat= -p "$1") == Z* ]]
}

# Writes the `run` file of a server: a java command line. Usage: server NAME ADDRESS CLASSPATH FLAGS MAIN ARGUMENTS...
server() {
  local name=$1 address=$2 class_path=$3 flags=$4
  shift 4
  mkdir -p "$dir/$name/conf" "$dir/$name/data"
  echo "$address" >"$dir/$name/address"
  {
    echo '#!/usr/bin/env bash'
    printf 'cd %q\n' "$dir/$name"
    printf 'exec %q %s %q' "$(java_command)" "$flags" "-Dtestbed.server=$dir/$name"
    printf ' %q' -cp "$class_path" "$@"
    echo
  } >"$dir/$name/run"
  chmod +x "$dir/$name/run"
}

start() {
  local detach=nohup
  ! command -v setsid >/dev/null || detach=setsid
  touch "$dir/$1/log"
  wc -l <"$dir/$1/log" >"$dir/$1/log_start" # readiness looks at the lines of this start only
  "$detach" "$dir/$1/run" >>"$dir/$1/log" 2>&1 </dev/null &
  echo $! >"$dir/$1/pid"
  disown # its death is ours to report, not the shell's
}

stop() {
  alive "$1" || return 0
  local tries=$((stop_limit_s * 10)) pid
  pid=$(pid_of "$1")
  kill -CONT "$pid" && kill -TERM "$pid"
  while alive "$1"; do
    [ $((tries--)) -gt 0 ] || { kill_at_once "$1" && return; }
    sleep 0.1
  done
}

kill_at_once() {
  alive "$1" || return 0
  kill -KILL "$(pid_of "$1")"
  while alive "$1"; do sleep 0.05; done
}

# All servers go at once and without their good-byes: their folders are removed or kept for reading only.
stop_all() {
  local name
  for name in $(servers); do
    if alive "$name"; then kill -KILL "$(pid_of "$name")"; fi
  done
  for name in $(servers); do
    while alive "$name"; do sleep 0.05; done
  done
}

# Waits until a condition holds. Fails at once if the server has ended, with the end of its log.
# Usage: wait_until NAME WHAT CONDITION...
wait_until() {
  local name=$1 what=$2 tries=$((ready_limit_s * 10))
  shift 2
  until "$@" 2>/dev/null; do
    if ended "$name"; then
      tail -15 "$dir/$name/log" >&2
      fail "$name has ended before it was ready ($what); the end of $dir/$name/log is above"
    fi
    if [ $((tries--)) -le 0 ]; then
      tail -15 "$dir/$name/log" >&2
      fail "$name is not ready after $ready_limit_s s ($what); the end of $dir/$name/log is above"
    fi
    sleep 0.1
  done
}

# True if the log holds the text since the last start.
logged() {
  tail -n "+$(($(cat "$dir/$1/log_start") + 1))" "$dir/$1/log" | has "$2"
}

# True if something listens there.
ask_open() {
  (exec 3<>"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null
}

# One request over TCP, without curl or nc. A server that is just starting may accept and never answer, so no line
# is waited for longer than a second. Usage: ask ADDRESS TEXT
ask() {
  (
    exec 3<>"/dev/tcp/${1%:*}/${1##*:}" || exit 1
    printf '%s' "$2" >&3
    while IFS= read -r -t 1 line <&3; do printf '%s\n' "$line"; done
  ) 2>/dev/null
}

# Ports: each test bed takes a block of 40 below the ephemeral range, noted in a file so that no other takes it.
port_blocks=$cache/ports

reserve_ports() {
  local block owner port
  mkdir -p "$port_blocks"
  for ((block = 20000; block < 32000; block += 40)); do
    owner=$(cat "$port_blocks/$block" 2>/dev/null || true)
    if [ -n "$owner" ] && [ ! -d "$owner" ]; then rm -f "$port_blocks/$block"; fi # its folder was deleted by hand
    (set -o noclobber && echo "$dir" >"$port_blocks/$block") 2>/dev/null || continue
    for ((port = block; port < block + 40; port++)); do
      if ask_open "127.0.0.1:$port"; then
        rm -f "$port_blocks/$block"
        continue 2
      fi
    done
    first_port=$block
    return
  done
  fail "no free block of 40 ports between 20000 and 32000; end other test beds (their folders are in $port_blocks)"
}

release_ports() {
  local file
  for file in "$port_blocks"/*; do
    [ "$(cat "$file" 2>/dev/null || true)" != "$dir" ] || rm -f "$file"
  done
}

# Words joined by commas.
joined() {
  local IFS=,
  echo "$*"
}

# Addresses and pids of all servers of one kind, e.g. `addresses datanode-`.
addresses() {
  # shellcheck disable=SC2046 # addresses are words
  joined $(cat "$dir/$1"[0-9]*/address 2>/dev/null)
}

pids() {
  # shellcheck disable=SC2046 # pids are words
  joined $(cat "$dir/$1"[0-9]*/pid 2>/dev/null)
}

# KEY=VALUE for the shell; left plain where it can be, so that any program can read it.
env_line() {
  if [[ $2 =~ ^[A-Za-z0-9_./:,-]*$ ]]; then echo "TESTBED_$1=$2"; else printf 'TESTBED_%s=%q\n' "$1" "$2"; fi
}

# Several may run at once, each starting another server: each writes a file of its own, and puts it in place.
write_env() {
  local pair namenode file=$dir/testbed.env
  local new=$file.$$
  namenode=$(cat "$dir/namenode/address" 2>/dev/null || true)
  {
    echo "# A test bed of alluxio-rs. A single server starts again with: scripts/testbed start datanode 2 --dir $dir"
    for pair in "DIR=$dir" \
      "ZOOKEEPER=$(addresses zookeeper-)" "ZOOKEEPER_PIDS=$(pids zookeeper-)" \
      "HDFS=${namenode:+hdfs://$namenode}" "NAMENODE_PID=$(cat "$dir/namenode/pid" 2>/dev/null || true)" \
      "DATANODES=$(addresses datanode-)" "DATANODE_PIDS=$(pids datanode-)" \
      "HADOOP_CONF_DIR=$dir/hadoop-conf" \
      "ALLUXIO_JAVA=$(addresses alluxio-java-)" "ALLUXIO_JAVA_PIDS=$(pids alluxio-java-)" \
      "ALLUXIO_JAVA_WORKER=$(addresses alluxio-java-worker-)" \
      "ALLUXIO_JAVA_WORKER_PIDS=$(pids alluxio-java-worker-)"; do
      env_line "${pair%%=*}" "${pair#*=}"
    done
    grep -E '^TESTBED_(ZOOKEEPER|HDFS)_VERSION=' "$file" || true
  } >"$new"
  mv "$new" "$file"
}
