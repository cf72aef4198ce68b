"""The composition root: from the names in a site file to a kiosk that runs.

Drivers are imported only when they are named, so that a laptop needs no
libraries for hardware it does not have. Nothing falls back to a simulator.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from edge import __version__
from edge.app.clock import SystemTime, mono_ns
from edge.app.config import Config
from edge.app.disk import TEMPLATES, KioskDisk
from edge.app.ids import new_receipt_no, new_record_id
from edge.app.loudness import KeptVolume
from edge.app.runner import Parts
from edge.app.seal import DeviceSeal
from edge.app.sealing import Keyring, secret_key
from edge.app.settings import KioskSettings, SignedWishes, policy_of
from edge.app.sheets import sheet_items
from edge.app.staff import KioskDesk, StaffDoor, StaffParts
from edge.app.templates import TemplateBook
from edge.domain.errors import StoreError, WireError
from edge.domain.idnumber import card_flags
from edge.domain.record import Outcome, ProofRecord, Provenance
from edge.domain.spelling import Spelling
from edge.domain.timebase import MonoNs, Stamp
from edge.drivers.photo import NoDecoder
from edge.drivers.receipt import RECEIPT_KEYS, Office
from edge.drivers.receipt import compose as compose_receipt
from edge.drivers.voice_packs import default_dir as default_voices_dir
from edge.models.manifest import default_dir, specs
from edge.ports import (
    Camera,
    CardReader,
    Line,
    Panel,
    PhotoDecoder,
    Picture,
    Printer,
    ReceiptItem,
    Rule,
    Scanner,
    Voice,
)
from edge.session import challenges
from edge.session.effects import PrintWithdrawal
from edge.session.machine import ConsentText, Context, Policy
from edge.session.states import Language
from edge.store.staff import StaffStore
from edge.store.volume import VolumeNote
from edge.store.wishes import WishBox
from edge.ui.screen import Facts
from edge.ui.texts import catalogue, name_characters, text
from edge.ui.viewmodel import consent_text, enrol_text, view

log = logging.getLogger("edge.kiosk")

if TYPE_CHECKING:
    from edge.app.world import World  # no simulated person in the memory of a real kiosk
    from edge.models.layers import Layers


def compose(
    config: Config, world: World | None = None, settings: KioskSettings | None = None
) -> Parts:
    """Build everything a kiosk is made of; devices are opened by their threads.

    `settings` has been started and gave `config`; without it the centre changes nothing.

    Raises `ConfigError`, `ModelError` or `StoreError`, each saying what to do.
    """
    from edge.app.eyes import ForgetfulEyes  # the models take their time to load

    keyring = Keyring.load(config)
    time = SystemTime()
    config.database.parent.mkdir(parents=True, exist_ok=True)
    reader, decoder = card_reader(config, world), photo_decoder(config)
    lens = camera(config, world)
    eyes = ForgetfulEyes(lens, models_dir(config), mono_ns, layers=layers_of(config))
    paper = printer(config, world)
    facts = facts_of(config, provenance_of(config, reader, decoder, eyes, paper))
    disk = disk_of(config, keyring, time)
    note = VolumeNote(disk.database)
    speaker = KeptVolume(voice(config, world), note, config.devices.volume)
    if settings is not None:
        settings.wishes = SignedWishes(WishBox(disk.database), keyring.wish)
        settings.live["devices.volume"] = speaker.set_volume
    return Parts(
        reader=reader,
        decoder=decoder,
        eyes=eyes,
        printer=paper,
        voice=speaker,
        lend_volume=speaker.lend,
        disk=disk,
        keyring=keyring,
        time=time,
        facts=facts,
        context=context_maker(config, facts, keyring, settings.policy if settings else None),
        flags=card_flags,
        receipt=receipt_maker(config, keyring),
        slip=lambda language: slip(config, language),
        sheet=lambda sheet, language: sheet_items(config, facts, sheet, language),
        where_to_ask=lambda language: where_to_ask(config, language),
        withdrawal_slip=lambda order, language: withdrawal_slip(config, order, language),
        receipt_copy=receipt_maker(config, keyring, copy=True),
        codes=code_reader(),
        spoken=lambda session, now_ns: view(session, now_ns, facts).spoken,
        label=lambda session, now_ns, button: view(session, now_ns, facts).label_of(button),
        panel=panel(config, world),
        fill_light=config.panel.fill_light_percent / 100,
        scanner=scanner(config, world, lens),
        settings=settings,
        staff=StaffParts(
            StaffDoor(StaffStore(disk.database, keyring.data), keyring, time),
            KioskDesk(config, disk.database, time),
        ),
        templates=templates_of(config, keyring, disk),
    )


def templates_of(config: Config, keyring: Keyring, disk: KioskDisk) -> TemplateBook:
    """The folder is made with the first template."""
    key = secret_key(config.path(config.keys.template))
    model = specs()["face_embedding"].sha256
    return TemplateBook(config.database.parent / TEMPLATES, key, keyring, disk, model)


def disk_of(config: Config, keyring: Keyring, time: SystemTime) -> KioskDisk:
    """Never fails; a disk that cannot be used is said on the screen."""
    disk = KioskDisk(
        config.database,
        keyring.data,
        time,
        DeviceSeal(config.kiosk_id, keyring.sign),
        reserve_bytes=config.store.reserve_mb * 1024 * 1024,
        days=config.store.retention_days,
    )
    with suppress(StoreError):  # said already
        time.raise_floor(disk.clock.floor())
    return disk


class HasProvenance(Protocol):
    """Anything that is real or not."""

    @property
    def provenance(self) -> Provenance: ...


def provenance_of(config: Config, *parts: HasProvenance) -> Provenance:
    """One simulated part taints every record, and so does a demonstration as a whole."""
    simulated = any(part.provenance is Provenance.SIMULATED for part in parts)
    return Provenance.SIMULATED if simulated or config.mode == "demo" else Provenance.LIVE


def models_dir(config: Config) -> Path:
    return config.path(config.models) if config.models else default_dir()


def layers_of(config: Config) -> Layers:
    """What looks besides movements and depth, as this site has switched it."""
    from edge.models.layers import Layers
    from edge.models.passive import Passive

    check = config.check
    passive = Passive.if_installed(models_dir(config)) if check.passive == "auto" else None
    return Layers(
        screen_light=check.screen_light == "on",
        screen_lux=check.screen_lux,
        passive=passive,
        passive_floor=check.passive_percent / 100,
        camera_truth=check.camera_truth == "on",
        camera_id=config.devices.camera_id,
    )


def facts_of(config: Config, provenance: Provenance) -> Facts:
    """What every screen needs to know about this kiosk."""
    return Facts(
        terminal_no=config.terminal_no,
        site=config.site,
        agency_name=config.agency.name,
        office=config.agency.office,
        phone=config.agency.phone,
        simulated=provenance is Provenance.SIMULATED,
        nearest=config.agency.nearest,
    )


def context_maker(
    config: Config, facts: Facts, keyring: Keyring, policy: Callable[[], Policy] | None = None
) -> Callable[[Stamp, MonoNs], Context]:
    """`policy` tells it as of now; without it that of `config` holds for good. The next ticket is
    the runner's to say."""
    fixed = policy_of(config)
    consents = {language: _consent(language, facts) for language in Language}
    own = {language: _consent(language, facts, own=True) for language in Language}
    enrolments = {language: _enrolment(language, facts) for language in Language}
    draw = secrets.SystemRandom().choice
    spelling = Spelling(name_characters())
    provenance = Provenance.SIMULATED if facts.simulated else Provenance.LIVE

    def context(now: Stamp, now_ns: MonoNs) -> Context:
        return Context(
            now=now,
            now_ns=now_ns,
            new_record_id=new_record_id,
            new_receipt_no=new_receipt_no,
            draw_actions=lambda left_out: challenges.draw(draw, left_out),
            card_key=keyring.card_key,
            spelling=spelling,
            ticket="",
            kiosk_id=config.kiosk_id,
            site=config.site,
            software=__version__,
            provenance=provenance,
            policy=policy() if policy else fixed,
            has_scanner=config.devices.scanner not in ("none", "camera"),
            consent_texts=consents,
            enrol_texts=enrolments,
            own_texts=own,
        )

    return context


