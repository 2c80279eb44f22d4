#!/usr/bin/env bash
# What the tests of the page need: Debian's chromium, and into .tools/web playwright-core, which drives it, and axe-core,
# which looks for what keeps people out (make chromium). The packages are pinned by tests/serve/page/package-lock.json.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=$PWD/.tools/web
lock=tests/serve/page/package-lock.json

if ! command -v chromium >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get -q update >/dev/null && apt-get -q install -y --no-install-recommends chromium >/dev/null
  else
    echo "no chromium here: the tests in a browser are skipped, or fail under CI" >&2
    echo "hint: sudo apt-get install chromium" >&2
  fi
fi
command -v node >/dev/null && command -v npm >/dev/null || {
  echo "no node and npm here: the tests in a browser are skipped, or fail under CI" >&2
  exit 0
}
cmp -s "$lock" "$target/package-lock.json" && [ -d "$target/node_modules/axe-core" ] && exit 0
mkdir -p "$target"
cp tests/serve/page/package.json "$lock" "$target"
(cd "$target" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || {
  rm -rf "$target"
  echo "npm cannot install $lock here (npm ping): the tests in a browser are skipped, or fail under CI" >&2
}
