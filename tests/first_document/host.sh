#!/usr/bin/env bash
# The first process of a host of the walkthrough, in network, mount, process and host name namespaces of its own: gives
# the host its name, its files and an sshd, says so, and ends with its standard input. Everything on the host ends with
# it, and so do its mounts and its network: nothing is left behind, whatever ends the test.
# Usage: host.sh NAME BED PROJECT SSHD
set -euo pipefail
name=$1 bed=$2 project=$3 sshd=$4
own=$bed/$name

hostname "$name"
ip link set lo up

# The machine's own home stays as it is: here it is a folder of links, with another .ssh.
home=$(getent passwd root | cut -d : -f 6)
mkdir -p "$own/home" "$own/opt"
mount --bind "$home" "$own/home"
mount -t tmpfs -o mode=700 tmpfs "$home"
(
  shopt -s dotglob nullglob
  for entry in "$own/home"/*; do
    [ "${entry##*/}" = .ssh ] || ln -s "$entry" "$home/"
  done
)
install -d -m 700 "$home/.ssh"
install -m 600 "$bed/ssh/key" "$home/.ssh/id_ed25519"
install -m 600 "$bed/ssh/key.pub" "$home/.ssh/authorized_keys"

# The package runs without the clone.
[ ! -d "$project" ] || mount -t tmpfs -o mode=755 tmpfs "$project"

for file in hosts resolv.conf passwd shadow; do
  mount --bind "$bed/etc/$file" "/etc/$file"
done
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /mnt
mount -t tmpfs -o size=256m tmpfs /dev/shm
mount --bind "$own/opt" "$bed/opt"
mkdir /run/sshd

"$sshd" -f "$bed/ssh/sshd_config" -E "$own/sshd.log"
echo ready
read -r _ || true
