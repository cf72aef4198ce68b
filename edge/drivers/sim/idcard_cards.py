"""A box of invented cards: one of each kind, and the odd ones a kiosk meets once a year.

Region 100000 is not a real one and nobody owns these numbers. The first five are
the published synthetic vectors.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from edge.drivers.sim.idcard import SimCard

RESIDENT = SimCard(
    name="测试甲",
    sex="2",
    birth=date(1945, 8, 15),
    number="100000194508150029",
    address="测试省测试市测试路1号",
    issuer="测试市公安局",
)
RESIDENT_X = SimCard(
    name="测试·乙",
    sex="1",
    ethnic="05",
    birth=date(1938, 1, 1),
    number="10000019380101059X",
    address="测试自治区测试县测试乡2号",
    issuer="测试县公安局",
    valid_from=date(2024, 2, 29),
    valid_to=date(2044, 2, 28),
)
PERMIT = SimCard(
    kind="J",
    name="测试丙",
    sex="2",
    birth=date(1994, 8, 23),
    number="810000199408230021",
    address="测试市测试区测试街3号",
    issuer="测试市公安局",
    valid_from=date(2020, 1, 1),
    valid_to=date(2025, 1, 1),
    pass_number="H00000000",
    times="01",
)
FOREIGN_2017 = SimCard(
    kind="I",
    english="SPECIMEN, TEST",
    name="测试丁",
    sex="2",
    birth=date(1981, 8, 3),
    number="CAN110081080310",
    nationality="CAN",
    valid_from=date(2017, 6, 16),
    valid_to=date(2027, 6, 15),
    version="01",
    authority="1100",
)
FOREIGN_2023 = SimCard(
    kind="Y",
    english="SPECIMEN, TEST",
    name="测试丁",
    sex="2",
    birth=date(1981, 8, 3),
    number="911124198108030024",
    nationality="CAN",
    valid_from=date(2023, 12, 1),
    valid_to=date(2033, 11, 30),
    times="01",
    link="001",
)

_PHOTO_WITH_PREAMBLES = bytes.fromhex("AAAAAA9669 0004 000090 94").ljust(1024, b"\xaa")
_LONG_NAME = "SPECIMEN-OF-A-LONG-NAME, WITH FIRST " + "AND SECOND"  # the seam is the last blank
_LEAP_DAY = SimCard(name="测试闰", sex="1", birth=date(1944, 2, 29), number="100000194402290015")

CATALOGUE = {
    "resident": RESIDENT,  # for life (长期)
    "resident_x": RESIDENT_X,  # middle dot, number ending in X, valid from a 29 February
    "permit": PERMIT,  # J
    "foreign_2017": FOREIGN_2017,  # I
    "foreign_2023": FOREIGN_2023,  # Y
    "english_only": replace(FOREIGN_2023, name="", english=_LONG_NAME),
    "new_address": replace(RESIDENT, new_address="测试省测试市新址路9号"),
    "leap_day": replace(_LEAP_DAY, valid_from=date(2008, 2, 29), valid_to=date(2028, 2, 29)),
    "expired": replace(RESIDENT, valid_from=date(2000, 1, 1), valid_to=date(2020, 1, 1)),
    "not_yet_valid": replace(RESIDENT, valid_from=date(2199, 1, 1)),
    "ends_before_it_starts": replace(
        RESIDENT, valid_from=date(2024, 5, 1), valid_to=date(2014, 5, 1)
    ),
    "no_such_day": replace(RESIDENT, patches=((36, "19450230".encode("utf-16-le")),)),
    "bad_checksum": replace(RESIDENT, number="100000194508150020"),
    "other_birthday": replace(RESIDENT, birth=date(1945, 8, 16)),
    "other_sex": replace(RESIDENT, sex="1"),
    "rare_private": replace(RESIDENT, name="测\ue863甲"),  # an old card's private-use character
    "rare_pair": replace(RESIDENT, name="测\U00030edd甲"),  # a newer card's surrogate pair
    "rare_cut": replace(RESIDENT, name="买买提艾力吐尔逊阿卜杜热西提\U00030edd"),  # cut inside it
    "nul_padding": replace(RESIDENT, filler="\0"),
    "preamble_in_photo": replace(RESIDENT, photo_block=_PHOTO_WITH_PREAMBLES),
    "no_number": replace(RESIDENT, number=""),
    "blank": replace(RESIDENT, patches=((0, b" \0" * 128),)),
}
