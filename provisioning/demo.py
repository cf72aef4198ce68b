"""`make demo`: one card, one receipt, on this machine.

Real broker, registry, console, kiosk and sync process, each a process of its
own, talking as they would in a hall; only the devices are simulated. What
came of it lies in the output folder: a picture of every screen, the receipt,
the console, and `summary.json`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.domain.errors import ConfigError, KioskError
from edge.drivers.sim.scenario import SCENARIOS
from provisioning.console_picture import take_picture
from provisioning.processes import Processes, accepts, free_port
from provisioning.site import make_site

KIOSK = "K-0001"
DEMO_STREET = "100101001000"
"""Region of the demonstration's clerk, in the registry's invented province."""
VISIT_S = 300.0
FILED_S = 60.0
_OURS = ("run", "screens", "receipt.png", "console.png", "kiosk.json", "summary.json")


def run(scenario: str, camera: str, out: Path, *, stay: bool) -> int:
    """Show the main job; 0 when the record is filed at the registry."""
    if scenario not in SCENARIOS:
        raise ConfigError("SCENARIO", f"{scenario!r} is not one of: {', '.join(SCENARIOS)}")
    _with_camera("", camera)
    return Demo(scenario, camera, out.resolve(), stay=stay).run()


class Demo:
    """One demonstration, from an empty folder to a summary."""

    def __init__(self, scenario: str, camera: str, out: Path, *, stay: bool) -> None:
        self._scenario = scenario
        self._camera = camera
        self._out = out
        self._stay = stay or camera == "webcam"
        self._seconds: dict[str, float] = {}
        self._accounts: dict[str, str] = {}
        self._badge = ""
        self._filed: dict[str, Any] = {}

    def run(self) -> int:
        _end_on_sigterm()
        self._empty_out()
        self._broker_port = free_port(8883)
        self._console_port = free_port(8080)
        with Processes(self._out / "run" / "logs") as processes:
            self._processes = processes
            self._step("site: keys, certificates, settings", self._make_site)
            self._step("registry: database, invented people, demo accounts", self._fill_registry)
            self._step("broker: mosquitto with mutual TLS", self._broker)
            self._step("registry: bridge and console", self._start_registry)
            self._step("sync process: connected, roster received", self._start_sync)
            if self._scenario == "broker-gone":
                self._step("broker: taken away", self._lose_broker)
            self._step(f"kiosk: {self._scenario}", self._visit)
            if self._scenario == "broker-gone":
                self._step("broker: back again", self._broker)
            self._step("registry: record filed and acknowledged", self._await_filed)
            self._step("console: picture", self._picture)
            summary = self._summarise()
            self._tell(summary)
            if self._stay:
                self._keep_up()
        return 0

    # --- steps ---

    def _step(self, words: str, work: Callable[[], None]) -> None:
        """Do one step, say it and how long it took."""
        started = time.monotonic()
        if sys.stdout.isatty():
            print(f"[  …    ] {words}", end="\r", flush=True)
        work()
        spent = time.monotonic() - started
        self._seconds[words] = round(spent, 2)
        print(f"[{spent:5.1f} s] {words}", flush=True)

    def _empty_out(self) -> None:
        """Only what an earlier demonstration made is removed."""
        for name in _OURS:
            path = self._out / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        self._out.mkdir(parents=True, exist_ok=True)

    def _make_site(self) -> None:
        self._site = make_site(
            self._out / "run" / "site",
            [KIOSK],
            broker_port=self._broker_port,
            console_port=self._console_port,
        )
        settings = self._site.kiosk(KIOSK) / "site.toml"
        settings.write_text(_with_camera(settings.read_text("utf-8"), self._camera), "utf-8")

    def _fill_registry(self) -> None:
        self._cloud("migrate")
        lines = self._cloud("demo-data").splitlines()
        self._accounts = dict(line.split(maxsplit=1) for line in lines if line.startswith("demo-"))
        badges = (line.split(maxsplit=1)[1] for line in lines if line.startswith("kiosk-badge"))
        self._badge = next(badges)
        keys = str(self._site.kiosk(KIOSK))
        device = ["--id", KIOSK, "--site", "示范社区服务中心", "--region", DEMO_STREET]
        self._cloud("device", "add", *device, "--keys", keys)
        self._cloud("roster", "push")

    def _broker(self) -> None:
        self._processes.start("broker", ["/usr/sbin/mosquitto", "-c", str(self._site.broker_conf)])
        port = self._broker_port
        self._processes.until(lambda: accepts(port), "broker", "the broker's port", 10)

    def _lose_broker(self) -> None:
        self._processes.stop("broker")
        self._processes.until(lambda: not self._status()["link_up"], "sync", "the loss", 30)

    def _start_registry(self) -> None:
        self._processes.start("bridge", self._cloud_command("bridge"))
        self._processes.start("console", self._cloud_command("console"))
        port = self._console_port
        self._processes.until(lambda: accepts(port), "console", "the console's port", 30)

    def _start_sync(self) -> None:
        """The visitor comes when the roster is there, so the kiosk's disk is made beforehand."""
        _output(self._edge_command("simulate", "--make-disk"), (0,))
        self._processes.start("sync", self._edge_command("sync"))
        self._processes.until(
            lambda: bool(self._status()["roster_received"]),
            "sync",
            "the roster",
            30,
        )

    def _visit(self) -> None:
        command = self._edge_command("simulate", "--scenario", self._scenario)
        command += ["--out", str(self._out)]
        if self._camera == "webcam":
            command.append("--yourself")
        env = {} if _has_display() else {"SDL_VIDEODRIVER": "offscreen"}
        if self._camera == "webcam":
            # In the foreground: the question about the picture is asked in this terminal.
            if subprocess.run(command, check=False, env={**os.environ, **env}).returncode != 0:
                raise KioskError("the kiosk ended; what it said stands above")
            return
        self._processes.start("kiosk", command, env)
        if self._processes.wait("kiosk", VISIT_S) != 0:
            raise KioskError(f"the visit did not end well\n{self._processes.tail('kiosk')}")

    def _await_filed(self) -> None:
        record_id = self._kiosk_facts().get("record_id")
        if record_id is None:
            raise KioskError("the visit left no record")
        self._processes.until(
            lambda: self._is_filed(record_id) and self._status()["waiting"] == 0,
            "sync",
            f"record {record_id} at the registry",
            FILED_S,
        )

    def _is_filed(self, record_id: str) -> bool:
        answer = self._cloud("records", "show", record_id, "--json", allowed=(0, 3))
        self._filed = json.loads(answer)
        return bool(self._filed["status"] == "filed")

    def _picture(self) -> None:
        url = f"http://127.0.0.1:{self._console_port}/"
        name, password = next(iter(self._accounts.items()))
        record_id = self._kiosk_facts()["record_id"]
        take_picture(url, name, password, f"rehearsals/{record_id}/", self._out / "console.png")

    # --- results ---

    def _kiosk_facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self._out / "kiosk.json").read_text("utf-8"))
        return facts

    def _summarise(self) -> dict[str, Any]:
        facts = self._kiosk_facts()
        summary = {
            "scenario": self._scenario,
            **facts,
            "registry": self._filed["status"],
            "registry_record": self._filed,
            "seconds": {**self._seconds, **{f"kiosk:{k}": v for k, v in facts["seconds"].items()}},
            "versions": _versions(facts),
        }
        (self._out / "kiosk.json").unlink()
        text = json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
        (self._out / "summary.json").write_text(text, "utf-8")
        return summary

    def _tell(self, summary: dict[str, Any]) -> None:
        print(f"\noutcome     {summary['outcome']}  ({summary['provenance']})")
        print(f"record      {summary['record_id']}")
        print(f"registry    {summary['registry']}")
        printed = summary["receipt"] == "printed"
        paper = self._out / "receipt.png" if printed else "its number is on the screen"
        print(f"receipt     {summary['receipt']}  {paper}")
        print(f"console     {self._out / 'console.png'}")
        print(f"screens     {len(summary['screens'])} pictures in {self._out / 'screens'}")
        print(f"summary     {self._out / 'summary.json'}")
        print(f"accounts    {', '.join(' '.join(pair) for pair in self._accounts.items())}")
        print(f"badge       {self._badge}  (员工入口 on the first screen of the kiosk)")

    def _keep_up(self) -> None:
        print(f"\nconsole     http://127.0.0.1:{self._console_port}/  (accounts above)")
        print("everything stays up; Ctrl-C ends it")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            print()

    # --- commands ---

    def _cloud(self, *arguments: str, allowed: tuple[int, ...] = (0,)) -> str:
        return _output(self._cloud_command(*arguments), allowed)

    def _cloud_command(self, *arguments: str) -> list[str]:
        config = str(self._site.registry / "registry.toml")
        return [sys.executable, "-m", "cloud_bridge", "--config", config, *arguments]

    def _edge_command(self, command: str, *arguments: str) -> list[str]:
        settings = str(self._site.kiosk(KIOSK) / "site.toml")
        return [sys.executable, "-m", "edge", command, "--site", settings, *arguments]

    def _status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(_output(self._edge_command("status", "--json"), (0,)))
        return status


