"""The tree of places."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

ROOT_REGION = "0" * 12


class Region(models.Model):
    """One node of province → city → county → street → community.

    `code` is the 12-digit statistical code (2 + 2 + 2 + 3 + 3, zeros where
    nothing follows). A subtree is a range of codes, so scoping needs no joins.
    """

    class Level(models.IntegerChoices):
        COUNTRY = 0, _("Country")
        PROVINCE = 1, _("Province")
        CITY = 2, _("City")
        COUNTY = 3, _("County or district")
        STREET = 4, _("Street or township")
        COMMUNITY = 5, _("Community or village")

    code = models.CharField(max_length=12, primary_key=True)
    name = models.CharField(max_length=60)
    level = models.IntegerField(choices=Level)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")

    DIGITS = (0, 2, 4, 6, 9, 12)
    """How many digits of a code say something, by level."""

    def __str__(self) -> str:
        return str(self.name)

    @classmethod
    def level_of(cls, code: str) -> int:
        """Level of a code by its trailing zeros."""
        return next(n for n, digits in enumerate(cls.DIGITS) if not code[digits:].strip("0"))

    @classmethod
    def parent_code(cls, code: str) -> str:
        digits = cls.DIGITS[max(cls.level_of(code) - 1, 0)]
        return code[:digits].ljust(12, "0")

    @classmethod
    def digits_of(cls, level: int) -> int:
        """How many digits of a code tell regions of this level apart."""
        return cls.DIGITS[min(level, len(cls.DIGITS) - 1)]

    @property
    def last_code(self) -> str:
        """The highest code below this region."""
        return str(self.code)[: self.DIGITS[self.level]].ljust(12, "9")

    def covers(self, code: str) -> bool:
        return bool(self.code <= code <= self.last_code)

    def within(self, field: str) -> models.Q:
        """Condition: the region code in `field` lies in this subtree."""
        return models.Q(**{f"{field}__gte": self.code, f"{field}__lte": self.last_code})
