"""The kiosk's eyes, which keep no face when a try is over, however it ended."""

from __future__ import annotations

from collections.abc import Generator

from edge.models.watcher import Watcher
from edge.ports import Look, WatchOrder


class ForgetfulEyes(Watcher):
    """What follows a face remembers the last one it saw, and networks what they were given."""

    def watch(self, order: WatchOrder) -> Generator[Look]:
        """See `Eyes.watch`; closing it early forgets as well."""
        try:
            yield from super().watch(order)
        finally:
            self.wipe()
