#!/usr/bin/env bash
# Builds the wheel of version 0.1.0 from its commit in this repository, and installs it beside the working tree:
# .tools/git_chatroom-0.1.0-py3-none-any.whl and .tools/gitchat-0.1.0/bin/git-chat, for the tests that need an
# old version beside. Usage: fetch-released.sh PYTHON, one that has the module "build".
set -euo pipefail
cd "$(dirname "$0")/.."
python=$PWD/${1:-.venv/bin/python}
version=0.1.0 commit=7501d3d
wheel=$PWD/.tools/git_chatroom-$version-py3-none-any.whl
target=$PWD/.tools/gitchat-$version

git cat-file -e "$commit^{commit}" 2>/dev/null || {
  echo "error: commit $commit, which version $version was built from, is not in this clone" >&2
  echo "hint: git fetch --unshallow" >&2
  exit 1
}
if [ ! -f "$wheel" ]; then
  source=$(mktemp -d)
  trap 'rm -rf "$source"' EXIT
  git archive "$commit" | tar -x -C "$source"
  mkdir -p .tools
  "$python" -m build --wheel --outdir "$source/dist" "$source" >/dev/null
  mv "$source/dist/${wheel##*/}" "$wheel"
fi
if ! "$target/bin/git-chat" --version >/dev/null 2>&1; then
  rm -rf "$target"
  "$python" -m venv --without-pip "$target"
  "$python" -m pip --python "$target/bin/python" install --quiet "$wheel"
fi
"$target/bin/git-chat" --version
