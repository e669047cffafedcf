"""The tables of Slack: wishes that came, threads and their cases, what was posted, pictures, and settings."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from bot.tables import CASES, ID_LENGTH, METADATA, Utc

SLACK_INBOX = Table(
    "slack_inbox",
    METADATA,
    # The order in which wishes came.
    Column("number", Integer, primary_key=True),
    Column("team", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("lane", Text, nullable=False),
    # What is wanted, as JSON; "" once it is done, because a wish holds what was pasted.
    Column("wish", Text, nullable=False),
    Column("came", Utc, nullable=False),
    # When it is carried out (again): also the end of the lease of whoever is at it. None: it is done.
    Column("due", Utc),
    # How often it was taken: who took it last may write down what became of it.
    Column("tries", Integer, nullable=False),
    # How often it ended badly, or did not end because the process did.
    Column("faults", Integer, nullable=False),
    Column("done", Utc),
    sqlite_autoincrement=True,
)
Index("ix_slack_inbox_key", SLACK_INBOX.c.team, SLACK_INBOX.c.key, unique=True)
Index("ix_slack_inbox_lane", SLACK_INBOX.c.lane, SLACK_INBOX.c.number)
Index("ix_slack_inbox_due", SLACK_INBOX.c.due)
Index("ix_slack_inbox_done", SLACK_INBOX.c.done)

SLACK_THREADS = Table(
    "slack_threads",
    METADATA,
    Column("team", Text, primary_key=True),
    # A case that was begun without a thread has "" here, and its own id as the thread.
    Column("channel", Text, primary_key=True),
    Column("thread", Text, primary_key=True),
    Column("case", String(ID_LENGTH), ForeignKey(CASES.c.id, ondelete="CASCADE"), nullable=False, index=True),
    # Who began the case here; "" where it was only shown.
    Column("asker", Text, nullable=False),
    # The message that shows the case and is kept up to date; "" until it is posted.
    Column("message", Text, nullable=False),
)
Index("ix_slack_threads_asker", SLACK_THREADS.c.team, SLACK_THREADS.c.asker)

SLACK_POSTS = Table(
    "slack_posts",
    METADATA,
    Column("team", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    # Where it is to be seen, as soon as that is known; "" while it may be on its way.
    Column("channel", Text, nullable=False),
    Column("ts", Text, nullable=False),
    # The message that showed the case before, which then says that it goes on below; "" for none.
    Column("before", Text, nullable=False),
    Column("at", Utc, nullable=False, index=True),
)

SLACK_PICTURES = Table(
    "slack_pictures",
    METADATA,
    Column("team", Text, primary_key=True),
    # What is drawn, as SHA-256: whoever draws the same again shows the file that is there.
    Column("digest", Text, primary_key=True),
    # The case that it was first drawn for; it is forgotten with it.
    Column("case", String(ID_LENGTH), ForeignKey(CASES.c.id, ondelete="CASCADE"), nullable=False, index=True),
    # The id of the file in Slack.
    Column("file", Text, nullable=False),
    Column("at", Utc, nullable=False, index=True),
)

SLACK_SETTINGS = Table(
    "slack_settings",
    METADATA,
    Column("team", Text, primary_key=True),
    # Addresses are shown under other names where others than the asker see them.
    Column("aliases", Boolean, nullable=False),
)
