"""Everything the kiosk needs from outside, on one page.

A port blocks with a time limit, calls nobody back, reads no wall clock and
raises only `edge.domain.errors`. Threads are the runner's business. `close()`
may be called twice, and after a failed `open()`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from edge.domain.challenge import Action, WatchProgress
from edge.domain.errors import Fault
from edge.domain.people import CardIdentity, CardKey, RosterEntry
from edge.domain.record import Provenance, RecordId, Verdict
from edge.domain.timebase import MonoNs


@dataclass(frozen=True, slots=True)
class Picture:
    """An upright picture: `height * width * 3` bytes, row by row, R then G then B, 0..255."""

    width: int
    height: int
    rgb: bytes | memoryview = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grey:
    """A grey picture: `height * width` bytes, row by row, 0 black .. 255 white."""

    width: int
    height: int
    luma: bytes | memoryview = field(repr=False)


@dataclass(frozen=True, slots=True)
class Frame:
    """One camera frame, as the scene is (never mirrored); valid as long as it is referenced.

    `grey` is a smaller picture of the same moment, from cameras that make one at no cost;
    `lux` is how bright the camera takes the place to be, if it tells.
    """

    picture: Picture
    captured_ns: MonoNs
    grey: Grey | None = None
    lux: float | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """How a device is, in one line a technician can act on; `fault` if the driver knows it."""

    ok: bool
    words: str
    fix: str = ""
    fault: Fault | None = None


class Device(Protocol):
    """Common to all devices."""

    name: str
    provenance: Provenance

    def open(self) -> None: ...

    def close(self) -> None: ...

    def health(self) -> Health: ...


class CardReader(Device, Protocol):
    """A reader of second-generation identity cards."""

    def reader_id(self) -> str:
        """The security module's own number, empty if it has none."""
        ...

    def wait_for_card(self, timeout_s: float) -> bool:
        """True as soon as a card lies on the reader and could be selected."""
        ...

    def read(self) -> CardIdentity:
        """Read the card just found. Raises `DeviceError`; GARBLED means: lift it, try again."""
        ...

    def wait_for_removal(self, timeout_s: float) -> bool:
        """True once no card lies on the reader."""
        ...


class PhotoDecoder(Protocol):
    """Turns the chip's 1,024-byte photo block into a picture; the official codec is licensed."""

    name: str
    provenance: Provenance

    def decode(self, block: bytes) -> Picture | None:
        """The portrait (102 x 126), or `None` when there is no decoder or no usable picture."""
        ...


class Camera(Device, Protocol):
    """A camera that is closed except inside `stream()`."""

    def stream(self) -> AbstractContextManager[Iterator[Frame]]:
        """Newest frames, late ones dropped; raises `DeviceError` when the camera hangs."""
        ...

    def lock_exposure(self, locked: bool = True) -> bool:
        """Hold exposure, gain and white balance as they are now, or let them go, while streaming.

        From any thread; takes effect within some frames. False if the camera cannot.
        """
        ...

    def nudge_exposure(self, stops: float) -> bool:
        """Expose by so many stops less than now, while streaming; 0 goes back to how it was.

        From any thread; takes effect within some frames. False if the camera cannot, or if
        nobody knows what it would do.
        """
        ...

    def identity(self) -> str:
        """What names this very camera, the same at each start; empty if nothing does.

        It is told after `open()`. What begins with `virtual:` is a program and no device.
        """
        ...


class Paper(Enum):
    """What the printer says of its paper."""

    OK = "ok"
    NEAR_END = "near_end"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of paper: `big` doubles height and width."""

    text: str
    big: bool = False
    bold: bool = False
    centred: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A dashed line across the paper."""


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code that holds `text`, and under it a caption that says what it is for."""

    text: str = field(repr=False)
    caption: str = ""


ReceiptItem = Line | Rule | Code


class Printer(Device, Protocol):
    """A receipt printer that does not lie."""

    def paper(self) -> Paper:
        """Raises `DeviceError` when the printer does not answer: silence is never OK."""
        ...

    def print_receipt(self, items: Sequence[ReceiptItem]) -> None:
        """Return only after the printer itself confirmed the end of the job; else `DeviceError`."""
        ...


class Voice(Device, Protocol):
    """Speaks; a new utterance cuts the old one off."""

    def say(self, words: str, language: str) -> None:
        """Start to speak `words` (`zh` or `en`) and return at once."""
        ...

    def hush(self) -> None: ...

    def volume(self, step: int) -> int:
        """Louder by `step` tenths of the range, softer below 0; returns the volume, 0..100.

        Holds from the next utterance on.
        """
        ...

    def set_volume(self, percent: int) -> None:
        """Another volume to start from, 0..100; holds from the next utterance on."""
        ...


class Lamp(Enum):
    """What the status lamp on the housing says, from across the hall."""

    IDLE = "idle"
    SERVING = "serving"
    NEEDS_HELP = "needs_help"
    OUT_OF_SERVICE = "out_of_service"


@dataclass(frozen=True, slots=True)
class PanelState:
    """What the panel feels, debounced. `None`: not fitted, or not known yet (a PIR warms up)."""

    presence: bool | None
    tamper_open: bool | None
    paper_low: bool | None
    call_pressed: bool


class Panel(Device, Protocol):
    """Lights, buzzer and switches of the housing; whatever is not fitted does nothing."""

    def fill_light(self, level: float) -> None:
        """0.0 off .. 1.0 full; off after `open()` and after `close()`."""
        ...

    def lamp(self, lamp: Lamp) -> None: ...

    def beep(self, seconds: float) -> None:
        """Blocks for as long as it sounds, two seconds at most."""
        ...

    def wait_for_change(self, timeout_s: float) -> PanelState | None:
        """The state as soon as it differs from the one told last; after `open()` at once."""
        ...


class Scanner(Device, Protocol):
    """Reads bar codes and QR codes; what comes in while nobody waits is dropped.

    `borrows_camera`: it looks through the kiosk's camera, so nobody may wait for a
    code unless the person asked for that.
    """

    borrows_camera: bool

    def wait_for_code(self, timeout_s: float) -> str | None:
        """One code; may outlast the limit by a code that is just coming in, or by one frame."""
        ...


@dataclass(frozen=True, slots=True)
class WatchOrder:
    """One try in front of the camera: what to ask for, and what to compare with."""

    actions: tuple[Action, ...]
    reference: Picture | None = field(repr=False, default=None)
    slow: bool = False  # more time for everything
    template: bytes = field(repr=False, default=b"")  # float32, see `CheckResult.face`
    enrol: bool = False


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How the try ended; `portrait` is the best frontal view, for the person to look at.

    `face` is there where the order was to enrol and somebody alive was seen: the mean direction
    of the frontal faces, float32.
    """

    verdict: Verdict
    portrait: Picture | None = field(repr=False, default=None)
    face: bytes = field(repr=False, default=b"")


