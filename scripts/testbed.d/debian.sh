# shellcheck shell=bash
# What hosts in namespaces need besides Java: the machine's, or that of Debian's packages, unpacked into the cache, because
# to install them would change this machine (openssh-server starts a server). Sourced by the tests.

# Prints the path of an sshd.
sshd_command() {
  if [ -x /usr/sbin/sshd ]; then
    echo /usr/sbin/sshd
  else
    unpacked sshd "openssh-server libwrap0" sshd_ready
  fi
}

# Called in the folder of the packages: prints the path that the sshd has in FOLDER later. Usage: sshd_ready FOLDER
sshd_ready() {
  # It calls itself by its path, and needs a library that came with it.
  cp root/usr/lib/*/libwrap.so.0 . && cp root/usr/sbin/sshd sshd.real || return 1
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s/sshd.real "$@"\n' "$1" "$1" >sshd
  chmod +x sshd && echo "$1/sshd"
}

# Prints the path of the library that gives a process another wall clock.
faketime_library() {
  local file
  for file in /usr/lib/*/faketime/libfaketimeMT.so.1 /usr/lib*/faketime/libfaketimeMT.so.1; do
    [ ! -f "$file" ] || { echo "$file" && return; }
  done
  unpacked faketime libfaketime faketime_ready
}

faketime_ready() {
  cp root/usr/lib/*/faketime/libfaketimeMT.so.1 . && echo "$1/libfaketimeMT.so.1"
}

# Has Debian's PACKAGES unpacked in the cache, once, and prints what READY printed when they were. Usage: unpacked NAME
# "PACKAGES" READY
unpacked() {
  local folder=${XDG_CACHE_HOME:-$HOME/.cache}/alluxio-rs/debian-$1 new
  if [ ! -e "$folder/ready" ]; then
    command -v apt-get >/dev/null || { echo "no $1: install it" >&2 && return 1; }
    mkdir -p "$(dirname "$folder")"
    new=$(mktemp -d "$folder.XXXXXX")
    # shellcheck disable=SC2086 # the packages are words
    if ! (fetch_into "$new" $2 && "$3" "$folder" >ready) >"$new/log" 2>&1; then
      tail -20 "$new/log" >&2
      rm -rf "$new"
      echo "no $1, and Debian's packages could not be fetched (see above): apt-get install $2" >&2
      return 1
    fi
    # Two fetches at once: the second to finish drops its own.
    mv -T "$new" "$folder" 2>/dev/null || rm -rf "$new"
  fi
  cat "$folder/ready"
}

fetch_into() {
  cd "$1" || return 1
  shift
  chmod 755 .
  apt-get download "$@" || { apt-get update && apt-get download "$@"; } || return 1
  local package
  for package in *.deb; do dpkg-deb -x "$package" root || return 1; done
}
