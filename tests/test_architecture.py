"""Who may import whom. The table is the architecture; the code has to follow it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("edge", "cloud_bridge", "provisioning", "tests")

MAY_IMPORT = {
    "edge.domain": {"edge.domain"},
    "edge.session": {"edge.session", "edge.domain"},
    "edge.wire": {"edge.wire", "edge.domain"},
    "edge.ports": {"edge.domain"},
    "edge.drivers.sim": {"edge.drivers.sim", "edge.domain", "edge.ports"},
    "edge.drivers": {"edge.drivers", "edge.domain", "edge.ports"},
    "edge.models": {"edge.models", "edge.domain", "edge.ports"},
    "edge.store": {"edge.store", "edge.domain", "edge.ports"},
    "edge.sync": {"edge.sync", "edge.domain", "edge.ports", "edge.wire"},
    "edge.update": {"edge.update", "edge.domain", "edge.ports", "edge.wire"},
    "edge.ui": {"edge.ui", "edge.domain", "edge.session"},
    "edge.evaluate.scenes": {"edge.evaluate.scenes", "edge.domain", "edge.drivers.sim"},
    "edge.evaluate": {
        "edge.evaluate",
        "edge.domain",
        "edge.ports",
        "edge.models",
        "edge.session.challenges",
        "edge.__version__",
        "edge.drivers.sim",  # the portraits and heads that scenes are made of
    },
    "edge.app": {"edge"},
    "edge.__main__": {"edge"},
    "edge": {"edge"},
    "cloud_bridge": {"cloud_bridge", "edge.wire", "edge.domain"},
    "provisioning": {
        "provisioning",
        "edge.wire",
        "edge.domain",
        "edge.app.config",
        "edge.drivers.sim.scenario",  # the demonstration's days are data
    },
}

PURE = ("edge.domain", "edge.session", "edge.wire", "edge.ports")
BANNED_IN_PURE = {"os", "time", "random", "secrets", "threading", "sqlite3", "socket", "logging"}
THIRD_PARTY_IN_PURE = {"edge.wire": {"cryptography"}}

NAMED_IN_ONE_FILE = {
    "serial": {"edge.drivers.idcard_serial", "edge.drivers.scanner_serial"},
    "zxingcpp": {"edge.drivers.scanner_camera"},
    "escpos": {"edge.drivers.printer_cables"},
    "usb": {"edge.drivers.printer_cables"},
    "picamera2": {"edge.drivers.camera_pi"},
    "libcamera": {"edge.drivers.camera_pi"},
    "gpiozero": {"edge.drivers.panel_gpio"},
    "sqlite_utils": {"edge.store.database"},
    "kivy": {"edge.ui.kivy_app", "edge.ui.widgets"},
    "ai_edge_litert": {"edge.models.runtime"},
    "tflite_runtime": {"edge.models.runtime"},
    "matplotlib": {"edge.evaluate.plots"},
    "tuf": {"edge.update.trust", "cloud_bridge.fleet.repository"},
    "urllib3": {"edge.update.fetch_https"},
    "securesystemslib": {"cloud_bridge.fleet.keys", "cloud_bridge.fleet.repository"},
    "paho": {"edge.sync.mqtt_link", "cloud_bridge.bridge.mqtt_link"},
}

NO_NETWORK = (
    *("edge.app.runner", "edge.app.compose", "edge.app.cameras", "edge.app.camera_process"),
    *("edge.drivers", "edge.models", "edge.ui"),
)
"""The process with the camera has no network."""
LOOPBACK = {
    "edge.drivers.sim.idcard",
    "edge.drivers.sim.idcard_control",
    "edge.drivers.sim.printer_plugs",
}


def modules() -> list[tuple[str, Path]]:
    found = []
    for package in OURS[:3]:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found.append((name.removesuffix(".__init__"), path))
    return found


def imports(path: Path) -> set[str]:
    """Absolute names of everything a file imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def package_of(name: str) -> str:
    """The longest row of the table that covers a module."""
    rows = [row for row in MAY_IMPORT if name == row or name.startswith(row + ".")]
    return max(rows, key=len)


def within(name: str, allowed: set[str]) -> bool:
    return any(name == row or name.startswith(row + ".") for row in allowed)


@pytest.mark.parametrize(("name", "path"), modules(), ids=[name for name, _ in modules()])
def test_first_party_imports_follow_the_table(name: str, path: Path) -> None:
    allowed = MAY_IMPORT[package_of(name)]
    tops = {row.split(".")[0] for row in allowed}
    for imported in imports(path):
        if imported.split(".")[0] not in OURS or imported in tops:
            continue
        prefixes = {row.rpartition(".")[0] for row in allowed}
        assert within(imported, allowed) or imported in prefixes, f"{name} imports {imported}"


@pytest.mark.parametrize("package", PURE)
def test_pure_packages_touch_nothing(package: str) -> None:
    allowed = THIRD_PARTY_IN_PURE.get(package, set()) | {"edge"}
    for name, path in modules():
        if not within(name, {package}):
            continue
        tops = {imported.split(".")[0] for imported in imports(path)}
        assert not tops & BANNED_IN_PURE, f"{name} imports {tops & BANNED_IN_PURE}"
        foreign = tops - set(sys.stdlib_module_names) - allowed
        assert not foreign, f"{name} imports {foreign}"


@pytest.mark.parametrize("library", NAMED_IN_ONE_FILE)
def test_each_vendor_library_is_named_in_its_own_file(library: str) -> None:
    users = {
        name for name, path in modules() if library in {i.split(".")[0] for i in imports(path)}
    }
    assert users <= NAMED_IN_ONE_FILE[library]


def test_the_process_with_the_camera_has_no_network() -> None:
    networks = {"socket", "ssl", "paho", "urllib", "http", "requests", "edge.sync"}
    for name, path in modules():
        # Simulated devices may also be reached over loopback; they never run in production.
        if within(name, set(NO_NETWORK)) and name not in LOOPBACK:
            assert not any(within(i, networks) for i in imports(path)), name


def test_nothing_imports_the_tests() -> None:
    for name, path in modules():
        assert not any(i.split(".")[0] == "tests" for i in imports(path)), name


def test_the_session_imports_with_nothing_installed() -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); import edge.session.machine"
    command = [sys.executable, "-I", "-S", "-c", code, str(ROOT)]
    assert subprocess.run(command, check=False).returncode == 0
