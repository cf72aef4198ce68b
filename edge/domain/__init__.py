"""The vocabulary. Standard library only; no clock, no disk, no threads."""
