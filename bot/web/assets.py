"""What browsers keep for long: style, scripts and the icon, under addresses that name their content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bot.picture_svg import STYLE

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".LICENSE": "text/plain"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file with its address."""

    address: str
    content: bytes
    media_type: str


@lru_cache(maxsize=1)
def assets() -> dict[str, Asset]:
    """Give every file by its name; the style sheet brings that of the pictures along."""
    found = {}
    for path in sorted(_FOLDER.iterdir()):
        content = path.read_bytes() + (STYLE.encode() if path.suffix == ".css" else b"")
        address = f"/static/{hashlib.sha256(content).hexdigest()[:16]}/{path.name}"
        found[path.name] = Asset(address, content, _TYPES[path.suffix])
    return found
