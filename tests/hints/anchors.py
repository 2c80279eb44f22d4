"""Hints that are printed to who says something about code, or asks what was said."""

from __future__ import annotations

from tests.hints.situation import Repository, Situation

GIVEN = """
echo one > old.py
echo '*.log' > .gitignore
git add old.py .gitignore
git commit -q -m begin
git rm -q old.py
git commit -q -m 'Remove it'
echo text > run.log
git -c protocol.file.allow=always submodule --quiet add ./. part
git clone -q --bare . ../bare.git
"""

CODE = [
    Situation(
        run="git chat send --at run.log:1 'Look'",
        error="'run.log' is ignored by git, so nobody else has it",
        hint="send what matters of it as text, or attach it: git chat send --attach FILE",
        then="git chat send --attach FILE",
        fill={"FILE": "run.log"},
        again="git chat send 'It says text'",
    ),
    Situation(
        run="git chat send --at HEAD:old.py:1 'Look'",
        error="HEAD has no file 'old.py'",
        hint="see which it has: git ls-tree -r --full-tree --name-only HEAD",
        then="git ls-tree -r --full-tree --name-only HEAD",
        shows="file.txt",
        again="git chat send --at HEAD~1:old.py:1 'Look'",
    ),
    Situation(
        run="git chat send --at part/file.txt:1 'Look'",
        error="git will not look at 'part/file.txt': [..]",
        hint="name a file of this repository: git ls-files",
        then="git ls-files",
        shows="file.txt",
        again="git chat send --at file.txt:1 'Look'",
    ),
    Situation(
        run="git chat blame old.py",
        error="there is no file 'old.py'",
        hint="of one that is gone name a commit that has it: git chat blame REV FILE",
        then="git chat blame REV FILE",
        fill={"REV": "HEAD~1", "FILE": "old.py"},
        again="",
    ),
    Situation(
        run="git chat blame HEAD old.py",
        error="there is no file 'old.py' at that commit",
        hint="of one that is gone name a commit that has it: git chat blame REV FILE",
        then="git chat blame REV FILE",
        fill={"REV": "HEAD~1", "FILE": "old.py"},
        again="",
    ),
    Situation(
        run="git chat blame /etc/passwd",
        error="'/etc/passwd' is no file within this repository",
        hint="name one of its files: git ls-files",
        then="git ls-files",
        shows="file.txt",
        again="git chat blame file.txt",
    ),
]

BARE = [
    Situation(
        run="git chat blame file.txt",
        error="a bare repository has no files of its own",
        hint="name a commit: git chat blame HEAD file.txt",
        then="git chat blame HEAD file.txt",
        again="",
    ),
]

REPOSITORIES = [
    Repository("code", CODE, given=GIVEN),
    Repository("bare-code", BARE, given="git clone -q --bare . ../bare.git\ncd bare.git"),
]
