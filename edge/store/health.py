"""How each device is, for whoever asks while the kiosk process holds the devices."""

from __future__ import annotations

from edge.domain.health import Condition, DeviceState
from edge.store.database import Database


class HealthTable:
    """One row per device. The kiosk process writes it, on change only; sync and doctor read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, state: DeviceState) -> None:
        row = [state.device, state.condition.value, state.detail, state.since]
        with self._database.write() as db:
            db.execute("INSERT OR REPLACE INTO health VALUES (?, ?, ?, ?)", row)

    def clear(self) -> None:
        """A kiosk that starts knows nothing yet."""
        with self._database.write() as db:
            db.execute("DELETE FROM health")

    def all(self) -> tuple[DeviceState, ...]:
        """By name of the device."""
        rows = self._database.rows("SELECT * FROM health ORDER BY device")
        return tuple(DeviceState(name, Condition(word), *more) for name, word, *more in rows)
