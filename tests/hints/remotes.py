"""Hints that are printed in clones with a remote: the hub is ``hub.git``, the clones are ``ann`` and ``bob``."""

from __future__ import annotations

from tests.hints.situation import Repository, Situation

HUB = """
git init -q --bare ../hub.git
git clone -q ../hub.git ../ann
cd ann
git commit -q --allow-empty -m first
git push -q origin main
git chat send --as ann one
git chat sync
"""
BOB = """
cd .
git clone -q hub.git bob
cd bob
"""

NAMING = [
    Situation(
        given="git remote add far ../nowhere.git",
        run="git chat wait --timeout 0.01 --room plans",
        error="there is no room 'plans' here",
        hint='begin it: git chat send --room plans "hello"; or fetch it: git chat sync',
        then='git chat send --room plans "hello"',
        again="git remote remove far",
    ),
    Situation(
        given="git init -q --bare ../far.git\ngit remote add far ../far.git",
        run="git chat remote move far",
        error="no room here follows 'far'",
        hint="attach the rooms to it: git chat sync far",
        then="git chat sync far",
        again="git chat remote move far",
    ),
    Situation(
        given="git remote add hub ../hub.git",
        run="git chat remote move hub",
        error="no room here follows 'hub'",
        hint="rooms here follow far: git chat remote move far",
        then="git chat remote move far",
        again="for room in lobby plans; do git chat remote detach $room --yes; done\n"
        "git remote remove far; git remote remove hub",
    ),
    Situation(
        run="git chat sync hub",
        error="there is no remote 'hub' here",
        hint="add it: git remote add hub URL; or leave it out: git chat sync",
        then="git remote add hub URL",
        fill={"URL": "../hub.git"},
    ),
    Situation(
        run="git chat sync ../hub.git",
        error="../hub.git is an address; a room follows a named remote",
        hint="name it: git remote add chat '../hub.git'; git chat sync chat",
        then="git remote add chat '../hub.git'",
        again="git remote remove chat",
    ),
    Situation(
        given="for room in lobby plans; do git chat remote detach $room --yes; done\ngit remote remove hub",
        run="git chat sync",
        error="there is no remote 'origin' here",
        hint="add it: git remote add origin URL",
        then="git remote add origin URL",
        fill={"URL": "../hub.git"},
    ),
    Situation(
        given="git config remote.up.url ../up\ngit config remote.up.fetch '+refs/*:refs/*'",
        run="git chat send x",
        error="the next 'git fetch up' would overwrite the rooms here (remote.up.fetch is +refs/*:refs/*)",
        hint="work in an ordinary clone, or narrow it: git config remote.up.fetch '+refs/heads/*:refs/remotes/up/*'",
        then="git config remote.up.fetch '+refs/heads/*:refs/remotes/up/*'",
    ),
    Situation(
        given="git config remote.up.fetch '+refs/*:refs/*'",
        run="git chat doctor",
        error="'git fetch up' overwrites the rooms here (remote.up.fetch is +refs/*:refs/*); sending is refused",
        hint="work in an ordinary clone, or: git config remote.up.fetch '+refs/heads/*:refs/remotes/up/*'",
        then="git config remote.up.fetch '+refs/heads/*:refs/remotes/up/*'",
    ),
    Situation(
        given="git config remote.up.mirror true",
        run="git chat doctor",
        error="'git push up' makes up equal to this clone, and deletes rooms there that are not here",
        hint="git config --unset remote.up.mirror",
    ),
    Situation(
        given="git config remote.up.push '+refs/*:refs/*'",
        run="git chat doctor",
        error="'git push up' overwrites the rooms there (remote.up.push is +refs/*:refs/*)",
        hint="git config --fixed-value --replace-all remote.up.push '[..]' '[..]'",
        after="git config --remove-section remote.up",
    ),
]

