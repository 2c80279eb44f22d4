#!/bin/sh
# gitchat guard 1: says who has claimed a file that is about to be changed. See git chat claims -h
#
# Without a word on the command line it is what an agent's client runs before it edits: the client's JSON on standard
# input, ours on standard output. `guard commit` is what git runs before a commit, of the paths that are staged.
# It is coordination, not protection: whatever fails here lets the change go on.
# POSIX sh and awk, and nothing slower: it runs at each edit. Source: docs/format.md sections 7.41 and 16.6.

dir=${0%/*}
[ "$dir" != "$0" ] || dir=.
way=${1-edit}
if [ ! -s "$dir/guarded" ]; then
  [ "$way" = commit ] || cat >/dev/null # a client may take it ill when nobody reads what it says
  exit 0
fi

# Bytes, in each awk alike. git says where we are from the top, and PWD may lead there by another way.
tops=$(LC_ALL=C git rev-parse --show-toplevel --show-prefix 2>/dev/null)
export LC_ALL=C GUARD_DIR="$dir" GUARD_WAY="$way" GUARD_TOPS="$tops" GUARD_PWD="${PWD-}"

# shellcheck disable=SC2016
program='
BEGIN {
  way = ENVIRON["GUARD_WAY"]; dir = ENVIRON["GUARD_DIR"]
  split(ENVIRON["GUARD_TOPS"], lines, "\n")
  top = lines[1]; other_top = ENVIRON["GUARD_PWD"]
  prefix = "/" lines[2]; sub(/\/$/, "", prefix)
  at = length(other_top) - length(prefix)
  other_top = (substr(other_top, at + 1) == prefix) ? substr(other_top, 1, at) : top
  for (i = 1; i < 256; i++) code_of[sprintf("%c", i)] = i
  escapes["b"] = "\b"; escapes["f"] = "\f"; escapes["n"] = "\n"; escapes["r"] = "\r"; escapes["t"] = "\t"
  escapes["a"] = "\a"; escapes["v"] = "\v"
  split("file_path notebook_path session_id hook_event_name cwd", words, " ")
  for (i in words) is_taken[words[i]] = 1
  split("command input patch", words, " ")
  for (i in words) is_patch[words[i]] = 1
  # Of JSON each record is what stands between two quotes, so that text which looks like a key is never taken for one.
  RS = way == "commit" ? "\n" : "\""
}

way == "commit" { add($0 ~ /^"/ ? bytes(substr($0, 2, length($0) - 2)) : $0); next }

!is_inside {
  marks = $0
  is_value = 0
  if (sub(/^[ \t\r\n]*:[ \t\r\n]*/, "", marks)) { key = text; is_value = marks == "" }
  gsub(/[^][{}]/, "", marks)
  for (i = 1; i <= length(marks); i++) {
    mark = substr(marks, i, 1)
    nest = mark ~ /[[{]/ ? nest mark : substr(nest, 1, length(nest) - 1)
  }
  is_value = is_value || substr(nest, length(nest)) == "["
  is_inside = 1; pieces = 0; text = ""; rest = ""
  next
}

{
  for (i = length($0); i > 0 && substr($0, i, 1) == "\\"; ) i--
  is_end = (length($0) - i) % 2 == 0
  pieces++
  if (is_value && key in is_patch) patch($0 (is_end ? "" : "\""))
  else if (pieces == 1 || (is_value && key in is_taken && length(text) < 8192)) text = text $0 (is_end ? "" : "\"")
  if (!is_end) next
  is_inside = 0
  if (is_value && key in is_taken) taken(key, plain(text))
  if (is_value && key in is_patch) line_of_patch(rest)
  if (is_value || pieces > 1) text = ""
}

function taken(key, value) {
  if (key ~ /_path$/) raw[++raws] = value
  else if (key == "session_id" && session == "") session = value
  else if (key == "hook_event_name" && event == "") event = value
  else if (key == "cwd" && cwd == "") cwd = value
}

# A part of a patch, whose lines end with \n; of one that goes on in the next part the beginning is kept.
function patch(part,    lines, count, i) {
  part = rest part
  gsub(/\\\\/, "\001", part)
  count = split(part, lines, /\\n/)
  for (i = 1; i < count; i++) line_of_patch(lines[i])
  rest = length(lines[count]) < 8192 ? with(lines[count], "\001", "\\\\") : ""
}

function line_of_patch(line) {
  if (sub(/^[ \t]*\*\*\* (Add File|Update File|Delete File|Move to): */, "", line)) {
    line = plain(with(line, "\001", "\\\\"))
    sub(/[ \t\r]+$/, "", line)
    raw[++raws] = line
  }
}

# --- text --------------------------------------------------------------------------------

# What JSON spells so.
function plain(text,    out, at, mark, code, low) {
  out = ""
  while ((at = index(text, "\\")) > 0) {
    out = out substr(text, 1, at - 1)
    mark = substr(text, at + 1, 1)
    if (mark == "u") {
      code = hex(substr(text, at + 2, 4))
      text = substr(text, at + 6)
      low = substr(text, 1, 2) == "\\u" ? hex(substr(text, 3, 4)) : 0
      if (code >= 55296 && code < 56320 && low >= 56320 && low < 57344) {
        code = 65536 + (code - 55296) * 1024 + low - 56320
        text = substr(text, 7)
      }
      out = out utf8(code)
    } else {
      out = out (mark in escapes ? escapes[mark] : mark)
      text = substr(text, at + 2)
    }
  }
  return out text
}

function hex(digits,    i, value) {
  value = 0
  for (i = 1; i <= 4; i++) value = value * 16 + index("123456789abcdef", tolower(substr(digits, i, 1)))
  return value
}

function utf8(code) {
  if (code == 0) return "\n"  # of no path, and the end of a text for some awks
  if (code < 128) return sprintf("%c", code)
  if (code < 2048) return sprintf("%c%c", 192 + int(code / 64), 128 + code % 64)
  if (code < 65536) return sprintf("%c%c%c", 224 + int(code / 4096), 128 + int(code / 64) % 64, 128 + code % 64)
  return sprintf("%c%c%c%c", 240 + int(code / 262144), 128 + int(code / 4096) % 64, 128 + int(code / 64) % 64, 128 + code % 64)
}

# What git quotes so: its escapes are those of C.
function bytes(text,    out, at, mark) {
  out = ""
  while ((at = index(text, "\\")) > 0) {
    out = out substr(text, 1, at - 1)
    mark = substr(text, at + 1, 1)
    if (mark ~ /[0-7]/) {
      out = out sprintf("%c", mark * 64 + substr(text, at + 2, 1) * 8 + substr(text, at + 3, 1))
      text = substr(text, at + 4)
    } else {
      out = out (mark in escapes ? escapes[mark] : mark)
      text = substr(text, at + 2)
    }
  }
  return out text
}

# Printable ASCII; other bytes as git quotes them.
function shown(text,    out, i, mark) {
  if (text !~ /[^ -~]/) return text
  out = ""
  for (i = 1; i <= length(text); i++) {
    mark = substr(text, i, 1)
    out = out (mark ~ /[ -~]/ ? mark : sprintf("\\%03o", code_of[mark]))
  }
  return out
}

function json(text) {
  return "\"" with(with(text, "\\", "\\\\"), "\"", "\\\"") "\""
}

# `old` replaced by `new`. In what gsub puts there, awks do not agree about backslashes.
function with(text, old, new,    out, at) {
  out = ""
  while ((at = index(text, old)) > 0) {
    out = out substr(text, 1, at - 1) new
    text = substr(text, at + length(old))
  }
  return out text
}

# --- paths -------------------------------------------------------------------------------

# As claims have it, from the top of the work tree; blank for what is not in it.
function placed(path,    parts, count, i, out, depth) {
  if (path !~ /^\//) path = (cwd ~ /^\// ? cwd : top) "/" path
  count = split(path, parts, /\//)  # by "/" some awks split at the ends of lines, too
  depth = 0
  for (i = 1; i <= count; i++) {
    if (parts[i] == "..") { if (depth > 0) depth-- }
    else if (parts[i] != "" && parts[i] != ".") parts[++depth] = parts[i]
  }
  out = ""
  for (i = 1; i <= depth; i++) out = out "/" parts[i]
  if (top != "" && index(out, top "/") == 1) return substr(out, length(top) + 2)
  if (other_top != "" && index(out, other_top "/") == 1) return substr(out, length(other_top) + 2)
  return ""
}

function add(path) {
  if (path != "" && !(path in is_known)) { is_known[path] = 1; paths[++count] = path }
}

# --- who ---------------------------------------------------------------------------------

# The name of who is about to change something; blank where nothing tells.
function me(    line, i, name, held, newest, found, process, socket, is_agent, of_worktree, several, here) {
  if (ENVIRON["GITCHAT_NAME"] != "") return ENVIRON["GITCHAT_NAME"]
  if (session == "") session = first("GITCHAT_SESSION CLAUDE_CODE_SESSION_ID CODEX_SESSION_ID CODEX_THREAD_ID GEMINI_SESSION_ID")
  is_agent = way != "commit" || session != "" || first("CLAUDECODE GEMINI_CLI OPENCODE QWEN_CODE AI_AGENT") != ""
  if (!is_agent) return person
  socket = ENVIRON["CLAUDE_CODE_MESSAGING_SOCKET"]; process = ENVIRON["CLAUDE_PID"]
  here = json(top); newest = -1; found = of_worktree = ""; several = 0
  # A line of JSON in each file of a name, and one with its check.
  for (i = 1; i <= lived; i++) {
    line = lives[i]
    if (!match(line, /^."name":"[^"]*"/)) continue
    name = substr(line, 10, RLENGTH - 10)
    if (is_in(line, "\"id\":", session) || is_in(line, "\"socket\":", socket) || \
        (process != "" && index(line, "\"process\":\"process " process " of "))) {
      held = match(line, /"held_at":[0-9]+/) ? substr(line, RSTART + 10, RLENGTH - 10) + 0 : 0
      if (held > newest) { newest = held; found = name }
    }
    if (index(line, "\"worktree\":" here ",") && !index(line, "\"client\":null")) { of_worktree = name; several++ }
  }
  return (found == "" && session == "" && several == 1) ? of_worktree : found
}

function first(names,    words, count, i) {
  count = split(names, words, " ")
  for (i = 1; i <= count; i++) if (ENVIRON[words[i]] != "") return ENVIRON[words[i]]
  return ""
}

function is_in(line, key, value) {
  return value != "" && index(line, key json(value))
}

# Looked up by one shell, and only where a path is claimed: the time, the setting, and the files of names.
function look_up(    cmd, line) {
  cmd = "date +%s || echo; git config --get chat.claims || echo; cat \"$GUARD_DIR\"/live/* 2>/dev/null"
  cmd | getline now
  cmd | getline mode
  while ((cmd | getline line) > 0) lives[++lived] = line
  close(cmd)
  now += 0
}

# --- what is said ------------------------------------------------------------------------

END {
  for (i = 1; i <= raws; i++) add(placed(raw[i]))
  if (count == 0) exit 0
  RS = "\n"
  while ((getline line < (dir "/guarded")) > 0) {
    split(line, field, "\t")
    if (field[1] == "me") person = field[2]
    if (field[1] != "claim") continue
    for (i = 1; i <= count; i++)
      if (substr(paths[i], 1, length(field[6])) == field[6] && paths[i] ~ ("^(" field[7] ")$")) {
        hits++; hit[hits] = i; from[hits] = field[2]; until[hits] = field[3]; name[hits] = field[4]
        is_here[hits] = field[5]; what[hits] = field[8] ", " field[9]
      }
  }
  if (hits == 0) exit 0
  look_up()
  live = 0
  for (i = 1; now > 0 && i <= hits; i++) if (from[i] <= now && now < until[i]) live++
  if (live == 0) exit 0
  if (mode == "off") exit 0
  mine = me()
  for (i = 1; i <= hits; i++) {
    if (from[i] > now || now >= until[i] || (name[i] == mine && is_here[i] == "here") || hit[i] in is_said) continue
    is_said[hit[i]] = 1
    told++
    if (told <= 5) said[told] = shown(paths[hit[i]]) " is claimed by " name[i] " (" what[i] ")"
    if (told <= 5 && !(name[i] in is_named)) { is_named[name[i]] = 1; names = names (names == "" ? "" : " and ") name[i] }
  }
  if (told == 0) exit 0
  is_denied = mode == "deny" && mine != ""
  if (way == "commit") to_git(); else to_client()
}

function to_git(    i) {
  for (i = 1; i <= told && i <= 5; i++) print "gitchat: " said[i]
  if (told > 5) print "gitchat: and " told - 5 " more"
  if (!is_denied) exit 0
  print "gitchat: nothing was committed; ask " names ", or pass by this: git commit --no-verify"
  exit 3
}

function to_client(    i, text) {
  text = "gitchat: "
  for (i = 1; i <= told && i <= 5; i++) text = text (i > 1 ? "; " : "") said[i]
  if (told > 5) text = text "; and " told - 5 " more"
  if (is_denied) text = text ". Ask " names " before you change it, or change something else."
  if (event == "") event = "PreToolUse"
  if (!is_denied) printf "{\"hookSpecificOutput\":{\"hookEventName\":%s,\"additionalContext\":%s}}\n", json(shown(event)), json(text)
  else if (event == "BeforeTool") printf "{\"decision\":\"deny\",\"reason\":%s}\n", json(text)
  else printf "{\"hookSpecificOutput\":{\"hookEventName\":%s,\"permissionDecision\":\"deny\",\"permissionDecisionReason\":%s}}\n", json(shown(event)), json(text)
}
'

if [ "$way" = commit ]; then
  git -c core.quotePath=false diff --cached --name-only --no-renames --no-ext-diff 2>/dev/null | awk "$program" >&2 2>/dev/null
  [ $? -ne 3 ] || exit 1
else
  awk "$program" 2>/dev/null
fi
exit 0
