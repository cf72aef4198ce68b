"""From a finished record to the bytes of its receipt: `python tests/tools/bench_receipt.py`.

Prints the median and the 95th percentile in milliseconds, the first time after the
start (fonts are loaded then), and beside them the floor that no program can beat: how
long the bytes take on the line. `--json` for machines; exit code 1 if a limit is passed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from edge.drivers.receipt_bytes import receipt
from edge.drivers.receipt_picture import draw_line
from tests.paper_bench import CODE, record, slip

LIMITS_MS = {"text": 100.0, "raster": 250.0}
SERIAL_BYTES_PER_S = 9600 / 10


@dataclass(frozen=True, slots=True)
class Row:
    """One way to print on one width of paper."""

    what: str
    width: str
    bytes: int
    first_ms: float
    p50_ms: float
    p95_ms: float
    limit_ms: float
    line_s_9600: float
    line_s_115200: float

    @property
    def is_within(self) -> bool:
        return max(self.first_ms, self.p95_ms) <= self.limit_ms


def bytes_of(columns: int, *, raster: bool, code: bool) -> bytes:
    items = slip(record(), columns=columns)
    items = (*items, CODE) if code else items
    return receipt(items, columns, cutter=True, draw=draw_line, pictures=raster)


def timed(columns: int, *, raster: bool, code: bool) -> tuple[int, float]:
    start = time.perf_counter()
    job = bytes_of(columns, raster=raster, code=code)
    return len(job), (time.perf_counter() - start) * 1e3


def rows(rounds: int) -> Iterator[Row]:
    """Text first: the first picture of all loads the font, as on a kiosk."""
    for raster, code in ((False, False), (False, True), (True, False), (True, True)):
        for columns, width in ((32, "58mm"), (48, "80mm")):
            runs = [timed(columns, raster=raster, code=code) for _ in range(rounds + 1)]
            spent = [ms for _, ms in runs[1:]]
            kind = "raster" if raster else "text"
            count = runs[0][0]
            yield Row(
                what=kind + (" with QR" if code else ""),
                width=width,
                bytes=count,
                first_ms=round(runs[0][1], 2),
                p50_ms=round(statistics.median(spent), 2),
                p95_ms=round(statistics.quantiles(spent, n=20)[-1], 2),
                limit_ms=LIMITS_MS[kind],
                line_s_9600=round(count / SERIAL_BYTES_PER_S, 2),
                line_s_115200=round(count / SERIAL_BYTES_PER_S / 12, 2),
            )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=100)
    args = parser.parse_args(argv)
    found = list(rows(args.rounds))
    if args.json:
        print(json.dumps([asdict(row) for row in found], indent=1))
    else:
        _show(found)
    return 0 if all(row.is_within for row in found) else 1


def _show(found: list[Row]) -> None:
    print(f"{'':22}{'bytes':>8}{'first':>9}{'p50':>9}{'p95':>9}{'limit':>7} ms   on the line")
    for row in found:
        print(
            f"{row.what:16}{row.width:6}{row.bytes:8}{row.first_ms:9.2f}{row.p50_ms:9.2f}"
            f"{row.p95_ms:9.2f}{row.limit_ms:7.0f}"
            f"      {row.line_s_9600:.2f} s at 9600, {row.line_s_115200:.2f} s at 115200"
        )


if __name__ == "__main__":
    sys.exit(main())
