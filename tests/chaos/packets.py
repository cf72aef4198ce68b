"""Everything that passes some loopback ports, taken from the kernel where that is allowed."""

from __future__ import annotations

import socket
import struct
import threading
from collections import defaultdict

ETH_P_ALL = 3
OUTGOING = 4
"""Loopback shows each packet twice: as it leaves and as it arrives."""

Flow = tuple[int, int]


class PacketCapture:
    """TCP payloads of chosen ports, put together by flow. `allowed` is False without the right."""

    def __init__(self, ports: set[int]) -> None:
        self._ports = ports
        self._flows: dict[Flow, dict[int, bytes]] = defaultdict(dict)
        self._stop = threading.Event()
        self.packets = 0
        self.allowed = True
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        except PermissionError:
            self.allowed = False
            return
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024 * 1024)
        self._socket.bind(("lo", 0))
        self._socket.settimeout(0.1)
        self._thread = threading.Thread(target=self._run, name="packets")
        self._thread.start()

    def __enter__(self) -> PacketCapture:
        return self

    def __exit__(self, *_: object) -> None:
        if self.allowed:
            self._stop.set()
            self._thread.join()
            self._socket.close()

    def streams(self) -> list[bytes]:
        """What each side sent on each connection, in the order of its sequence numbers."""
        return [b"".join(parts[at] for at in sorted(parts)) for parts in self._flows.values()]

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                frame, about = self._socket.recvfrom(262_144)
            except TimeoutError:
                continue
            if about[2] == OUTGOING:
                self._take(frame[14:])

    def _take(self, packet: bytes) -> None:
        """One IPv4 packet; anything but TCP on our ports is somebody else's business."""
        if len(packet) < 40 or packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP:
            return
        size = struct.unpack(">H", packet[2:4])[0] or len(packet)
        segment = packet[(packet[0] & 15) * 4 : size]
        source, target, sequence = struct.unpack(">HHI", segment[:8])
        if not self._ports & {source, target}:
            return
        payload = segment[(segment[12] >> 4) * 4 :]
        if payload:
            self.packets += 1
            self._flows[source, target][sequence] = payload
