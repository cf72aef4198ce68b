"""Log lines that name nobody.

Nobody logs personal data; this is the second line of defence. What looks like an
identity number is replaced, and of an exception only its kind and its places are
written: its text may quote a name, a row or a whole message.
"""

from __future__ import annotations

import logging
import re
import traceback
from types import TracebackType

LINE = "%(levelname)s %(name)s %(message)s"

_ID_NUMBER = re.compile(r"(?<![0-9A-Za-z])(?:[0-9]{17}[0-9Xx]|[0-9]{15})(?![0-9A-Za-z])")


def redacted(text: str) -> str:
    """The text without what looks like an identity number."""
    return _ID_NUMBER.sub("[number]", text)


class Redacting(logging.Formatter):
    """Replaces identity numbers in finished lines; exceptions lose their text."""

    def format(self, record: logging.LogRecord) -> str:
        # Another handler may have left its own, full form of the exception in the record.
        record.exc_text = None
        text = super().format(record)
        record.exc_text = None
        return redacted(text)

    def formatException(self, ei: object) -> str:
        """The exception and those behind it: kind, then file, line and function, innermost last."""
        error = ei[1] if isinstance(ei, tuple) else None
        lines: list[str] = []
        seen: set[int] = set()
        while isinstance(error, BaseException) and id(error) not in seen:
            seen.add(id(error))
            lines.append(f"  {type(error).__module__}.{type(error).__qualname__}")
            for frame in traceback.extract_tb(error.__traceback__):
                lines.append(f"    {frame.filename}:{frame.lineno} {frame.name}")
            error = error.__cause__ or error.__context__
        return "\n".join(lines)


def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """For `sys.excepthook`: the end of a process is told like everything else.

    By a handler of its own, because it may end before logging is set up.
    """
    details = (kind, error, trace)
    record = logging.LogRecord("cloud_bridge", logging.CRITICAL, "", 0, "uncaught", (), details)
    handler = logging.StreamHandler()
    handler.setFormatter(Redacting(LINE))
    handler.handle(record)
