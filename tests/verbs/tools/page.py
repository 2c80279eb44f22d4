"""Runs the Python of a Markdown page: ``python page.py PAGE``, in the current directory.

Blocks that are fenced as ``python`` run from top to bottom with the same names. Where a
block has prompts (``>>>``), what follows them must come out (see doctest); ``...`` stands
for anything. The exit status is 1 when something else does, and what it was is printed.
"""

from __future__ import annotations

import doctest
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """The blocks of a page, each with how many lines stand before it."""
    for block in _BLOCK.finditer(text):
        yield text.count("\n", 0, block.start(1)), block[1]


def run(page: Path) -> bool:
    """Whether all blocks of ``page`` do what it says. There must be one."""
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    names: dict[str, Any] = {"__name__": "__main__"}
    for line, code in blocks(page.read_text(encoding="utf-8")):
        if ">>> " in code:
            test = doctest.DocTestParser().get_doctest(code, names, page.name, str(page), line)
            runner.run(test, clear_globs=False)
            names = test.globs
        else:
            exec(compile("\n" * line + code, page, "exec"), names)
    return runner.tries > 0 and runner.failures == 0


if __name__ == "__main__":
    sys.exit(0 if run(Path(sys.argv[1])) else 1)
