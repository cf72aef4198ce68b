"""How this kiosk stands with registry and devices, from its database alone; needs no key."""

from __future__ import annotations

from dataclasses import dataclass

from edge.domain.timebase import TimeSource
from edge.store.database import Database
from edge.store.health import HealthTable
from edge.store.inbox import Inbox
from edge.store.journal import ROSTER_KIND
from edge.store.outbox import SqliteOutbox
from edge.store.recovery import Recovery, last_recovery
from edge.store.state import SyncState


@dataclass(frozen=True, slots=True)
class Status:
    """`waiting` records have not been acknowledged; `quarantined` ones staff must look at."""

    link_up: bool
    roster_received: bool
    waiting: int
    quarantined: int
    made_anew: str
    """When and why the database before this one was set aside; empty if there was none."""
    not_working: dict[str, str]
    """Devices that the kiosk process has lost, and how: `{"scanner": "absent"}`."""


def read(database: Database, times: TimeSource) -> Status:
    outbox = SqliteOutbox(database, times)
    return Status(
        link_up=SyncState(database, times).link_is_up(),
        roster_received=Inbox(database).received(ROSTER_KIND),
        waiting=outbox.depth(),
        quarantined=outbox.held(),
        made_anew=_made_anew(last_recovery(database)),
        not_working={
            state.device: state.condition.value
            for state in HealthTable(database).all()
            if not state.condition.works
        },
    )


def _made_anew(recovery: Recovery | None) -> str:
    if recovery is None:
        return ""
    return f"{recovery.at} ({recovery.reason}), {recovery.salvaged} records saved"


def words(status: Status) -> str:
    link = "up" if status.link_up else "down (records wait here; nothing is lost)"
    lost = ", ".join(f"{device} {how}" for device, how in status.not_working.items())
    roster = "received" if status.roster_received else "none yet (nobody can be found)"
    lines = (
        f"link to the registry   {link}",
        f"roster                 {roster}",
        f"records waiting        {status.waiting}",
        f"records kept back      {status.quarantined}",
        f"devices not working    {lost or 'none'}",
        *([f"database made anew     {status.made_anew}"] if status.made_anew else []),
    )
    return "\n".join(lines)
