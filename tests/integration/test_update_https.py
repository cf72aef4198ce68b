"""The tree over HTTPS: resumed where it was cut, whether the server knows Range or not."""

from __future__ import annotations

import hashlib
import http.server
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.update.download import Shelf
from edge.update.fetch import FetchError, NotThere
from edge.update.fetch_https import WebTree
from edge.wire.releases import Part
from provisioning import certificates as ca

BODY = bytes(range(256)) * 4096  # 1 MiB
PART = Part("app/big-1.whl", hashlib.sha256(BODY).hexdigest(), len(BODY))
PLACE = f"targets/app/{PART.sha256}.big-1.whl"


class Server(http.server.ThreadingHTTPServer):
    """Gives one file; hangs up after `cut` bytes if that is set."""

    cut, knows_range, sent = 0, True, 0


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if self.path == "/away":
            self._answer(302, b"", {"Location": "/elsewhere"})
        elif self.path.lstrip("/") != PLACE:
            self._answer(404, b"", {})
        else:
            self._give()

    def _give(self) -> None:
        wanted = self.headers.get("Range", "") if self.server.knows_range else ""
        start = int(wanted.removeprefix("bytes=").rstrip("-") or 0)
        body = BODY[start:]
        self._head(206 if wanted else 200, len(body), {})
        body = body[: self.server.cut or len(body)]
        self.wfile.write(body)
        self.server.sent += len(body)
        self.close_connection = True

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self._head(status, len(body), headers)
        self.wfile.write(body)

    def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    authority_key, key = ca.new_key(), ca.new_key()
    authority_cert = ca.authority_cert("test", authority_key)
    (tmp_path / "ca.crt").write_bytes(authority_cert)
    signer = ca.authority(authority_cert, authority_key)
    (tmp_path / "server.pem").write_bytes(key + ca.server_cert(signer, ["127.0.0.1"], key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    found = Server(("127.0.0.1", 0), Handler)
    found.socket = context.wrap_socket(found.socket, server_side=True)
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


@pytest.fixture
def tree(server: Server, tmp_path: Path) -> Iterator[WebTree]:
    found = WebTree(f"https://127.0.0.1:{server.server_port}/", tmp_path / "ca.crt")
    yield found
    found.close()


@pytest.mark.parametrize("knows_range", [True, False])
def test_u10_a_download_goes_on_where_it_was_cut(
    server: Server, tree: WebTree, tmp_path: Path, knows_range: bool
) -> None:
    server.cut, server.knows_range = 300_000, knows_range
    shelf = Shelf(tmp_path / "shelf", lambda: 0.0)
    with pytest.raises(FetchError):
        shelf.bring(PART, PLACE, tree, lambda _: None)
    assert shelf.missing_bytes((PART,)) < len(BODY)
    server.cut = 300_000 if knows_range else 0
    for _ in range(10):
        try:
            found = shelf.bring(PART, PLACE, tree, lambda _: None)
            break
        except FetchError:
            continue
    assert found.read_bytes() == BODY
    if knows_range:
        assert server.sent <= 1.05 * len(BODY)


def test_what_is_not_there_is_an_answer_and_a_redirect_is_none(tree: WebTree) -> None:
    with pytest.raises(NotThere):
        list(tree.fetch("metadata/9.root.json"))
    with pytest.raises(FetchError, match="302"):
        list(tree.fetch("away"))


def test_a_server_that_is_not_ours_is_not_asked(server: Server) -> None:
    stranger = WebTree(f"https://127.0.0.1:{server.server_port}/")
    with pytest.raises(FetchError, match="SSL"):
        list(stranger.fetch(PLACE))
    stranger.close()
    assert server.sent == 0


def test_plain_http_is_refused() -> None:
    with pytest.raises(ValueError, match="https"):
        WebTree("http://127.0.0.1/")
