"""Writes `docs/wire.md` from the message definitions, the topics and the broker's rules.

python tests/tools/wire_page.py > docs/wire.md
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from cloud_bridge.bridge import mqtt_link as bridge_link
from cloud_bridge.bridge.throttle import Cost, Throttle
from edge.sync import mqtt_link
from edge.sync.publisher import Pace
from edge.wire import matters, messages, questions, topics
from edge.wire.envelope import MAX_ENVELOPE_BYTES
from edge.wire.messages import MESSAGES, Message
from provisioning import site

HEAD = """\
# What crosses the network

Made from `edge/wire/messages.py`, `edge/wire/topics.py` and `provisioning/site.py` by
`tests/tools/wire_page.py`; a test keeps it fresh.

A kiosk has one connection to the broker: MQTT 5 over TLS 1.3, both sides with certificates. The
name in its certificate is its user name and its client id, so the broker needs two lines of rules
for all kiosks and nobody can take another's place. The bridge is the registry's one client. Neither
side believes the broker anything but that bytes came: what counts is signed.
"""

ENVELOPE = """\
## The envelope

Canonical JSON (UTF-8, sorted keys, no blanks) with these fields; see `edge/wire/envelope.py`.

| Field | Meaning |
|---|---|
| `schema`, `v` | name and number of the message's form, both in every envelope |
| `id` | of this message; a record's own id, an answer's question |
| `from`, `to` | a kiosk's id or `registry` |
| `chain` | place of a record in its kiosk's chain: `epoch`, `seq`, hash of the one before |
| `body` | base64; JSON, or for a sealed message HPKE bytes that only the receiver opens |
| `sig` | Ed25519 over all the rest, unknown fields included |

Finished bytes are what is stored, sent, hashed and kept: a kiosk never builds an envelope twice,
and the registry keeps each record's envelope as it came. So fields that only a newer program knows
stay in it, inside the signature, and can be read later. No envelope is larger than {max_kib} KiB.
"""

DIAGRAMS = """\
## Who says what when

Drawn from the same table. The kiosk process has the keys that sign and open and no network; the
sync process has the network and none of those keys. They meet in the kiosk's database.
"""

RULES = """\
## Rules that keep records whole

* A row leaves the outbox only on the registry's signed word about these very bytes (`{ack}`,
  id and SHA-256). The broker's PUBACK only makes room in the window.
* Two lanes: records committed since the link came go first, the backlog follows, oldest first;
  {reserve} of {window} places are kept free of backlog.
* The registry files first, answers second and confirms to the broker last; filing again changes
  nothing. Same id with other bytes: quarantined, shown in the console, and the kiosk keeps its row.
  If staff file it later (`quarantine refile`), the bridge sends the word then,
  once the kiosk is online.
* Places of a chain that stay empty are asked for (`{ask}`), at most {places} at once and once an
  hour; the kiosk sends them again or says, signed, that they are gone (`{told}`).
* A kiosk's traffic costs tokens; whose bucket is empty is not listened to until it has filled
  again. Its records come again, because nobody acknowledged them, and nobody else waits for it.
* A callback only takes notes, on the thread that asked for it. What one raises ends the connection,
  and the next one begins with what nobody confirmed.
