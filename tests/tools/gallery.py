"""Every screen as it is drawn, for reviewers and translators: panels, languages, both letters.

    python -m tests.tools.gallery [--out gallery]

Writes `index.html` with pictures at their true size in millimetres, and
`summary.json` with what can be counted: screens, cut-off words, contrast, keys.
"""

from __future__ import annotations

import argparse
import html
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.progress import Progress

from edge.session.states import Language
from edge.ui.theme import ELDER, MM_PER_INCH, PANELS, Palette, Panel, contrast
from tests.ui_world import gallery

LETTERS = ("usual", "large")
Looks = list[dict[str, Any]]


def size_of(panel: Panel) -> str:
    return f"{panel.width_px}x{panel.height_px}"


def laid_out(folder: Path) -> Looks:
    """Every screen checked without a window, in a process of its own."""
    out = folder / "layout.json"
    subprocess.run([sys.executable, "-m", "tests.ui_layout", str(out)], check=True)
    found: Looks = json.loads(out.read_text(encoding="utf-8"))
    return found


def draw(folder: Path, panel: Panel, letters: str) -> Iterator[str]:
    """Pictures of a series, one name after the other."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    command = [sys.executable, "-m", "tests.window.photographer", str(folder), size_of(panel)]
    env = {**os.environ, "SDL_VIDEODRIVER": "offscreen"}
    with subprocess.Popen([*command, letters], env=env, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        yield from child.stdout
    if child.returncode:
        raise SystemExit(f"{size_of(panel)} {letters}: the window could not be drawn")


def draw_all(folder: Path, looks: Looks) -> None:
    """All series, with a bar that knows how many pages there are."""
    with Progress() as bar:
        task = bar.add_task("screens", total=sum(look["pages"] for look in looks))
        for panel, letters in itertools.product(PANELS, LETTERS):
            for _ in draw(folder / f"{size_of(panel)}-{letters}", panel, letters):
                bar.advance(task)


def summary(looks: Looks, folder: Path) -> dict[str, Any]:
    """What can be counted; `clipped` by the layout, and once more as it was drawn."""
    reports = [json.loads(p.read_text(encoding="utf-8")) for p in folder.glob("*/report.json")]
    texts = [
        t for report in reports for told in report.values() if isinstance(told, list) for t in told
    ]
    return {
        "screens": len({look["name"] for look in looks}),
        "languages": len({look["language"] for look in looks}),
        "panels": len(PANELS),
        "looks": len(looks),
        "pictures": len(list(folder.glob("*/*.png"))),
        "texts": len(texts),
        "clipped": sum(text["clipped"] for text in texts)
        + sum(fault.startswith("clipped") for look in looks for fault in look["faults"]),
        "faults": sum(len(look["faults"]) for look in looks),
        "min_contrast": round(min(contrast(*pair) for pair in Palette().written.values()), 2),
        "min_contrast_elder": round(min(contrast(*pair) for pair in ELDER.written.values()), 2),
        "min_target_mm": min(look["min_key_mm"] for look in looks),
        "min_gap_mm": min(look["min_gap_mm"] for look in looks),
        "max_choices": max(look["choices"] for look in looks),
        "max_pages": max(look["pages"] for look in looks),
    }


# --- the page --------------------------------------------------------------------

HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Screens</title><style>
body{font:15px/1.5 sans-serif;margin:0;background:#e9edf2;color:#12233d}
header{position:sticky;top:0;background:#0b3b66;color:#fff;padding:10px 20px;z-index:1}
header label{margin-right:16px}section{padding:6px 20px 14px}h2{margin:14px 0 4px}
figure{display:inline-block;margin:0 14px 10px 0;vertical-align:top}figcaption{color:#3b4c66}
img{display:block;border:1px solid #8795a8;background:#fff}table{border-collapse:collapse}
td{padding:2px 14px 2px 0}.hide{display:none}</style>"""

SCRIPT = """<script>
function show(){const on=new Set([...document.querySelectorAll('input:checked')].map(i=>i.value));
document.querySelectorAll('figure').forEach(f=>f.classList.toggle('hide',
!['p','c','l'].every(k=>on.has(f.dataset[k]))))}
document.querySelectorAll('input').forEach(i=>i.addEventListener('change',show));show()
</script>"""


def page(folder: Path, counted: dict[str, Any]) -> str:
    rows = "".join(f"<tr><td>{key}<td>{value}" for key, value in counted.items())
    names = [name for name, _ in gallery(Language.ZH)]
    sections = "".join(section(folder, name) for name in names)
    head = f"<header>{controls()}</header><section><table>{rows}</table></section>"
    return f"{HEAD}{head}{sections}{SCRIPT}"


def controls() -> str:
    """What to look at; at first one panel with usual letters, so that the page opens quickly."""
    first = {size_of(PANELS[2]), "usual", *(language.value for language in Language)}
    values = [*map(size_of, PANELS), *LETTERS, *(language.value for language in Language)]
    boxes = (
        f'<label><input type="checkbox" value="{v}"{" checked" if v in first else ""}> {v}</label>'
        for v in values
    )
    return "".join(boxes)


def section(folder: Path, name: str) -> str:
    figures = "".join(
        figure(path, panel, letters, language.value)
        for panel, letters, language in itertools.product(PANELS, LETTERS, Language)
        for path in pages_of(folder / f"{size_of(panel)}-{letters}", name, language.value)
    )
    return f'<section id="{name}"><h2>{html.escape(name)}</h2>{figures}</section>'


def pages_of(folder: Path, name: str, code: str) -> list[Path]:
    more = sorted(folder.glob(f"{name}.{code}.*.png"), key=lambda p: int(p.stem.split(".")[2]))
    return [folder / f"{name}.{code}.png", *more]


def figure(path: Path, panel: Panel, letters: str, code: str) -> str:
    width_mm = panel.width_px / panel.dpi * MM_PER_INCH
    where = f"{path.parent.name}/{path.name}"
    size = f'width="{panel.width_px}" height="{panel.height_px}"'
    style = f'style="width:{width_mm:.1f}mm;height:auto"'
    data = f'data-p="{size_of(panel)}" data-c="{letters}" data-l="{code}"'
    return (
        f'<figure {data}><img loading="lazy" src="{where}" {size} {style} alt="">'
        f"<figcaption>{path.stem} · {size_of(panel)} {letters}</figcaption></figure>"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("gallery"))
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    looks = laid_out(folder)
    draw_all(folder, looks)
    counted = summary(looks, folder)
    (folder / "summary.json").write_text(json.dumps(counted, indent=1) + "\n", encoding="utf-8")
    (folder / "index.html").write_text(page(folder, counted), encoding="utf-8")
    print(json.dumps(counted, indent=1))


if __name__ == "__main__":
    main()
