"""What a person may be asked to do in front of the camera, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from edge.domain.light import ScreenLight


class Action(Enum):
    """Movements, always from the person's own point of view: LEFT is their left.

    STILL is none: now and then the next prompt does not come when a script expects it.
    """

    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    MOUTH = "mouth"
    BLINK = "blink"
    STILL = "still"

    @property
    def axis(self) -> str:
        """`yaw`, `pitch` or `face`: every sequence needs one yaw and one pitch action."""
        if self in (Action.LEFT, Action.RIGHT):
            return "yaw"
        if self in (Action.UP, Action.DOWN):
            return "pitch"
        return "face"


MOVEMENTS = tuple(action for action in Action if action is not Action.STILL)


class Prompt(Enum):
    """What the screen and the voice ask for right now."""

    FRAME_FACE = "frame_face"  # put your face in the frame
    LOOK_AHEAD = "look_ahead"  # look at the camera and hold still
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    MOUTH = "mouth"
    BLINK = "blink"
    STILL = "still"

    @classmethod
    def of(cls, action: Action) -> Prompt:
        return cls(action.value)


class Hint(Enum):
    """One plain reason why the check is waiting; at most one is shown at a time."""

    NO_FACE = "no_face"
    TWO_FACES = "two_faces"
    TOO_FAR = "too_far"
    TOO_NEAR = "too_near"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    BACKLIGHT = "backlight"
    BLURRED = "blurred"
    COVERED = "covered"
    OFF_CENTRE = "off_centre"
    LOOK_AT_CAMERA = "look_at_camera"
    AGAIN = "again"  # nothing has come yet: the same once more, slowly


class Reason(Enum):
    """Why a check did not pass. Words for a clerk, never an accusation."""

    TIMED_OUT = "timed_out"
    TOO_EARLY = "too_early"
    WRONG_ACTION = "wrong_action"
    FACE_LOST = "face_lost"
    FACE_CHANGED = "face_changed"
    FLAT = "flat"
    NO_REFERENCE = "no_reference"
    NOT_ALIKE = "not_alike"
    OLD_PHOTO = "old_photo"  # nearly like the card's picture; a person can tell
    CAMERA = "camera"
    LIGHT = "light"


@dataclass(frozen=True, slots=True)
class WatchProgress:
    """Where a running check stands; the session keeps it only to draw the screen."""

    prompt: Prompt
    hint: Hint | None
    step: int  # actions done so far
    steps: int  # actions in the sequence
    light: ScreenLight | None = None  # what the screen shines with meanwhile
