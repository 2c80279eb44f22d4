#!/usr/bin/env bash
# Fetches what gitchat is measured beside: NATS and Redis from Debian, unpacked into .tools/peers and not installed, and
# NATS's client in an environment of its own. Run by make bench. Prints what it could not get; that is no failure.
# usage: bench/fetch-peers.sh PYTHON, one that has pip
set -uo pipefail
cd "$(dirname "$0")/.."
python=$1 into=$PWD/.tools/peers
packages=(nats-server redis-server redis-tools libatomic1 libjemalloc2 liblua5.1-0 liblzf1 lua-bitop lua-cjson)
mkdir -p "$into/debs"

have() { PATH=$into/root/usr/bin:$into/root/usr/sbin:$PATH:/usr/sbin command -v "$1" >/dev/null; }

if ! have nats-server || ! have redis-server; then
  if command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
    # Lists may be there; without them, or too old, they are asked for, which root alone may do.
    (cd "$into/debs" && { apt-get -q download "${packages[@]}" || { apt-get -q update && apt-get -q download "${packages[@]}"; }; }) >/dev/null 2>&1
    for package in "$into"/debs/*.deb; do
      [ ! -e "$package" ] || dpkg-deb -x "$package" "$into/root"
    done
  fi
fi
have nats-server || echo "NATS: no nats-server, and apt-get could not download it"
have redis-server || echo "Redis: no redis-server, and apt-get could not download it"

if [ ! -x "$into/nats/bin/python" ] || ! "$into/nats/bin/python" -c 'import nats' 2>/dev/null; then
  "$python" -m venv --clear --without-pip "$into/nats" &&
    "$python" -m pip --python "$into/nats/bin/python" install --quiet 'nats-py>=2.10,<3' >/dev/null 2>&1 ||
    echo "NATS: its client nats-py could not be installed"
fi
exit 0
