"""What a process does that only diagnoses: see bot/thinking.py."""

from __future__ import annotations

import os
import signal
import threading
from functools import cache
from multiprocessing import connection, parent_process
from pathlib import Path

from knowledge.load import load_shelf
from rules.case import Case, Diagnosis
from rules.diagnose import Expert
from rules.prose import ear_of

_NICE = 10
"""Of nineteen steps back: a processor is shared one to nine with whoever took none."""


class OtherKnowledge(Exception):
    """This process read other knowledge than the one that serves: it was changed meanwhile."""


@cache
def own_expert(folder: Path | None) -> Expert:
    """Load the knowledge, the site's own included, once in this process. Raises KnowledgeError."""
    expert = Expert(load_shelf(*([folder] if folder else [])))
    ear_of(expert.shelf)
    return expert


def begin(folder: Path | None, knowledge: str, patient: bool) -> None:
    """Make ready to diagnose by the knowledge with this hash, for as long as the parent lives. Raises OtherKnowledge.

    A `patient` process lets all others of the machine go first. Signals to end come to the parent, which ends this one:
    a terminal sends them to both.
    """
    if patient:
        os.nice(_NICE)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if own_expert(folder).shelf.hash != knowledge:
        raise OtherKnowledge


def diagnose(folder: Path | None, case: Case) -> Diagnosis:
    """Diagnose. Raises PasteTooLarge."""
    return own_expert(folder).diagnose(case)


def pid() -> int:
    """Give the number of this process, once it is ready."""
    return os.getpid()


def _end_with_parent() -> None:
    """End when the parent does, even if it was killed: nobody else would end this one."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(0)
