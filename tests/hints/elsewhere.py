"""Hints that other tests run, and the few that no test can run."""

from __future__ import annotations

from tests.hints.situation import Elsewhere, NotRun

ELSEWHERE = [
    Elsewhere(
        "tests/cli/test_secrets.py::test_a_pattern_of_ones_own_is_refused_too",
        '"sh", "-c", command',
        error="the setting chat.secretPattern has 'a(b', which cannot be used: missing ), unterminated subpattern",
        hint="remove it, and add a better one: git config --fixed-value --unset chat.secretPattern 'a(b'",
    ),
    Elsewhere(
        "tests/work/test_unasked.py::test_where_git_is_slow_nobody_looks_unasked",
        "_conflicts(meeting)",
        error="nobody looks at conflicts here unasked: git takes 4.0 s to tell what is changed",
        hint="look yourself: git chat conflicts",
    ),
    Elsewhere(
        test="tests/work/test_conflicts.py::test_a_bare_repository_has_no_work",
        words="git clone . ../ELSEWHERE",
        error="a bare repository has no work to look at",
        hint="ask where you work: git clone . ../ELSEWHERE",
    ),
    Elsewhere(
        "tests/clones/test_prefix.py::test_what_is_no_prefix_is_refused_with_one_that_is",
        '"--prefix", PREFIX, check=True)  # as it says',
        error="'x/' is nothing below which rooms can stand: it begins as a branch does, and ends in a slash",
        hint="git chat remote attach lobby origin --prefix refs/heads/chatroom/",
    ),
    Elsewhere(
        "tests/clones/test_prefix.py::test_a_room_is_not_attached_beside_the_one_that_is_there",
        '"--prefix", "refs/chatroom/", check=True)',
        error="room 'lobby' is at 'origin' below refs/chatroom/",
        hint="attach it there: git chat remote attach lobby origin --prefix refs/chatroom/; who follows it there can "
        "move it: git chat remote move origin --prefix refs/heads/chatroom/",
    ),
    Elsewhere(
        "tests/verbs/test_uncounted.py::test_commands_of_agents_answer_while_it_is_counted",
        'world.chat("log", "-n", "1", cwd=path, check=True',
        error="nothing was sent: the messages of room 'lobby' are being counted for the first time here",
        hint="send it again in a moment; the newest messages are there at once: git chat log",
    ),
    Elsewhere(
        "tests/index/test_builder.py::test_who_finds_another_at_work_is_told_and_builds_nothing",
        'world.chat("log", cwd=path, check=True)',
        error="the messages of room 'lobby' are being counted for the first time here",
        hint="its newest ones are there at once: git chat log; for the rest try again in a moment",
    ),
    Elsewhere(
        "tests/doorbell/test_doctor.py::test_each_thing_that_can_be_wrong_has_its_words",
        'world.git("config", "--get-regexp", "^chat.nats"',
        error="nats://127.0.0.1:1: refused; messages come and go as often as without it",
        hint="see that it runs and lets you in; what is set: git config --get-regexp '^chat.nats'",
    ),
    Elsewhere(
        "tests/doorbell/test_doctor.py::test_without_the_library_one_line_says_what_to_install",
        "[nats]",
        error="nats://h:4222: the library nats-py is not installed; messages come and go as often as without it",
        hint="pipx install --force 'git-chatroom[nats]'",
    ),
    Elsewhere(
        "tests/cli/test_snd.py::test_it_sends_to_a_server",
        '"--port", told["GITCHAT_URL"]',
        error="http://127.0.0.1:8080 does not answer",
        hint="start it with git chat serve, or correct the address",
    ),
    Elsewhere(
        "tests/cli/test_watch.py::test_what_was_not_shown_is_not_marked",
        '"read", "--force"',
        error="not everything is shown here, so nothing is marked",
        hint="read what is unread: git chat read; or watch without --from, --type and the like",
    ),
    Elsewhere(
        "tests/cli/test_uninstall.py::test_a_process_that_stays_is_named",
        "process.kill()",
        error="processes of gitchat run in this clone: 123 (git-chat watch)",
        hint="end the sessions that they belong to, or: kill 123",
    ),
    Elsewhere(
        "tests/clones/test_forgetting_names.py::test_a_living_name_stays",
        'ann.chat("who", check=True)',
        error="'lexer' lives: process 123 goes by it",
        hint="end that first; who is here: git chat who",
    ),
    Elsewhere(
        "tests/clones/test_forgetting_names.py::test_an_agent_gives_back_its_own_name_alone",
        '"please: git chat forget lexer"',
        error="'lexer' is not yours to give back: you are parser",
        hint='ask a person for it: git chat send "please: git chat forget lexer"',
    ),
    Elsewhere(
        "tests/clones/test_read_only.py::test_each_way_to_let_somebody_read_only_is_known_as_one",
        'bea.sync("origin")',
        error="'origin' lets you read and not push: words",
        hint="nothing is lost: it stays pending; ask who runs 'origin' to let you push, and then: git chat sync origin",
    ),
    Elsewhere(
        "tests/clones/test_read_only.py::test_each_way_to_let_somebody_read_only_is_known_as_one",
        'bea.sync("origin")',
        error="it lets you read and not push (words): rooms come as ever, and nothing of this clone goes there",
        hint="ask who runs it to let you push, and then: git chat sync origin",
    ),
    Elsewhere(
        "tests/clones/test_places.py::test_a_hub_that_somebody_pushed_to_with_mirror_stays_a_hub",
        'carl.world.run("sh", "-c", command',
        error="it has refs of a clone, as git push --mirror leaves them: version 0.1.0 takes it for one and refuses it",
        hint="git push origin --delete $(git ls-remote origin 'refs/chatroom-local/*' | cut -f2)",
    ),
    Elsewhere(
        "tests/clones/test_places.py::test_a_hub_that_hides_rooms_gets_none",
        'hinted(done, "sync origin")',
        error="'origin' has refs/chatroom/rooms/dev/log and does not show it: nobody could fetch what is pushed there",
        hint="ask who runs 'origin' to show refs/chatroom/* (uploadpack.hideRefs), and then: git chat sync origin; "
        "the room keeps its own numbers",
    ),
    Elsewhere(
        "tests/clones/test_places.py::test_a_hub_that_begins_to_hide_rooms_changes_no_number",
        "hinted(done, way)",
        error="'origin' has refs/chatroom/rooms/dev/log and does not show it: nobody could fetch what is pushed there",
        hint="ask who runs 'origin' to show refs/chatroom/* (uploadpack.hideRefs), and then: git chat sync origin; "
        "or number it here: git chat remote detach lobby --yes",
    ),
    Elsewhere(
        "tests/clones/test_unsending.py::test_an_agent_takes_back_its_own_alone",
        "please take it back",
        error="~[..] of ann is not yours",
        hint='ask for it to be taken back: git chat send --room lobby -r ~[..] "please take it back: git chat unsend"',
    ),
    Elsewhere(
        "tests/clones/test_unsending.py::test_who_is_late_is_told_its_number",
        "never mind",
        error="~[..] is #2 now and stays: others may have read it",
        hint='say what is wrong with it: git chat send --room lobby -r 2 "..."',
    ),
    Elsewhere(
        "tests/clones/test_purging.py::test_only_a_person_purges_who_agrees",
        "git chat unsend --room lobby {handle}",
        error="~[..] has no number yet: nobody else has it",
        hint="take it back: git chat unsend --room lobby ~[..]",
    ),
    Elsewhere(
        "tests/clones/test_purging.py::test_only_a_person_purges_who_agrees",
        '"redact", "2"',
        error="only a person purges: it changes what everybody has",
        hint="ask a person to run it at a terminal; what shall only not be shown can be hidden: "
        "git chat redact --room lobby 2",
    ),
    Elsewhere(
        "tests/clones/test_purging.py::test_only_a_person_purges_who_agrees",
        '"purge", "2", "--yes"',
        error="nothing was purged: nobody agreed to it",
        hint="agree to it: git chat purge --room lobby 2 --yes",
    ),
    Elsewhere(
        "tests/clones/test_purging.py::test_a_clone_without_the_gate_brings_it_back_and_that_is_found",
        'purge(ann, "2")',
        error="#2 of ann was purged, and commit 1234 has its text: refs/chatroom/rooms/lobby/log reaches it",
        hint="have who brought it back upgrade gitchat, and then: git chat purge --room lobby 2",
    ),
    Elsewhere(
        "tests/clones/test_purging.py::test_what_the_user_has_as_well_stays",
        "gc(clone.world, clone.path)",
        error="2 of 2 objects that had what was purged are still in git's object database",
        hint="git gc --prune=now",
    ),
    Elsewhere(
        "tests/cli/test_redact.py::test_no_number_and_no_position_moves",
        "git chat log --room lobby",
        error="#6 is of kind redact, which no view shows",
        hint="see what can be hidden: git chat log --room lobby",
    ),
    Elsewhere(
        "tests/clones/test_purging.py::test_who_finds_another_log_syncs_first",
        "ann.sync()",
        error="'origin' has another log of room 'lobby' than this clone has seen",
        hint="git chat sync origin",
    ),
    Elsewhere(
        "tests/clones/test_setting_aside.py::test_a_refused_summary_holds_up_no_message_and_leads_on",
        'ann.world.run("sh", "-c", command[1]',
        error="'origin' did not take the summaries of room 'lobby' that are pending: words",
        hint="no message is held up by it; if it is because of what one of them says, copy what shall stay: git chat "
        "summary log --room lobby; take them all back: git update-ref -d refs/chatroom/rooms/lobby/summaries; and "
        'write it anew: git chat summary write --room lobby "..."',
    ),
    Elsewhere(
        "tests/clones/test_setting_aside.py::test_both_ways_out_work_and_every_face_names_them",
        '"--retry"',
        error="~[..] of ann is set aside: 'origin' does not take it: [..]",
        hint="git chat unsend --room lobby ~[..]; or try it once more: git chat sync --retry",
    ),
    Elsewhere(
        "tests/clones/test_hostile_hub.py::test_a_room_that_was_never_a_log_is_given_up_by_what_doctor_tells",
        "git update-ref -d",
        error="commit 1234 is damaged: it is a blob, and no commit",
        hint="git update-ref -d refs/chatroom/rooms/bad/log",
    ),
    Elsewhere(
        "tests/clones/test_hostile_hub.py::test_a_room_that_was_never_a_log_is_given_up_by_what_doctor_tells",
        "git cat-file -p",
        error="commit 1234 is damaged: it is a blob, and no commit",
        hint="see what stands in its place: git cat-file -p 1234",
    ),
    Elsewhere(
        "tests/clones/test_hostile_hub.py::test_a_ref_in_the_place_of_another_here_is_told_at_once",
        "git update-ref --no-deref -d",
        error="refs/chatroom/rooms/lobby/cursors/alice/x is none of a room's",
        hint="git update-ref --no-deref -d refs/chatroom/rooms/lobby/cursors/alice/x",
    ),
    Elsewhere(
        "tests/clones/test_hostile_hub.py::test_a_ref_in_the_place_of_another_here_is_told_at_once",
        "git update-ref --no-deref -d",
        error="refs/chatroom/rooms/lobby/cursors/alice cannot be written: refs/.../alice/x is in its place",
        hint="delete that one, which no chat makes: "
        "git update-ref --no-deref -d refs/chatroom/rooms/lobby/cursors/alice/x",
    ),
    Elsewhere(
        "tests/clones/test_hostile_hub.py::test_what_names_no_commit_in_the_place_of_a_ref_is_told_at_once",
        'world.run("sh", "-c", command)',
        error="refs/chatroom/rooms/lobby/cursors/alice cannot be written: refs/.../alice/x is in its place",
        hint="delete that one, which no chat makes: rm .git/refs/chatroom/rooms/lobby/cursors/alice/x",
    ),
    Elsewhere(
        "tests/clones/test_hostile_hub.py::test_a_ref_in_the_place_of_another_is_named_with_what_deletes_it",
        "git push origin --delete",
        error="'origin' has refs/chatroom/rooms/yy, which is none of a room's",
        hint="git push origin --delete refs/chatroom/rooms/yy",
    ),
    Elsewhere(
        "tests/clones/test_hostile_hub.py::test_a_ref_in_the_place_of_another_is_named_with_what_deletes_it",
        "git push origin --delete",
        error="'origin' cannot take room 'yy': a ref of no room's is in the way",
        hint="nothing is lost: it stays pending; delete that ref: git push origin --delete refs/chatroom/rooms/yy; "
        "then: git chat sync origin",
    ),
    Elsewhere(
        "tests/cli/test_doctor.py::test_a_log_that_lost_its_records_is_found",
        '"git update-ref .*", wrong["mend"]',
        error="commit 1234 was the newest here, and is not in the log any more: somebody moved the ref",
        hint="see what is missing: git log 1..2; to go back to it: git update-ref refs/chatroom/rooms/lobby/log 2 1",
    ),
    Elsewhere(
        "tests/cli/test_verify.py::test_a_wrong_checkpoint_is_found",
        "mend: (rm '.*')",
        error="the checkpoint counts 9 records at 1234, the log 1",
        hint="rm '/repo/.git/chatroom/checkpoints/lobby'",
    ),
    Elsewhere(
        "tests/hints/test_hints.py::test_usage_of_a_line_that_is_written_while_watching_works",
        "line.parse",
        error="/reply lacks something",
        hint="/reply N TEXT",
    ),
    Elsewhere(
        "tests/clones/test_older_version.py::test_doctor_names_the_setting_that_lets_the_older_version_follow",
        "git config chatroom.lobby.remote",
        error="gitchat 0.1.0 does not know that it follows 'origin' here: what that writes in this clone has a number "
        "of its own until it is pushed",
        hint="git config chatroom.lobby.remote origin",
    ),
    Elsewhere(
        "tests/cli/test_upkeep.py::test_a_server_that_does_not_answer_is_wrong",
        'wrong["mend"]',
        error="'git-chat mcp', which a client starts, does not answer: it ends without an answer",
        hint="write it anew: git chat setup claude --remove && git chat setup claude",
    ),
    Elsewhere(
        "tests/cli/test_watch.py::test_what_was_not_shown_is_not_marked",
        "git chat read",
        error="older messages are unread, from #1 on, and were not shown here",
        hint="read them: git chat read; or begin with them: git chat watch --unread",
    ),
    Elsewhere(
        "tests/cli/test_faults.py::test_read_only_file_system",
        "df '",
        error="cannot write to /mnt/repo: Read-only file system",
        hint="mount it for writing, or work in a copy; this tells which it is: df '/mnt/repo'",
    ),
]

