"""The audit log shows whatever is done to it without the keys (N19, F10)."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction

from cloud_bridge.cli import main
from cloud_bridge.registry import audit, keyring
from cloud_bridge.registry.audit import Broken, Note
from cloud_bridge.registry.models import AuditCheckpoint, AuditEntry, AuditHead
from cloud_bridge.registry.vault import Vault
from tests.fixtures_cloud import NOW, POSTGRESQL, TestRegistry
from tests.unit.cloud.test_cloud_migrations import migrate

ENTRY = "registry_auditentry"
HEAD = "registry_audithead"
CHECKPOINT = "registry_auditcheckpoint"
pytestmark = pytest.mark.engine


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def look(registry: TestRegistry, times: int = 1) -> None:
    for _ in range(times):
        audit.write(registry.vault, "w", "person.view", ("person", "p1"))


def look_in(registry: TestRegistry, chain: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(audit, "_free_head", lambda: AuditHead.objects.get(pk=chain))
        look(registry, 3)


def verdict(registry: TestRegistry) -> Broken | None:
    return audit.first_broken(registry.vault, keyring.sign_key().public_key())


def verdict_after(registry: TestRegistry, harm: str) -> Broken | None:
    """Of what is done and then undone."""
    with transaction.atomic():
        sql(harm)
        found = verdict(registry)
        transaction.set_rollback(True)
    return found


def seal(registry: TestRegistry) -> AuditCheckpoint:
    row = audit.checkpoint(registry.vault, keyring.sign_key(), NOW)
    assert row is not None
    return row


@pytest.fixture
def log(registry: TestRegistry, monkeypatch: pytest.MonkeyPatch) -> TestRegistry:
    """Entries in three chains, with two checkpoints between them."""
    look_in(registry, 2, monkeypatch)
    seal(registry)
    look_in(registry, 7, monkeypatch)
    look_in(registry, 2, monkeypatch)
    seal(registry)
    look(registry, 2)
    return registry


def test_n19_untouched_chains_are_whole(log: TestRegistry) -> None:
    audit.write(log.vault, "w", "person.view", ("person", "p1"), reason="x" * 500)
    assert verdict(log) is None


HARMS_TO_ENTRIES = [
    (f"UPDATE {ENTRY} SET who = 'somebody else' WHERE number = 3", 3),
    (f"UPDATE {ENTRY} SET at = '2020-01-01 00:00:00' WHERE number = 3", 3),
    (f"DELETE FROM {ENTRY} WHERE number = 3", 3),
    (f"UPDATE {ENTRY} SET chain_hash = 'f' WHERE number = 3", 3),
    (f"UPDATE {ENTRY} SET number = 999 WHERE number = 3", 4),
    (f"UPDATE {ENTRY} SET chain = 9, place = 1 WHERE number = 3", 3),
]


def test_n19_the_first_broken_entry_is_named(log: TestRegistry) -> None:
    for harm, named in HARMS_TO_ENTRIES:
        assert verdict_after(log, harm) == Broken("entry", named), harm


def test_n19_entries_cut_off_the_end_are_missed(log: TestRegistry) -> None:
    for chain in (1, 2, 7):
        *_, before, last = AuditEntry.objects.filter(chain=chain).order_by("place")
        cut = f"DELETE FROM {ENTRY} WHERE number = {last.number}"
        assert verdict_after(log, cut) == Broken("end", chain)
        with transaction.atomic():  # and its head too, but for the seal
            sql(f"UPDATE {HEAD} SET number = {before.place} WHERE id = {chain}")
            sql(f"UPDATE {HEAD} SET chain_hash = '{before.chain_hash}' WHERE id = {chain}")
            assert verdict_after(log, cut) == Broken("end", chain)
            transaction.set_rollback(True)


def test_n19_a_chain_that_was_taken_away_is_missed(log: TestRegistry) -> None:
    AuditEntry.objects.filter(chain=7).delete()
    fresh = AuditHead.objects.get(pk=12)
    empty = {"number": 0, "chain_hash": audit.genesis(7), "seal": fresh.seal}
    AuditHead.objects.filter(pk=7).update(**empty)
    assert verdict(log) == Broken("end", 7)
    AuditHead.objects.filter(pk=7).delete()
    assert verdict(log) == Broken("chain", 7)


def test_n19_chains_put_back_with_their_old_seal_do_not_fit_the_checkpoints(
    log: TestRegistry,
) -> None:
    old = list(AuditHead.objects.filter(pk=7).values("number", "chain_hash", "seal"))
    look_at = AuditEntry.objects.filter(chain=7).count()
    for note in range(3):
        with transaction.atomic():
            head = AuditHead.objects.get(pk=7)
            assert head.number == look_at + note
            audit._free_head, kept = (lambda: AuditHead.objects.get(pk=7)), audit._free_head
            try:
                look(log)
            finally:
                audit._free_head = kept
    seal(log)
    AuditEntry.objects.filter(chain=7, place__gt=look_at).delete()
    AuditHead.objects.filter(pk=7).update(**old[0])
    assert verdict(log) == Broken("checkpoint", 3)


HARMS_TO_CHECKPOINTS = [
    (f"UPDATE {CHECKPOINT} SET at = '2020-01-01 00:00:00' WHERE number = 1", 1),
    (f"UPDATE {CHECKPOINT} SET heads = '[]' WHERE number = 2", 2),
    (f"UPDATE {CHECKPOINT} SET signature = 'AAAA' WHERE number = 2", 2),
    (f"DELETE FROM {CHECKPOINT} WHERE number = 1", 1),
    (f"DELETE FROM {CHECKPOINT} WHERE number = 2", 2),
    (f"DELETE FROM {CHECKPOINT}", 1),
]


def test_n19_a_checkpoint_that_was_tampered_with_is_named(log: TestRegistry) -> None:
    for harm, named in HARMS_TO_CHECKPOINTS:
        assert verdict_after(log, harm) == Broken("checkpoint", named), harm


def test_n19_a_checkpoint_made_anew_needs_the_signature(log: TestRegistry) -> None:
    row = AuditCheckpoint.objects.get(number=2)
    row.at += timedelta(days=1)
    row.sha256 = audit.sha256_hex(audit._statement(row))
    row.save()
    entry = AuditEntry.objects.get(action=audit.CHECKPOINT, object_id="2")
    assert entry.reason != row.sha256
    assert verdict(log) == Broken("checkpoint", 2)


def test_n19_an_entry_made_without_the_key_is_found(log: TestRegistry) -> None:
    audit.write(Vault(b"\0" * 32), "thief", "person.view", ("person", "p1"))
    assert verdict(log) == Broken("entry", AuditEntry.objects.latest("number").number)


def test_n19_an_entry_added_behind_the_head_is_found(log: TestRegistry) -> None:
    last = AuditEntry.objects.filter(chain=1).latest("place")
    last.pk, last.place = None, last.place + 1
    last.save(force_insert=True)
    assert verdict(log) == Broken("end", 1)


def test_f10_a_hundred_random_tamperings_are_all_found(log: TestRegistry) -> None:
    chance = random.Random(7)
    numbers = list(AuditEntry.objects.values_list("number", flat=True))
    harms: list[Callable[[int], str]] = [
        lambda n: f"DELETE FROM {ENTRY} WHERE number = {n}",
        lambda n: f"DELETE FROM {ENTRY} WHERE number >= {n}",
        lambda n: f"UPDATE {ENTRY} SET reason = 'x' WHERE number = {n}",
        lambda n: f"UPDATE {ENTRY} SET region_code = '1' WHERE number = {n}",
        lambda n: f"UPDATE {ENTRY} SET object_id = 'p2' WHERE number = {n}",
        lambda n: f"UPDATE {ENTRY} SET place = place + 100 WHERE number = {n}",
        lambda n: f"UPDATE {HEAD} SET number = number + 1 WHERE id = {n % audit.CHAINS + 1}",
        lambda n: f"DELETE FROM {HEAD} WHERE id = {n % audit.CHAINS + 1}",
    ]
    for _ in range(100):
        harm = chance.choice(harms)(chance.choice(numbers))
        assert verdict_after(log, harm) is not None, harm
    assert verdict(log) is None


def test_a_checkpoint_is_made_when_there_is_something_to_bind(log: TestRegistry) -> None:
    assert seal(log).number == 3
    assert audit.checkpoint(log.vault, keyring.sign_key(), NOW) is None
    look(log)
    assert seal(log).number == 4


def test_entries_that_belong_together_are_written_together(registry: TestRegistry) -> None:
    notes = [Note("k", "record.filed", ("record", f"r{number}")) for number in range(50)]
    before = AuditEntry.objects.count()
    audit.write_all(registry.vault, notes, NOW)
    rows = AuditEntry.objects.filter(action="record.filed").order_by("number")
    assert [row.object_id for row in rows] == [f"r{number}" for number in range(50)]
    assert AuditEntry.objects.count() == before + 50
    assert verdict(registry) is None


def test_no_number_that_somebody_typed_as_a_reason_is_kept(registry: TestRegistry) -> None:
    number = "100000194508150018"
    audit.write(registry.vault, "li", "x", ("person", "p1"), reason=f"核对 {number} 本人")
    assert AuditEntry.objects.get(action="x").reason == "核对 [number] 本人"
    assert verdict(registry) is None


@pytest.mark.skipif(not POSTGRESQL, reason="SQLite has one writer at a time")
def test_nobody_waits_for_somebody_elses_chain(registry: TestRegistry) -> None:
    """Eight at once, all in the middle of their transactions, each in a chain of its own."""
    everybody = threading.Barrier(8, timeout=20)

    def somebody() -> None:
        with transaction.atomic():
            look(registry)
            everybody.wait()
            look(registry)
        connection.close()

    threads = [threading.Thread(target=somebody) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not everybody.broken
    rows = AuditEntry.objects.filter(action="person.view")
    assert rows.count() == 16
    assert len(set(rows.values_list("chain", flat=True))) >= 8
    assert verdict(registry) is None


def test_the_one_chain_of_before_goes_on(empty_database: str) -> None:
    old = migrate("0026_people_list")
    vault = keyring.vault()
    previous, entries = audit.NO_HASH, old.get_model("registry", "AuditEntry").objects
    for number in (1, 2, 3):
        row = AuditEntry(
            place=number, at=NOW, who="w", action="a", object_kind="k", object_id="o",
            reason="", region_code="0" * 12,
        )  # fmt: skip
        previous = vault.audit_hash(previous, audit._content(row))
        entries.create(
            number=number, at=NOW, who="w", action="a", object_kind="k", object_id="o",
            region_code="0" * 12, chain_hash=previous,
        )  # fmt: skip
    old.get_model("registry", "AuditHead").objects.filter(pk=1).update(
        number=3, chain_hash=previous
    )
    migrate("0027_audit_chains")
    assert audit.first_broken(vault) is None
    audit.write(vault, "w", "a", ("k", "o"))
    assert AuditEntry.objects.get(place=4).number == 4
    assert audit.first_broken(vault) is None
    AuditEntry.objects.filter(number=2).update(who="x")
    assert audit.first_broken(vault) == Broken("entry", 2)


def test_the_days_digest_is_printed_and_found_again(
    log: TestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> int:
        return main(["--config", str(log.config), "audit", *arguments])

    assert run("checkpoint") == 0
    capsys.readouterr()
    assert run("digest") == 0
    paper = capsys.readouterr().out
    newest = AuditCheckpoint.objects.latest("number")
    code = "".join(paper.split("digest")[-1].split()[:16])
    assert code == newest.sha256
    assert run("verify", "--digest", newest.sha256[:32]) == 0
    assert "checkpoint 3" in capsys.readouterr().out
    assert run("verify", "--digest", "0" * 64) == 1
    assert "not in this log" in capsys.readouterr().err
    sql(f"UPDATE {ENTRY} SET who = 'x' WHERE number = 2")
    assert run("verify") == 1
    assert "entry 2" in capsys.readouterr().err
    assert run("digest", "--day", "2020-01-01") == 1
