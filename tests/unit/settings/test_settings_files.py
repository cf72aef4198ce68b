"""The small files: whole, or known to be damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.domain.errors import StoreError
from edge.domain.settings import Refusal
from edge.domain.trial import LinkState, Trial
from edge.store.settings_files import Accepted, AcceptedFiles, LinkFile

FIRST = Accepted(1, {"tries": 2}, (Refusal("language", "choice", "zh, en"),))
SECOND = Accepted(2, {"tries": 4, "agency.office": "示范路"})
LINK = LinkState({"broker.port": 1}, Trial(3, {"broker.host": "b"}, "boot", 5, 1), {}, 2)


def test_what_is_saved_is_there_again(tmp_path: Path) -> None:
    files, link = AcceptedFiles(tmp_path), LinkFile(tmp_path)
    assert (files.load(), link.load()) == (Accepted(), LinkState())
    before = files.stamp()
    files.save(FIRST)
    assert files.stamp() != before
    link.save(LINK)
    assert (AcceptedFiles(tmp_path).load(), LinkFile(tmp_path).load()) == (FIRST, LINK)


def spoilt(path: Path) -> list[bytes]:
    whole = path.read_bytes()
    cuts = [whole[:length] for length in range(len(whole))]
    return cuts + [whole[:n] + bytes([whole[n] ^ 1]) + whole[n + 1 :] for n in range(len(whole))]


def test_every_damage_gives_way_to_the_last_good_with_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = AcceptedFiles(tmp_path)
    files.save(FIRST)
    files.save(Accepted(2, {"tries": 4}, proven=False))
    newest = tmp_path / "settings.json"
    for damaged in spoilt(newest):
        newest.write_bytes(damaged)
        caplog.clear()
        assert files.load() == FIRST
        assert len(caplog.records) == 1
    (tmp_path / "settings-last-good.json").write_bytes(b"\xff")
    assert files.load() == Accepted()


def test_a_damaged_link_file_means_the_site_files_broker(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    LinkFile(tmp_path).save(LINK)
    path = tmp_path / "settings-link.json"
    for damaged in spoilt(path):
        path.write_bytes(damaged)
        assert LinkFile(tmp_path).load() == LinkState()
    assert "settings-link.json" in caplog.text


def test_what_has_not_proved_itself_is_not_the_last_good(tmp_path: Path) -> None:
    files = AcceptedFiles(tmp_path)
    files.save(FIRST)
    files.save(Accepted(2, {"tries": 5}, starts=1, proven=False))
    assert files.last_good() == FIRST
    given_up = Accepted(2, {"tries": 2}, rolled_back=True)
    files.save(given_up)
    (tmp_path / "settings.json").unlink()
    assert files.load() == given_up  # damage does not bring back what was given up
    files.save(SECOND)
    assert files.last_good() == SECOND


def test_a_folder_that_takes_nothing_is_a_store_error_and_nothing_changed(tmp_path: Path) -> None:
    files = AcceptedFiles(tmp_path)
    files.save(FIRST)
    (tmp_path / "settings.json.new").mkdir()
    with pytest.raises(StoreError, match=r"settings\.json"):
        files.save(Accepted(2, {"tries": 5}, proven=False))
    assert files.load() == FIRST
