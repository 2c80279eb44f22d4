"""Hints of handing over work that is not committed, and of taking it."""

from __future__ import annotations

from tests.hints.situation import Elsewhere, Repository, Situation

MANY = "for number in $(seq 501); do echo x > many$number; done"
MERGING = """\
git checkout -q -b other && echo theirs > file.txt && git commit -q -a -m theirs
git checkout -q main && echo ours > file.txt && git commit -q -a -m ours
git merge -q other || true
"""
FIRST = "git commit --allow-empty -m begin"

HANDING = [
    Situation(
        run="git chat send --work hello",
        error="nothing is changed here that could be handed over",
        hint="what is committed goes by a branch: git push; to say something: git chat send TEXT",
        then="git chat send TEXT",
        fill={"TEXT": "hello"},
        again="",
    ),
    Situation(
        given="echo x > new.txt",
        run="git chat send --work new.txt",
        error="'new.txt' is a path here, and what stands last is the text",
        hint='say what it is about: git chat send --work new.txt "..."',
        then='git chat send --work new.txt "..."',
        again="",
    ),
    Situation(
        run="git chat send --work file.txt hello",
        error="nothing is changed at 'file.txt'",
        hint="see what is: git status; the last word is the text, those before it are paths",
        then="git status",
        again="git chat send --work new.txt hello",
    ),
    Situation(
        given="echo ignored > .git/info/exclude && echo x > ignored",
        run="git chat send --work ignored hello",
        error="git ignores 'ignored', and so does a hand-over",
        hint="let git know it: git add -f ignored; or attach it: git chat send --attach ignored",
        then="git add -f ignored",
        after="git rm -q -f ignored",
    ),
    Situation(
        given="echo A=1 > .env",
        run="git chat send --work hello",
        error="by its name nobody should have .env, and a message in git stays for ever",
        hint="name what shall go, this too if it is harmless: git chat send --work .env TEXT",
        then="git chat send --work .env TEXT",
        fill={"TEXT": "hello"},
        again="",
        after="rm .env",
    ),
    Situation(
        given="head -c 1100000 /dev/zero > large",
        run="git chat send --work hello",
        error="large has up to 1,100,000 bytes; the limit for a file is 1,048,576",
        hint="name the others: git chat send --work PATH... TEXT; or raise the limit: "
        "git config chat.maxAttachment 1075k",
        then="git config chat.maxAttachment 1075k",
        after="rm large && git config --unset chat.maxAttachment",
    ),
    Situation(
        given="git config chat.maxWork 1",
        run="git chat send --work hello",
        error="this work has 2 bytes, as it was, is staged and is; the limit is 1",
        hint="name a part of it: git chat send --work PATH... TEXT; or raise the limit: git config chat.maxWork 1k",
        then="git config chat.maxWork 1k",
        after="git config --unset chat.maxWork",
    ),
    Situation(
        given=MANY,
        run="git chat send --work hello",
        error="502 paths are changed here; one message hands over at most 500",
        hint="name some: git chat send --work PATH... TEXT; or commit them, and push the branch",
        then="git chat send --work PATH... TEXT",
        fill={"PATH...": "new.txt", "TEXT": "hello"},
        again="",
        after="rm many*",
    ),
    Situation(
        given="git config filter.x.clean false && git config filter.x.required true\n"
        "echo '*.x filter=x' > .git/info/attributes && echo x > a.x",
        run="git chat send --work hello",
        error="git cannot look at the work here: [..]",
        hint="see what git says: git status",
        then="git status",
        again="git chat send --work new.txt hello",
        after="rm a.x",
    ),
    Situation(
        given=MERGING,
        run="git chat send --work hello",
        error="git could not merge file.txt, and nobody has yet",
        hint="finish the merge first, then: git add file.txt",
        then="git add file.txt",
        after="git commit -q -m merged",
    ),
]

