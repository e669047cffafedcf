"""How fast log files are read, and in how much memory; beside grep, regular expressions by hand, and liblognorm.

python -m bench.read [--size 1G]

Each reads the very same file, one after the other, in a process of its own. What counts is processor time, so that
whatever else the machine does hardly matters; what a process takes for a file of one line is its start, which is taken
off.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that `python bench/read.py` works as well

from bench.by_hand import MARKERS, PRODUCTS, read_line
from bench.made_lines import FORMATS, all_lines, fill
from bot.lines import lines_of
from knowledge.load import load_shelf
from knowledge.shelf import Shelf
from rules.read import reader_of

HERE = Path(__file__).parent
_EVERY_S = 0.05
"""Seconds between two looks at the memory of a process."""
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
_PYTHON = [sys.executable, "-m"]

WHYDROP = [*_PYTHON, "bot", "read", "--json"]
RECORDS = [*_PYTHON, "bench.read", "--only", "records"]
BY_HAND = [*_PYTHON, "bench.read", "--only", "by-hand"]


@dataclass(frozen=True, slots=True)
class Run:
    """What a process took: seconds of a processor, and its memory along the way in MB."""

    seconds: float
    memory: Sequence[float]


def run(command: Sequence[str], file: Path, *, as_input: bool = False) -> Run:
    """Run a command on a file, and look at its memory."""
    memory: list[float] = []
    given = [*command] if as_input else [*command, str(file)]
    # grep looks no further than the first match if it writes to /dev/null; what it writes to a pipe is one number.
    out = subprocess.PIPE if command[0] == "grep" else subprocess.DEVNULL
    with file.open("rb") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own commands
            given, stdin=stream, stdout=out, stderr=subprocess.DEVNULL, cwd=HERE.parent
        )
        while True:
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
            if ended:
                process.returncode = os.waitstatus_to_exitcode(status)
                assert process.returncode in (0, 1, 3), f"{command} failed: {process.returncode}"  # 3: nothing was read
                return Run(used.ru_utime + used.ru_stime, memory or [used.ru_maxrss / 1024])
            memory.append(_memory(process.pid))
            time.sleep(_EVERY_S)


def _memory(process: int) -> float:
    """Give the resident memory of a process in MB; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    lines = [line.split() for line in status.splitlines() if line.startswith("VmRSS:")]
    return float(lines[0][1]) / 1024 if lines else 0.0


@dataclass(frozen=True, slots=True)
class File:
    """A file to read, how many lines it has, and one that has but the first of them."""

    path: Path
    lines: int
    first: Path

    def net(self, command: Sequence[str], *, as_input: bool = False) -> Run:
        """Run a command on the file; its start is taken off."""
        start = run(command, self.first, as_input=as_input)
        whole = run(command, self.path, as_input=as_input)
        return Run(max(whole.seconds - start.seconds, 1e-3), whole.memory)

    def row(self, label: str, one: Run, ours: Run) -> str:
        """Write one line of the table."""
        megabytes = self.path.stat().st_size / 1e6
        rate = f"{self.lines / one.seconds:13,.0f}{megabytes / one.seconds:9.1f}{max(one.memory, default=0.0):9.0f}"
        return f"{label:44}{rate}{one.seconds / ours.seconds:11.2f}"


HEAD = f"{'':44}{'lines/s':>13}{'MB/s':>9}{'peak MB':>9}{'its time':>11}"


def made(folder: Path, name: str, lines: Sequence[str], size: int, *, vary: bool) -> File:
    """Make a file of lines, and one of the first line."""
    path, first = folder / f"{name}.log", folder / f"{name}.first.log"
    count = fill(path, lines, size, vary=vary)
    fill(first, lines, 1, vary=vary)
    return File(path, count, first)


