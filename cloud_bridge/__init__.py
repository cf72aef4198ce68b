"""The centre: files the kiosks' records once, and shows them to staff.

A Django project. It shares `edge.domain` and `edge.wire` with the kiosk and
nothing else.
"""