FOLLOWING = [
    Situation(
        given="git config remote.-x.url ../hub.git",
        run="git chat sync -- -x",
        error="a remote cannot be called '-x': git would read that as an option",
        hint="see what the name is for: git config --get-regexp '^remote[.]-'",
        then="git config --get-regexp '^remote[.]-'",
        shows="remote.-x.url",
        again="git config --remove-section remote.-x",
    ),
    Situation(
        given="git -c chat.sync=manual chat send waits\ngit chat log -n 1 --oneline | cut -d' ' -f1 > ../handle\n"
        "git chat log -n 1 --oneline | grep '~'",
        run="git chat log $(cat ../handle)..",
        error="~[..] has no number yet, and stands in no range",
        hint="see it: git chat show '~[..]'",
        then="git chat show '~[..]'",
        shows="waits",
        again="git chat sync",
    ),
    Situation(
        given=BOB + "git -c chat.sync=manual chat send --as bob mine",
        run="git chat sync",
        error="the remote 'origin' has a room 'lobby' of its own: 1 message here would get new numbers",
        hint="agree to it: git chat sync origin --yes; or keep it apart: git chat sync --room OTHER",
        then="git chat sync origin --yes",
    ),
    Situation(
        given="git chat send --room side --local kept",
        run="git chat sync --room side",
        error="room 'side' stays here",
        hint="share it: git chat room share side",
        then="git chat room share side",
    ),
    Situation(
        run="git chat send --room side --local more",
        error="room 'side' follows a remote, and what is said in it is for all who do",
        hint="keep another room here: git chat send --room OTHER --local TEXT",
        then="git chat send --room OTHER --local TEXT",
        fill={"OTHER": "mine", "TEXT": "more"},
        again="",
    ),
    Situation(
        given="git remote add other ../hub.git",
        run="git chat sync other --room lobby",
        error="room 'lobby' follows 'origin'",
        hint="sync with that one: git chat sync origin; or leave it: git chat remote detach lobby",
        then="git chat sync origin",
        again="",
        after="git remote remove other",
    ),
    Situation(
        run="git chat room forget side",
        error="'origin' has a room 'side'",
        hint="it would come back with the next sync; delete it there first: "
        "git push origin --delete refs/chatroom/rooms/side/log",
        then="git push origin --delete refs/chatroom/rooms/side/log",
    ),
    Situation(
        given="git chat send --sync --room plans kept\ngit -C ../hub.git update-ref -d refs/chatroom/rooms/plans/log\n"
        "git -c chat.sync=manual chat send --room plans late",
        run="git chat room forget plans",
        error="1 message in room 'plans' was never at 'origin'",
        hint="bring the room back: git chat sync origin --room plans --restore; or lose them: "
        "git chat room forget plans --yes",
        then="git chat sync origin --room plans --restore",
        again="git chat room forget plans --yes 2>&1 | grep 'has a room'",
    ),
    Situation(
        given="git chat sync\ngit -c chat.sync=manual chat send late",
        run="git chat doctor",
        error="1 record pending: 'origin' has not accepted it yet",
        hint="git chat sync origin",
    ),
    Situation(
        given="git -c chat.sync=manual chat send late",
        run="git -c chat.sync=manual chat remote detach lobby",
        error="1 message in room 'lobby' is pending at 'origin'",
        hint="push first: git chat sync origin --room lobby; or number them here: git chat remote detach lobby --yes",
        then="git chat sync origin --room lobby",
        after="git chat sync",
    ),
    Situation(
        given="git config remote.origin.url ../nowhere.git",
        run="git chat send --sync=1 x",
        error="~[..] has no number yet: [..]",
        hint="it is stored, and pending; push it later: git chat sync origin",
        then="git chat sync origin",
        fill={"git chat": "git config remote.origin.url ../hub.git; git chat"},
        again="git chat sync",
    ),
    Situation(
        given="git config remote.origin.url ../nowhere.git",
        run="git chat sync",
        error="the remote 'origin' cannot be used: [..]",
        hint="see what git says: git ls-remote origin",
        then="git ls-remote origin",
        fill={"git ls-remote": "! git ls-remote"},
        shows="does not appear to be a git repository",
        again="git config remote.origin.url ../hub.git\ngit chat sync",
    ),
]

