"""The sync process's keeper: reports, replays, and the whole life of a trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from edge.domain.errors import StoreError
from edge.domain.settings import Refusal, Value
from edge.domain.trial import MAX_STARTS, LinkState
from edge.store.database import Database
from edge.store.settings_files import Accepted, AcceptedFiles, LinkFile
from edge.store.wishes import WishBox
from edge.sync.settings import LinkTrial, SettingsKeeper
from edge.wire.desired import Reported, SettingsState, parse_reported
from tests.helpers_sync import HandTurnedTime

SITE: dict[str, Value] = {"broker.host": "old", "broker.port": 8883, "broker.keepalive_s": 120}
NEW = {"broker.host": "new"}
TRIAL_S = 300


def describe(over_site: Mapping[str, Value]) -> tuple[dict[str, Value], str]:
    return SITE | dict(over_site), "00"


class Sync:
    """A sync process that can be started again, on one disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.times = HandTurnedTime()
        self.database = Database(folder / "journal.db")
        self.kiosk = AcceptedFiles(folder)
        self.start()

    def start(self) -> None:
        self.link = LinkTrial(LinkFile(self.folder), SITE, self.times, TRIAL_S)
        box = WishBox(self.database)
        self.keeper = SettingsKeeper(box, self.kiosk, self.link, self.times, describe, "test")

    def turn(self, seconds: float = 1.0) -> bool:
        self.times.boot_s += seconds
        return self.keeper.turn()

    @property
    def told(self) -> Reported:
        return parse_reported(self.keeper.report)

    @property
    def host(self) -> Value:
        return (SITE | self.link.running)["broker.host"]

    def accepts(self, version: int, values: Mapping[str, Value], **more: object) -> None:
        self.kiosk.save(Accepted(version, dict(values), **more))  # type: ignore[arg-type]


@pytest.fixture
def sync(tmp_path: Path) -> Iterator[Sync]:
    running = Sync(tmp_path)
    yield running
    running.database.close()


def test_a_wish_waits_for_the_kiosk_process(sync: Sync) -> None:
    sync.turn()
    assert (sync.told.seen, sync.told.applied, sync.told.state) == (0, 0, SettingsState.APPLIED)
    assert sync.keeper.wish(7, b"signed")
    sync.turn()
    assert (sync.told.seen, sync.told.applied, sync.told.state) == (7, 0, SettingsState.WAITING)
    sync.accepts(7, {"tries": 2})
    sync.turn()
    assert (sync.told.applied, sync.told.state) == (7, SettingsState.APPLIED)
    assert sync.told.values["tries"] == 2
    assert sync.told.ask == ""


@pytest.mark.parametrize("version", [6, 7])
def test_an_old_message_sent_again_is_not_filed(sync: Sync, version: int) -> None:
    sync.keeper.wish(7, b"new")
    assert not sync.keeper.wish(version, b"old, its signature whole")
    newest = WishBox(sync.database).newest()
    assert newest is not None
    assert newest[1] == b"new"


def test_refusals_are_told_with_their_reasons(sync: Sync) -> None:
    why = Refusal("tries", "range", "1..5")
    sync.accepts(7, {}, refused=(why,))
    sync.turn()
    assert (sync.told.state, sync.told.refused) == (SettingsState.REFUSED, (why,))


def on_trial(sync: Sync) -> None:
    sync.accepts(7, NEW)
    assert sync.turn()  # start again
    sync.start()
    assert sync.host == "new"
    assert not sync.turn()


def test_a_new_address_holds_once_the_registry_answered_over_it(sync: Sync) -> None:
    on_trial(sync)
    assert sync.told.state is SettingsState.TRIAL
    sync.keeper.heard("an answer to somebody else's question")
    assert not sync.turn()
    assert sync.told.state is SettingsState.TRIAL
    sync.keeper.heard(sync.told.ask)
    assert not sync.turn()
    assert (sync.told.state, sync.told.ask) == (SettingsState.APPLIED, "")
    assert not sync.turn(10 * TRIAL_S)
    sync.start()
    assert sync.host == "new"


