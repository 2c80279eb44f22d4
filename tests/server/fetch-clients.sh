#!/usr/bin/env bash
# Puts MCP clients that others wrote into .tools/clients, for the tests (make tools). Needs node and npm;
# without them there is nothing to do, and the tests that need the clients are skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=$PWD/.tools/clients
clients=(@modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/inspector@2.12.0)

command -v node >/dev/null && command -v npm >/dev/null || {
  echo "no node and npm here: the tests with clients in TypeScript are skipped"
  exit 0
}
[ "$(cat "$target/.installed" 2>/dev/null)" = "${clients[*]}" ] && exit 0

rm -rf "$target"
mkdir -p "$target"
npm install --prefix "$target" --ignore-scripts --no-audit --no-fund --loglevel=error "${clients[@]}" || {
  # Not everybody who runs the tests reaches npm's registry; the clients of the Python SDK are there in any case.
  rm -rf "$target"
  echo "npm cannot install ${clients[*]} here (npm ping): the tests with clients in TypeScript are skipped" >&2
  exit 0
}
echo "${clients[*]}" > "$target/.installed"
