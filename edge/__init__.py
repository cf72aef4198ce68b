"""The kiosk: everything that runs on the Raspberry Pi in the hall."""

__version__ = "0.1.0"
