"""Neighbours that we cannot have on a desk, as strict as the real ones or stricter.

`picamera2.py` and `libcamera.py` are imported under their own names by putting this
folder on the path; everything public in them is checked against the real sources.
"""
