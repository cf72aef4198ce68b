"""`make console-pictures`: the pictures of `docs/console.md`, sharp and small."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image
from rich.progress import track

from tests.browser.hall import Hall
from tests.browser.pages import PAGES

SHOWN = (
    *("sign-in", "people", "certify", "death", "person", "death-report", "rechecks"),
    *("tasks", "due", "call-list", "plan", "dashboard", "import-faulty", "import"),
    *("accounts", "kiosks", "settings", "webhook", "audit", "public-receipt"),
)
HIGHEST_PX = 1000
WHOLE = ("certify", "death")  # the question above 确定 is what the guide is about
COLOURS = 200


def main() -> int:
    folder = Path("docs/pictures")
    with Hall() as hall:
        for page in track([page for page in PAGES if page.name in SHOWN], "pictures"):
            path = folder / f"console-{page.name}.png"
            with hall.tab(page.account) as tab:
                tab.goto(page.path.format(**hall.places))
                tab.screenshot(path=path, full_page=True)
            _shrink(path, whole=page.name in WHOLE)
    return 0


def _shrink(path: Path, *, whole: bool) -> None:
    with Image.open(path) as picture:
        height = picture.height if whole else min(picture.height, HIGHEST_PX)
        shown = picture.convert("RGB").crop((0, 0, picture.width, height))
    few = shown.quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
