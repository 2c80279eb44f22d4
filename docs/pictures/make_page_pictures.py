"""Draw docs/pictures/page*.webp: the page on a lively room, in a real browser. Run by ``make pictures``.

Needs what ``make chromium`` fetches. The room is dated back from the present moment, so its times differ each time.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
TOP = HERE.parents[1]
TOOLS = TOP / ".tools" / "web"


def main() -> None:
    """Write the pictures anew."""
    chromium = shutil.which("chromium")
    if chromium is None or not TOOLS.exists():
        sys.exit("error: there is no browser to draw the page\nhint: make chromium")
    room = [sys.executable, str(TOP / "examples" / "lively_room.py"), "--port", "0"]
    with (
        tempfile.TemporaryDirectory() as profile,
        subprocess.Popen(room, stdout=subprocess.PIPE, text=True) as serving,
    ):
        try:
            assert serving.stdout is not None
            address = serving.stdout.readline().split()[-1]
            subprocess.run(["node", HERE / "page.mjs", TOOLS, chromium, profile, address, HERE], check=True)
        finally:
            serving.terminate()


if __name__ == "__main__":
    main()
