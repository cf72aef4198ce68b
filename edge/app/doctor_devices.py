"""The doctor and the devices: each is opened, asked, and closed again, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from threading import Event

from edge.app import compose
from edge.app.config import Config
from edge.app.world import World
from edge.domain.errors import DeviceError, Fault
from edge.domain.findings import Finding, Status
from edge.domain.record import Provenance
from edge.models.manifest import specs
from edge.ports import Device, Frame, Health, Paper
from edge.session.states import Language
from edge.ui.texts import text

FRAMES = 15
DARK = 20
"""Mean of all values of a picture, 0..255: below it the lens is covered or the hall is dark."""
SPEAKING_S = 5.0
LOOK_S = 1.0
PHOTO_BLOCK = bytes(1024)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a check may use. `ask` puts a yes-or-no question; `None`: nobody is there to answer.

    `answers_yes` is the technician's word beforehand (`--yes`); nobody is asked then.
    """

    config: Config
    world: World | None
    language: Language
    ask: Callable[[str], bool] | None
    answers_yes: bool = False

    def refusal(self, part: str) -> Finding | None:
        """Why the part must be left alone; `None` if it may be tried."""
        if self.answers_yes:
            return None
        if self.ask is None:
            return Finding(part, Status.NOT_TRIED, "unasked")
        if self.ask(text(self.language, f"doctor.{part}.ask")):
            return None
        return Finding(part, Status.NOT_TRIED, "declined")


@contextmanager
def opened(device: Device) -> Iterator[None]:
    try:
        device.open()
        yield
    finally:
        device.close()


def card_reader(desk: Desk) -> Finding:
    reader = compose.card_reader(desk.config, desk.world)
    with opened(reader):
        return _by_health("card_reader", reader.health())


def photo_decoder(desk: Desk) -> Finding:
    decoder = compose.photo_decoder(desk.config)
    if desk.config.devices.photo_decoder == "none":
        return Finding("photo_decoder", Status.WARNING, "none")
    decoder.decode(PHOTO_BLOCK)
    facts = {"name": decoder.name}
    health = getattr(decoder, "health", None)  # a vendor's decoder can fail, others cannot
    return _by_health("photo_decoder", health() if health else Health(True, ""), **facts)


def camera(desk: Desk) -> Finding:
    """Whether it is there; it stays closed."""
    device = compose.camera(desk.config, desk.world)
    with opened(device):
        return _by_health("camera", device.health())


def camera_picture(desk: Desk) -> Finding:
    """Some frames are counted and dropped; none is kept or shown."""
    refused = desk.refusal("camera_picture")
    if refused:
        return refused
    device = compose.camera(desk.config, desk.world)
    with opened(device), device.stream() as frames:
        seen = list(islice(frames, FRAMES))
    if len(seen) < FRAMES:
        raise DeviceError("camera", Fault.SILENT, f"only {len(seen)} frames")
    return _picture_finding(seen)


def _picture_finding(seen: list[Frame]) -> Finding:
    picture = seen[-1].picture
    sample = bytes(picture.rgb)[::997]
    light = sum(sample) // len(sample)
    lasted_s = (seen[-1].captured_ns - seen[0].captured_ns) / 1e9
    fps = round((len(seen) - 1) / lasted_s) if lasted_s > 0 else 0
    facts = {"width": picture.width, "height": picture.height, "fps": fps, "light": light}
    if light < DARK:
        return Finding("camera_picture", Status.WARNING, "dark", facts)
    return Finding("camera_picture", Status.OK, "well", facts)


def models(desk: Desk) -> Finding:
    """Each network is loaded by its hash and run once."""
    from edge.models.runtime import Model

    folder = compose.models_dir(desk.config)
    for name in specs():
        Model(name, folder).warm_up()
    return Finding("models", Status.OK, "well", {"count": len(specs())})


def printer(desk: Desk) -> Finding:
    device = compose.printer(desk.config, desk.world)
    with opened(device):
        paper = device.paper()
    if paper is Paper.OUT:
        return Finding("printer", Status.FAILED, Fault.EMPTY.value)
    if paper is Paper.NEAR_END:
        return Finding("printer", Status.WARNING, "near_end")
    return Finding("printer", Status.OK, "well")


def printer_slip(desk: Desk) -> Finding:
    refused = desk.refusal("printer_slip")
    if refused:
        return refused
    device = compose.printer(desk.config, desk.world)
    with opened(device):
        if device.paper() is Paper.OUT:
            return Finding("printer_slip", Status.NOT_TRIED, "unready")
        device.print_receipt(compose.slip(desk.config, desk.language))
    return Finding("printer_slip", Status.OK, "well")


def voice(desk: Desk) -> Finding:
    device = compose.voice(desk.config, desk.world)
    with opened(device):
        return _by_health("voice", device.health())


def voice_sound(desk: Desk) -> Finding:
    refused = desk.refusal("voice_sound")
    if refused:
        return refused
    device = compose.voice(desk.config, desk.world)
    with opened(device):
        device.say(text(desk.language, "await_card.spoken"), desk.language.value)
        if desk.answers_yes or desk.ask is None:
            if device.provenance is Provenance.LIVE:
                Event().wait(SPEAKING_S)  # closing would cut the words off
            return Finding("voice_sound", Status.OK, "said")
        heard = desk.ask(text(desk.language, "doctor.voice_sound.heard.ask"))
    if heard:
        return Finding("voice_sound", Status.OK, "heard")
    return Finding("voice_sound", Status.FAILED, "unheard")


def panel(desk: Desk) -> Finding:
    device = compose.panel(desk.config, desk.world)
    assert device is not None
    with opened(device):
        state = device.wait_for_change(LOOK_S)
        health = device.health()
    if state is not None and state.tamper_open:
        return Finding("panel", Status.FAILED, "tamper_open", detail=health.words)
    if state is not None and state.paper_low:
        return Finding("panel", Status.WARNING, "paper_low", detail=health.words)
    return _by_health("panel", health)


def scanner(desk: Desk) -> Finding:
    lens = compose.camera(desk.config, desk.world)
    device = compose.scanner(desk.config, desk.world, lens)
    assert device is not None
    with opened(device):
        return _by_health("scanner", device.health())


def _by_health(part: str, health: Health, **facts: object) -> Finding:
    if health.ok:
        return Finding(part, Status.OK, "well", facts, health.words)
    fault = health.fault or Fault.ABSENT
    return Finding(part, Status.FAILED, fault.value, facts, health.words)