# Each begins with a message #1 that hands over new.txt, which is not here.
TAKING = [
    Situation(
        run="git chat take --undo",
        error="nothing was taken in this worktree that could be put back",
        hint="see what is changed: git status",
        then="git status",
        again="git chat take 1",
        after="git chat take --undo",
    ),
    Situation(
        given="git chat send hello",
        run="git chat take 2",
        error="[..] hands over no work",
        hint="see what it says: git chat show '[..]'",
        then="git chat show '[..]'",
        again="",
    ),
    Situation(
        given="echo mine > new.txt",
        run="git chat take 1",
        error="what nobody committed stands in the way: new.txt; nothing was touched",
        hint="commit or stash it: git stash push --include-untracked; or: git chat take '#1' --worktree ../repo-alice",
        then="git stash push --include-untracked",
        after="git chat take --undo",
    ),
    Situation(
        given="mkdir ../there && touch ../there/x",
        run="git chat take 1 --worktree ../there",
        error="[..] exists already",
        hint="name a directory that does not: git chat take '#1' --worktree ../there-2",
        then="git chat take '#1' --worktree ../there-2",
        again="",
    ),
    Situation(
        given="git chat take 1 && echo more >> new.txt",
        run="git chat take --undo",
        error="new.txt was changed since it was taken; nothing was put back",
        hint="keep that first: git stash push --include-untracked -- new.txt",
        then="git stash push --include-untracked -- new.txt",
    ),
    Situation(
        given="git chat take 1 && git add . && git commit -q -m taken",
        run="git chat take --undo",
        error="something was committed here, or checked out, since that was taken",
        hint="put back what you choose: git restore --source=[..] -- new.txt",
        then="git restore --source=[..] -- new.txt",
        again="",
        after="git reset -q --hard HEAD~1",
    ),
    Situation(
        given="echo read me > AGENTS.md && git chat send --room risky --work hello && rm AGENTS.md",
        run="git chat take 1 --room risky",
        error="in #1 AGENTS.md is acted upon by programs without being run",
        hint="look at it: git chat show '#1' --room risky --diff; a person can take it with --force",
        then="git chat show '#1' --room risky --diff",
        again="",
    ),
    Situation(
        given=MERGING,
        run="git chat take 1",
        error="git waits here for somebody to merge file.txt; nothing was touched",
        hint="end that first: git status",
        then="git status",
        again="",
        after="git merge --abort",
    ),
    Situation(
        given="git switch -q --orphan nothing",
        run="git chat take 1",
        error="there is no commit here yet that work could be put on",
        hint=f"make the first: {FIRST}",
        then=FIRST,
    ),
    Situation(
        given="git switch -q --orphan nothing-else && echo x > other.txt",
        run="git chat send --work hello",
        error="there is no commit here yet that work could stand on",
        hint=f"make the first: {FIRST}",
        then=FIRST,
    ),
    Situation(
        given="git clone -q --bare . ../bare.git\ncd bare.git",
        run="git chat take 1",
        error="a bare repository has no work tree",
        hint="go where you work: git clone . ../ELSEWHERE",
        then="git clone . ../ELSEWHERE",
        fill={"ELSEWHERE": "elsewhere"},
        again="",
    ),
]

REPOSITORIES = [
    Repository("handing over", HANDING),
    Repository("taking", TAKING, given="echo x > new.txt && git chat send --work hello && rm new.txt"),
]

_PLACE = "tests/work/test_handing.py"
_STRANGERS = "tests/work/test_strangers_work.py"

ELSEWHERE = [
    Elsewhere(
        f"{_PLACE}::test_an_agent_asks_its_user_before_work_is_pushed",
        '"config", "chat.share", "handoff"',
        error="room 'lobby' is pushed to others, and nobody said that your uncommitted work may be",
        hint="ask your user for it, who says so by: git config chat.share handoff; or commit it to a branch",
    ),
    Elsewhere(
        f"{_PLACE}::test_work_whose_base_is_not_here_is_fetched_first",
        '"fetch", "--all"',
        error="it cannot be merged with what is committed here, and what it stands on is not here: other.txt",
        hint="fetch that first: git fetch --all; or with conflict markers: "
        "git chat take '#1' --worktree ../apart --merge",
    ),
    Elsewhere(
        f"{_PLACE}::test_work_whose_base_is_not_here_is_fetched_first",
        '"fetch", "--all"',
        error="it cannot be merged with what is committed here, and what it stands on is not here: other.txt",
        hint="fetch that first: git fetch --all",
    ),
    Elsewhere(
        f"{_PLACE}::test_who_asks_over_http_hands_over_nothing_of_the_server",
        '"send", "--work", "TEXT"',
        error="your work is on your own machine, and this server is not",
        hint="in a clone of yours: git chat send --work TEXT; or push a branch",
    ),
    Elsewhere(
        f"{_STRANGERS}::test_what_programs_act_by_is_a_person_s_to_take",
        "force=True",
        error="only a person can take what is acted upon: in #1 .gitattributes [..]",
        hint="ask your user to: git chat take '#1' --force",
    ),
    Elsewhere(
        f"{_STRANGERS}::test_no_path_of_a_stranger_is_written_outside_or_into_git",
        '"show", "#1"',
        error="#1 is not to be taken: ../x leads out of the repository",
        hint="see who sent it: git chat show '#1'",
    ),
    Elsewhere(
        f"{_STRANGERS}::test_a_tree_that_nobody_writes_is_refused_and_shown",
        '"verify"',
        error="the work in 0000 has a file twice",
        hint="git chat verify",
    ),
    Elsewhere(
        f"{_STRANGERS}::test_a_tree_that_nobody_writes_is_refused_and_shown",
        '"verify"',
        error="the link long of this work is none",
        hint="git chat verify",
    ),
]