NOT_RUN = [
    NotRun(
        error="another process has held the index for over 30 s",
        hint="see what it does, or end it: fuser -v '/repo/.git/chatroom/index.v11.1.db'",
        reason="takes half a minute; the same is run for the write lock",
    ),
    NotRun(
        error="gitchat 0.1.0 runs beside this version, for alice: there agents of one name in two clones read for each "
        "other, and positions that were dropped come back",
        hint="where they run, end its servers and watchers, then, in the clone of gitchat: git pull && "
        "pipx install --force . (or: uv tool install --reinstall .)",
        reason="needs pipx, and the packages that are built from",
    ),
    NotRun(
        error="room 'lobby' is written in format 3; this gitchat writes format 2",
        hint="upgrade, in the clone of gitchat: git pull && pipx install --force . (or: uv tool install --reinstall .)",
        reason="needs pipx, the packages that are built from, and a version that does not exist yet",
    ),
    NotRun(
        error="git chat mcp talks to an agent's client, and there is nobody but you",
        hint="add it to a client: claude mcp add gitchat -- git-chat mcp; or pipe JSON lines into it",
        reason="needs Claude Code; tests/clients adds the server to it by the same words",
    ),
    NotRun(error="git cannot be started: x", hint="git --version", reason="needs a git that the system will not start"),
    NotRun(
        error="the file of refs/chatroom/rooms/lobby/log is not damaged",
        hint="git chat doctor",
        reason="somebody else mended it between two steps of doctor --fix",
    ),
    NotRun(
        error="the remote 'origin' has said nothing for 120 s",
        hint="see what git waits for: GIT_TRACE=1 git ls-remote origin",
        reason="needs two minutes of silence, and what it shows hangs as long",
    ),
    NotRun(
        error="git status did not end within 60 s",
        hint="see what it waits for: GIT_TRACE=1 git status",
        reason="needs a git that hangs, and what it shows hangs as long",
    ),
    NotRun(
        error="room 'lobby' goes another way",
        hint="git chat sync",
        reason="never printed: a send that waits for its number says its words with a hint of its own",
    ),
    NotRun(
        error="tree 1234 is damaged: it cannot be read",
        hint="git chat verify",
        reason="needs a tree that libgit2 takes and our reader does not",
    ),
    NotRun(
        error="cannot open /repo/.git: words",
        hint="see what git says there: git status",
        reason="needs a repository that git opens and neither way of ours does",
    ),
    NotRun(
        error="git's storage refused: words",
        hint="git chat doctor",
        reason="needs an error of the object database that is none of the operating system's",
    ),
    NotRun(
        error="AGENTS.md has markers of gitchat that are not one pair, the first in line 1",
        hint="leave one '<!-- gitchat: begin; kept by git chat setup -->' and after it one '<!-- gitchat: end -->', or "
        "remove both lines",
        reason="the marker names a command, and is none",
    ),
    NotRun(
        error="the newest commit of room lobby is dated 9 days ahead: the clock here is behind, or a writer's was "
        "ahead",
        hint="compare the clocks of the machines that write: date -u",
        reason="needs the machines whose clocks differ",
    ),
    NotRun(
        error="the newest record of room lobby is dated 9 minutes ahead, and claims there end by the clock here: it is "
        "behind, or the writer's is ahead",
        hint="compare the clocks of the machines that write: date -u",
        reason="needs the machines whose clocks differ",
    ),
    NotRun(
        error="words of the remote",
        hint="git chat remote move",
        reason="never printed: the move that could not be told of says its words alone",
    ),
    NotRun(
        error="cannot use /repo/.git/chatroom/journal: Input/output error",
        hint="git chat doctor",
        reason="needs a disk that fails",
    ),
    NotRun(
        error="somebody wrote in room 'plans' meanwhile",
        hint="see what: git chat log --room plans",
        reason="somebody wrote between two steps of room rename or room delete",
    ),
]
