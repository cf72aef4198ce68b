"""The stand-in against the sources of the real picamera2: every name it has, they have.

The wheel is fetched once and only read; nothing of it is imported.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import edge.drivers.camera_pi
from tests.camera_bench import library, unload_library

VERSION = "0.3.38"
SHA256 = "ecf34dfb6c987d2c0948debeb3762a27755d5befc674fe210c3fd2ad8e3cd6cc"


@pytest.fixture(scope="module")
def real(request: pytest.FixtureRequest) -> dict[str, ast.Module]:
    """The modules of the wheel by name."""
    folder = Path(request.config.cache.mkdir("picamera2"))  # type: ignore[union-attr]
    wheel = folder / f"picamera2-{VERSION}-py3-none-any.whl"
    if not wheel.exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries=0"]
        pip += ["--only-binary=:all:", f"--dest={folder}", f"picamera2=={VERSION}"]
        if subprocess.run(pip, check=False, capture_output=True, timeout=60).returncode:
            pytest.skip(f"picamera2 {VERSION} cannot be fetched: offline?")
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == SHA256
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith("picamera2/")]
        return {
            name.removeprefix("picamera2/").removesuffix(".py"): ast.parse(archive.read(name))
            for name in names
            if name.endswith(".py")
        }


@pytest.fixture(scope="module")
def fake() -> Iterator[ModuleType]:
    yield library()
    unload_library()


def class_of(module: ast.Module, name: str) -> ast.ClassDef:
    return next(n for n in ast.walk(module) if isinstance(n, ast.ClassDef) and n.name == name)


def methods_of(found: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    """The last definition of a name counts: those before it are overloads."""
    return {node.name: node for node in found.body if isinstance(node, ast.FunctionDef)}


def attributes_of(found: ast.ClassDef) -> set[str]:
    return {
        node.attr
        for node in ast.walk(found)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
        and isinstance(node.ctx, ast.Store)
    }


def constant(module: ast.Module, name: str) -> object:
    """The value of the only assignment to `name`."""
    values = [
        node.value
        for node in ast.walk(module)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == name
    ]
    assert len(values) == 1, name
    return ast.literal_eval(values[0])


CLASSES = {"Picamera2": "picamera2", "CompletedRequest": "request", "Controls": "controls"}


@pytest.mark.parametrize("name", CLASSES)
def test_methods_and_their_parameters_are_real(
    real: dict[str, ast.Module], fake: ModuleType, name: str
) -> None:
    theirs = methods_of(class_of(real[CLASSES[name]], name))
    checked = 0
    for method, ours in vars(getattr(fake, name)).items():
        if method != "__init__" and method.startswith("_"):
            continue
        assert method in theirs or not callable(ours), method
        if inspect.isfunction(inspect.unwrap(getattr(ours, "__func__", ours))):
            function = getattr(ours, "__func__", ours)
            names = list(inspect.signature(function).parameters)
            assert names == [a.arg for a in theirs[method].args.args], method
            checked += 1
    assert checked >= 2


def test_public_attributes_are_real(real: dict[str, ast.Module], fake: ModuleType) -> None:
    found = class_of(real["picamera2"], "Picamera2")
    known = attributes_of(found) | set(methods_of(found))
    device = fake.Picamera2()
    device.close()
    public = {name for name in vars(device) if not name.startswith("_")}
    assert public <= known


def test_configuration_keys_are_real(real: dict[str, ast.Module], fake: ModuleType) -> None:
    configuration = real["configuration"]
    fields = {
        name: set(ast.literal_eval(node.value))
        for name in ("CameraConfiguration", "SensorConfiguration")
        for node in class_of(configuration, name).body
        if isinstance(node, ast.Assign) and node.targets[0].id == "_ALLOWED_FIELDS"  # type: ignore[attr-defined]
    }
    device = fake.Picamera2()
    made = device.create_video_configuration()
    device.close()
    assert set(made) == fields["CameraConfiguration"]
    assert fields["SensorConfiguration"] == {"bit_depth", "output_size"}
    assert constant(real["picamera2"], "valid") == fake.STREAM_KEYS


def test_formats_and_their_byte_order_are_real(
    real: dict[str, ast.Module], fake: ModuleType
) -> None:
    assert constant(real["formats"], "YUV_FORMATS") == fake.YUV_FORMATS
    assert constant(real["formats"], "RGB_FORMATS") == fake.RGB_FORMATS
    assert constant(real["request"], "FORMAT_TABLE") == fake.ORDER


def test_camera_info_is_real(real: dict[str, ast.Module], fake: ModuleType) -> None:
    found = class_of(real["picamera2"], "GlobalCameraInfo")
    keys = {n.target.id for n in found.body if isinstance(n, ast.AnnAssign)}  # type: ignore[union-attr]
    assert set(fake.Picamera2.global_camera_info()[0]) == keys


def test_controls_are_libcamera_s(fake: ModuleType) -> None:
    """Their table (`tests/fakes/libcamera.py`) says where each was looked up."""
    offered = fake.COMMON_CONTROLS | fake.FOCUS_CONTROLS
    for name, (low, high, _) in offered.items():
        found = fake.CONTROLS[name]
        assert not found.out, name
        assert {type(low), type(high)} == {found.kind}, name
        assert not found.values or {low, high} <= set(found.values.values()), name
    source = ast.parse(Path(edge.drivers.camera_pi.__file__).read_text(encoding="utf-8"))
    keys = [n for d in ast.walk(source) if isinstance(d, ast.Dict) for n in d.keys]
    named = {n.value for n in keys if isinstance(n, ast.Constant) and n.value[0].isupper()}
    assert named
    assert named <= set(fake.CONTROLS)


def test_metadata_is_libcamera_s(fake: ModuleType) -> None:
    device = fake.Picamera2()
    device.configure(device.create_video_configuration())
    device.start()
    request = device.capture_request()
    for name, value in request.get_metadata().items():
        assert fake.CONTROLS[name].accepts(value), name
    assert {"SensorTimestamp", "AfState", "Lux"} <= set(request.get_metadata())
    request.release()
    device.close()


def test_the_driver_s_numbers_mean_what_it_thinks(fake: ModuleType) -> None:
    driver = edge.drivers.camera_pi
    assert fake.CONTROLS["AeFlickerMode"].values["Manual"] == driver.FLICKER_MANUAL
    assert fake.CONTROLS["AfMode"].values["Continuous"] == driver.AF_CONTINUOUS


def test_a_zero_gives_exposure_and_gain_back_in_the_real_one_too(
    real: dict[str, ast.Module], fake: ModuleType
) -> None:
    """picamera2 turns it into ExposureTimeMode and AnalogueGainMode, 0 for automatic."""
    sets = [
        ast.unparse(node)
        for node in ast.walk(real["request"])
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("set_control")
    ]
    for name in fake.BACK_TO_AUTOMATIC:
        for mode, value in fake.CONTROLS[f"{name}Mode"].values.items():
            call = f"self.request.set_control(libcamera.controls.{name}Mode, {value})"
            assert call in sets, (name, mode)


def test_what_the_driver_calls_is_real(real: dict[str, ast.Module]) -> None:
    source = ast.parse(Path(edge.drivers.camera_pi.__file__).read_text(encoding="utf-8"))
    device, request = (
        class_of(real["picamera2"], "Picamera2"),
        class_of(real["request"], "CompletedRequest"),
    )
    known = {
        "device": attributes_of(device) | set(methods_of(device)),
        "request": set(methods_of(request)),
    }
    used = [
        (node.value.id, node.attr)
        for node in ast.walk(source)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    ]
    ours = [(name, attribute) for name, attribute in used if name in known]
    assert len(ours) > 8
    assert [pair for pair in ours if pair[1] not in known[pair[0]]] == []


# --- the stand-in is strict ---


@pytest.mark.parametrize(
    "wrong",
    [
        {"main": {"size": (640, 480), "fmt": "BGR888"}},
        {"main": {"size": (640, 480), "format": "RGB"}},
        {"main": {"size": (641, 480), "format": "BGR888"}},
        {"main": {"size": [640, 480], "format": "BGR888"}},
        {"lores": {"size": (1282, 720), "format": "YUV420"}},
        {"lores": {"size": (320, 240), "format": "BGR888"}},
        {"controls": {"AeFlikkerMode": 1}},
        {"controls": {"AfMode": 3}},
        {"controls": {"AfMode": 2.0}},
        {"controls": {"AeEnable": 1}},
        {"controls": {"AnalogueGain": 0.5}},
        {"controls": {"FrameDurationLimits": 50_000}},
        {"controls": {"SensorTimestamp": 1}},
        {"sensor": {"size": (2304, 1296)}},
        {"sensor": {"output_size": (2305, 1296)}},
        {"transform": {"hflip": True}},
        {"brightness": 3},
    ],
    ids=str,
)
def test_the_fake_refuses(fake: ModuleType, wrong: dict[str, object]) -> None:
    device = fake.Picamera2()
    try:
        with pytest.raises((RuntimeError, ValueError, TypeError)):
            device.configure(device.create_video_configuration(**wrong))
        device.configure(device.create_video_configuration(lores={"size": (320, 240)}))
    finally:
        device.close()