def _consent(language: Language, facts: Facts, *, own: bool = False) -> ConsentText:
    shown = consent_text(language, facts, own=own)
    return ConsentText(shown.version, shown.sha256)


def _enrolment(language: Language, facts: Facts) -> ConsentText:
    shown = enrol_text(language, facts)
    return ConsentText(shown.version, shown.sha256)


def receipt_maker(
    config: Config, keyring: Keyring | None = None, *, copy: bool = False
) -> Callable[[ProofRecord, bool, date | None, Language], tuple[ReceiptItem, ...]]:
    """Without a `keyring` receipts carry no code."""
    office = Office(config.agency.office, config.agency.phone, config.terminal_no)

    def receipt(
        record: ProofRecord, online: bool, due_by: date | None, language: Language
    ) -> tuple[ReceiptItem, ...]:
        return compose_receipt(
            record,
            receipt_words(language),
            online=online,
            columns=config.devices.printer_columns,
            office=office,
            next_due=due_by,
            copy=copy,
            code=_code(keyring, record, due_by, config.agency.phone),
        )

    return receipt


def _code(keyring: Keyring | None, record: ProofRecord, due_by: date | None, phone: str) -> str:
    """A call for staff proves nothing, so its paper carries no code."""
    if keyring is None or record.outcome is Outcome.CALLED:
        return ""
    return receipt_code(keyring, record, due_by, phone)


