"""Hints that are printed where something is damaged, locked, lost or not ours to write."""

from __future__ import annotations

from tests.hints.situation import Repository, Situation

LOG = ".git/refs/chatroom/rooms/lobby/log"
REF = "refs/chatroom/rooms/lobby/log"
COPY = {"PATH-OR-URL-OF-ANOTHER-CLONE": "../copy"}

LOSS = [
    Situation(
        given=f"git chat send one\ngit chat send two\nrm {LOG}",
        run="git chat send three",
        error="room 'lobby' has lost its ref, and with it its records",
        hint="bring it back as git chat doctor says; or, if it was deleted on purpose: rm '[..]checkpoints/lobby'",
        then="git chat doctor",
        shows="git update-ref refs/chatroom/rooms/lobby/log",
        again="git chat doctor | grep 'mend: ' | cut -d: -f2- | sh\ngit chat log --oneline | grep one",
    ),
    Situation(
        given=f"rm {LOG}",
        run="git chat doctor",
        error="it had records and has no ref any more; if it was deleted on purpose, forget it: rm '[..]'",
        hint="git update-ref refs/chatroom/rooms/lobby/log [..] ''",
    ),
    Situation(
        given=f"rm {LOG}",
        run="git chat send two",
        error="room 'lobby' has lost its ref, and with it its records",
        hint="bring it back as git chat doctor says; or, if it was deleted on purpose: rm '[..]checkpoints/lobby'",
        then="rm '[..]checkpoints/lobby'",
    ),
    Situation(
        given=f"printf 'xx' > {LOG}",
        run="git chat log",
        error="the ref refs/chatroom/rooms/lobby/log is damaged: [..]",
        hint="git chat doctor",
        shows="git chat doctor --fix",
        status=1,
        again="git chat doctor --fix\ngit chat log",
    ),
    Situation(
        given=f"printf 'xx' > {LOG}",
        run="git chat doctor",
        error="the ref refs/chatroom/rooms/lobby/log is damaged: [..]",
        hint="git chat doctor --fix",
    ),
    Situation(
        given="rm -rf .git/chatroom\ntouch .git/chatroom",
        run="git chat doctor",
        error="[..]chatroom is no directory, and our files belong there",
        hint="mv '[..]chatroom' '[..]chatroom.moved'",
    ),
]

OBJECTS = [
    Situation(
        given="git chat send -a file.txt with\ncp -r . ../copy\nrm .git/chatroom/journal\n"
        "cd .git/objects && rm -f $(git rev-parse refs/chatroom/rooms/lobby/log^{tree} | sed 's/^../&\\//')",
        run="git chat verify",
        error="an attachment of commit [..]: tree [..] is missing",
        hint="git fetch --refetch PATH-OR-URL-OF-ANOTHER-CLONE refs/chatroom/rooms/lobby/log; in a partial clone: "
        "git cat-file -e [..]",
        then="git fetch --refetch PATH-OR-URL-OF-ANOTHER-CLONE refs/chatroom/rooms/lobby/log",
        fill=COPY,
    ),
    Situation(
        given="printf 'garbage' >> .git/chatroom/journal",
        run="git chat doctor",
        error="[..] bytes of it cannot be read, and are passed over; messages that were in them are not kept twice",
        hint="git chat doctor --fix",
    ),
    Situation(
        given="rm -rf .git/chatroom\ntouch .git/chatroom",
        run="git chat send x",
        error="[..]chatroom is in the way of what gitchat keeps there: [..]",
        hint="move it away: mv '[..]chatroom' '[..]chatroom.moved'",
        then="mv '[..]chatroom' '[..]chatroom.moved'",
        after="rm .git/chatroom.moved",
    ),
    Situation(
        given="rm .git/chatroom/write.lock\nln -s ../../file.txt .git/chatroom/write.lock",
        run="git chat send x",
        error="[..]write.lock is in the way of what gitchat keeps there: it is a symbolic link",
        hint="remove it, which touches nothing else: rm '[..]write.lock'",
        then="rm '[..]write.lock'",
    ),
    Situation(
        given="git chat send last\nrm -rf ../copy; cp -r . ../copy\n"
        "git rev-parse refs/chatroom/rooms/lobby/log | sed 's/^../&\\//' > ../tip\n"
        "rm .git/chatroom/journal; chmod u+w .git/objects/$(cat ../tip); echo junk > .git/objects/$(cat ../tip)",
        run="git chat log",
        error="commit [..] is damaged: [..]",
        hint="git fsck; git chat doctor",
        then="git chat doctor",
        shows="mend: rm -f",
        status=1,
        again="",
    ),
    Situation(
        run="git chat doctor",
        error="commit [..] is damaged: [..]",
        hint="rm -f '[..]'; git fetch --refetch PATH-OR-URL-OF-ANOTHER-CLONE refs/chatroom/rooms/lobby/log",
        fill=COPY,
    ),
    Situation(
        given=f"rm -rf .git/chatroom\nprintf xx > {LOG}",
        run="git chat doctor",
        error="the ref refs/chatroom/rooms/lobby/log is damaged: [..]",
        hint=f"rm '[..]'; git fetch PATH-OR-URL-OF-ANOTHER-CLONE {REF}:{REF}",
        fill=COPY,
    ),
    Situation(
        given="git chat send more\ngit chat send and-more\nrm -rf ../copy; cp -r . ../copy\n"
        f"for one in $(git rev-list {REF}); do rm -f .git/objects/$(echo $one | sed 's/^../&\\//'); done\n"
        f"rm {LOG} .git/chatroom/journal",
        run="git chat doctor",
        error="it had records and has no ref any more; if it was deleted on purpose, forget it: rm '[..]'",
        hint=f"git fetch PATH-OR-URL-OF-ANOTHER-CLONE {REF}:{REF}",
        fill=COPY,
    ),
    Situation(
        given=f"cp {LOG} ../tip\nprintf 'nothing' | git hash-object --literally -t commit -w --stdin > {LOG}",
        run="git chat log",
        error="commit [..] is damaged: its headers cannot be read",
        hint="git chat doctor",
        shows="mend: ",
        status=1,
        again=f"cp ../tip {LOG}",
    ),
]

