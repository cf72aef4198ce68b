"""The site file: what this kiosk is, where it stands and what is plugged into it.

One frozen tree, loaded once from TOML and passed down; nobody reads the
environment after that. Every field is described by its `doc` metadata, from
which `docs/configuration.md` is made. A key we do not know is an error: a
misspelt setting that is silently ignored is found only when somebody is
turned away.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import types
import typing
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from edge.domain.errors import ConfigError
from edge.domain.settings import SETTINGS, Value, Whole

T = TypeVar("T")


def _doc(text: str, **kwargs: Any) -> Any:
    return field(metadata={"doc": text}, **kwargs)


@dataclass(frozen=True, slots=True)
class Agency:
    """Who answers for the kiosk; shown on screen and paper."""

    name: str = _doc("Who processes the data (处理者), as the consent text names it.")
    office: str = _doc("Where people can go in person.")
    phone: str = _doc("Help line, spoken and printed.")
    nearest: str = _doc(
        "Where the nearest other terminal stands, for whom this one cannot serve; empty: unknown.",
        default="",
    )


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the sync process connects to, with mutual TLS."""

    host: str = _doc("Name in the broker's certificate.", default="localhost")
    port: int = _doc("TLS port, 1..65535.", default=8883)
    keepalive_s: int = _doc(
        "Silence after which a connection counts as lost, 10..600 seconds.", default=120
    )


@dataclass(frozen=True, slots=True)
class Keys:
    """Key files, relative to the folder of the site file."""

    ca: str = _doc("Certificate authority of the broker.", default="ca.crt")
    tls_cert: str = _doc("This kiosk's TLS certificate; its CN is the kiosk id.", default="tls.crt")
    tls_key: str = _doc("Its private key; only the sync process needs it.", default="tls.key")
    sign: str = _doc("Ed25519 private key that signs records.", default="sign.key")
    open: str = _doc("X25519 private key that opens rosters.", default="open.key")
    card: str = _doc("Secret of the keyed hash of id numbers.", default="card.key")
    data: str = _doc("Secret that encrypts roster and receipts on the disk.", default="data.key")
    template: str = _doc("Secret that encrypts face templates.", default="template.key")
    registry_sign: str = _doc("The registry's Ed25519 public key.", default="registry-sign.pub")
    registry_seal: str = _doc("The registry's X25519 public key.", default="registry-seal.pub")
    receipt: str = _doc(
        "The registry's word for `sign`, printed in each receipt's code; without it there is none.",
        default="receipt.cert",
    )


@dataclass(frozen=True, slots=True)
class Store:
    """What the kiosk keeps, and how."""

    retention_days: int = _doc(
        "Days that acknowledged records and receipts stay on the kiosk, 1..30.", default=30
    )
    reserve_mb: int = _doc(
        "Room held back, so that service goes on when the disk is full, 0..1024 MB; 0 is none.",
        default=64,
    )


CardReaderKind = Literal["sam-serial", "sim"]
PhotoDecoderKind = Literal["none", "vendor", "sim"]
CameraKind = Literal["pi", "opencv", "file", "sim"]
PrinterKind = Literal["escpos-serial", "escpos-usb", "sim"]
VoiceKind = Literal["prompts", "espeak", "sim"]
DialectKind = Literal["none", "yue"]
PanelKind = Literal["none", "gpio", "sim"]
ScannerKind = Literal["none", "serial", "gm65", "camera", "sim"]


