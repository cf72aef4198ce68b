"""A bad line on loopback: forwards bytes between a client and the broker, and spoils them.

One thread with an event loop of its own. The owner changes `weather` from outside at any
moment. With `terminate` the proxy sits where a curious operator of the broker would: it
has the broker's key, and what passes is the MQTT itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

CHUNK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to each chunk that passes; chances are 0..1.

    `duplicate`, `spoil` and `reorder` break TLS, which has to notice and connect again.
    `bytes_per_s` of 0 is no limit. `stalled`: nothing moves and nothing is closed.
    `away`: new connections are closed at once.
    """

    delay_s: float = 0.0
    bytes_per_s: int = 0
    duplicate: float = 0.0
    spoil: float = 0.0
    reorder: float = 0.0
    cut: float = 0.0
    stalled: bool = False
    away: bool = False


@dataclass(frozen=True, slots=True)
class Tls:
    """Both halves of the man in the middle: how he answers, and as whom he calls the broker."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def operator_tls(broker: Path, client: Path, stem: str) -> Tls:
    """From the broker's folder and the folder of the client whose line this is."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(broker / "server.crt", broker / "server.key")
    onward = ssl.create_default_context(cafile=client / "ca.crt")
    onward.load_cert_chain(client / f"{stem}.crt", client / f"{stem}.key")
    return Tls(server, onward)


@dataclass
class Counts:
    """What the line has done so far."""

    connections: int = 0
    cuts: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    bytes_passed: int = 0

    def fault(self, name: str) -> None:
        self.faults[name] = self.faults.get(name, 0) + 1


class Proxy:
    """Listens on `port` and forwards to `target`; every byte also goes to `record` if given."""

    def __init__(
        self,
        target: int,
        *,
        seed: int = 0,
        terminate: Tls | None = None,
        record: Callable[[bytes], None] | None = None,
    ) -> None:
        self.counts = Counts()
        self.weather = Weather()
        self._target = target
        self._tls = terminate
        self._record = record
        self._chance = random.Random(seed)
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")
        self._thread.start()
        self._server, self.port = self._ask(self._listen())

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def cut_all(self) -> None:
        """Every connection ends now, without a farewell."""
        self._ask(self._cut_all())

    def change(self, **what: Any) -> None:
        self.weather = replace(self.weather, **what)

    def calm(self) -> None:
        self.weather = Weather()

    def close(self) -> None:
        if self._loop.is_closed():
            return
        self._ask(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _ask(self, work: Any) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(20)

    async def _listen(self) -> tuple[asyncio.Server, int]:
        tls = self._tls.server if self._tls else None
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        return server, server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        await self._cut_all()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # closed transports tell their sockets in the next round

    async def _cut_all(self) -> None:
        for writer in list(self._open):
            self._cut(writer)

    def _cut(self, writer: asyncio.StreamWriter) -> None:
        self.counts.cuts += 1
        writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            # Cancelled by us at the end; Python 3.11 would complain of a cancelled handler.
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._forward(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.weather.away:
            return
        tls = self._tls.client if self._tls else None
        far_reader, far_writer = await asyncio.open_connection(
            "127.0.0.1", self._target, ssl=tls, server_hostname="localhost" if tls else None
        )
        self.counts.connections += 1
        mine = {writer, far_writer}
        self._open |= mine
        try:
            await _first_to_end(self._pump(reader, far_writer), self._pump(far_reader, writer))
        finally:
            self._open -= mine
            far_writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if self._record:
                self._record(chunk)
            self.counts.bytes_passed += len(chunk)
            await self._hold(chunk)
            if self._happens(self.weather.cut, "cut"):
                writer.write(chunk[: len(chunk) // 2])
                await writer.drain()
                return
            for part in self._spoilt(chunk):
                writer.write(part)
            await writer.drain()

    async def _hold(self, chunk: bytes) -> None:
        while self.weather.stalled:
            await asyncio.sleep(0.02)
        wait_s = self._chance.uniform(0, self.weather.delay_s)
        if self.weather.bytes_per_s:
            wait_s += len(chunk) / self.weather.bytes_per_s
        if wait_s:
            await asyncio.sleep(wait_s)

    def _spoilt(self, chunk: bytes) -> Iterable[bytes]:
        if self._happens(self.weather.duplicate, "duplicate"):
            return chunk, chunk
        if len(chunk) > 1 and self._happens(self.weather.reorder, "reorder"):
            half = len(chunk) // 2
            return chunk[half:], chunk[:half]
        if self._happens(self.weather.spoil, "spoil"):
            at = self._chance.randrange(len(chunk))
            return chunk[:at], bytes([chunk[at] ^ 0x20]), chunk[at + 1 :]
        return (chunk,)

    def _happens(self, chance: float, name: str) -> bool:
        if not chance or self._chance.random() >= chance:
            return False
        self.counts.fault(name)
        return True


async def _first_to_end(*works: Any) -> None:
    """Both directions until one of them ends; errors of a broken line are part of the game."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def faults_of(proxies: Mapping[str, Proxy]) -> dict[str, int]:
    """All faults of several lines together, those by order included."""
    total: dict[str, int] = {}
    for proxy in proxies.values():
        total["cuts"] = total.get("cuts", 0) + proxy.counts.cuts
        for name, count in proxy.counts.faults.items():
            total[name] = total.get(name, 0) + count
    return total