def receipt_code(keyring: Keyring, record: ProofRecord, due_by: date | None, phone: str) -> str:
    """A receipt without a code is better than none."""
    try:
        return keyring.receipt_code(record, due_by, phone)
    except WireError as error:
        log.error("receipt_code=none error=%s", error)
        return ""


def slip(config: Config, language: Language) -> tuple[ReceiptItem, ...]:
    """Something to print that is about nobody."""
    title = text(language, "doctor.slip.title")
    line = text(language, "doctor.slip.line", terminal=config.terminal_no)
    return (Line(title, big=True, centred=True), Line(line), Rule())


def where_to_ask(config: Config, language: Language) -> tuple[ReceiptItem, ...]:
    """For whoever was found nowhere (E03); about nobody, so it may be left lying."""

    def say(key: str, **params: object) -> str:
        return text(language, key, **params)

    return (
        Line(say("ask_slip.title"), big=True, centred=True),
        Line(say("not_found.title"), bold=True, centred=True),
        Rule(),
        Line(say("ask_slip.where", office=config.agency.office)),
        Line(say("ask_slip.phone", phone=config.agency.phone)),
        Line(say("ask_slip.terminal", terminal=config.terminal_no)),
        Rule(),
        Line(say("ask_slip.bring")),
    )


def withdrawal_slip(
    config: Config, order: PrintWithdrawal, language: Language
) -> tuple[ReceiptItem, ...]:
    """It names nobody: the number finds the withdrawal in the registry."""
    when = "withdrawal_slip.unsure"
    at = text(language, when)
    if order.at.is_sure:
        at = text(language, "withdrawal_slip.at", time=f"{order.at.local:%Y-%m-%d %H:%M}")
    return (
        Line(text(language, "withdrawal_slip.title"), big=True, centred=True),
        Rule(),
        Line(text(language, "withdrawal_slip.line")),
        Line(text(language, "withdrawal_slip.number", number=order.slip_no)),
        Line(at),
        Line(f"{config.agency.office} {config.agency.phone}"),
        Rule(),
    )


def receipt_words(language: Language) -> Mapping[str, str]:
    """The catalogue's texts for paper, their placeholders still open."""
    words = catalogue(language)
    return {key: words[key] for key in RECEIPT_KEYS}


# --- devices: a name in the site file, a driver here ---


