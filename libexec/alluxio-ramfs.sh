#!/usr/bin/env bash

# Mounts an empty RamFS in the place of what is there: alluxio-ramfs.sh FOLDER SIZE. Run by alluxio-mount.sh, as root.

folder="$1" size="$2"

fail() {
  echo "ERROR: $1" >&2
  exit 1
}

echo "Formatting RamFS: ${folder} (${size})"
if mountpoint -q "${folder}"; then
  kind="$(stat -f -c %T "${folder}")"
  case "${kind}" in
    ramfs | tmpfs) ;;
    *) fail "${folder} is the mount of a file system of another kind (${kind}), and is left alone" ;;
  esac
  [[ "${folder%/}" != "/dev/shm" ]] || fail "/dev/shm is in use by all of the machine: take NoMount, or another folder"
  umount -f "${folder}" || fail "umount RamFS ${folder} failed"
else
  mkdir -p "${folder}" || fail "cannot make the folder ${folder}"
fi
mount -t ramfs -o "size=${size}" ramfs "${folder}" || fail "mount RamFS ${folder} failed"
chmod a+w "${folder}" || fail "chmod a+w ${folder} failed"
