"""Logging: one line per event, and nothing that names a person.

The rule is that nobody logs personal data; the formatter below is the second
line of defence and replaces whatever looks like an identity number.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from types import TracebackType

_ID_NUMBER = re.compile(r"(?<![0-9A-Za-z])(\d{17}[\dXx]|\d{15})(?![0-9A-Za-z])")


class Redacting(logging.Formatter):
    """Replaces identity numbers in finished log lines, those of exceptions included."""

    def format(self, record: logging.LogRecord) -> str:
        return _ID_NUMBER.sub("[number]", super().format(record))


def setup(level: str = "INFO") -> None:
    """Log to standard error, where systemd's journal picks it up; libraries only warn."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Redacting("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level="WARNING", handlers=[handler], force=True)
    logging.getLogger("edge").setLevel(level)


def crash(logger: logging.Logger, where: str, error: BaseException) -> None:
    """Report a bug by type and place. The message stays out: it may quote a name."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{f.name}:{f.lineno}" for f in reversed(frames[-6:]))
    logger.error("crash where=%s type=%s at=%s", where, type(error).__name__, places)


def uncaught(
    _kind: type[BaseException], error: BaseException, _trace: TracebackType | None
) -> None:
    """For `sys.excepthook`: Python's own words would quote the message."""
    if isinstance(error, KeyboardInterrupt):
        return
    crash(logging.getLogger("edge"), "main", error)


def uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    """For `threading.excepthook`."""
    if args.exc_value is not None:
        crash(logging.getLogger("edge"), args.thread.name if args.thread else "", args.exc_value)
