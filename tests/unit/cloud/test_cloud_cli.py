"""The command line: exit codes, words on the right stream, one run as a real process."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.cli import main
from cloud_bridge.registry.models import (
    AuditEntry,
    Certification,
    ChainState,
    Device,
    Quarantine,
)
from edge.wire.envelope import Chain
from tests.fixtures_broker import free_port
from tests.fixtures_cloud import NOW, TestRegistry, copy_keys, unpack, write_keys


def command(registry: TestRegistry, *arguments: str) -> int:
    return main(["--config", str(registry.config), *arguments])


def test_records_show_tells_filed_quarantined_and_unknown(
    registry: TestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    kiosk = registry.kiosk(demo=True)
    filed, aside = kiosk.record(provenance="simulated"), kiosk.record()
    registry.ingest.ingest([Arrival("k-001", filed), Arrival("k-001", aside)], NOW)
    expected = (
        (unpack(filed)["id"], 0, {"status": "filed", "provenance": "simulated"}),
        (unpack(aside)["id"], 0, {"status": "quarantined", "reasons": ["demo_device_live"]}),
        ("nobody", 3, {"status": "unknown"}),
    )
    for record_id, code, fields in expected:
        capsys.readouterr()
        assert command(registry, "records", "show", record_id, "--json") == code
        told = json.loads(capsys.readouterr().out)
        assert told["record_id"] == record_id
        assert fields.items() <= told.items()


def aside(registry: TestRegistry, payload: bytes, kiosk_id: str = "k-001") -> Quarantine:
    """A record that was kept aside, as a row."""
    registry.ingest.ingest([Arrival(kiosk_id, payload)], NOW)
    return Quarantine.objects.get()


def test_quarantine_list_and_show_tell_no_content(
    registry: TestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    payload = registry.kiosk(demo=True).record()
    row = aside(registry, payload)
    record_id = unpack(payload)["id"]
    capsys.readouterr()
    assert command(registry, "quarantine", "list", "--json") == 0
    [listed] = json.loads(capsys.readouterr().out)
    expected = {"id": row.pk, "record_id": record_id, "reason": "demo_device_live", "times": 1}
    assert expected.items() <= listed.items()
    assert command(registry, "quarantine", "list") == 0
    assert f"{row.pk} " in capsys.readouterr().out
    for arguments in (["--json"], []):
        assert command(registry, "quarantine", "show", str(row.pk), *arguments) == 0
        shown = capsys.readouterr().out
        assert record_id in shown
        assert "epoch-1" in shown
        assert unpack(payload)["body"] not in shown
    assert command(registry, "quarantine", "show", "999") == 3
    assert command(registry, "quarantine", "refile", "999") == 3


def test_a_record_is_refiled_once_its_reason_is_gone(
    registry: TestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    payload = registry.kiosk(demo=True).record()
    row = aside(registry, payload)
    refile = ("quarantine", "refile", str(row.pk), "--json")
    capsys.readouterr()
    assert command(registry, *refile) == 1
    assert json.loads(capsys.readouterr().out)["status"] == "demo_device_live"
    assert Quarantine.objects.get().times == 1
    Device.objects.update(simulated_only=False)
    assert command(registry, *refile) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "filed"
    filed = Certification.objects.get()
    assert bytes(filed.envelope) == payload
    assert filed.counts
    assert not Quarantine.objects.exists()
    assert ChainState.objects.get().highest == 1
    log = AuditEntry.objects.filter(action="quarantine.refile").order_by("number")
    assert [(entry.object_id, entry.reason) for entry in log] == [
        (filed.record_id, "demo_device_live"),
        (filed.record_id, "filed"),
    ]
    [reply] = registry.ingest.ingest([Arrival("k-001", payload)], NOW)
    assert reply.ack.status.value == "known"
    assert command(registry, *refile) == 3


def test_refiling_repeats_every_check(
    registry: TestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    kiosk = registry.kiosk()
    payload = kiosk.record()
    fork = kiosk.wrap(kiosk.body(), chain=Chain("epoch-1", 1, ""))
    other = kiosk.wrap(kiosk.body() | {"record_id": unpack(payload)["id"], "outcome": "declined"})
    hollow = kiosk.record(consent=None)
    for bad in (payload, fork, other, hollow, b"x" * 100_000):
        registry.ingest.ingest([Arrival("k-001", bad)], NOW)
    rows = list(Quarantine.objects.order_by("pk"))
    assert [row.reason for row in rows] == ["fork", "other_bytes", "inconsistent", "form"]
    for row, why in zip(rows, ["fork", "other_bytes", "inconsistent", "not_whole"], strict=True):
        capsys.readouterr()
        assert command(registry, "quarantine", "refile", str(row.pk), "--json") == 1
        assert json.loads(capsys.readouterr().out)["status"] == why
    assert [row.reason for row in Quarantine.objects.order_by("pk")] == [r.reason for r in rows]
    assert Certification.objects.count() == 1


def test_a_kiosk_that_was_unknown_can_be_refiled_once_it_is_added(registry: TestRegistry) -> None:
    kiosk = registry.kiosk("k-009")
    kept = list(Device.objects.filter(pk="k-009").values())
    Device.objects.all().delete()
    row = aside(registry, kiosk.record(), "k-009")
    assert (row.kiosk_id, row.reason) == ("", "sender")
    assert command(registry, "quarantine", "refile", str(row.pk)) == 1
    Device.objects.create(**kept[0])
    assert command(registry, "quarantine", "refile", str(row.pk)) == 0
    assert Certification.objects.get().device_id == "k-009"


def test_records_list_is_newest_first(
    registry: TestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    kiosk = registry.kiosk()
    for provenance in ("live", "simulated"):
        registry.ingest.ingest([Arrival("k-001", kiosk.record(provenance=provenance))], NOW)
    capsys.readouterr()
    assert command(registry, "records", "list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["provenance"] for row in rows} == {"live", "simulated"}
    assert command(registry, "records", "list", "--limit", "1") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_accounts_and_rosters(
    registry: TestRegistry,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("a good long password\n"))
    assert command(registry, "account", "add", "li", "--role", "worker", "--password-stdin") == 0
    assert "password" not in capsys.readouterr().out
    assert command(registry, "account", "add", "li", "--role", "worker", "--region", "7") == 2
    assert "region 7" in capsys.readouterr().err
    for switch in ("disable", "enable"):
        assert command(registry, "account", switch, "li") == 0
        assert f"account li: {switch}d" in capsys.readouterr().out
        assert command(registry, "account", switch, "nobody") == 2
        assert "nobody" in capsys.readouterr().err
    assert command(registry, "roster", "push", "--device", "k-404") == 2
    assert "k-404" in capsys.readouterr().err
    assert command(registry, "roster", "push") == 0


def test_imports_say_what_was_wrong(
    registry: TestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    path = registry.folder / "people.csv"
    assert command(registry, "people", "import", str(path)) == 2
    assert "people.csv" in capsys.readouterr().err
    path.write_text("nonsense\n")
    assert command(registry, "people", "import", str(path)) == 1
    assert "nothing imported" in capsys.readouterr().err


def test_audit_verify_names_the_entry(
    registry: TestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    from cloud_bridge.registry.models import AuditEntry

    assert command(registry, "audit", "verify") == 0
    AuditEntry.objects.filter(number=2).update(who="x")
    assert command(registry, "audit", "verify") == 1
    assert "entry 2" in capsys.readouterr().err


def test_a_bad_configuration_is_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "registry.toml"
    path.write_text("colour = 'blue'\n")
    assert main(["--config", str(path), "migrate"]) == 2
    error = capsys.readouterr().err
    assert "registry.toml" in error
    assert "colour" in error
    assert "allowed" in error


@pytest.mark.parametrize("arguments", [[], ["--config", "x"], ["--config", "x", "dance"]])
def test_wrong_use_is_exit_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "python -m cloud_bridge --config" in capsys.readouterr().out


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5"])
def test_the_console_does_not_listen_to_others_without_tls(
    registry: TestRegistry, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    assert command(registry, "console", "--host", host) == 2
    error = capsys.readouterr().err
    assert host in error
    assert "public_origin" in error


@contextlib.contextmanager
def console(folder: Path, toml: str) -> Iterator[int]:
    """A console as a process; yields its port."""
    (folder / "registry.toml").write_text(toml)
    config, port = str(folder / "registry.toml"), free_port()
    command = [sys.executable, "-m", "cloud_bridge", "--config", config, "console"]
    process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert process.stdout.readline() == f"console on http://127.0.0.1:{port}/\n"
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=10)


def post_to_the_door(port: int, **headers: str) -> tuple[bool, list[str]]:
    """Sign in with the page's own token: whether the form was read, and the cookies."""
    server = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    server.request("GET", "/sign-in/", headers=headers)
    page = server.getresponse()
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
    cookies = page.headers.get_all("Set-Cookie") or []
    assert token
    fields = urlencode({"csrfmiddlewaretoken": token[1], "username": "x", "password": "y"})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    cookie = {"Cookie": cookies[0].partition(";")[0]}
    server.request("POST", "/sign-in/", fields, headers | kind | cookie)
    answer = server.getresponse()
    text = answer.read().decode()
    server.close()
    return ('role="alert"' in text), cookies