def _output(command: list[str], allowed: tuple[int, ...]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in allowed:
        raise KioskError(f"{' '.join(command[2:])} failed:\n{done.stderr.strip()}")
    return done.stdout


def _with_camera(settings: str, camera: str) -> str:
    """The site file with another camera. Raises `ConfigError` for a word we do not know."""
    kind, _, path = camera.partition(":")
    if camera == "resident":
        return settings
    if camera == "webcam":
        devices = 'camera = "opencv"'
    elif kind == "file" and path:
        if not Path(path).is_file():
            raise ConfigError("CAMERA", f"there is no file {path}")
        devices = f'camera = "file"\ncamera_source = {json.dumps(str(Path(path).resolve()))}'
    else:
        raise ConfigError("CAMERA", f"{camera!r} is not one of: resident, webcam, file:PATH")
    return settings.replace('camera = "sim"', devices)


def _versions(facts: dict[str, Any]) -> dict[str, str]:
    from importlib.metadata import version

    names = ("kivy", "ai-edge-litert", "paho-mqtt", "django", "numpy", "sqlite-utils")
    return {"jianzai": facts.get("software", ""), **{name: version(name) for name in names}}


def _has_display() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _end_on_sigterm() -> None:
    """An ordinary end, so that every child process is stopped too."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
