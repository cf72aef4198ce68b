"""MQTT topics. The direction is in the path, so the same ACL lines cover every kiosk.

A kiosk may write the `up` topics below under `jz/v1/d/<its id>/` and read `dn/#` there; the
bridge reads every `up` and writes every `dn`. No topic ever names a person.
"""

from __future__ import annotations

from edge.domain.errors import WireError

ROOT = "jz/v1/d"
BRIDGE_FILTER = f"{ROOT}/+/up/#"

RECORD = "up/rec"
RECORD_FILTER = f"{ROOT}/+/{RECORD}"
PRESENCE = "up/presence"
HEALTH = "up/health"
LOOKUP = "up/ask-person"
ASK_HISTORY = "up/ask-history"
TOLD = "up/told"
ACK = "dn/ack"
ROSTER = "dn/roster"
ANSWER = "dn/answer"
HISTORY = "dn/history"
ASK = "dn/ask"
STAFF = "dn/staff"
FORGET = "dn/forget"
DESIRED = "dn/desired"
REPORTED = "up/reported"
HEARD = "dn/heard"
FETCH = "up/fetch"
CHUNK = "dn/chunk"
UPDATE = "up/update"
ASSIGNMENT = "dn/assignment"


def topic(kiosk_id: str, leaf: str) -> str:
    return f"{ROOT}/{kiosk_id}/{leaf}"


def down_filter(kiosk_id: str) -> str:
    """What a kiosk subscribes to."""
    return f"{ROOT}/{kiosk_id}/dn/#"


def split(name: str) -> tuple[str, str]:
    """`(kiosk id, leaf)` of a topic; raises `WireError("topic")` for anything else."""
    head, _, rest = name.partition(f"{ROOT}/")
    kiosk_id, _, leaf = rest.partition("/")
    if head or not kiosk_id or not leaf:
        raise WireError("topic", "not one of ours")
    return kiosk_id, leaf
