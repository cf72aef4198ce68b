"""Pieces of releases over MQTT, for sites where only the broker can be reached.

    jianzai.fetch   up/fetch   `Fetch`            plain JSON, by the sync process
    jianzai.chunk   dn/chunk   one line of JSON, a line feed, the bytes

Neither is signed: what is fetched is checked against signed metadata as a whole. The kiosk asks for
one piece after the other, so it sets the pace; the correlation data says which answer is whose.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from edge.domain.errors import WireError
from edge.wire.envelope import canonical
from edge.wire.fields import json_object, need

CHUNK_BYTES = 96 * 1024
"""Small enough that a record behind one waits for a second at most on a slow line."""
_PATH = re.compile(r"(metadata/[A-Za-z0-9._-]{1,80}|targets(/[A-Za-z0-9._+-]{1,230}){1,3})")
_MAX_FILE = 2**40


@dataclass(frozen=True, slots=True)
class Fetch:
    """From `offset` on, at most a chunk."""

    path: str
    offset: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """`there`: whether there is such a file. `end`: whether these are its last bytes."""

    there: bool
    end: bool
    content: bytes = field(repr=False, default=b"")


def is_path(text: str) -> bool:
    """Whether a name lies in the tree and nowhere else."""
    return bool(_PATH.fullmatch(text)) and ".." not in text


def fetch_body(fetch: Fetch) -> bytes:
    return canonical({"path": fetch.path, "offset": fetch.offset})


def parse_fetch(body: bytes) -> Fetch:
    """Raises `WireError("body")`."""
    fields = json_object(body)
    path, offset = fields.get("path"), fields.get("offset")
    need(isinstance(path, str) and is_path(path), "path")
    need(type(offset) is int and 0 <= offset < _MAX_FILE, "offset")
    return Fetch(fields["path"], fields["offset"])


def chunk_body(chunk: Chunk) -> bytes:
    head = canonical({"there": chunk.there, "end": chunk.end})
    return head + b"\n" + chunk.content


def parse_chunk(body: bytes) -> Chunk:
    """Raises `WireError("body")`."""
    head, found, content = body.partition(b"\n")
    if not found or len(head) > 100 or len(content) > CHUNK_BYTES:
        raise WireError("body", "not a chunk")
    try:
        fields = json.loads(head)
    except ValueError as error:
        raise WireError("body", "not a chunk") from error
    need(isinstance(fields, dict), "head")
    need(type(fields.get("there")) is bool and type(fields.get("end")) is bool, "there")
    return Chunk(fields["there"], fields["end"], content)
