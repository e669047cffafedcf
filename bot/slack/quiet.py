"""The logger of Bolt and its clients: they quote whole bodies, and a body is what somebody pasted."""

from __future__ import annotations

import logging


class _Wordless(logging.Filter):
    """Leaves of a record only where it was said."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Take the words out."""
        record.msg, record.args = f"{record.levelname.lower()} at {record.module}:{record.lineno}", None
        record.exc_info, record.exc_text = None, None
        return True


QUIET = logging.getLogger("whydrop.slack.bolt")
QUIET.setLevel(logging.ERROR)
QUIET.addFilter(_Wordless())
