"""Characters that stand in names and hardly anywhere else, on the screen and on paper."""

from __future__ import annotations

import pytest
from fontTools.ttLib import TTFont

from edge.drivers.receipt_picture import draw_line
from edge.ports import Line
from edge.ui.fonts import SOURCE, fonts

pytestmark = pytest.mark.skipif(
    not (SOURCE / "NotoSansCJK-Regular.ttc").is_file(),
    reason="needs the Debian package fonts-noto-cjk",
)

RARE = (
    "㑇㑊㕮㘎㙍㙘㙦㛃㛚㛹㟃㠇㠓㤘㥄㧐㧑㧟㫰㬊㬎㬚㭎㭕㮾㰀㳇㳘㳚㴔㵐㶲㸆㸌㺄㻬㽏㿠䁖䂮䃅䃎䅟䌹䎃䎖䏝䏡䏲䐃䓖䓛䓨䓫䓬䗖䗛䗪"
    "䗴䜣䝙䢺䢼䣘䥽䦃䲟䲠䲢䴓䴔䴕䴖䴗䴘䴙䶮𠅤𠙶𠳐𡎚𡐓𣗋𣲗𣲘𣸣𤧛𤩽𤫉𥔲𥕢𥖨𥻗𦈡𦒍𦙶𦝼𦭜𦰡𧿹𨐈𨙸𨚕𨟠𨭉𨱇𨱏𨱑𨱔𨺙𩽾𩾃𩾌"
    "𪟝𪣻𪤗𪨰𪨶𪩘𪾢𫄧𫄨𫄷𫄸𫇭𫌀𫍣𫍯𫍲𫍽𫐄𫐐𫐓𫑡𫓧𫓯𫓶𫓹𫔍𫔎𫔶𫖮𫖯𫖳𫗧𫗴𫘜𫘝𫘦𫘧𫘨𫘪𫘬𫚕𫚖𫚭𫛭𫞩𫟅𫟦𫟹𫟼𫠆𫠊𫠜𫢸𫫇𫭟𫭢𫭼𫮃"
    "𫰛𫵷𫶇𫷷𫸩𬀩𬀪𬂩𬃊𬇕𬇙𬇹𬉼𬊈𬊤𬌗𬍛𬍡𬍤𬒈𬒔𬒗𬕂𬘓𬘘𬘡𬘩𬘫𬘬𬘭𬘯𬙂𬙊𬙋𬜬𬜯𬞟𬟁𬟽𬣙𬣞𬣡𬣳𬤇𬤊𬤝𬨂𬨎𬩽𬪩𬬩𬬭𬬮𬬱𬬸𬬹𬬻𬬿"
    "𬭁𬭊𬭎𬭚𬭛𬭤𬭩𬭬𬭯𬭳𬭶𬭸𬭼𬮱𬮿𬯀𬯎𬱖𬱟𬳵𬳶𬳽𬳿𬴂𬴃𬴊𬶋𬶍𬶏𬶐𬶟𬶠𬶨𬶭𬶮𬷕𬸘𬸚𬸣𬸦𬸪𬹼𬺈𬺓"
)
"""Characters of the standard list (通用规范汉字表) that lie outside the common block of Unicode;
they were taken up because somebody bears them, or a place does."""
BLOCKS = {"common": (0x4E00, 0x9FA5), "extension A": (0x3400, 0x4DB5)}


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[int]]:
    made = fonts(tmp_path_factory.mktemp("fonts"))
    found = {}
    for weight in ("regular", "bold"):
        with TTFont(getattr(made, weight), lazy=True) as face:
            found[weight] = set(face.getBestCmap())
    return found


@pytest.mark.parametrize("weight", ["regular", "bold"])
def test_every_rare_character_of_the_standard_list_can_be_shown(
    faces: dict[str, set[int]], weight: str
) -> None:
    assert len(set(RARE)) > 250
    assert [char for char in RARE if ord(char) not in faces[weight]] == []


@pytest.mark.parametrize("block", BLOCKS)
def test_what_a_chip_can_spell_with_can_be_shown(faces: dict[str, set[int]], block: str) -> None:
    """Names on the chip are two bytes a character: these blocks are nearly all there is."""
    first, last = BLOCKS[block]
    wanted = set(range(first, last + 1))
    assert wanted - faces["regular"] == set()


@pytest.mark.parametrize("char", ["䶮", "㛃", "𫖯", "𬭎"])
def test_a_rare_character_is_ink_on_paper_and_not_an_empty_box(char: str) -> None:
    _, ink = draw_line(Line(char))
    assert any(ink)
    assert ink != draw_line(Line("\U0003fffd"))[1], "the box of a character that no font has"
