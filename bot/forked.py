"""Imported by the process that those are forked from which diagnose: what it loads here, all of them share."""

from __future__ import annotations

import gc

from bot.settings import load_settings
from bot.thinker import own_expert

own_expert(load_settings().knowledge)
gc.freeze()
