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
# Lists of its own: the system's may be empty, or old.
mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial"
options=(-q -o "Dir::State::lists=$scratch/lists" -o "Dir::Cache=$scratch/cache" -o APT::Sandbox::User=root
  -o Acquire::Retries=5)
{ apt-get "${options[@]}" update && cd "$scratch" && apt-get "${options[@]}" download busybox-static; } >/dev/null || {
  echo "busybox cannot be fetched here: the tests in its shell are skipped, or fail under CI" >&2
  exit 0
}
dpkg -x "$scratch"/busybox-static_*.deb "$scratch/root"
cp "$scratch/root/bin/busybox" "$target/busybox"
