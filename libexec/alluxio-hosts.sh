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

# Begins FUNCTION HOST ARGUMENTS... for each of `hosts`. Its output goes to task.log.
begin_on_hosts() {
  local host report
  reports=()
  open_task_log
  for host in "${hosts[@]}"; do
    exec {report}< <(report_of "${host}" "$@")
    reports+=("${report}")
  done
}

# Waits for what was begun. Sets `failures` to a line for each host that failed, with the reason.
end_on_hosts() {
  local report line
  failures=()
  for report in "${reports[@]}"; do
    while IFS= read -r line; do
      failures+=("${line}")
    done <&"${report}"
    exec {report}<&-
  done
}

# Says on standard error which hosts failed; returns whether none did.
tell_failures() {
  [[ ${#failures[@]} -gt 0 ]] || return 0
  printf '%s\n' "${failures[@]}" >&2
  return 1
}

# Runs words on a host, this one without ssh.
run_on_host() {
  local host="$1" word quoted=""
  shift
  if is_this_host "${host}"; then
    "$@"
    return
  fi
  for word in "$@"; do
    # The other shell must find the same words.
    quoted+=" '${word//\'/\'\\\'\'}'"
  done
  ssh -n "${ssh_options[@]}" "${host}" "${quoted# }"
}

is_this_host() {
  "${ALLUXIO_PROGRAM}" process this-host "$1"
}

# One line if the task fails, none if not.
report_of() {
  local host="$1" task="$2" line last="" lost="" code
  shift 2
  # The loop in this shell, which is to know the last line.
  shopt -s lastpipe
  "${task}" "${host}" "$@" 2>&1 </dev/null | while IFS= read -r line || [[ -n "${line}" ]]; do
    line="${line%$'\r'}"
    { echo "[${host}] ${line}" >>"${task_log}"; } 2>/dev/null || lost="yes"
    # What a launcher says after the reason.
    [[ -z "${line}" || "${line}" == *" failed to start (exit code "* ]] || last="${line}"
  done
  code="${PIPESTATUS[0]}"
  [[ -z "${lost}" ]] || echo "cannot write ${task_log}: output of ${host} is lost." >&2
  if [[ "${code}" -ne 0 ]]; then
    echo "${host}: failed with exit code ${code}: ${last:-it said nothing}$(advice "${host}" "${last}")"
  fi
}

# What to do about what ssh or the shell there says.
advice() {
  case "$2" in
    *"Could not resolve hostname"*) echo " (is it the right name in ${ALLUXIO_CONF_DIR}/workers?)" ;;
    *"Permission denied ("*) echo " (ssh has to get in without a password: ssh-copy-id $1)" ;;
    *"${bin}/"*": No such file or directory") echo " (is it installed in the same folder there?)" ;;
    "ssh: connect to host"* | *"Connection timed out"*) echo " (is the host up, and its sshd?)" ;;
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
