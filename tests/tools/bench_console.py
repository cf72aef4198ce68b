"""What the console costs on a large county, on both engines, beside what a plain SELECT costs.

`python -m tests.tools.bench_console --people 1000000 --json docs/reports/console-….json`

The county is invented once and kept in the cache folder (outside of the project) until the
seed or the tables change. Every figure of a page is the time of one whole request in the
server: session, roles, questions, audit entry, template; `page_cpu` is what the server's own
process computed meanwhile, which other work on the machine does not lengthen. `floor` is one
SELECT of the same page through the bare driver, written as one would without thinking of indexes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.fixtures_cloud import TOML, write_keys
from tests.postgres import Cluster, _stop, binaries

ROOT = Path(__file__).parents[2]
REGISTRY = ROOT / "cloud_bridge" / "registry"
ENGINES = ("sqlite", "postgresql")
CACHE = Path(tempfile.gettempdir()) / "jianzai-bench-console"
WANTED = {"page_p95_ms": 150, "due_p95_ms": 300, "export_peak_mb": 200}


def main() -> int:
    options = _parser().parse_args()
    report: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine(),
        "people": options.people,
        "load_before": os.getloadavg(),
        "engines": {},
    }
    for engine in options.engines.split(","):
        with _registry(engine, options) as (config, seeding):
            found = _measured(config, options)
            report["engines"][engine] = seeding | found | {"load": os.getloadavg()}
    report["missed"] = list(_missed(report["engines"]))
    text = json.dumps(report, indent=2, ensure_ascii=False)
    print(text)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(text + "\n")
    return 1 if report["missed"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=600, help="how many pages; 0: all")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--imports", type=int, default=0, metavar="ROWS", help="take files in too")
    parser.add_argument("--json", type=Path)
    return parser


def _machine() -> dict[str, Any]:
    cpu = Path("/proc/cpuinfo").read_text().split("model name", 2)[1].split("\n")[0].strip("\t: ")
    return {"cpu": cpu, "cores": os.cpu_count(), "python": platform.python_version()}


def _missed(engines: dict[str, Any]) -> Iterator[str]:
    for engine, found in engines.items():
        for name, most in WANTED.items():
            if found[name] > most:
                yield f"{engine} {name}: {found[name]}, wanted {most}"


# --- the county


@contextmanager
def _registry(engine: str, options: argparse.Namespace) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The configuration of a filled registry, and how it was filled."""
    folder = options.cache / f"{options.people}-{_fingerprint()}" / engine
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "registry.toml"
    if not (folder / "id.key").exists():
        write_keys(folder)
    if engine == "sqlite":
        config.write_text(TOML)
        yield config, _filled(config, options.people)
        return
    if binaries() is None:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
    with _Kept(folder / "cluster") as cluster:
        config.write_text(TOML.replace("registry.sqlite3", cluster.url("registry")))
        yield config, _filled(config, options.people)


def _fingerprint() -> str:
    """Of everything that the county depends on."""
    made = hashlib.sha256()
    for name in ("seed.py", "invented.py"):
        made.update((REGISTRY / name).read_bytes())
    for path in sorted((REGISTRY / "migrations").glob("0*.py")):
        made.update(path.read_bytes())
    return made.hexdigest()[:10]


def _filled(config: Path, people: int) -> dict[str, Any]:
    """A county that was begun and not finished is made anew by hand: the message says where."""
    done = config.with_name("seed.json")
    if not done.exists():
        _bridge(config, "migrate")
        began, before = datetime.now(UTC), resource.getrusage(resource.RUSAGE_CHILDREN)
        _bridge(config, "seed", "--people", str(people))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = (datetime.now(UTC) - began).total_seconds()
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        told = {"seed_s": seconds, "seed_people_per_s": people / seconds, "seed_cpu_s": cpu_s}
        done.write_text(json.dumps(told))
    found: dict[str, Any] = json.loads(done.read_text())
    return found


def _bridge(config: Path, *words: str) -> None:
    command = [sys.executable, "-m", "cloud_bridge", "--config", str(config), *words]
    if subprocess.run(command, check=False, cwd=ROOT).returncode:
        raise SystemExit(f"cannot {words[0]}; if it is half done, delete {config.parent}")


class _Kept(Cluster):
    """A cluster whose folder stays."""

    def __init__(self, folder: Path) -> None:
        super().__init__(durable=True)
        self._folder = folder

    def __enter__(self) -> _Kept:
        kept = self._folder.with_name("password")
        if kept.exists():
            self.password = kept.read_text()
            self._start()
            return self
        self._folder.mkdir(parents=True)
        self._make()
        self._start()
        self.create("registry")
        kept.write_text(self.password)
        kept.chmod(0o600)
        return self

    def __exit__(self, *_how: object) -> None:
        _stop(self._process)


# --- the figures


def _measured(config: Path, options: argparse.Namespace) -> dict[str, Any]:
    found = _child(config, "pages", str(options.questions))
    for form in ("csv", "xlsx"):
        found |= _child(config, form)
    found["export_peak_mb"] = max(found["csv_peak_mb"], found["xlsx_peak_mb"])
    if options.imports:
        found["imports"] = _imports(config, options.imports)
    return found


def _child(config: Path, *words: str) -> dict[str, Any]:
    """In a process of its own, so that its memory is its own."""
    command = [sys.executable, "-m", "tests.tools.bench_console_child", str(config), *words]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _imports(config: Path, rows: int) -> Any:
    command = [sys.executable, "-m", "tests.tools.bench_import", "--config", str(config)]
    done = subprocess.run(
        [*command, "--rows", str(rows)], check=False, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    return json.loads(done.stdout)["files"]


if __name__ == "__main__":
    sys.exit(main())
