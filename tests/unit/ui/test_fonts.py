"""The fonts: the Chinese forms, with an outline for every character we write."""

from __future__ import annotations

import os
import string
import subprocess
import sys
from pathlib import Path

import pytest
from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont

from edge.session.states import Language
from edge.ui.fonts import EVERYDAY, FAMILY, SOURCE, FontError, fonts
from edge.ui.screen import SIMULATED_BAND
from edge.ui.texts import catalogue

needs_noto = pytest.mark.skipif(
    not (SOURCE / "NotoSansCJK-Regular.ttc").is_file(),
    reason="needs the Debian package fonts-noto-cjk",
)

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fonts")


def written() -> set[str]:
    """Every visible character of catalogues, digits, latin letters and the masks of names."""
    words = "".join(words for language in Language for words in catalogue(language).values())
    return set(words + SIMULATED_BAND + string.ascii_letters + string.digits + "*-./") - {" "}


@needs_noto
@pytest.mark.parametrize("weight", ["regular", "bold", "everyday_regular", "everyday_bold"])
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


def test_our_own_texts_need_no_rare_characters() -> None:
    """Else the whole face would be open in every size that they are drawn in."""
    assert written() <= EVERYDAY


@needs_noto
def test_a_rare_character_is_written_with_the_whole_face(extracted: Path) -> None:
    prepared = fonts(extracted)
    assert prepared.file_for("王建华", bold=True) == prepared.everyday_bold
    assert prepared.file_for("王㛃华", bold=True) == prepared.bold
    assert prepared.file_for("王㛃华", bold=False) == prepared.regular


LETTERS = """
import sys
from pathlib import Path
from edge.ui.kivy_app import set_up
set_up((1280, 800), False, Path(sys.argv[1]))
from kivy.core.text import Label

def dots(font, line):
    label = Label(text=line, font_name=font, font_size=26, font_hinting="light")
    label.resolve_font_name()
    label._size = label.get_extents(line)
    label._render_begin()
    label._render_text(line, 0, 0)
    return label._size, bytes(label._render_end().data)

whole, everyday = sys.argv[2:]
for line in sys.stdin.read().splitlines():
    if dots(whole, line) != dots(everyday, line):
        print(line)
"""


@needs_noto
@pytest.mark.parametrize("bold", [False, True])
def test_both_faces_draw_the_same_dots(tmp_path: Path, extracted: Path, bold: bool) -> None:
    """So a layout holds whichever face its lines are drawn with."""
    prepared = fonts(extracted)
    faces = [prepared.bold if bold else prepared.regular, prepared.file_for("", bold=bold)]
    command = [sys.executable, "-c", LETTERS, str(tmp_path / "kivy"), *map(str, faces)]
    env = {**os.environ, "SDL_VIDEODRIVER": "offscreen", "PYTHONPATH": str(ROOT)}
    lines = "\n".join(
        line[:40]
        for language in Language
        for words in catalogue(language).values()
        for line in words.splitlines()
    )
    done = subprocess.run(command, input=lines, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == ""


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
