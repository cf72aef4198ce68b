"""The kiosk: everything that runs on the Raspberry Pi in the hall."""

from datetime import date

__version__ = "0.1.0"

RELEASED = date(2026, 11, 23)
"""A clock that says less than this is wrong."""
