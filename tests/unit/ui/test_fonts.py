"""The fonts: the Chinese forms, with an outline for every character we write."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont

from edge.session.states import Language
from edge.ui.fonts import FAMILY, SOURCE, FontError, fonts
from edge.ui.screen import SIMULATED_BAND
from edge.ui.texts import catalogue

needs_noto = pytest.mark.skipif(
    not (SOURCE / "NotoSansCJK-Regular.ttc").is_file(),
    reason="needs the Debian package fonts-noto-cjk",
)


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fonts")


def written() -> set[str]:
    """Every visible character of catalogues, digits, latin letters and the masks of names."""
    words = "".join(words for language in Language for words in catalogue(language).values())
    return set(words + SIMULATED_BAND + string.ascii_letters + string.digits + "*-./") - {" "}


@needs_noto
@pytest.mark.parametrize("weight", ["regular", "bold"])
def test_every_character_has_an_outline(extracted: Path, weight: str) -> None:
    path = getattr(fonts(extracted), weight)
    with TTFont(path, lazy=True) as face:
        assert face["name"].getDebugName(1) == FAMILY
        glyphs, names = face.getGlyphSet(), face.getBestCmap()
        for char in sorted(written()):
            assert ord(char) in names, f"{char!r} is not in the font"
            pen = BoundsPen(glyphs)
            glyphs[names[ord(char)]].draw(pen)
            assert pen.bounds is not None, f"{char!r} is blank"


@needs_noto
def test_the_chinese_form_is_taken_and_not_the_japanese_one(extracted: Path) -> None:
    """The first face of the collection is the Japanese one; 骨 tells them apart."""
    with TTFont(fonts(extracted).regular, lazy=True) as face:
        chinese = face.getBestCmap()[ord("骨")]
    with TTFont(SOURCE / "NotoSansCJK-Regular.ttc", fontNumber=0, lazy=True) as face:
        assert face.getBestCmap()[ord("骨")] != chinese


@needs_noto
def test_the_second_time_nothing_is_written(extracted: Path) -> None:
    first = fonts(extracted)
    before = first.regular.stat().st_mtime_ns
    assert fonts(extracted) == first
    assert first.regular.stat().st_mtime_ns == before
    assert not list(extracted.glob("*.part"))


def test_a_missing_font_names_the_package_to_install(tmp_path: Path) -> None:
    with pytest.raises(FontError, match="fonts-noto-cjk"):
        fonts(tmp_path / "cache", tmp_path / "nothing")
