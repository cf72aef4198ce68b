"""Run as a program: open one window, show every screen in it, and write a picture of each.

    python -m tests.window.photographer FOLDER WIDTHxHEIGHT usual|large [SCREEN...]

Every screen there is, or those named, in every language.

Kivy has one window in a process's life, so tests start this in a process of its
own. A screen of several pages gives a picture of each. Besides the pictures it
writes `report.json`: what was said to be drawn; a line on the output for each picture.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from edge.session.states import Language, Session
from edge.ui.kivy_app import KioskApp
from edge.ui.theme import PANELS
from tests.ui_world import FACTS, Keeper, gallery


def main(folder: Path, size: str, large: bool, names: list[str]) -> None:
    panel = next(p for p in PANELS if f"{p.width_px}x{p.height_px}" == size)
    everything = [(n, lang, s) for lang in Language for n, s in gallery(lang)]
    screens = [(f"{n}.{lang.value}", s) for n, lang, s in everything if not names or n in names]
    keeper = Keeper(screens[0][1])
    app = KioskApp(keeper, FACTS, panel=panel)
    report: dict[str, object] = {}
    begun = time.perf_counter()

    def shoot(name: str, session: Session) -> int:
        keeper.shown = replace(session, large=large)
        app.screenshot(folder / f"{name}.png")
        report.setdefault("first_frame_s", round(time.perf_counter() - begun, 2))
        report[name] = _told(app)
        print(name, flush=True)
        assert app.stage is not None
        return app.stage.plan.pages

    def work() -> None:
        try:
            for name, session in screens:
                for leaf in range(1, shoot(name, session)):
                    shoot(f"{name}.{leaf + 1}", replace(session, leaf=leaf))
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
    where, size, letters, *names = sys.argv[1:]
    main(Path(where), size, letters == "large", names)
