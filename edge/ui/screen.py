"""What a screen is made of, before anybody draws or speaks it; and the words that go on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from edge.domain.people import PastProof
from edge.session.events import Button
from edge.session.states import Language
from edge.ui.texts import catalogue, text
from edge.ui.theme import Colour

SIMULATED_BAND = "模拟设备 SIMULATED"
"""Neither a theme nor a catalogue can take this away."""


class Layout(Enum):
    """The few ways a screen can be arranged."""

    HOME = "home"
    GUIDE = "guide"  # a drawing beside a few lines
    TABLE = "table"  # pairs of label and value
    PAGE = "page"  # lines that belong together
    MIRROR = "mirror"  # the camera picture and the movement asked for
    PORTRAIT = "portrait"  # the picture taken
    KEYPAD = "keypad"  # something to type, and the keys for it
    CODE = "code"  # a few lines beside a QR code to take a picture of
    ROWS = "rows"  # parts of the kiosk, how they are and what to do


class Art(Enum):
    """Drawings. They say the same as the words, for those who do not read them."""

    NONE = "none"
    CARD = "card"
    TAKE_CARD = "take_card"
    WAIT = "wait"
    PERSON = "person"
    PEOPLE = "people"
    RECORD = "record"
    FACE = "face"
    LOOK = "look"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    MOUTH = "mouth"
    BLINK = "blink"
    SLIP = "slip"
    SLIP_DONE = "slip_done"
    SLIP_FAILED = "slip_failed"
    DONE = "done"
    CODE = "code"
    GLAD = "glad"
    EVEN = "even"
    SORRY = "sorry"


class Tone(Enum):
    """How a screen feels; colour supports it and never carries it alone."""

    CALM = "calm"
    GOOD = "good"
    CARE = "care"


class Weight(Enum):
    """How strongly a choice stands out. Two EQUAL ones look the same."""

    MAIN = "main"
    EQUAL = "equal"
    SIDE = "side"


@dataclass(frozen=True, slots=True)
class Choice:
    """A button: touching it posts exactly `Pressed(button)`. `detail` is a second line on it, `art`
    a drawing above its label."""

    label: str
    button: Button
    weight: Weight = Weight.SIDE
    detail: str = ""
    art: Art = Art.NONE


class Mark(Enum):
    """What stands before a row; the row's words say the same."""

    NONE = "none"
    GOOD = "good"
    CARE = "care"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Row:
    """One part of the kiosk for a technician; `fix` and `detail` are empty where all is well."""

    label: str
    state: str
    fix: str
    detail: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Footer:
    """The strip at the foot of each screen (K19, K26, K39). `time_left` is empty when unshown."""

    terminal: str
    buttons: tuple[Choice, ...]
    time_left: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of this kiosk as long as it runs."""

    terminal_no: str
    site: str
    agency_name: str
    office: str
    phone: str
    simulated: bool
    nearest: str = ""  # another terminal


@dataclass(frozen=True, slots=True)
class Screen:
    """Everything to show and to say. Texts that may name somebody stay out of the `repr`.

    `prompt` takes the place of the title while a movement is asked for (K27).
    `advice` is the one thing to mend now; `hint` the friendly line (温馨提示);
    `hint_spare` says that voice or keys tell the same, so it may give way on a small panel;
    `note` small print for staff; `progress` is (movements done, movements in all);
    `caption` says what the `code` is for; `for_staff` alone may have the letters of small print;
    `glow` is the hue of the ground while the screen serves as a lamp;
    `typed` what was typed on the `keypad` (four to a row, `None` an empty
    place), hidden where it is secret; `enlarged` is elder mode;
    `leaf` says how often `turn` was pressed, which is shown where a text is longer than the panel.
    """

    name: str
    layout: Layout
    language: Language
    title: str
    prompt: str = ""
    lines: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    rows: tuple[Row, ...] = ()
    typed: str = field(default="", repr=False)
    advice: str = ""
    hint: str = ""
    hint_spare: bool = False
    note: str = ""
    art: Art = Art.NONE
    tone: Tone = Tone.CALM
    progress: tuple[int, int] | None = None
    progress_words: str = ""
    spoken: str = field(default="", repr=False)
    choices: tuple[Choice, ...] = ()
    keypad: tuple[Choice | None, ...] = ()
    more_time: Choice | None = None
    repeat: Choice | None = None
    large: Choice | None = None
    languages: tuple[Choice, ...] = ()
    footer: Footer = Footer("", ())
    band: str = ""
    enlarged: bool = False
    leaf: int = 0
    turn: Choice | None = None
    code: str = field(default="", repr=False)  # what a QR code on the screen holds
    caption: str = ""
    for_staff: bool = False
    shows_preview: bool = False
    shows_portrait: bool = False
    glow: Colour = ""

    @property
    def headline(self) -> str:
        """What stands at the top."""
        return self.prompt or self.title

    @property
    def buttons(self) -> tuple[Choice, ...]:
        """All there is to press, in the order of reading."""
        extra = [choice for choice in (self.more_time, self.repeat, self.large) if choice]
        return (
            *extra,
            *self.languages,
            *filter(None, self.keypad),
            *self.choices,
            *self.footer.buttons,
        )

    @property
    def by_finger(self) -> tuple[Button, ...]:
        """The order in which physical keys go through the buttons: what to do here first, then
        the ways out, then what concerns the screen itself."""
        strip = [c for c in (self.more_time, self.repeat, self.large, *self.languages) if c]
        turn = (self.turn,) if self.turn else ()
        pad = tuple(filter(None, self.keypad))
        here = (*self.choices, *turn, *pad, *self.footer.buttons, *strip)
        return tuple(choice.button for choice in here)

    def label_of(self, button: Button) -> str:
        """Empty if there is no such button just now."""
        known = (*self.buttons, *((self.turn,) if self.turn else ()))
        return next((choice.label for choice in known if choice.button is button), "")


@dataclass(frozen=True, slots=True)
class Wording:
    """The catalogue of one language, and the facts that go into its texts."""

    language: Language
    facts: Facts

    def __call__(self, key: str, **params: object) -> str:
        return text(self.language, key, **params)

    def day(self, day: date, form: str = "day") -> str:
        """A date as people of this language write it; `month` leaves the day out."""
        parts: dict[str, int] = {"year": day.year, "month": day.month}
        if form == "day":
            parts["day"] = day.day
        return self(f"frame.{form}", **parts)

    def method(self, proof: PastProof) -> str:
        """The registry may name methods this kiosk has not heard of."""
        key = f"history.method.{proof.method}"
        return self(key if key in catalogue(self.language) else "history.method.other")

    def ask(self) -> str:
        return self("turned.ask", office=self.facts.office, phone=self.facts.phone)


def sentences_of(*parts: str) -> str:
    """Parts to be spoken one after the other; the voice pauses at a line's end."""
    return "\n".join(part for part in parts if part)


def guide(name: str, words: Wording, art: Art) -> Screen:
    """A title, a line and a drawing; the words stand under the screen's own name."""
    return Screen(
        name=name,
        layout=Layout.GUIDE,
        language=words.language,
        title=words(f"{name}.title"),
        lines=(words(f"{name}.line"),),
        art=art,
    )
