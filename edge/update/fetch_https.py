"""The tree from a web server: any that shows files and knows Range, a cache or mirror as well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import urllib3

from edge.update.fetch import CHUNK_BYTES, FetchError, NotThere

CONNECT_S, READ_S = 10.0, 30.0
_GONE = (403, 404, 410)


class WebTree:
    """`address`: https://…/ of the tree. `ca`: whom to believe who the server is; the system's
    list where nothing is given. Follows no redirect."""

    name = "https"

    def __init__(self, address: str, ca: Path | None = None) -> None:
        if urlsplit(address).scheme != "https":
            raise ValueError(f"{address}: not an https address")
        self._address = address.rstrip("/")
        self._pool = urllib3.PoolManager(
            cert_reqs="CERT_REQUIRED",
            ca_certs=str(ca) if ca else None,
            timeout=urllib3.Timeout(connect=CONNECT_S, read=READ_S),
            retries=False,
        )

    def close(self) -> None:
        self._pool.clear()

    def fetch(self, path: str, offset: int = 0) -> Iterator[bytes]:
        """From `offset` on, whether the server knows Range or not."""
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        url = f"{self._address}/{quote(path)}"
        try:
            answer = self._pool.request("GET", url, headers=headers, preload_content=False)
            try:
                yield from _pieces(answer, path, offset)
            finally:
                answer.close()
        except urllib3.exceptions.HTTPError as error:
            raise FetchError(f"{path}: {type(error).__name__}") from error


def _pieces(answer: urllib3.BaseHTTPResponse, path: str, offset: int) -> Iterator[bytes]:
    if answer.status in _GONE:
        raise NotThere(path)
    if answer.status == 416:  # nothing is left to send: the file ends where we are
        return
    if answer.status not in (200, 206):
        raise FetchError(f"{path}: the server answers {answer.status}")
    skip = offset if answer.status == 200 else 0
    for chunk in answer.stream(CHUNK_BYTES, decode_content=False):
        dropped, skip = min(skip, len(chunk)), max(0, skip - len(chunk))
        if chunk[dropped:]:
            yield chunk[dropped:]
