"""The few names of libcamera's Python binding that a picamera2 program needs."""

from __future__ import annotations

from dataclasses import dataclass


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
