"""A machine that has git and an installed gitchat, all in memory, and the disks that it is given: qemu."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FETCHED = ROOT / ".tools" / "power" / "root"
MODULES = ("virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_blk")
LEFT_OUT = ("test", "idlelib", "tkinter", "ensurepip", "lib2to3", "turtledemo", "pip", "setuptools", "config-3*", "*.a")
KERNEL = "console=ttyS0 quiet panic=-1 rdinit=/init"
MEGABYTES = 2048


def image(scratch: Path) -> Path:
    """What the machine has in memory: an archive for its kernel."""
    root = scratch / "root"
    for name in ("bin", "dev", "mnt", "proc", "sys", "modules", "usr/bin"):
        (root / name).mkdir(parents=True)
    shutil.copy(next(FETCHED.glob("**/bin/busybox")), root / "bin" / "busybox")
    for module in MODULES:
        (found,) = FETCHED.glob(f"**/{module}.ko")
        shutil.copy(found, root / "modules")
    python = _installed(scratch)
    _copy(Path(sys.base_prefix), root, ignore=shutil.ignore_patterns(*LEFT_OUT, "site-packages"))
    _copy(python.parent.parent, root, ignore=shutil.ignore_patterns(*LEFT_OUT))
    git = shutil.which("git")
    assert git is not None
    _copy(Path(git), root)
    programs = [path for path in root.rglob("*") if path.is_file() and (path.suffix == ".so" or ".so." in path.name)]
    for library in _libraries(
        [Path(git), python.resolve(), *(Path("/") / path.relative_to(root) for path in programs)]
    ):
        _copy(library, root)
    shutil.copy(HERE / "write.py", root)
    (root / "init").write_text((HERE / "init.sh").read_text().replace("@BIN@", str(python.parent)))
    (root / "init").chmod(0o755)
    archive = scratch / "image"
    with archive.open("wb") as stream:
        words = f"cd {root} && find . | {FETCHED}/bin/busybox cpio -o -H newc"
        subprocess.run(["/bin/sh", "-c", words], stdout=stream, stderr=subprocess.DEVNULL, check=True)
    return archive


def _installed(scratch: Path) -> Path:
    """The Python of an environment that has this tree's gitchat, as a user would."""
    venv.create(scratch / "venv", with_pip=True)
    python = scratch / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-qq", str(ROOT)], check=True)
    return python


def _copy(path: Path, root: Path, **options: object) -> None:
    """Have ``path`` at its place below ``root``."""
    there = root / path.relative_to("/")
    there.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, there, symlinks=True, dirs_exist_ok=True, **options)  # type: ignore[arg-type]
    else:
        shutil.copy(path, there)


def _libraries(programs: Sequence[Path]) -> set[Path]:
    """What the system's loader needs for them."""
    told = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=False).stdout
    words = {word for line in told.splitlines() for word in line.split() if word.startswith("/")}
    return {Path(word) for word in words if not word.endswith(":")}


def start(archive: Path, word: str, disks: Sequence[str], *, is_quick: bool = False) -> subprocess.Popen[str]:
    """The machine, which says on its output what it does; ``disks`` are options of qemu."""
    (kernel,) = FETCHED.glob("boot/vmlinuz-*")
    speed = ["-accel", "kvm" if is_quick else "tcg,thread=multi", "-cpu", "max"]
    command = ["qemu-system-x86_64", *speed, "-m", str(MEGABYTES), "-smp", "2", "-nodefaults", "-no-reboot"]
    command += ["-display", "none", "-serial", "stdio", "-kernel", str(kernel), "-initrd", str(archive)]
    command += ["-append", f"{KERNEL} {word}", *disks]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace")


def recording(disk: Path, log: Path) -> list[str]:
    """The options for a disk whose writes are logged."""
    return [
        *("-blockdev", f"driver=file,node-name=data,filename={disk}"),
        *("-blockdev", f"driver=file,node-name=log,filename={log}"),
        *("-blockdev", "driver=blklogwrites,node-name=both,file=data,log=log"),
        *("-device", "virtio-blk-pci,drive=both,write-cache=on"),
    ]
