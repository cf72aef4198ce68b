"""The few names of libcamera's Python binding that a picamera2 program needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Transform:
    rotation: int = 0
    hflip: bool = False
    vflip: bool = False
    transpose: bool = False

    def __post_init__(self) -> None:
        if self.rotation or self.transpose:
            raise ValueError("Invalid transform")  # the pipelines of the Pi cannot do it


@dataclass(frozen=True)
class ColorSpace:
    name: str = "Raw"

    @staticmethod
    def Sycc() -> ColorSpace:
        return ColorSpace("sYCC")

    @staticmethod
    def Smpte170m() -> ColorSpace:
        return ColorSpace("SMPTE170M")

    @staticmethod
    def Rec709() -> ColorSpace:
        return ColorSpace("Rec709")


@dataclass(frozen=True)
class ControlId:
    """What a control holds. `size` 2 is a pair; `out` ones only come back in metadata."""

    kind: type
    size: int = 1
    out: bool = False
    values: dict[str, int] = field(default_factory=dict)

    def accepts(self, value: Any) -> bool:
        """As the Python binding casts: a whole number is a float, nothing else is a bool."""
        parts = value if self.size > 1 else (value,)
        if self.size > 1 and (type(value) is not tuple or len(value) != self.size):
            return False
        kinds = (int, float) if self.kind is float else (self.kind,)
        return all(type(part) in kinds for part in parts)


CONTROLS = {
    "AeEnable": ControlId(bool),
    "AeFlickerMode": ControlId(int, values={"Off": 0, "Manual": 1, "Auto": 2}),
    "AeFlickerPeriod": ControlId(int),
    "AfMode": ControlId(int, values={"Manual": 0, "Auto": 1, "Continuous": 2}),
    "AfState": ControlId(
        int, out=True, values={"Idle": 0, "Scanning": 1, "Focused": 2, "Failed": 3}
    ),
    "AfTrigger": ControlId(int, values={"Start": 0, "Cancel": 1}),
    "AnalogueGain": ControlId(float),
    "AnalogueGainMode": ControlId(int, values={"Auto": 0, "Manual": 1}),
    "AwbEnable": ControlId(bool),
    "Brightness": ControlId(float),
    "ColourGains": ControlId(float, size=2),
    "DigitalGain": ControlId(float, out=True),
    "ExposureTime": ControlId(int),
    "ExposureTimeMode": ControlId(int, values={"Auto": 0, "Manual": 1}),
    "FrameDurationLimits": ControlId(int, size=2),
    "LensPosition": ControlId(float),
    "Lux": ControlId(float, out=True),
    "NoiseReductionMode": ControlId(
        int, values={"Off": 0, "Fast": 1, "HighQuality": 2, "Minimal": 3, "ZSL": 4}
    ),
    "SensorTimestamp": ControlId(int, out=True),
}
"""Names, types and values as in src/libcamera/control_ids_core.yaml (commit e2919cde) and
control_ids_draft.yaml (33136b42, NoiseReductionMode alone) of raspberrypi/libcamera; the two modes
of exposure and gain, which are younger, as in src/ipa/rpi/common/ipa_base.cpp of the same and in
picamera2 0.3.38."""