"""

BODIES: dict[str, type[Any]] = {
    messages.RECORD: messages.RecordBody,
    messages.ACK: messages.Ack,
    messages.PRESENCE: messages.Presence,
    messages.HEALTH: messages.DeviceHealth,
    messages.ROSTER: messages.Roster,
    messages.ANSWER: questions.Answer,
    messages.ASK: questions.Ask,
    messages.TOLD: questions.Told,
    messages.MATTER: matters.MatterBody,
    messages.OPINION: matters.OpinionBody,
    messages.HISTORY_QUESTION: questions.HistoryQuestion,
    messages.HISTORY: questions.History,
}


def page() -> str:
    numbers = {
        "ack": topics.ACK,
        "ask": topics.ASK,
        "told": topics.TOLD,
        "reserve": Pace().reserve,
        "window": Pace().window,
        "places": questions.MAX_PLACES,
    }
    parts = [
        HEAD,
        _table("Up: from a kiosk to the registry", [m for m in MESSAGES if m.goes_up]),
        _table("Down: from the registry to a kiosk", [m for m in MESSAGES if not m.goes_up]),
        ENVELOPE.format(max_kib=MAX_ENVELOPE_BYTES // 1024),
        _bodies(),
        DIAGRAMS,
        *(_diagram(message) for message in MESSAGES if not message.answers),
        RULES.format(**numbers),
        _numbers(),
        _broker(),
    ]
    return "\n".join(parts)


def _table(title: str, rows: list[Message]) -> str:
    head = (
        "| Topic below `{}/<kiosk>/` | Schema, number | Holds | Signed | Sealed | Kept | Expires |"
    )
    lines = [f"## {title}", "", head.format(topics.ROOT), "|---|---|---|---|---|---|---|"]
    return "\n".join([*lines, *map(_row, rows), ""])


def _row(message: Message) -> str:
    who = "kiosk" if message.goes_up else "registry"
    reader = "the registry" if message.goes_up else "the kiosk"
    cells = (
        f"`{message.leaf}`",
        f"`{message.schema}`, {message.number}",
        message.holds,
        who if message.enveloped else "no",
        f"to {reader}" if message.sealed else "no",
        "retained" if message.retained else "no",
        f"{message.expires_s} s" if message.expires_s else "never",
    )
    return "| " + " | ".join(cells) + " |"


def _bodies() -> str:
    lines = ["## Fields of the bodies", "", "| Schema | Fields |", "|---|---|"]
    for schema, body in BODIES.items():
        names = ", ".join(f"`{item.name}`" for item in fields(body))
        lines.append(f"| `{schema}` | {names} |")
    return "\n".join([*lines, ""])


def _diagram(message: Message) -> str:
    asks = {other.schema for other in MESSAGES if other.leaf == message.leaf}
    answer = next((other for other in MESSAGES if other.answers in asks), None)
    lines = [
        f"### {message.schema}",
        "",
        "```mermaid",
        "sequenceDiagram",
        "    participant K as kiosk process",
        "    participant S as sync process",
        "    participant B as broker",
        "    participant R as bridge and registry",
        *(f"    {step}" for step in _steps(message, answer)),
        "```",
        "",
    ]
    return "\n".join(lines)


def _steps(message: Message, answer: Message | None) -> Iterator[str]:
    yield from _up(message) if message.goes_up else _down(message, answer)
    if answer is not None:
        yield from _up(answer) if answer.goes_up else _down(answer, None)


def _up(message: Message) -> Iterator[str]:
    if message.enveloped:
        yield f"Note over K: {_made(message, 'the registry')}"
        yield "K->>S: finished bytes, through the database"
    yield f"S->>B: {_publish(message)}"
    yield "B-->>S: PUBACK, which says nothing about the registry"
    yield f"B->>R: {message.leaf}"
    if message.enveloped:
        yield f"Note over R: checks signature{' and opens it' if message.sealed else ''}"


def _down(message: Message, answer: Message | None) -> Iterator[str]:
    yield f"Note over R: {_made(message, 'the kiosk')}"
    yield f"R->>B: {_publish(message)}"
    yield f"B->>S: {message.leaf}"
    yield "Note over S: checks that the registry signed it, for this kiosk"
    if message.sealed or (answer is not None and answer.enveloped):
        yield "S->>K: the bytes, through the database"
        yield f"Note over K: checks again{' and opens it' if message.sealed else ''}"


def _made(message: Message, reader: str) -> str:
    seals = f"seals to {reader}, " if message.sealed else ""
    return f"{seals}signs {message.schema} {message.number}"


def _publish(message: Message) -> str:
    more = ["QoS 1"]
    if message.retained:
        more.append("retained")
    if message.expires_s:
        more.append(f"expires after {message.expires_s} s")
    return f"{message.leaf} ({', '.join(more)})"


def _numbers() -> str:
    pace, throttle = Pace(), Throttle()
    rows = (
        ("kiosk: messages not yet confirmed, each way", mqtt_link.WINDOW),
        ("kiosk: records without the registry's word, at most", pace.window),
        ("kiosk: of these kept free of backlog", pace.reserve),
        ("kiosk: a record without an answer gives its place free after", f"{pace.answer_s:g} s"),
        ("kiosk: and is sent again after", f"{pace.resend_s:g} s, then twice as long, to "
         f"{pace.resend_max_s:g} s, each times 0.5 to 1.5"),
        ("kiosk: sign of life", f"every {mqtt_link.KEEPALIVE_S} s"),
        ("kiosk: session kept by the broker", f"{mqtt_link.SESSION_EXPIRY_S // 86400} days"),
        ("kiosk: its will is published after", f"{mqtt_link.WILL_DELAY_S} s"),
        ("bridge: messages not yet confirmed to the broker", bridge_link.RECEIVE_MAXIMUM),
        ("bridge: session kept by the broker", f"{bridge_link.SESSION_EXPIRY_S // 86400} days"),
        ("bridge: tokens of a kiosk's bucket, gained a second", f"{throttle.size:g}, "
         f"{throttle.per_s:g}"),
        *((f"bridge: tokens for a message that was {_PRICED[cost]}", f"{cost.value:g}")
          for cost in Cost),
    )  # fmt: skip
    lines = ["## Numbers", "", "| What | Value |", "|---|---|"]
    return "\n".join([*lines, *(f"| {what} | {value} |" for what, value in rows), ""])


_PRICED = {
    Cost.NEW: "a new record",
    Cost.PIECE: "a piece of a release",
    Cost.PLAIN: "a known record, or anything else of ours",
    Cost.REFUSED: "refused",
}


def _broker() -> str:
    conf = site.mosquitto_conf(Path("<site>/broker"), 8883).splitlines()
    shown = [line for line in conf if line and not line.startswith(("user ", "log_", "# Made"))]
    return "\n".join(
        [
            "## The broker's rules",
            "",
            "`python -m provisioning site` writes both files.",
            "",
            "```",
            *shown,
            "```",
            "",
            "```",
            *site.access_rules().splitlines(),
            "```",
        ]
    )


if __name__ == "__main__":
    print(page())
