# shellcheck shell=bash
# The sshd of the hosts of the walkthrough. Sourced by its test.

# Prints the path of an sshd: the machine's, or that of Debian's package, unpacked into the cache: to install it would
# start a server on this machine.
sshd_command() {
  local folder=${XDG_CACHE_HOME:-$HOME/.cache}/alluxio-rs/sshd new
  if [ -x /usr/sbin/sshd ]; then
    echo /usr/sbin/sshd
    return
  fi
  if [ ! -x "$folder/sshd" ]; then
    command -v apt-get >/dev/null || { echo "no sshd: install OpenSSH's server" >&2 && return 1; }
    mkdir -p "$(dirname "$folder")"
    new=$(mktemp -d "$folder.XXXXXX")
    if ! sshd_unpack "$new" >"$new/log" 2>&1; then
      tail -20 "$new/log" >&2
      rm -rf "$new"
      echo "no sshd, and Debian's package could not be fetched (see above): apt-get install openssh-server" >&2
      return 1
    fi
    # Two fetches at once: the second to finish drops its own.
    mv -T "$new" "$folder" 2>/dev/null || rm -rf "$new"
  fi
  echo "$folder/sshd"
}

sshd_unpack() {
  cd "$1" || return 1
  chmod 755 .
  apt-get download openssh-server libwrap0 || { apt-get update && apt-get download openssh-server libwrap0; } || return 1
  local package
  for package in *.deb; do dpkg-deb -x "$package" root || return 1; done
  # It calls itself by its path, and needs a library that came with it.
  cp root/usr/lib/*/libwrap.so.0 . && cp root/usr/sbin/sshd sshd.real || return 1
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s/sshd.real "$@"\n' "${1%.*}" "${1%.*}" >sshd
  chmod +x sshd
}