def card_reader(config: Config, world: World | None) -> CardReader:
    from edge.drivers.idcard_serial import SerialCardReader

    if config.devices.card_reader == "sim":
        assert world is not None
        return SerialCardReader(world.sam.port, mono_ns=mono_ns, provenance=Provenance.SIMULATED)
    return SerialCardReader(config.devices.card_reader_port, mono_ns=mono_ns)


def photo_decoder(config: Config) -> PhotoDecoder:
    if config.devices.photo_decoder == "sim":
        from edge.drivers.sim.photo import SimPhotoDecoder

        return SimPhotoDecoder()
    if config.devices.photo_decoder == "vendor":
        from edge.drivers.photo_vendor import VendorDecoder

        return VendorDecoder(config.path(config.devices.photo_library), config.devices.photo_code)
    return NoDecoder()


def camera(config: Config, world: World | None) -> Camera:
    if config.devices.camera == "sim":
        assert world is not None
        return world.camera(mono_ns)
    from edge.app import cameras

    devices = config.devices
    alone = devices.camera_process and devices.camera != "file"
    driver = cameras.in_own_process if alone else cameras.direct
    return driver(devices.camera, devices.camera_source, upside_down=devices.camera_upside_down)


def printer(config: Config, world: World | None) -> Printer:
    from edge.drivers.printer_cables import Cable, UsbCable, by_address
    from edge.drivers.printer_escpos import EscposPrinter

    devices, provenance = config.devices, Provenance.LIVE
    cable: Cable
    if devices.printer == "sim":
        assert world is not None
        cable, provenance = by_address(world.printer.port), Provenance.SIMULATED
    elif devices.printer == "escpos-usb":
        cable = UsbCable(devices.printer_usb)
    else:
        cable = by_address(devices.printer_port, devices.printer_baud)
    return EscposPrinter(
        cable,
        mono_ns=mono_ns,
        columns=devices.printer_columns,
        cutter=devices.printer_cutter,
        pictures=devices.printer_raster,
        provenance=provenance,
    )


def voice(config: Config, world: World | None) -> Voice:
    if config.devices.voice == "sim":
        from edge.drivers.sim.voice import SimVoice

        assert world is not None
        return SimVoice(world.room.hear)
    if config.devices.voice == "espeak":
        from edge.drivers.voice_espeak import EspeakVoice

        return EspeakVoice(volume=config.devices.volume)
    from edge.drivers.voice_wav import PromptVoice

    return PromptVoice(
        voices_dir(config),
        card=config.devices.sound_card,
        volume=config.devices.volume,
        dialect=config.devices.dialect,
    )


def voices_dir(config: Config) -> Path:
    return config.path(config.voices) if config.voices else default_voices_dir()


def panel(config: Config, world: World | None) -> Panel | None:
    if config.devices.panel == "none":
        return None
    if config.devices.panel == "sim":
        assert world is not None
        return world.panel
    from edge.drivers.panel_gpio import GpioPanel, Pins, pi_board

    folder = config.database.parent  # lgpio needs a place to write
    return GpioPanel(
        Pins(**config.panel.pins), mono_ns=mono_ns, make_board=lambda: pi_board(folder)
    )


def code_reader() -> Callable[[Picture], list[str]]:
    """For kiosks without a scanner, and for the day theirs breaks."""
    from edge.drivers.scanner_camera import codes_in

    return codes_in


def scanner(config: Config, world: World | None, lens: Camera) -> Scanner | None:
    kind = config.devices.scanner
    if kind == "none":
        return None
    if kind == "camera":
        from edge.drivers.scanner_camera import CameraScanner

        return CameraScanner(lens, mono_ns)
    from edge.drivers.scanner_serial import SerialScanner

    if kind == "sim":
        assert world is not None
        return SerialScanner(
            world.scanner.port, mono_ns=mono_ns, trigger=True, provenance=Provenance.SIMULATED
        )
    return SerialScanner(config.devices.scanner_port, mono_ns=mono_ns, trigger=kind == "gm65")
