"""The keys of the store that is set, opened for one command; what is wrong is told in one line."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from bot.calls import fail
from bot.keys import Keys, NoSuchKey
from bot.reaching import our_store

T = TypeVar("T")


def with_keys(work: Callable[[Keys], Coroutine[Any, Any, T]]) -> T:
    """Do work on the keys of the store that is set. Raises typer.Exit, with what is wrong told."""
    with our_store() as (store, runner):
        try:
            return runner.run(work(Keys(store)))
        except ValueError as wrong:
            raise fail(str(wrong)) from None
        except NoSuchKey:
            raise fail("there is no key with this id; `keys list` lists them all") from None
