"""The one family of errors that crosses a boundary inside the kiosk.

A vendor library's exception dies inside its driver and leaves as a
`DeviceError`; deriving a type here announces that somebody catches it.
"""

from __future__ import annotations

from enum import Enum


class Fault(Enum):
    """Why a device did not do its work, in words the session can branch on."""

    ABSENT = "absent"  # not plugged in, port gone
    SILENT = "silent"  # there, but no answer in time
    GARBLED = "garbled"  # an answer that makes no sense, or a card that moved
    EMPTY = "empty"  # out of paper, disk full
    REFUSED = "refused"  # works, but will not: cover open, card not accepted, licence lapsed


class KioskError(Exception):
    """Base of everything the kiosk raises on purpose. Messages never hold personal data."""


class DeviceError(KioskError):
    """A device failed. `retry` says whether the same call may succeed if made again."""

    def __init__(self, device: str, fault: Fault, detail: str, *, retry: bool = True) -> None:
        super().__init__(f"{device}: {fault.value}: {detail}")
        self.device = device
        self.fault = fault
        self.detail = detail
        self.retry = retry


class StoreError(KioskError):
    """The disk did not take it: nothing was written, nothing may be promised."""


class DamagedError(StoreError):
    """What is on the disk is no database of ours any more; the next start sets it aside."""


class WireError(KioskError):
    """Bytes from outside are not a message we accept; `reason` is a short stable word."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class ConfigError(KioskError):
    """A configuration cannot be used. Says where, what is wrong, what is allowed."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


class ModelError(KioskError):
    """A model file is missing or is not the one the manifest names."""