def test_without_an_answer_the_old_address_returns_by_itself_and_says_why(sync: Sync) -> None:
    on_trial(sync)
    assert not sync.turn(TRIAL_S - 5)
    assert sync.turn(5)
    sync.start()
    assert sync.host == "old"
    assert not sync.turn()
    assert sync.told.state is SettingsState.ROLLED_BACK
    assert sync.told.refused == (Refusal("broker.host", "no_word"),)
    assert sync.told.values["broker.host"] == "old"


def test_power_cuts_in_the_middle_of_a_trial_do_not_make_it_endless(sync: Sync) -> None:
    on_trial(sync)
    for _ in range(MAX_STARTS - 1):
        sync.times.reboot()
        sync.start()
        assert sync.host == "new"
    sync.times.reboot()
    sync.start()
    assert sync.host == "old"
    assert not sync.turn()
    assert sync.told.state is SettingsState.ROLLED_BACK


def test_the_registrys_word_over_the_old_link_proves_nothing(sync: Sync) -> None:
    sync.accepts(7, NEW)
    assert sync.turn()  # the report of this turn still goes out over the old link
    assert (sync.told.state, sync.told.ask) == (SettingsState.TRIAL, "")
    sync.keeper.heard("")
    sync.keeper.heard(sync.keeper._ask)
    assert sync.link.state.trial is not None


def test_an_answer_to_an_earlier_start_proves_nothing_now(sync: Sync) -> None:
    on_trial(sync)
    asked = sync.told.ask
    sync.start()
    sync.turn()
    sync.keeper.heard(asked)
    assert not sync.turn()
    assert sync.told.state is SettingsState.TRIAL


def test_other_settings_later_do_not_try_a_bad_address_again(sync: Sync) -> None:
    on_trial(sync)
    sync.turn(TRIAL_S)
    sync.start()
    sync.accepts(8, NEW | {"tries": 2})
    assert not sync.turn()
    assert sync.told.state is SettingsState.ROLLED_BACK
    sync.accepts(9, {"tries": 2})
    assert not sync.turn()
    assert sync.told.state is SettingsState.APPLIED
    sync.accepts(10, NEW)
    assert sync.turn()


def test_an_address_that_is_the_site_files_own_is_no_change(sync: Sync) -> None:
    sync.accepts(7, {"broker.host": "old", "broker.port": 8883})
    assert not sync.turn()
    assert sync.told.state is SettingsState.APPLIED


def test_a_file_damaged_in_the_middle_of_a_trial_means_the_site_file_then_another_trial(
    sync: Sync,
) -> None:
    on_trial(sync)
    (sync.folder / "settings-link.json").write_bytes(b"")
    sync.start()
    assert sync.host == "old"
    assert sync.turn()
    assert sync.link.state.trial is not None


def test_a_start_that_cannot_be_counted_is_made_with_the_good_address(sync: Sync) -> None:
    on_trial(sync)
    (sync.folder / "settings-link.json.new").mkdir()
    sync.start()
    assert sync.host == "old"


def test_a_disk_that_takes_nothing_starts_no_trial(sync: Sync) -> None:
    (sync.folder / "settings-link.json.new").mkdir()
    sync.accepts(7, NEW)
    with pytest.raises(StoreError):
        sync.turn()
    assert LinkFile(sync.folder).load() == LinkState()
    (sync.folder / "settings-link.json.new").rmdir()
    assert sync.turn()


def test_a_kiosk_that_gave_settings_up_is_told(sync: Sync) -> None:
    sync.accepts(7, {}, refused=(Refusal("language", "no_start"),), rolled_back=True)
    sync.turn()
    assert sync.told.state is SettingsState.ROLLED_BACK
    sync.accepts(8, {"language": "en"}, proven=False)
    sync.turn()
    assert sync.told.state is SettingsState.TRIAL