def test_behind_tls_cookies_are_secure_and_forms_work(registry: TestRegistry) -> None:
    copy_keys(registry.folder)
    behind = {
        "Host": "console.example.cn",
        "X-Forwarded-Proto": "https",
        "Origin": "https://console.example.cn",
        "Referer": "https://console.example.cn/sign-in/",
    }
    toml = registry.toml.replace(
        "[broker]", 'public_origin = "https://console.example.cn"\n[broker]'
    )
    with console(registry.folder, toml) as port:
        reached, cookies = post_to_the_door(port, **behind)
        assert reached, "the form came through, only the password was wrong"
        assert all("Secure" in cookie for cookie in cookies)
        assert all(cookie.startswith("__Host-") for cookie in cookies)
        foreign = behind | {"Origin": "https://evil.example", "Referer": "https://evil.example/"}
        assert not post_to_the_door(port, **foreign)[0]
        del foreign["Origin"]  # asked for over https only, so the proxy's word was heard
        assert not post_to_the_door(port, **foreign)[0]
    with console(registry.folder, registry.toml) as port:
        reached, cookies = post_to_the_door(port)
        assert reached
        assert not any("Secure" in cookie for cookie in cookies)


def test_a_fresh_registry_as_processes(tmp_path: Path) -> None:
    write_keys(tmp_path)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        prefix = [sys.executable, "-W", "error", "-m", "cloud_bridge"]
        return subprocess.run(
            [*prefix, "--config", str(tmp_path / "registry.toml"), *arguments],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    for _ in range(2):
        done = run("migrate")
        assert (done.returncode, done.stderr) == (0, "")
    done = run("demo-data")
    assert done.returncode == 0, done.stderr
    for role in ("worker", "supervisor", "county", "auditor", "operator"):
        assert f"demo-{role}  " in done.stdout
    assert run("records", "show", "nobody").returncode == 3
    (tmp_path / "id.key").unlink()
    done = run("audit", "verify")
    assert done.returncode == 2
    assert "id.key" in done.stderr
