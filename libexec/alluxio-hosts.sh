# shellcheck shell=bash
# Runs a task for each host of conf/workers, all at once. Sourced after alluxio-config.sh.

task_log="${ALLUXIO_LOGS_DIR}/task.log"

# Nobody is asked for a password, and a host that is down or goes down costs seconds.
ssh_options=(-o BatchMode=yes -o ConnectTimeout=5 -o StrictHostKeyChecking=no
  -o ServerAliveInterval=5 -o ServerAliveCountMax=3)

# Sets `hosts` to those of conf/workers. What follows a # is a comment.
read_hosts() {
  local file="${ALLUXIO_CONF_DIR}/workers" line host
  hosts=()
  if [[ ! -f "${file}" || ! -r "${file}" ]]; then
    echo "Cannot read ${file}: it names the hosts of the workers, one a line." >&2
    return 1
  fi
  # Words that are split are no patterns.
  set -f
  while IFS= read -r line || [[ -n "${line}" ]]; do
    line="${line%%#*}"
    for host in ${line//$'\r'/ }; do
      [[ " ${hosts[*]} " == *" ${host} "* ]] || hosts+=("${host}")
    done
  done <"${file}"
  set +f
  [[ ${#hosts[@]} -gt 0 ]] || echo "${file} names no host." >&2
}

# Runs words on all hosts, and tells as 1.2.0 that it waits, and for whose TASKS. Returns whether none failed.
run_on_all_hosts() {
  local tasks="$1"
  shift
  read_hosts || return
  begin_on_hosts run_on_host "$@"
  echo "Waiting for ${tasks} tasks to finish..."
  end_on_hosts
  echo "All ${tasks} tasks finished, please analyze the log at ${ALLUXIO_LOGS_DIR}/task.log."
  tell_failures
}

# Begins FUNCTION HOST ARGUMENTS... for each of `hosts`. Its output goes to task.log. What interrupts this shell
# interrupts all of them.
begin_on_hosts() {
  local host report reporter
  reports=() reporters=() interrupted=""
  open_task_log
  trap 'interrupt_hosts INT' INT
  trap 'interrupt_hosts TERM' TERM
  for host in "${hosts[@]}"; do
    exec {report}< <(report_of "${host}" "$@")
    read -r reporter <&"${report}"
    reports+=("${report}") reporters+=("${reporter}")
  done
  # One that was begun just then has not heard of it.
  [[ -z "${interrupted}" ]] || interrupt_hosts "${interrupted}"
}

interrupt_hosts() {
  interrupted="$1"
  kill "${reporters[@]}" 2>/dev/null
}

# Waits for what was begun. Sets `failures` to a line for each host that failed, with the reason. Interrupted, it tells
# them and ends the shell as the signal does.
end_on_hosts() {
  local report line
  failures=()
  for report in "${reports[@]}"; do
    while IFS= read -r line; do
      failures+=("${line}")
    done <&"${report}"
    exec {report}<&-
  done
  trap - INT TERM
  if [[ -n "${interrupted}" ]]; then
    tell_failures
    kill -s "${interrupted}" "$$"
  fi
}

# Says on standard error which hosts failed; returns whether none did.
tell_failures() {
  [[ ${#failures[@]} -gt 0 ]] || return 0
  printf '%s\n' "${failures[@]}" >&2
  return 1
}

# Becomes a command on a host; without ssh on this one.
run_on_host() {
  local host="$1" word quoted=""
  shift
  if is_this_host "${host}"; then
    exec -- "$@"
  fi
  for word in "$@"; do
    # The other shell must find the same words.
    quoted+=" '${word//\'/\'\\\'\'}'"
  done
  exec ssh -n "${ssh_options[@]}" "${host}" "${quoted# }"
}

is_this_host() {
  "${ALLUXIO_PROGRAM}" process this-host "$1"
}

# Its process, and then a line if the task fails. Told to end, it ends the task; what that has begun on another host is
# out of reach.
report_of() {
  local host="$1" task="$2" line last="" lost="" process="" code
  shift 2
  trap 'kill "${process}" 2>/dev/null; echo "${host}: interrupted; what it has begun there may go on"; exit' TERM
  echo "${BASHPID}"
  # The loop in this shell, which is to know the last line.
  shopt -s lastpipe
  { echo "${BASHPID}" && "${task}" "${host}" "$@"; } 2>&1 </dev/null | {
    read -r process
    while IFS= read -r line || [[ -n "${line}" ]]; do
      line="${line%$'\r'}"
      { echo "[${host}] ${line}" >>"${task_log}"; } 2>/dev/null || lost="yes"
      case "${line}" in
        # What a launcher says after the reason.
        "" | *" failed to start (exit code "* | "Mount failed, not starting worker") ;;
        *) last="${line}" ;;
      esac
    done
  }
  code="${PIPESTATUS[0]}"
  [[ -z "${lost}" ]] || echo "cannot write ${task_log}: output of ${host} is lost." >&2
  if [[ "${code}" -ne 0 ]]; then
    echo "${host}: failed with exit code ${code}: ${last:-it said nothing}$(advice "${host}" "${last}")"
  fi
}

# What to do about what ssh or the shell there says.
advice() {
  case "$2" in
    # Not of ssh, but of what it reached.
    *"(os error "*) ;;
    *"Could not resolve hostname"*) echo " (is it the right name in ${ALLUXIO_CONF_DIR}/workers?)" ;;
    *"Permission denied ("*) echo " (ssh has to get in without a password: ssh-copy-id $1)" ;;
    "Host key verification failed.") echo " (is it another machine by now? Then: ssh-keygen -R $1)" ;;
    *"${bin}/"*": No such file or directory") echo " (is it installed in the same folder there?)" ;;
    "ssh: connect to host"* | *"Connection timed out"* | "Timeout, server "*) echo " (is the host up, and its sshd?)" ;;
  esac
}

# Begins the part of this run in task.log. A log that cannot be written hinders nothing.
open_task_log() {
  local reason
  reason="$({ mkdir -p "${ALLUXIO_LOGS_DIR}" && log_connections >>"${task_log}"; } 2>&1)" && return
  echo "cannot write ${task_log}: ${reason##*: }; the output of the hosts is lost." >&2
  task_log="/dev/null"
}

# As 1.2.0, tells when which host was connected to.
log_connections() {
  local host
  for host in "${hosts[@]}"; do
    echo "$(date '+%Y-%m-%d %H:%M:%S,%3N')"$'\n'"   INFO WORKERS  Connecting to ${host} as $(id -un)..." || return
  done
}
