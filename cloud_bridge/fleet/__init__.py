"""Releases for the kiosks: who may sign them, what is published, and who gets it when."""
