#!/usr/bin/env bash

# Sourced by the scripts in bin/: finds the installation, reads conf/alluxio-env.sh, and finds the program.
# Sets and exports ALLUXIO_HOME, ALLUXIO_CONF_DIR, ALLUXIO_LOGS_DIR and what alluxio-env.sh sets; sets ALLUXIO_PROGRAM and libexec.

# bash -x of one script shows those that it calls, too.
[[ $- != *x* ]] || export SHELLOPTS

libexec="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"

# For distributors, who put the parts into folders of the system.
if [[ -e "${libexec}/alluxio-layout.sh" ]]; then
  # shellcheck disable=SC1091 # A distributor writes it.
  . "${libexec}/alluxio-layout.sh"
fi

if [[ -z "${ALLUXIO_SYSTEM_INSTALLATION:-}" ]]; then
  ALLUXIO_HOME="$(dirname "${libexec}")"
  ALLUXIO_CONF_DIR="${ALLUXIO_CONF_DIR:-${ALLUXIO_HOME}/conf}"
  ALLUXIO_LOGS_DIR="${ALLUXIO_LOGS_DIR:-${ALLUXIO_HOME}/logs}"
fi
export ALLUXIO_HOME ALLUXIO_CONF_DIR ALLUXIO_LOGS_DIR

if [[ ! -e "${ALLUXIO_CONF_DIR}/alluxio-env.sh" ]]; then
  echo "Cannot find ${ALLUXIO_CONF_DIR}/alluxio-env.sh. To proceed, you can" >&2
  echo "(1) create one based on the provided template file ${ALLUXIO_HOME}/conf/alluxio-env.sh.template, or" >&2
  echo "(2) use a bootstraping tool by running: ${ALLUXIO_HOME}/bin/alluxio bootstrapConf" >&2
  exit 1
fi
# A mistake in it must not let a command go on with half of the configuration: read it once to hear its complaints. Its
# end is told on a stream of its own, because it may send its errors elsewhere, or say more when the shell ends.
end_of_file="read to its end by $$"
heard="$( (exec {told}>&1 2>&1 >/dev/null; . "${ALLUXIO_CONF_DIR}/alluxio-env.sh"; echo "${end_of_file}" >&"${told}"))"
complaint="$(echo "${heard}" | grep -F "${ALLUXIO_CONF_DIR}/alluxio-env.sh: " | grep -v -F -m 1 ": warning: ")"
if [[ -z "${complaint}" && "${heard}" != *"${end_of_file}"* ]]; then
  # What it said before may be the reason.
  complaint="${heard:+${heard}$'\n'}${ALLUXIO_CONF_DIR}/alluxio-env.sh ends the shell (exit) before its end"
fi
if [[ ! -f "${ALLUXIO_CONF_DIR}/alluxio-env.sh" || ! -r "${ALLUXIO_CONF_DIR}/alluxio-env.sh" ]]; then
  complaint="${ALLUXIO_CONF_DIR}/alluxio-env.sh is not a file that can be read"
fi
if [[ -n "${complaint}" ]]; then
  echo "${complaint}" >&2
  echo "Nothing was done. Mend alluxio-env.sh." >&2
  exit 1
fi
unset heard complaint end_of_file
# Plain assignments in it are meant for the program, too.
set -a
# shellcheck source=conf/alluxio-env.sh
. "${ALLUXIO_CONF_DIR}/alluxio-env.sh"
set +a

if [[ -n "${ALLUXIO_MASTER_ADDRESS:-}" ]]; then
  echo "ALLUXIO_MASTER_ADDRESS is deprecated since version 1.1 and will be remove in version 2.0."
  echo "Please use \"ALLUXIO_MASTER_HOSTNAME\" instead."
  export ALLUXIO_MASTER_HOSTNAME="${ALLUXIO_MASTER_ADDRESS}"
fi

# In a package it lies beside this file; in a clone it is where cargo puts it, and the newer build counts.
ALLUXIO_PROGRAM=""
for candidate in "${libexec}/alluxio" "${libexec}/../target/release/alluxio" "${libexec}/../target/debug/alluxio"; do
  if [[ -x "${candidate}" && (-z "${ALLUXIO_PROGRAM}" || "${candidate}" -nt "${ALLUXIO_PROGRAM}") ]]; then
    ALLUXIO_PROGRAM="${candidate}"
  fi
done
if [[ -z "${ALLUXIO_PROGRAM}" ]]; then
  echo "Cannot find the program alluxio in ${libexec} or $(dirname "${libexec}")/target." \
    "Build it first: cargo build --release" >&2
  exit 1
fi
unset candidate
