"""What kiosks send besides records: corrections and opinions, against the wire contract alone."""

from __future__ import annotations

import uuid
from typing import Any

from edge.wire import envelope, messages
from tests.fixtures_cloud import TestKiosk

CONSENT = {"version": "1", "language": "zh", "text_sha256": "cd" * 32, "agreed": True}


def _common(kiosk: TestKiosk, at: str) -> dict[str, Any]:
    return {
        "kiosk_id": kiosk.kiosk_id,
        "at": {"utc": at, "boot_ns": 5, "boot_id": "b-1", "trust": "ntp"},
        "provenance": "live",
        "software": "jianzai 0.1.0",
        "number": "",
    }


def matter(kiosk: TestKiosk, at: str, **more: Any) -> dict[str, Any]:
    plain = {
        "matter_id": str(uuid.uuid4()),
        "kind": "access",
        "about": "",
        "consent": CONSENT,
        "liveness": {"live": True},
        "proven": True,
        "badge": "",
    }
    return _common(kiosk, at) | plain | more


def opinion(kiosk: TestKiosk, at: str, **more: Any) -> dict[str, Any]:
    plain = {
        "opinion_id": str(uuid.uuid4()),
        "ratings": ["good", "fair", "poor"],
        "grievance": "",
    }
    return _common(kiosk, at) | plain | more


def wrapped(kiosk: TestKiosk, plain: dict[str, Any]) -> bytes:
    schema = messages.MATTER if "matter_id" in plain else messages.OPINION
    message_id = plain.get("matter_id") or plain["opinion_id"]
    return kiosk.wrap(envelope.canonical(plain), schema=schema, message_id=message_id)
