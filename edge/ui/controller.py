"""What the window needs from the program around it, and what it tells in return. No Kivy here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from edge.domain.timebase import MonoNs
from edge.session.events import Focused, Pressed, Touched
from edge.session.states import Session


class Picture(Protocol):
    """An upright picture, `height * width * 3` bytes of R, G, B; `edge.ports.Picture` is one."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    @property
    def rgb(self) -> bytes | memoryview: ...


class Controller(Protocol):
    """The session's keeper. Every method is called in the window's thread and returns at once."""

    def session(self) -> Session: ...

    def now_ns(self) -> MonoNs: ...

    def post(self, event: Pressed | Touched | Focused) -> None: ...

    def preview(self) -> Picture | None:
        """The newest camera frame; a new object for a new frame, `None` while it is closed."""
        ...

    def portrait(self) -> Picture | None:
        """The picture taken, until it is forgotten."""
        ...


class DrawnButton(NamedTuple):
    """A button as it stands on the glass; pixels from the top left corner of the window."""

    label: str
    centre_x_px: int
    centre_y_px: int


@dataclass(frozen=True, slots=True)
class DrawnScreen:
    """What somebody in front of the window can read, from top to bottom, and touch."""

    name: str
    texts: tuple[str, ...] = field(repr=False)
    buttons: tuple[DrawnButton, ...]
    glow: str = ""  # `#RRGGBB` of the ground while it serves as a lamp


OnDrawn = Callable[[DrawnScreen], None]
