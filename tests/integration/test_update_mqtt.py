"""Pieces of releases through the sync process: the updater's socket, without a broker yet."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_bridge.bridge import chunks
from edge.domain.errors import WireError
from edge.sync.courier import Courier
from edge.update.fetch import FetchError, NotThere
from edge.update.fetch_mqtt import BrokerTree
from edge.wire.fetching import CHUNK_BYTES, Fetch, fetch_body, is_path, parse_chunk

BODY = bytes(range(256)) * 1024  # three chunks


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, content in (("metadata/timestamp.json", b"{}"), ("targets/app/h.a.whl", BODY)):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "tree"


@pytest.fixture
def courier(tmp_path: Path) -> Iterator[Courier]:
    found = Courier(tmp_path / "s", answer_s=5.0)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def bridged(courier: Courier, tree: Path) -> Iterator[None]:
    """Answers errands as a bridge would."""
    stop = threading.Event()

    def loop() -> None:
        while not stop.wait(0.002):
            if errand := courier.errand():
                errand.sent = True
                courier.answered(errand.errand_id, chunks.answer(tree, errand.question))

    thread = threading.Thread(target=loop)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.mark.usefixtures("bridged")
def test_a_file_comes_in_pieces_from_any_offset(tmp_path: Path) -> None:
    pieces = list(BrokerTree(tmp_path / "s").fetch("targets/app/h.a.whl"))
    assert [len(piece) for piece in pieces] == [CHUNK_BYTES, CHUNK_BYTES, len(BODY) % CHUNK_BYTES]
    assert b"".join(pieces) == BODY
    rest = b"".join(BrokerTree(tmp_path / "s").fetch("targets/app/h.a.whl", 100_000))
    assert rest == BODY[100_000:]


@pytest.mark.usefixtures("bridged")
def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotThere):
        list(BrokerTree(tmp_path / "s").fetch("metadata/9.root.json"))


def test_without_a_link_it_is_given_up(tmp_path: Path) -> None:
    courier = Courier(tmp_path / "t", answer_s=0.05)
    courier.start()
    with pytest.raises(FetchError, match="no link"):
        list(BrokerTree(tmp_path / "t").fetch("metadata/timestamp.json"))
    courier.stop()
    with pytest.raises(FetchError, match="does not answer"):
        list(BrokerTree(tmp_path / "t").fetch("metadata/timestamp.json"))


def test_an_answer_nobody_asked_for_is_dropped(courier: Courier) -> None:
    chunk = b'{"end":true,"there":true}\nx'
    assert not courier.answered(b"unknown", chunk)
    with pytest.raises(WireError):
        courier.answered(b"unknown", b"no chunk")


@pytest.mark.parametrize(
    "path", ["../registry.toml", "metadata/../../x", "targets/a/../../x", "/etc/passwd", "keys/a"]
)
def test_nothing_outside_the_tree_is_given(tree: Path, path: str) -> None:
    assert not is_path(path)
    with pytest.raises(WireError):
        chunks.answer(tree, fetch_body(Fetch(path, 0)))


def test_no_link_leads_out_of_the_tree(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    (tree / "targets" / "app" / "link").symlink_to(tmp_path / "secret")
    found = parse_chunk(chunks.answer(tree, fetch_body(Fetch("targets/app/link", 0))))
    assert not found.there