@dataclass(frozen=True, slots=True)
class Devices:
    """What is plugged in. `sim` is refused unless `mode = "demo"`."""

    card_reader: CardReaderKind = _doc("Identity-card reader.", default="sam-serial")
    card_reader_port: str = _doc("Its serial port or `socket://host:port`.", default="/dev/idcard")
    photo_decoder: PhotoDecoderKind = _doc("Decoder of the chip's photo.", default="none")
    photo_library: str = _doc(
        "Shared library of the `vendor` decoder, relative to the site file.", default=""
    )
    photo_code: int = _doc("Third argument of its `unpack`: 708 or 752.", default=708)
    camera: CameraKind = _doc("Camera above the screen.", default="opencv")
    camera_source: str = _doc(
        "`pi`: number or fixed id; `opencv`: V4L2 index or path; `file`: a video.", default="0"
    )
    camera_id: str = _doc(
        "The camera's own name, as the doctor shows it; another one is told to staff. Empty: any.",
        default="",
    )
    camera_upside_down: bool = _doc("True if it hangs with its top down.", default=False)
    camera_process: bool = _doc(
        "Real cameras in a process of their own, which is killed when they hang.", default=True
    )
    printer: PrinterKind = _doc("Receipt printer.", default="escpos-serial")
    printer_port: str = _doc(
        "Its serial port, or `socket://host:port` of a simulator.", default="/dev/receipt"
    )
    printer_usb: str = _doc(
        "With `escpos-usb`: vendor and product as `lsusb` shows them.", default="04b8:0202"
    )
    printer_baud: Literal[9600, 19200, 38400, 57600, 115200] = _doc(
        "Rate of the serial port, as set in the printer.", default=9600
    )
    printer_columns: Literal[32, 48] = _doc("32 for 58 mm paper, 48 for 80 mm.", default=32)
    printer_cutter: bool = _doc("False if paper is torn off at a bar.", default=True)
    printer_raster: bool = _doc(
        "True prints every line as a picture: slow, but needs no Chinese font.", default=False
    )
    voice: VoiceKind = _doc("Loudspeaker: built or recorded prompts.", default="prompts")
    sound_card: str = _doc("Its name, after CARD= in `aplay -L`; empty: the default.", default="")
    volume: int = _doc("How loud the prompts are, 0..100.", default=80)
    dialect: DialectKind = _doc(
        "What Chinese screens speak: Mandarin, or Cantonese.", default="none"
    )
    panel: PanelKind = _doc("Lights and switches of the housing, see [panel].", default="none")
    scanner: ScannerKind = _doc(
        "Code scanner; `gm65` is also told when to look, `camera` is the one above the screen.",
        default="none",
    )
    scanner_port: str = _doc("Its serial port.", default="/dev/scanner")


@dataclass(frozen=True, slots=True)
class Panel:
    """Pins of the housing, as Broadcom counts them (GPIO 18 is 18); 0 is not fitted."""

    fill_light: int = _doc("Fill light, on 12, 13, 18 or 19.", default=18)
    fill_light_percent: int = _doc(
        "Its brightness while the camera watches, 1..100; at 100 nothing can flicker.", default=100
    )
    presence: int = _doc("Motion sensor, high when somebody moves.", default=17)
    tamper: int = _doc("Loop through the housing's switches to ground; open is alarm.", default=27)
    paper: int = _doc("Switch to ground, closed while there is paper.", default=22)
    led_ready: int = _doc("Status light: come here.", default=23)
    led_busy: int = _doc("Status light: somebody is being served.", default=24)
    led_trouble: int = _doc(
        "Status light: alone out of service, with busy help needed.", default=25
    )
    buzzer: int = _doc("Buzzer with its own oscillator.", default=5)
    call_button: int = _doc("Button to ground that calls staff.", default=6)

    @property
    def pins(self) -> dict[str, int]:
        """All numbers that are pins, by name."""
        numbers = {spec.name: int(getattr(self, spec.name)) for spec in fields(self)}
        del numbers["fill_light_percent"]
        return numbers


Switch = Literal["off", "on"]


@dataclass(frozen=True, slots=True)
class Check:
    """What may look besides movements and depth; each layer is told apart in the record."""

    screen_light: Switch = _doc(
        "Pale hues of the screen as a lamp. Tried on no hardware yet; patented ground, see models.",
        default="off",
    )
    screen_lux: int = _doc(
        "What the glowing screen alone adds on a face, 1..500 lux, measured in the dark.",
        default=30,
    )
    passive: Literal["auto", "off"] = _doc(
        "Look of the skin, as advice: `auto` where `models fetch minifasnet` was run.",
        default="auto",
    )
    passive_percent: int = _doc(
        "Share of `real`, 0..100 %, below which the advice is `odd`; see models on calibration.",
        default=5,
    )
    camera_truth: Switch = _doc(
        "Whether pictures come from a sensor, this camera's, and obey its exposure.", default="on"
    )


