"""Where a session can be while somebody says what they cannot do before the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.session.states import Consenting, Retrying, Visit, Watching


@dataclass(frozen=True, slots=True)
class Pace:
    """身体不便: asked for from the consent, the camera or between two tries, and leads back."""

    back: Consenting | Watching | Retrying

    @property
    def visit(self) -> Visit:
        return self.back.visit
