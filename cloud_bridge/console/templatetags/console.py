"""Filters of the console's templates."""

from __future__ import annotations

from datetime import datetime

from django import template

from cloud_bridge.console.labels import LABELS

register = template.Library()


@register.filter
def label(word: object, kind: str) -> str:
    """The clerk's words for a word of the wire; a word nobody knows is shown as it is."""
    return str(LABELS[kind].get(str(word), word))


@register.filter
def short_hash(value: object) -> str:
    """Enough of a hash to compare by eye."""
    return str(value)[:12]


@register.filter
def moment(text: str) -> datetime:
    """A time of the wire (RFC 3339), to be shown like every other one."""
    return datetime.fromisoformat(text)