LOCKS = [
    Situation(
        given=f"git chat send one\ntouch {LOG}.lock\ntouch -d '1 hour ago' {LOG}.lock",
        run="git chat doctor",
        error="[..]log.lock has been there for [..] s",
        hint="when no git is running: rm '[..]log.lock'",
        then="rm '[..]log.lock'",
    ),
    Situation(
        given=f"touch {LOG}.lock\ntouch -d '1 hour' {LOG}.lock",
        run="git chat doctor",
        error="[..]log.lock is dated [..] s in the future",
        hint="set this machine's clock: date -u",
        then="date -u",
        again=f"rm {LOG}.lock",
    ),
    Situation(
        given=f"git chat send one\ntouch {LOG}.lock",
        run="git chat send two",
        error="another git process has held [..]log.lock for over [..] s",
        hint="wait for it, or, when no git is running: rm '[..]log.lock'",
        then="rm '[..]log.lock'",
    ),
]


DENIED = [
    Situation(
        given="git chat send one\nchmod -R a-w .git",
        run="$AS_USER git-chat send two",
        error="cannot write to [..]: Permission denied",
        hint="ask its owner for write access: ls -ld '[..]'",
        then="ls -ld '[..]'",
        shows="-",
        again="chmod -R u+w .git",
    ),
    Situation(
        given="chmod -R a-w .git",
        run="$AS_USER git-chat doctor",
        error="[..] cannot be written to: reading works, sending does not",
        hint="ask its owner for write access: ls -ld '[..]'",
        then="ls -ld '[..]'",
        shows="dr-x",
        again="chmod -R u+w .git",
    ),
    Situation(
        given="git chat send two\ngit chat send three\nchmod a-rw .git/chatroom/checkpoints/lobby",
        run="$AS_USER git-chat doctor",
        error="[..]checkpoints/lobby belongs to another user, and is not yours to read and write",
        hint="let its owner share it: chmod ug+rw '[..]'",
        then="chmod ug+rw '[..]'",
    ),
    Situation(
        given=f"chmod a-r {LOG}",
        run="$AS_USER git-chat log",
        error="the ref [..]cannot be read: Permission denied",
        hint="let its owner share it: chmod ug+r '[..]'",
        then="chmod ug+r '[..]'",
    ),
    Situation(
        given="echo secret > secret\nchmod 000 secret",
        run="$AS_USER git-chat send --attach secret x",
        error="'secret' cannot be read: Permission denied",
        hint="see who may: ls -l secret",
        then="ls -l secret",
        shows="----",
        again="chmod u+r secret",
    ),
    Situation(
        given="echo {} > .mcp.json\nchmod 000 .mcp.json",
        run="$AS_USER git-chat setup claude",
        error="cannot read [..].mcp.json: Permission denied",
        hint="see who may: ls -ld '[..].mcp.json'",
        then="ls -ld '[..]'",
        shows="----",
        again="chmod u+r .mcp.json\ngit chat setup claude",
    ),
    Situation(
        run="GIT_TEST_ASSUME_DIFFERENT_OWNER=1 git-chat send x",
        error="the repository at [..] belongs to another user",
        hint="if you trust it: git config --global --add safe.directory '[..]'",
        then="git config --global --add safe.directory '[..]'",
    ),
]

HOOKS = [
    Situation(
        given="git chat hook install commit\nsed -i 's/hook post commit/hook post nothing/' .git/hooks/post-commit",
        run="git chat doctor",
        error="a commit in a scratch repository was not told to its room by our part of [..]",
        hint="git chat hook install; and see what stops it: git chat hook post commit --verbose",
        then="git chat hook install; and see what stops it: git chat hook post commit --verbose",
        fill={"and see what stops it: ": ""},
    ),
]

HELD = [
    Situation(
        given="git chat send one\nflock -o .git/chatroom/write.lock sleep 60 >/dev/null 2>&1 & echo $! > ../pid",
        run="git chat send two",
        error="[..] has held the room's write lock for over 10 s",
        hint="see what it does, or end it: fuser -v '[..]write.lock'",
        then="fuser -v '[..]write.lock'",
        shows="flock",
        again="kill $(cat ../pid)\ngit chat send two",
    ),
]

REPOSITORIES = [
    Repository("held", HELD, is_slow=True),
    Repository("loss", LOSS),
    Repository("objects", OBJECTS, given="git chat send one\ngit chat send two"),
    Repository("locks", LOCKS),
    Repository("denied", DENIED, is_for_a_user=True),
    Repository("hooks", HOOKS, variables={"GITCHAT_HOOK_SECONDS": "1"}),
]
