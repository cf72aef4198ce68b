"""Telling other systems: what `registry.events` left word of is signed and sent from here."""
