"""How fast files are taken in on a large registry, and what memory that costs.

`python -m tests.tools.bench_import --json bench/import.json` takes files of invented people in on
both engines: looked at, applied, undone. Each file is a process of its own; the county is the one
of `bench_console`, made once. `rows_per_cpu_s` is what a machine with nothing else to do would
come near to. `floor_rows_per_s` is the same file, read by the bare library and put into a table of
texts by the bare driver; nothing in it is looked at.
`--config` uses a registry that is there already (any engine); every file is undone again.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from rich.progress import track

from tests.tools import bench_console

WANTED_ROWS_S = {"csv": 5000, "xlsx": 800}
HEADER = ("name", "id_number", "category", "covered", "region_code", "household")
SIGNALS = ("id_number", "date", "source")
FILES = ("csv new", "csv changed", "csv unchanged", "csv life", "xlsx new", "xlsx changed")
Row = tuple[str, ...]


def main() -> int:
    options = _parser().parse_args()
    if options.file:
        return _child(options)
    report: dict[str, Any] = {
        "people": options.people,
        "rows": options.rows,
        "python": platform.python_version(),
        "load_before": os.getloadavg(),
    }
    if options.config:
        report["files"] = _files(options.config, options, "given")
        slow = _slow(report["files"])
    else:
        report["engines"] = {engine: _of_engine(engine, options) for engine in _engines(options)}
        slow = [f"{on} {file}" for on, files in report["engines"].items() for file in _slow(files)]
    report["load_after"] = os.getloadavg()
    report["too_slow"] = slow
    text = json.dumps(report, indent=2)
    print(text)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(text)
    return 1 if slow else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000, help="how many are there already")
    parser.add_argument("--rows", type=int, default=50_000, help="lines of each file")
    parser.add_argument("--config", type=Path, help="registry.toml of a registry to use")
    parser.add_argument("--engines", default=",".join(bench_console.ENGINES))
    parser.add_argument("--cache", type=Path, default=bench_console.CACHE)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser


def _wanted(file: str) -> int:
    return WANTED_ROWS_S[file.partition(" ")[0]]


def _slow(files: list[dict[str, Any]]) -> list[str]:
    return [f["file"] for f in files if f["rows_per_s"] < _wanted(f["file"])]


def _engines(options: argparse.Namespace) -> list[str]:
    return str(options.engines).split(",")


def _of_engine(engine: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    with bench_console._registry(engine, options) as (config, _seeding):
        return _files(config, options, engine)


def _files(config: Path, options: argparse.Namespace, words: str) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="bench-import-") as name:
        return [_measured(what, config, Path(name), options) for what in track(FILES, words)]


def _measured(what: str, config: Path, folder: Path, options: argparse.Namespace) -> Any:
    arguments = ["--file", what, "--config", str(config), "--folder", str(folder)]
    command = [sys.executable, "-m", "tests.tools.bench_import", *arguments]
    done = subprocess.run(
        [*command, "--rows", str(options.rows)], check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout)


# --- one file, in a process of its own


def _child(options: argparse.Namespace) -> int:
    os.environ["CLOUD_BRIDGE_CONFIG"] = str(options.config)
    os.environ["DJANGO_SETTINGS_MODULE"] = "cloud_bridge.settings"
    import django

    django.setup()
    print(json.dumps(_take_in(options)))
    return 0


def _take_in(options: argparse.Namespace) -> dict[str, Any]:
    from django.utils import timezone

    from cloud_bridge.registry import keyring
    from cloud_bridge.registry.imports import runs, sources, undo
    from cloud_bridge.registry.imports.judging import Scope
    from cloud_bridge.registry.models import ROOT_REGION, ImportRun, Region

    form, _, what = options.file.partition(" ")
    path = options.folder / f"{form}-{what}"
    _write(path, form, what, options.rows)
    vault = keyring.vault()
    kind = ImportRun.Kind.LIFE if what == "life" else ImportRun.Kind.PEOPLE
    scope = Scope(Region.objects.get(pk=ROOT_REGION), vault, timezone.localdate())
    order = runs.Order(sources.of_path(path), kind, scope, "bench", limits=sources.COMMAND_LINE)
    floor_rows_per_s = _floor(path, form)
    before_mib, cpu_s = _peak_mib(), time.process_time()
    run, look_s = _timed(lambda: runs.look(order, timezone.now()))
    if run.faults:
        raise SystemExit(f"{options.file}: {run.errors[:5]}")
    _, apply_s = _timed(lambda: runs.apply(run, order, timezone.now()))
    peak_mib, cpu_s = _peak_mib(), time.process_time() - cpu_s
    _, undo_s = _timed(lambda: undo.undo(run, vault, "bench", "bench", timezone.now()))
    return {
        "file": options.file,
        "rows": run.rows,
        "added": run.added,
        "changed": run.changed,
        "unchanged": run.unchanged,
        "look_s": round(look_s, 2),
        "apply_s": round(apply_s, 2),
        "undo_s": round(undo_s, 2),
        "rows_per_s": round(run.rows / (look_s + apply_s)),
        "cpu_s": round(cpu_s, 2),
        "rows_per_cpu_s": round(run.rows / cpu_s),
        "floor_rows_per_s": floor_rows_per_s,
        "before_mib": before_mib,
        "peak_mib": peak_mib,
    }


def _floor(path: Path, form: str) -> int:
    """Rows of the file that the bare library and the bare driver take in within a second."""
    from django.db import connection, transaction

    began_s, rows = time.monotonic(), _plain_rows(path, form)
    columns = [f"c{n}" for n in range(len(next(rows)))]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bench_floor ({', '.join(f'{c} text' for c in columns)})")
        if connection.vendor == "postgresql":
            with cursor.copy("COPY bench_floor FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join("?" * len(columns))
            cursor.connection.executemany(f"INSERT INTO bench_floor VALUES ({marks})", rows)
        cursor.execute("SELECT count(*) FROM bench_floor")
        (count,) = cursor.fetchone()
        transaction.set_rollback(True)
    return round(count / (time.monotonic() - began_s))


def _plain_rows(path: Path, form: str) -> Iterator[Any]:
    if form == "csv":
        with path.open(newline="") as file:
            yield from csv.reader(file)
        return
    import openpyxl

    with path.open("rb") as file:  # its name has no ending
        book = openpyxl.load_workbook(file, read_only=True)
        yield from book.active.iter_rows(values_only=True)
        book.close()


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began_s = time.monotonic()
    made = work()
    return made, time.monotonic() - began_s


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _write(path: Path, form: str, what: str, rows: int) -> None:
    lines = {"new": _new, "life": _life}.get(what, lambda: _known(what == "changed"))
    head = SIGNALS if what == "life" else HEADER
    chosen = islice(lines(), rows)
    if form == "csv":
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([head, *chosen])
        return
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in (head, *chosen):
        sheet.append(row)
    book.save(path)


def _new() -> Iterator[Row]:
    """Nobody of a seeded county is as old as these."""
    from cloud_bridge.registry import id_number
    from cloud_bridge.registry.models import Region

    places = list(Region.objects.filter(level=5).values_list("code", flat=True)[:400])
    for serial in range(10**7):
        birth = date(1890, 1, 1) + timedelta(days=serial // 900)
        number = id_number.make("100000", birth, serial % 900 + 1)
        home = f"bench-{serial // 2}"
        yield "甲乙丙", number, "dibao", "yes", places[serial % len(places)], home


def _known(changed: bool) -> Iterator[Row]:
    from cloud_bridge.registry import keyring
    from cloud_bridge.registry.models import Person

    vault = keyring.vault()
    people = Person.objects.select_related("household").order_by("person_id")
    for person in people.iterator(1000):
        number = vault.open(person.number_sealed, person.person_id)
        home = person.household.number if person.household else ""
        covered = "yes" if person.covered != changed else "no"
        yield person.name, number, person.category, covered, person.region_id, home


def _life() -> Iterator[Row]:
    day = (date.today() - timedelta(days=3)).isoformat()
    for row in _known(changed=False):
        yield row[1], day, "bench"


if __name__ == "__main__":
    sys.exit(main())
