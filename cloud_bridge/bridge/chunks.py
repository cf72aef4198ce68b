"""Hands out pieces of the release tree to kiosks that can reach nothing but the broker."""

from __future__ import annotations

from pathlib import Path

from edge.domain.errors import WireError
from edge.wire.fetching import CHUNK_BYTES, Chunk, chunk_body, parse_fetch


def answer(tree: Path | None, payload: bytes) -> bytes:
    """The chunk that a `jianzai.fetch` asks for. Raises `WireError`.

    Nothing outside the tree is given, whatever a link in it says.
    """
    wanted = parse_fetch(payload)
    if tree is None:
        raise WireError("tree", "no releases are handed out here: [fleet] tree")
    path = (tree / wanted.path).resolve()
    if not path.is_relative_to(tree.resolve()) or not path.is_file():
        return chunk_body(Chunk(there=False, end=True))
    with path.open("rb") as file:
        file.seek(wanted.offset)
        content = file.read(CHUNK_BYTES)
        end = not file.read(1)
    return chunk_body(Chunk(there=True, end=end, content=content))
