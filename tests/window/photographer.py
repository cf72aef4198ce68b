"""Run as a program: open one window, show every screen in it, and write a picture of each.

    python -m tests.window.photographer FOLDER WIDTH HEIGHT LANGUAGE...

Kivy has one window in a process's life, so tests start this in a process of its
own. Besides the pictures it writes `report.json`: what was said to be drawn.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from edge.session.states import Language
from edge.ui.kivy_app import KioskApp
from tests.ui_world import FACTS, Keeper, gallery


def main(folder: Path, size: tuple[int, int], languages: list[Language]) -> None:
    screens = [(f"{n}.{lang.value}", s) for lang in languages for n, s in gallery(lang)]
    keeper = Keeper(screens[0][1])
    app = KioskApp(keeper, FACTS, size=size)
    report: dict[str, object] = {}
    begun = time.perf_counter()

    def work() -> None:
        try:
            for name, session in screens:
                keeper.shown = session
                app.screenshot(folder / f"{name}.png")
                report.setdefault("first_frame_s", round(time.perf_counter() - begun, 2))
                report[name] = _told(app)
        finally:
            app.stop()

    worker = threading.Thread(target=work, name="photographer")
    worker.start()
    app.run()
    worker.join()
    (folder / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1))


def _told(app: KioskApp) -> list[dict[str, object]]:
    """Each text with its letters' size and whether it was cut off."""
    assert app.stage is not None
    return [
        {"words": w.words, "size_px": w.size_px, "clipped": w.clipped} for w in app.stage.words()
    ]


if __name__ == "__main__":
    where, width, height, *codes = sys.argv[1:]
    main(Path(where), (int(width), int(height)), [Language(code) for code in codes])