PLACES = [
    Situation(
        given=BOB
        + "git chat log\ngit init -q --bare ../two.git\ngit push -q ../two.git 'refs/chatroom/*:refs/chatroom/*'\n"
        "git init -q --bare ../empty.git\ngit remote set-url origin ../empty.git",
        run="git chat sync",
        error="'origin' is at another address ([..]), and no room is there; nothing was joined or pushed",
        hint="if the rooms moved there: git chat remote move origin; to take the numbers there: "
        "git chat remote attach lobby origin --yes; to number here: git chat remote detach lobby --yes",
        then="git chat remote move origin",
    ),
    Situation(
        given="git remote set-url origin ../hub.git\ngit chat sync\ngit init -q --bare ../void.git\n"
        "git remote set-url origin ../void.git",
        run="git chat sync",
        error="'origin' is at another address ([..]), and no room is there; nothing was joined or pushed",
        hint="if the rooms moved there: git chat remote move origin; to take the numbers there: "
        "git chat remote attach lobby origin --yes; to number here: git chat remote detach lobby --yes",
        then="git chat remote attach lobby origin --yes",
    ),
    Situation(
        given="git remote set-url origin ../hub.git\ngit chat sync\ngit init -q --bare ../vain.git\n"
        "git remote set-url origin ../vain.git",
        run="git chat sync",
        error="'origin' is at another address ([..]), and no room is there; nothing was joined or pushed",
        hint="if the rooms moved there: git chat remote move origin; to take the numbers there: "
        "git chat remote attach lobby origin --yes; to number here: git chat remote detach lobby --yes",
        then="git chat remote detach lobby --yes",
    ),
    Situation(
        given="cd .\ngit clone -q hub.git dan\ncd dan\ngit chat log\n"
        "git init -q --bare ../apart.git\ngit remote set-url --push origin ../apart.git\n"
        "git -c chat.sync=manual chat send x",
        run="git chat sync",
        error="'origin' fetches from [..] and its push URL is [..], which has not the rooms that were fetched; "
        "nothing was pushed",
        hint='give the place where the rooms shall stand a name of its own: git remote add chat "$(git remote get-url '
        'origin)"; git config chatroom.lobby.remote chat; git chat sync chat',
        then='git remote add chat "$(git remote get-url origin)"; git config chatroom.lobby.remote chat; '
        "git chat sync chat",
        again="git chat log",
    ),
    Situation(
        given="cd .\ngit clone -q hub.git eve\ncd eve\ngit chat log\ngit -c chat.sync=manual chat send x\n"
        "git remote rename origin gone\ngit remote set-url gone ../empty.git",
        run="git chat sync --room lobby",
        error="room 'lobby' follows the remote 'origin', and there is no such remote here",
        hint="remotes: gone; follow one: git config chatroom.lobby.remote gone",
        then="git config chatroom.lobby.remote gone",
        again="",
    ),
    Situation(
        given="cd .\ngit clone -q hub.git fay\ncd fay\ngit chat log\ngit remote remove origin",
        run="git chat doctor",
        error="its numbers come from the remote 'origin', and there is no such remote: nothing can be pushed",
        hint="git remote add origin URL; or follow another: git config chatroom.lobby.remote NAME",
        then="git remote add origin URL",
        fill={"URL": "../hub.git"},
    ),
    Situation(
        given="cd .\ngit clone -q ann carl\ncd carl",
        run="git chat sync",
        error="the remote 'origin' is a clone whose rooms follow its own remote 'origin'",
        hint="use that one here, too: git remote add UPSTREAM URL; git chat sync UPSTREAM; or, if it was copied "
        "to be a hub: git push origin --delete $(git ls-remote origin 'refs/chatroom-local/*' | cut -f2)",
        then="git remote add UPSTREAM URL; git chat sync UPSTREAM",
        fill={"UPSTREAM": "up", "URL": "../hub.git"},
        again="git chat log",
    ),
    Situation(
        given="cd .\ngit clone -q ann gil\ncd gil",
        run="git chat sync",
        error="the remote 'origin' is a clone whose rooms follow its own remote '[..]'",
        hint="use that one here, too: git remote add UPSTREAM URL; git chat sync UPSTREAM; or, if it was copied to be "
        "a hub: git push origin --delete $(git ls-remote origin 'refs/chatroom-local/*' | cut -f2)",
        then="git push origin --delete $(git ls-remote origin 'refs/chatroom-local/*' | cut -f2)",
    ),
]

REFUSED = [
    Situation(
        given="printf '#!/bin/sh\\necho no thanks >&2\\nexit 1\\n' > ../hub.git/hooks/pre-receive\n"
        "chmod +x ../hub.git/hooks/pre-receive\ngit -c chat.sync=manual chat send x",
        run="git chat sync",
        error="'origin' did not take refs/chatroom/rooms/lobby/log: [..]no thanks",
        hint="nothing is lost: it stays pending; if it is because of the message: git chat unsend --room lobby ~[..]; "
        "if it takes branches only: git chat remote move origin --prefix refs/heads/chatroom/ (its list of branches "
        "shows them then, and its CI may start); or ask who runs 'origin' to allow refs/chatroom/*, and then: "
        "git chat sync origin",
        then="git chat sync origin",
        fill={"git chat": "rm ../hub.git/hooks/pre-receive; git chat"},
    ),
    Situation(
        given="git -c chat.sync=manual chat send x\ntouch ../hub.git/refs/chatroom/rooms/lobby/log.lock",
        run="git chat sync",
        error="'origin' did not take refs/chatroom/rooms/lobby/log: [..]",
        hint="nothing is lost: it stays pending; try again later: git chat sync",
        then="git chat sync",
        fill={"git chat": "rm ../hub.git/refs/chatroom/rooms/lobby/log.lock; git chat"},
    ),
    Situation(
        given="git rev-parse refs/chatroom/rooms/lobby/log~1 > .git/shallow",
        run="git chat doctor",
        error="git takes commit [..] for the beginning of a log, and its next gc may delete what is older",
        hint="git fetch --unshallow origin",
    ),
    Situation(
        given="cd .\ngit clone -q --depth 1 file://$PWD/hub.git shallow\ncd shallow\n"
        "git fetch -q --depth 1 origin 'refs/chatroom/rooms/*:refs/chatroom/rooms/*'",
        run="git chat send x",
        error="this clone is shallow: the log before [..] was not fetched, so nothing can be numbered",
        hint="git fetch --unshallow origin",
    ),
]

REPOSITORIES = [
    Repository("naming", NAMING, given="git init -q --bare ../hub.git"),
    Repository("following", FOLLOWING, given=HUB),
    Repository("places", PLACES, given=HUB),
    Repository("refused", REFUSED, given=HUB + "git chat send --sync two"),
]
