#!/usr/bin/env bash
# The main job of gitchat, shown in a scratch repository: run it with `make demo`.
# Ends non-zero when a step fails, and leaves nothing behind.
set -euo pipefail

if [ -z "${DEMO_HOME:-}" ]; then
  # Begin again with an empty home and without the caller's variables: what is shown is what everybody gets.
  DEMO_HOME=$(mktemp -d)
  trap 'rm -rf "$DEMO_HOME"' EXIT
  env -i PATH="$PATH" HOME="$DEMO_HOME" DEMO_HOME="$DEMO_HOME" TERM="${TERM:-dumb}" LANG=C.UTF-8 TZ=UTC \
    GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat bash "$0"
  exit
fi
examples=$(cd "$(dirname "$0")/../examples" && pwd)
cd "$DEMO_HOME"

say() { printf '\n# %s\n' "$1"; }
run() {
  printf '$ %s\n' "$1"
  eval "$1"
}

say "An ordinary repository, with one commit and two worktrees."
run 'git init -q -b main orbit && cd orbit'
run 'git config user.name Alice && git config user.email alice@example.com'
run 'git commit -q --allow-empty -m "Begin"'
run 'git worktree add -q ../orbit-parser'

say "Alice asks. What is printed is the number of the message."
run 'git chat send --type question "Who takes the parser?"'

say "Another participant answers from the other worktree: all worktrees share the room."
run 'cd ../orbit-parser'
run 'git chat send --as codex --to alice --type answer --reply-to 1 "I do. The tests come first."'
run 'cd ../orbit'

say "The conversation, and all that is known about one message."
run 'git chat log'
run 'git chat show 2'

say "Two agents over MCP, each with a server of its own. One asks, and sleeps until the other has answered."
run 'git worktree add -q ../orbit-lexer'
run 'python "$examples/two_agents.py" ../orbit-parser ../orbit-lexer'
run 'git chat summary show'

say "Eight at once. Each message gets a number of its own; none is lost."
run 'for n in 1 2 3 4 5 6 7 8; do git chat send -q --as "agent-$n" "Agent $n is ready" & done; wait'
run 'git chat log --oneline --since 5'

say "Every message is a commit. Branches, index and files are as they were."
run 'git log --oneline -3 refs/chatroom/rooms/lobby/log'
run 'git log --oneline'
run 'git status --short'

say "A room travels with an ordinary push."
run 'git init -q --bare ../hub.git'
run "git push -q ../hub.git 'refs/chatroom/*:refs/chatroom/*'"
run 'git -C ../hub.git for-each-ref refs/chatroom'

say "Is all well?"
run 'git chat doctor'

# What the reader cannot see at a glance: thirteen records with thirteen numbers, and a clean tree.
[ "$(git chat log --json | grep -o '^{"id": [0-9]*' | sort -u | wc -l)" -eq 13 ]
[ -z "$(git status --short)" ]