def of_all_products(folder: Path, shelf: Shelf, size: int) -> None:
    """Read lines of all products."""
    what, lines = all_lines(shelf)
    file = made(folder, "all", lines, size, vary=False)
    print(f"{file.lines:,} lines of {what}, {file.path.stat().st_size / 1e6:,.0f} MB\n\n{HEAD}")
    markers = folder / "markers"
    markers.write_text("\n".join(MARKERS), encoding="utf-8")
    ours = file.net(WHYDROP)
    print(file.row("whydrop: bot read --json", ours, ours))
    print(file.row("whydrop, records only, not written as JSON", file.net(RECORDS), ours))
    print(file.row(f"Python re by hand, {len(PRODUCTS)} expressions", file.net(BY_HAND), ours))
    print(file.row(f"grep -cF, {len(MARKERS)} fixed strings", file.net(["grep", "-cF", "-f", str(markers)]), ours))
    print(f"\nmemory of bot read along the way, in MB: {_along(ours.memory)}\n")
    file.path.unlink()


def _along(memory: Sequence[float]) -> str:
    tenths = [memory[len(memory) * tenth // 10 : len(memory) * (tenth + 1) // 10] for tenth in range(10)]
    return " ".join(f"{max(tenth):.0f}" for tenth in tenths if tenth) or "not known"


def of_one_format(folder: Path, shelf: Shelf, name: str, size: int) -> None:
    """Read lines of one format beside liblognorm."""
    file = made(folder, name, FORMATS[name](shelf), size, vary=True)
    print(f"{file.lines:,} lines of {name}, {file.path.stat().st_size / 1e6:,.0f} MB\n\n{HEAD}")
    ours = file.net(WHYDROP)
    print(file.row("whydrop: bot read --json", ours, ours))
    print(file.row("Python re by hand", file.net(BY_HAND), ours))
    if tool := shutil.which("lognormalizer"):
        command = [tool, "-r", str(HERE / f"{name}.rb"), "-e", "json"]
        print(file.row("lognormalizer -e json", file.net(command, as_input=True), ours))
        print(f"\nlines that lognormalizer cannot read: {_unparsed(command, file.path):,}\n")
    else:
        print("lognormalizer is not installed here (Debian: liblognorm-utils), so it is left out.\n")
    file.path.unlink()


def _unparsed(command: Sequence[str], path: Path) -> int:
    with path.open("rb") as stream:
        done = subprocess.run([*command, "-P"], stdin=stream, capture_output=True, check=False)  # noqa: S603 - ours
    return done.stdout.count(b"\n")


def only(part: str, file: Path) -> None:
    """Do what one of the processes is measured by."""
    gc.disable()  # as in bot read
    with file.open("rb") as stream:
        if part == "by-hand":
            found = sum(read_line(line) is not None for line in lines_of(stream))
        else:
            found = sum(len(page.lines) for page in reader_of(load_shelf()).pages(lines_of(stream)))
    print(found)


def size_of(text: str) -> int:
    """Read 50M or 1G."""
    number, unit = (text[:-1], text[-1].upper()) if text[-1:].isalpha() else (text, "")
    return int(float(number) * _UNITS[unit])


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="How fast log files are read, and in how much memory.")
    parser.add_argument("--size", default="1G", help="of the file of all products (default: %(default)s)")
    parser.add_argument("--only", choices=("records", "by-hand"), help=argparse.SUPPRESS)
    parser.add_argument("file", nargs="?", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Make the files, measure and print."""
    chosen = arguments()
    if chosen.only:
        only(chosen.only, chosen.file)
        return
    size, shelf = size_of(chosen.size), load_shelf()
    print(f"Python {platform.python_version()}; processor time, without the start of each process")
    print("its time: as a multiple of what whydrop takes for the same file; below 1 is faster than whydrop\n")
    with TemporaryDirectory(prefix="whydrop-") as folder:
        of_all_products(Path(folder), shelf, size)
        for name in FORMATS:
            of_one_format(Path(folder), shelf, name, size // 5)


if __name__ == "__main__":
    main()
