"""Which regions a file may speak of."""

from __future__ import annotations

from collections.abc import Iterable

from cloud_bridge.registry.models import Region


class Places:
    """Remembers the regions that it was asked for: a file names few, again and again."""

    def __init__(self, own: Region) -> None:
        self._own = own
        self._known: dict[str, bool] = {}

    def learn(self, codes: Iterable[str]) -> None:
        new = set(codes) - set(self._known)
        there = set(Region.objects.filter(pk__in=new).values_list("pk", flat=True)) if new else ()
        self._known |= {code: code in there for code in new}

    def fault(self, code: str) -> str:
        """A fault's word, empty if there is none."""
        if not self._known[code]:
            return "unknown_region"
        return "" if self._own.covers(code) else "foreign_region"
