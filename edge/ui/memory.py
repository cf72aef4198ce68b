"""How the process with the window keeps small. Measured: docs/screens.md.

A screen that has gone is a heap of small rings of references (a widget knows its canvas, the
canvas its instructions, these the widget's colours), and with it go pictures of letters, large
pieces of memory. Python looks for rings when it has made enough new objects, which here is after
many screens; glibc hands memory back when the highest piece of all is free, which is hardly ever.
"""

from __future__ import annotations

import ctypes
import gc

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGE = 128 * 1024  # glibc's own first value, which it would raise to that of a camera picture


def settle() -> None:
    """Once, when all has been loaded: it stays, so nobody need look through it again; and large
    pieces of memory go back to the system when they are free."""
    gc.collect()
    gc.freeze()
    if _libc is not None:
        _libc.mallopt(_M_MMAP_THRESHOLD, _LARGE)
        _libc.mallopt(_M_TRIM_THRESHOLD, _LARGE)


def tidy() -> None:
    """After a screen has gone. Some milliseconds."""
    gc.collect()
    if _libc is not None:
        _libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """Another C library keeps its own house."""
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") else None


_libc = _glibc()
