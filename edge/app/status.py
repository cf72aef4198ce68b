"""How this kiosk stands with the registry, from its database alone; needs no key."""

from __future__ import annotations

from dataclasses import dataclass

from edge.domain.timebase import TimeSource
from edge.store.database import Database
from edge.store.inbox import Inbox
from edge.store.journal import ROSTER_KIND
from edge.store.outbox import SqliteOutbox
from edge.store.state import SyncState


@dataclass(frozen=True, slots=True)
class Status:
    """`waiting` records have not been acknowledged; `quarantined` ones staff must look at."""

    link_up: bool
    roster_received: bool
    waiting: int
    quarantined: int


def read(database: Database, times: TimeSource) -> Status:
    outbox = SqliteOutbox(database, times)
    return Status(
        link_up=SyncState(database, times).link_is_up(),
        roster_received=Inbox(database).received(ROSTER_KIND),
        waiting=outbox.depth(),
        quarantined=outbox.held(),
    )


def words(status: Status) -> str:
    link = "up" if status.link_up else "down (records wait here; nothing is lost)"
    roster = "received" if status.roster_received else "none yet (nobody can be found)"
    lines = (
        f"link to the registry   {link}",
        f"roster                 {roster}",
        f"records waiting        {status.waiting}",
        f"records kept back      {status.quarantined}",
    )
    return "\n".join(lines)
