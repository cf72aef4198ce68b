"""The photo block of an identity card, and the honest default: we cannot read it.

The coding is proprietary and its decoder is licensed. A licensed one is a
class with these three members; the kiosk works in full without.
"""

from __future__ import annotations

from edge.domain.record import Provenance
from edge.ports import Picture


class NoDecoder:
    """Implements `PhotoDecoder` for a kiosk without a licence."""

    name = "none"
    provenance = Provenance.LIVE

    def decode(self, block: bytes) -> Picture | None:  # noqa: ARG002
        return None