@dataclass(frozen=True, slots=True)
class Screen:
    """The window."""

    width: int = _doc("Pixels.", default=1280)
    height: int = _doc("Pixels.", default=800)
    dpi: int = _doc(
        "True dots per inch: 800x480 133, 1024x600 118, 1280x800 149, 720x1280 210.",
        default=149,
    )
    fullscreen: bool = _doc("True on a kiosk.", default=True)
    idle_s: int = _doc("Seconds from the last touch until a session ends, 60..900.", default=300)
    fresh_start_min: int = _doc(
        "Minutes without anybody after which a kiosk that served people starts anew, 5..240.",
        default=15,
    )


@dataclass(frozen=True, slots=True)
class Update:
    """Releases from the centre."""

    folder: str = _doc(
        "Folder that the sync and the update process share; empty: no releases over the broker.",
        default="",
    )


@dataclass(frozen=True, slots=True)
class Config:
    """The whole site file."""

    kiosk_id: str = _doc("Id the registry knows this kiosk by; also the CN of its certificate.")
    terminal_no: str = _doc("Number on the housing, shown on every screen (K20).")
    site: str = _doc("Name of the place, as people call it.")
    agency: Agency = _doc("Who answers for this kiosk.")
    mode: Literal["production", "demo"] = _doc(
        "`demo` allows simulated devices and marks every record SIMULATED.", default="production"
    )
    language: Literal["zh", "en"] = _doc("Language of the first screen.", default="zh")
    tries: int = _doc("Tries in front of the camera before a person takes over, 1..5.", default=3)
    data: str = _doc("Folder of the database, relative to the site file.", default="data")
    models: str = _doc("Folder of the built models; empty: the cache.", default="")
    voices: str = _doc("Folder of the voice packs; empty: the cache.", default="")
    broker: Broker = field(default_factory=Broker)
    keys: Keys = field(default_factory=Keys)
    store: Store = field(default_factory=Store)
    devices: Devices = field(default_factory=Devices)
    panel: Panel = field(default_factory=Panel)
    check: Check = field(default_factory=Check)
    screen: Screen = field(default_factory=Screen)
    update: Update = field(default_factory=Update)
    base: Path = field(default=Path(), metadata={"internal": True})

    def path(self, name: str) -> Path:
        """A file named in the site file, which is relative to its folder."""
        return self.base / name

    @property
    def database(self) -> Path:
        return self.path(self.data) / "journal.db"