@dataclass(frozen=True, slots=True)
class Look:
    """One step of a running try: the frame just seen and where the check stands."""

    frame: Frame = field(repr=False)
    progress: WatchProgress
    result: CheckResult | None = None


class Eyes(Protocol):
    """Camera and models together."""

    provenance: Provenance

    def health(self) -> Health:
        """How the camera is; asked often, so quick, and without opening it."""
        ...

    def view(self) -> Generator[Frame]:
        """Frames as they come, for staff who look through the camera; no model runs. Closing
        this closes the camera."""
        ...

    def watch(self, order: WatchOrder) -> Generator[Look]:
        """Frames with progress until one has the result; closing this closes the camera."""
        ...


@dataclass(frozen=True, slots=True)
class Position:
    """Where a new entry stands in this kiosk's chain of records."""

    epoch: str
    seq: int
    prev_sha256: str


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """Finished bytes that still have to reach the registry."""

    record_id: RecordId
    kind: str
    payload: bytes = field(repr=False)
    sha256: str
    attempts: int


class Journal(Protocol):
    """The kiosk's own disk."""

    def commit(
        self, record_id: RecordId, kind: str, build: Callable[[Position], bytes]
    ) -> OutboxRow:
        """Write record and outbox row, both or neither; returns when they are on the disk.

        `build` gets the place in the chain and returns the finished envelope. The
        same `record_id` again returns what was written the first time. Raises `StoreError`.
        """
        ...

    def find(self, key: CardKey) -> RosterEntry | None: ...

    def link_is_up(self) -> bool:
        """Whether the sync process has spoken with the registry lately."""
        ...


@dataclass(frozen=True, slots=True)
class Letter:
    """A finished message that is no record, and that nobody waits for after `left_s`."""

    letter_id: str
    leaf: str
    payload: bytes = field(repr=False)
    left_s: float


class Outbox(Protocol):
    """The sync process's disk."""

    def due(self, limit: int, *, after: int | None = None) -> Sequence[OutboxRow]:
        """Rows whose place in the chain is above `after`: fresh ones first, oldest first.

        Without `after` all, also those saved from a damaged file, which stand below 0.
        """
        ...

    def newest(self) -> int:
        """The highest place in the chain that waits; 0 if none does."""
        ...

    def waiting(self, after: int) -> int:
        """How many rows above this place in the chain wait."""
        ...

    def at_once(self) -> AbstractContextManager[object]:
        """Everything written inside is one write to the card."""
        ...

    def tried(self, record_id: RecordId, retry_after_s: float) -> None: ...

    def acknowledged(self, record_id: RecordId, sha256: str) -> bool:
        """Drop the row on the registry's own word; False if the hash is not ours."""
        ...

    def quarantined(self, record_id: RecordId, sha256: str) -> bool:
        """Keep the row but send it no more: staff look at it. False if the hash is not ours."""
        ...


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that arrived; `correlation` is what the question had that it answers."""

    topic: str
    payload: bytes = field(repr=False)
    correlation: bytes = b""


class Link(Protocol):
    """The network, small enough that a test can be one."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def connected(self) -> bool: ...

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand over at QoS 1; False when not connected or the window is full."""
        ...

    def request(self, topic: str, payload: bytes, correlation: bytes, expires_s: int) -> bool:
        """Hand over a question that the broker forgets after so many seconds."""
        ...

    def incoming(self, timeout_s: float) -> Incoming | None: ...
