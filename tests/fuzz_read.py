"""Coverage-guided fuzzing of reading, from bytes to JSON: make fuzz ARGS=MINUTES. Not one of pytest's tests."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import atheris

CHILD = "--child"
"""The word that tells the process which fuzzes from the one that waits for it and needs no instruments."""

with atheris.instrument_imports(include=["rules", "knowledge", "bot"]) if CHILD in sys.argv else nullcontext():
    from bot.paste import paste_of
    from knowledge.load import load_shelf
    from rules.read import reader_of
    from tests.reading import problems

ROOT = Path(__file__).parents[1]
MINUTES = 30.0
LONGEST = 6_000
"""Bytes of a paste; the longest samples have some three thousand."""
_DONE = re.compile(r"^Done (\d+) runs? in \d+ second", re.MULTILINE)
_SO_FAR = re.compile(r"^#(\d+)\s", re.MULTILINE)


def fuzz(arguments: Sequence[str]) -> None:
    """Read whatever atheris makes up, until its time is over or something is wrong."""
    reader = reader_of(load_shelf())

    def one(content: bytes) -> None:
        for problem in problems(paste_of(content), reader):
            raise AssertionError(problem)

    atheris.Setup(list(arguments), one)
    atheris.Fuzz()


def seeds(folder: Path) -> int:
    """Write every sample of every dialect into a file of its own."""
    lines = [sample.line for dialect in load_shelf().dialects.values() for sample in dialect.samples]
    for number, line in enumerate(lines):
        (folder / f"{number:05}").write_text(line, encoding="utf-8")
    return len(lines)


def main(minutes: float) -> int:
    """Fuzz for so long in a process of its own, and tell what came of it."""
    with tempfile.TemporaryDirectory() as name:
        corpus, found = Path(name, "corpus"), Path(name, "found")
        corpus.mkdir()
        found.mkdir()
        print(f"{seeds(corpus)} seeds from the samples; {minutes:g} minutes", flush=True)
        options = [f"-max_total_time={round(minutes * 60)}", f"-max_len={LONGEST}", "-timeout=20", "-rss_limit_mb=4096"]
        command = [sys.executable, "-m", "tests.fuzz_read", CHILD, *options, f"-artifact_prefix={found}/", str(corpus)]
        done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
        findings = [path.read_bytes() for path in sorted(found.iterdir())]
        _tell(done.stderr, findings)
        return 1 if findings or done.returncode else 0


def _tell(log: str, findings: Sequence[bytes]) -> None:
    done = _DONE.search(log)
    runs = done.group(1) if done else max(_SO_FAR.findall(log), key=int, default="0")
    if findings or done is None:
        print(log[-6_000:])
    for one in findings:
        print(f"finding: {one!r}")
    print(f"{int(runs):,} runs, {len(findings)} findings")


if __name__ == "__main__":
    if CHILD in sys.argv:
        fuzz([argument for argument in sys.argv if argument != CHILD])
    else:
        sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES))
