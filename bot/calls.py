"""What every command needs: the settings, the knowledge, and one way to end with a message."""

from __future__ import annotations

import typer

from bot.settings import Settings, SettingsError, load_settings
from knowledge.load import KnowledgeError, load_shelf
from knowledge.shelf import Shelf
from rules.diagnose import Expert

WRONG_CALL = 2
NOTHING_READ = 3
_MOST_PROBLEMS = 40


def fail(message: str, code: int = WRONG_CALL) -> typer.Exit:
    """Tell what is wrong, and give the exception that ends the command with this status."""
    typer.echo(f"whydrop: {message}", err=True)
    return typer.Exit(code)


def our_settings() -> Settings:
    """Load the settings. Raises typer.Exit, with what is wrong told."""
    try:
        return load_settings()
    except SettingsError as wrong:
        raise fail(f"the settings have problems: {wrong}") from None


def our_shelf() -> Shelf:
    """Load the knowledge, the site's own included. Raises typer.Exit, with what is wrong told."""
    own = our_settings().knowledge
    try:
        return load_shelf(*([own] if own else []))
    except KnowledgeError as wrong:
        more = len(wrong.problems) - _MOST_PROBLEMS
        shown = [*map(str, wrong.problems[:_MOST_PROBLEMS]), *([f"and {more} more"] if more > 0 else [])]
        raise fail("the knowledge has problems:\n" + "\n".join(shown), 1) from None


def our_expert() -> Expert:
    """Make the knowledge ready to diagnose with. Raises typer.Exit, with what is wrong told."""
    return Expert(our_shelf())