def load(path: Path) -> Config:
    """Read a site file. Raises `ConfigError` naming file, key, what is allowed and what to do."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            str(path), "no such file; make one with `python -m provisioning site`"
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(str(path), f"cannot be read: {error}") from error
    config = _build(Config, table, str(path), "", base=path.parent)
    _check(config, str(path))
    return config


def value_of(config: Config, key: str) -> Value:
    """The value of a key such as `screen.idle_s`; one that is in `SETTINGS`."""
    value: Any = config
    for name in key.split("."):
        value = getattr(value, name)
    return cast(Value, value)


def with_value(config: Config, key: str, value: Value) -> Config:
    """Another value for one key. Raises `ConfigError` where it does not fit with the others."""
    table, _, name = key.rpartition(".")
    inner: Any = replace(getattr(config, table), **{name: value}) if table else value
    changed = replace(config, **{table or name: inner})
    _check(changed, key)
    return changed


_USB_ID = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}", re.IGNORECASE)


def _check(config: Config, path: str) -> None:
    for setting in SETTINGS.values():
        value = value_of(config, setting.key)
        if isinstance(setting.kind, Whole) and not setting.kind.fits(value):
            low, high = setting.kind.low, setting.kind.high
            raise ConfigError(path, f"{setting.key} = {value} is outside {low}..{high}")
    if not 0 <= config.store.reserve_mb <= 1024:
        raise ConfigError(path, f"store.reserve_mb = {config.store.reserve_mb} is outside 0..1024")
    if not 5 <= config.screen.fresh_start_min <= 240:
        minutes = config.screen.fresh_start_min
        raise ConfigError(path, f"screen.fresh_start_min = {minutes} is outside 5..240")
    if not 1 <= config.check.screen_lux <= 500:
        raise ConfigError(path, f"check.screen_lux = {config.check.screen_lux} is outside 1..500")
    _check_pins(config.panel.pins, path)
    devices = config.devices
    if devices.photo_decoder == "vendor" and not devices.photo_library:
        raise ConfigError(path, 'devices.photo_decoder = "vendor" needs devices.photo_library')
    _refuse_stand_ins(config, path)
    simulated = [f.name for f in fields(devices) if getattr(devices, f.name) in ("sim", "file")]
    if simulated and config.mode != "demo":
        raise ConfigError(
            path,
            f'devices.{simulated[0]} is simulated, which mode = "{config.mode}" does not allow; '
            'plug in the real one, or set mode = "demo"',
        )


_PWM_PINS = (0, 12, 13, 18, 19)
_FREE_PINS = (0, *range(4, 14), *range(16, 28))
"""0 is none; 0 and 1 belong to add-on boards, 2 and 3 to I2C, 14 and 15 to the serial port."""


def _check_pins(pins: dict[str, int], path: str) -> None:
    users: dict[int, str] = {}
    for name, pin in pins.items():
        allowed = _PWM_PINS if name == "fill_light" else _FREE_PINS
        if pin not in allowed:
            raise ConfigError(path, f"panel.{name} = {pin} is not one of {allowed}")
        if pin and pin in users:
            raise ConfigError(path, f"panel.{name} = {pin} is already panel.{users[pin]}")
        users[pin] = name


def _refuse_stand_ins(config: Config, path: str) -> None:
    """What is not a cable cannot be a real reader, printer or scanner."""
    if config.mode == "demo":
        return
    for key in ("card_reader_port", "printer_port", "scanner_port"):
        port = getattr(config.devices, key)
        if "://" in port or port.startswith(("/dev/pts/", "/tmp/")):
            raise ConfigError(
                path,
                f"devices.{key} = {port!r} is not a serial line of this machine, which "
                'mode = "production" needs; name one as in /dev/serial/by-id/',
            )


def _build(kind: type[T], table: dict[str, Any], path: str, prefix: str, **extra: Any) -> T:
    assert is_dataclass(kind)
    hints = typing.get_type_hints(kind)
    known = {f.name: f for f in fields(kind) if not f.metadata.get("internal")}
    for key in table:
        if key not in known:
            raise ConfigError(path, f"unknown key {prefix}{key}{_suggest(key, known)}")
    values: dict[str, Any] = dict(extra)
    for name, spec in known.items():
        if name in table:
            values[name] = _value(hints[name], table[name], path, prefix + name)
        elif _required(spec):
            raise ConfigError(path, f"{prefix}{name} is missing: {spec.metadata.get('doc', '')}")
    return kind(**values)


def _required(spec: Field[Any]) -> bool:
    return spec.default is MISSING and spec.default_factory is MISSING


def _suggest(key: str, known: dict[str, Any]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    did_you_mean = f"; did you mean {near[0]}?" if near else ""
    return f"{did_you_mean} Allowed here: {', '.join(sorted(known))}"


def _value(hint: Any, value: Any, path: str, key: str) -> Any:
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise ConfigError(path, f"{key} must be a table: [{key}]")
        return _build(hint, value, path, key + ".")
    if typing.get_origin(hint) is Literal:
        allowed = typing.get_args(hint)
        if value not in allowed or type(value) not in {type(choice) for choice in allowed}:
            words = ", ".join(repr(choice) for choice in allowed)
            raise ConfigError(path, f"{key} = {value!r} is not one of {words}")
        return value
    assert not isinstance(hint, types.UnionType)
    if type(value) is not hint:
        raise ConfigError(path, f"{key} = {value!r} must be of type {hint.__name__}")
    return value
