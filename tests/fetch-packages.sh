#!/usr/bin/env bash
# Installs the programs that tests drive and a small system lacks: shells, servers of ssh, HTTP and NATS, gitolite, a terminal,
# strace, man (make packages). As root on Debian; otherwise it prints the command. Without one of them tests are skipped, or fail under CI.
set -euo pipefail
PATH=$PATH:/usr/sbin

# A program, and the package of Debian's that has it.
needed=(
  fish:fish zsh:zsh dash:dash sshd:openssh-server ssh-keygen:openssh-client tmux:tmux strace:strace perl:perl
  gawk:gawk original-awk:original-awk nginx:nginx-light caddy:caddy fcgiwrap:fcgiwrap lighttpd:lighttpd gitolite:gitolite3
  groff:groff-base man:man-db unshare:util-linux setpriv:util-linux nats-server:nats-server openssl:openssl
)
packages=()
for pair in "${needed[@]}"; do
  command -v "${pair%%:*}" >/dev/null || packages+=("${pair#*:}")
done
# What sshd's service makes at each boot, where there is one.
[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
[ "${#packages[@]}" -gt 0 ] || exit 0
command=(apt-get install --yes --no-install-recommends "${packages[@]}")
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "missing, so that tests are skipped or fail under CI: ${packages[*]}; to install them: sudo ${command[*]}" >&2
  exit 0
fi
# RUNLEVEL=1: invoke-rc.d starts no service of theirs.
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt-get -q update >/dev/null && "${command[@]}" >/dev/null || {
  echo "cannot be installed here, so that tests are skipped or fail under CI: ${packages[*]}" >&2
}
