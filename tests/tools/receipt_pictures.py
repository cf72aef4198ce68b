"""Every receipt as it comes out of the printer: `make receipts`, then look at `index.html`.

Each is printed by the real driver on the simulated printer. Writes the pictures,
`index.html` and `report.json`; exit code 1 if a picture shows an oddity or a QR code
that an independent reader does not read back.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from itertools import groupby
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import zxingcpp
from PIL import Image
from rich.progress import track

from edge.ports import Code, ReceiptItem
from tests.paper_bench import desk, situations

AS_PICTURES = ("passed", "rare-name")
"""Those also shown as a printer without a Chinese font prints them."""

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Receipts</title>
<style>
 body {{ font: 15px/1.5 sans-serif; margin: 2em; background: #e2e2e2; color: #222 }}
 section {{ display: flex; flex-wrap: wrap; gap: 1.5em; align-items: flex-start }}
 figure {{ margin: 0 }} img {{ display: block; height: auto }}
 figcaption {{ color: #444 }}
</style>
<h1>Receipts</h1>
<p>Made by <code>make receipts</code>: the real driver, a simulated printer, invented people.
Half the size of the dots; open a picture for more.</p>
{sections}
</html>
"""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One receipt to print."""

    situation: str
    language: str
    columns: int
    raster: bool
    items: tuple[ReceiptItem, ...]

    @property
    def width(self) -> str:
        return "58mm" if self.columns == 32 else "80mm"

    @property
    def name(self) -> str:
        return f"{self.situation}-{self.language}-{self.width}{'-raster' if self.raster else ''}"


@dataclass(frozen=True, slots=True)
class Found:
    """What came of it; `codes_read` is 1 for every QR code that was read back rightly."""

    name: str
    picture: str
    pixels: tuple[int, int]
    oddities: tuple[str, ...]
    codes: int
    codes_read: int

    @property
    def is_well(self) -> bool:
        return not self.oddities and self.codes == self.codes_read


def sheets(only: str | None) -> Iterator[Sheet]:
    names = [only] if only else list(situations(32))
    for situation in names:
        for raster in (False, True) if situation in AS_PICTURES else (False,):
            for language in ("zh", "en"):
                for columns in (32, 48):
                    items = situations(columns, language)[situation]
                    yield Sheet(situation, language, columns, raster, items)


def printed(sheet: Sheet, out: Path) -> Found:
    path = out / f"{sheet.name}.png"
    with desk(sheet.columns, kind="tcp", pictures=sheet.raster) as at:
        at.driver.print_receipt(sheet.items)
        at.sim.save_png(path)
        oddities = at.sim.oddities
    wanted = [item.text for item in sheet.items if isinstance(item, Code)]
    with Image.open(path) as picture:
        read = [code.text for code in zxingcpp.read_barcodes(picture)] if wanted else []
        size = picture.size
    return Found(
        sheet.name, path.name, size, oddities, len(wanted), sum(text in read for text in wanted)
    )


def page(done: Sequence[tuple[Sheet, Found]]) -> str:
    sections = []
    for situation, group in groupby(done, key=lambda pair: pair[0].situation):
        figures = "".join(_figure(sheet, found) for sheet, found in group)
        sections.append(f"<h2>{escape(situation)}</h2>\n<section>{figures}</section>")
    return PAGE.format(sections="\n".join(sections))


def _figure(sheet: Sheet, found: Found) -> str:
    name, file = escape(sheet.name), escape(found.picture)
    return (
        f'<figure><a href="{file}"><img src="{file}" alt="{name}" width="{found.pixels[0] // 2}">'
        f"</a><figcaption>{name}</figcaption></figure>\n"
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, default=Path("receipts-out"))
    parser.add_argument("--only", choices=situations(32), help="one kind of receipt")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    wanted = list(sheets(args.only))
    done = [(sheet, printed(sheet, args.out)) for sheet in track(wanted, "printing")]
    (args.out / "index.html").write_text(page(done), "utf-8")
    report = {"receipts": [asdict(found) for _, found in done]}
    (args.out / "report.json").write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    bad = [found.name for _, found in done if not found.is_well]
    print(f"{len(done)} receipts in {args.out / 'index.html'}, {len(bad)} with something odd {bad}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
