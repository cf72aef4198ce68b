"""Face templates: apart, encrypted, gone when somebody withdraws."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from edge.domain.errors import StoreError
from edge.domain.people import PersonId
from edge.store.templates import Template, TemplateStore

KEY = b"t" * 32
NOBODY = 65534
WANG, LI = PersonId("p-wang"), PersonId("p-li")


def template(person_id: PersonId, day: int = 31) -> Template:
    return Template(person_id, "ab" * 32, date(2027, 3, day), b"\x3f\x80" * 256)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TemplateStore]:
    with closing(TemplateStore(tmp_path / "templates", KEY)) as opened:
        yield opened


def on_disk(tmp_path: Path) -> bytes:
    return b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_template_is_found_again_and_lies_encrypted(store: TemplateStore, tmp_path: Path) -> None:
    assert store.find(WANG) is None
    store.put(template(WANG, 1))
    store.put(template(WANG, 31))
    assert store.find(WANG) == template(WANG, 31)
    assert template(WANG).embedding[:16] not in on_disk(tmp_path)
    assert "embedding" not in repr(template(WANG))
    assert [row.person_id for row in store.rows()] == [WANG]


def test_another_key_or_another_person_opens_nothing(store: TemplateStore, tmp_path: Path) -> None:
    store.put(template(WANG))
    store.put(template(LI))
    with (
        closing(TemplateStore(tmp_path / "templates", b"x" * 32)) as thief,
        pytest.raises(StoreError, match="does not open"),
    ):
        thief.find(WANG)
    with closing(TemplateStore(tmp_path / "templates")) as keyless:
        assert len(keyless.rows()) == 2
        with pytest.raises(StoreError, match="key is needed"):
            keyless.find(WANG)
    with store._database.write() as db:
        db.execute(
            "UPDATE templates SET sealed = (SELECT sealed FROM templates WHERE person_id = "
            "'p-li') WHERE person_id = 'p-wang'"
        )
    with pytest.raises(StoreError, match="does not open"):
        store.find(WANG)


def test_withdrawn_it_is_gone_from_the_file_at_once(store: TemplateStore, tmp_path: Path) -> None:
    store.put(template(WANG))
    store.put(template(LI))
    [(sealed,)] = store._database.rows("SELECT sealed FROM templates WHERE person_id = 'p-wang'")
    assert sealed[20:60] in on_disk(tmp_path)
    assert store.delete(WANG)
    assert sealed[20:60] not in on_disk(tmp_path)
    assert WANG.encode() not in on_disk(tmp_path)
    assert not store.delete(WANG)
    assert store.find(LI) == template(LI)


def test_expired_ones_are_named(store: TemplateStore) -> None:
    store.put(template(WANG, 1))
    store.put(template(LI, 31))
    assert [row.person_id for row in store.expired(date(2027, 3, 2))] == [WANG]
    assert store.expired(date(2027, 3, 1)) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else for a moment")
def test_the_user_of_the_sync_process_cannot_read_it() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders let nobody through
        folder = Path(name)
        folder.chmod(0o755)
        with closing(TemplateStore(folder / "templates", KEY)) as store:
            store.put(template(WANG))
            shared = folder / "journal.db"
            shared.write_bytes(b"for both")
            assert read_as_nobody(shared) == 0
            for path in (folder / "templates").iterdir():
                assert path.stat().st_mode & 0o077 == 0
                assert read_as_nobody(path) != 0
            (folder / "templates").chmod(0o755)  # even so
            assert read_as_nobody(folder / "templates" / "templates.db") != 0


def read_as_nobody(path: Path) -> int:
    command = ["cat", str(path)]
    return subprocess.run(command, user=NOBODY, capture_output=True, check=False).returncode
