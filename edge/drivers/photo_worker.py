"""The process in which a vendor's photo decoder runs. Started by `photo_vendor`, by path.

    python -I -S photo_worker.py LIBRARY CODE LIMIT_S  < block  > picture

Standard library only. The photo is personal: no core file is written when it
crashes. It ends itself after LIMIT_S even if the kiosk that started it is gone.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import BinaryIO

Unpack = Callable[..., int]

EXIT_LIBRARY, EXIT_FUNCTION, EXIT_SIZE = 3, 4, 5
NAMES = ("unpack", "_Z6unpackPcS_i")  # the second is what a C++ compiler makes of it
SIZES = (38_862, 38_556)
ROOM = 1 << 17  # bytes; three pictures, so that most that write too much survive to be told
TOLERANCE = 4  # bytes


def main() -> int:
    library, code, limit_s = sys.argv[1:]
    signal.alarm(int(limit_s))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    block = sys.stdin.buffer.read()
    with _own_stdout() as out:
        try:
            unpack = _function(ctypes.CDLL(library))
        except OSError:
            return EXIT_LIBRARY
        if unpack is None:
            return EXIT_FUNCTION
        picture = _decoded(unpack, block, int(code))
        out.write(picture)
    return 0 if picture else EXIT_SIZE


def _own_stdout() -> BinaryIO:
    """The pipe to the kiosk for us alone: vendors leave `printf` in their libraries."""
    pipe = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return os.fdopen(pipe, "wb")


def _function(library: ctypes.CDLL) -> Unpack | None:
    for name in NAMES:
        if hasattr(library, name):
            found: Unpack = getattr(library, name)
            return found
    return None


def _decoded(unpack: Unpack, block: bytes, code: int) -> bytes:
    """What `unpack` wrote, empty if it is not the size of a picture.

    It does not tell how much it wrote, and what it returns differs between vendors. So
    the room is filled with noise, and what differs afterwards was written. The last
    bytes may equal the noise by chance or be padding that nobody writes: `TOLERANCE`.
    """
    noise = os.urandom(ROOM)
    room = ctypes.create_string_buffer(noise, ROOM)
    unpack(ctypes.create_string_buffer(block), room, ctypes.c_int(code))
    after = room.raw
    written = next((at for at in range(ROOM, 0, -1) if after[at - 1] != noise[at - 1]), 0)
    for size in SIZES:
        if size - TOLERANCE < written <= size:
            return after[:size]
    return b""


if __name__ == "__main__":
    sys.exit(main())
