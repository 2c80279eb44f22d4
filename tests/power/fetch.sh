#!/usr/bin/env bash
# Fetches a kernel, its modules for a disk, and a busybox, from Debian, into .tools/power; installs nothing.
# usage: tests/power/fetch.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
into=$PWD/.tools/power
command -v qemu-system-x86_64 >/dev/null || {
  echo "error: no qemu-system-x86_64 found"
  echo "hint: apt-get install --no-install-recommends qemu-system-x86"
  exit 1
} >&2
[ ! -e "$into/ready" ] || exit 0
mkdir -p "$into/debs"
kernel=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: //p')
(cd "$into/debs" && apt-get -q download "$kernel" busybox-static 2>/dev/null)
for package in "$into"/debs/*.deb; do
  dpkg-deb -x "$package" "$into/root"
done
touch "$into/ready"
