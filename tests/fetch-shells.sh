#!/usr/bin/env bash
# Puts busybox into .tools/shells/, for the tests of what is written in POSIX sh (make tools). Nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$PWD/.tools/shells

[ -x "$target/busybox" ] && exit 0
mkdir -p "$target"
if command -v busybox >/dev/null; then
  ln -sf "$(command -v busybox)" "$target/busybox"
  exit 0
fi
command -v apt-get >/dev/null && command -v dpkg >/dev/null || {
  echo "no busybox here, and it can be fetched on Debian only: the tests in its shell are skipped"
  exit 0
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
(cd "$scratch" && apt-get -q -o APT::Sandbox::User=root -o Acquire::Retries=5 download busybox-static >/dev/null) || {
  echo "busybox cannot be fetched here (apt-get update): the tests in its shell are skipped" >&2
  exit 0
}
dpkg -x "$scratch"/busybox-static_*.deb "$scratch/root"
cp "$scratch/root/bin/busybox" "$target/busybox"
