"""The driver on a clock that the test moves: what it asks, when, and what it makes of answers."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.drivers.idcard_serial import SerialCardReader
from edge.drivers.sim.idcard import SamMachine
from tests.idcard_bench import CARDS, VECTORS, Bench, Clock

NUMBER = CARDS["R"].number


@pytest.fixture(params=["a", "b", "a at the speed of the wire"])
def bench(request: pytest.FixtureRequest) -> Bench:
    profile, _, paced = request.param.partition(" ")
    bench = Bench(SamMachine(profile=profile, baud=115200 if paced else None))
    bench.reader.open()
    return bench


def whole_visit(bench: Bench) -> None:
    bench.read_card(CARDS["R"])
    bench.reader.wait_for_removal(1)


def fault_of(call: pytest.ExceptionInfo[DeviceError]) -> Fault:
    return call.value.fault


# --- the ordinary day ----------------------------------------------------------------


def test_open_asks_for_status_and_number(bench: Bench) -> None:
    assert bench.sam.log == ("11FF", "12FF")
    assert bench.reader.reader_id() == "05.03-20200101-0001234567-0987654321"
    assert bench.reader.health().ok
    assert bench.reader.provenance is Provenance.LIVE


class Transcript:
    """A line that knows a session by heart: any other byte than the published ones fails."""

    def __init__(self, exchanges: list[tuple[str, bytes]]) -> None:
        self._exchanges = [(bytes.fromhex(asked), told) for asked, told in exchanges]
        self._inbox = b""

    def write(self, data: bytes) -> int:
        asked, self._inbox = self._exchanges.pop(0)
        assert data == asked
        return len(data)

    def read(self, size: int = 1) -> bytes:
        taken, self._inbox = self._inbox[:size], self._inbox[size:]
        return taken

    def reset_input_buffer(self) -> None:
        assert self._inbox == b"", "an answer was left"

    def close(self) -> None:
        assert self._exchanges == [], "the session was left early"


def test_k07_the_published_session_byte_by_byte() -> None:
    """The driver alone, without the simulator: opening, no card, a card, taken away."""
    status, find = "AAAAAA9669000311FFED", "AAAAAA96690003200122"
    address, gone = "AAAAAA96690003300330", bytes.fromhex("AAAAAA96690004000041 45")
    line = Transcript(
        [
            (status, bytes.fromhex("AAAAAA96690004000090 94")),
            ("AAAAAA9669000312FFEE", bytes.fromhex(
                "AAAAAA9669 0014 000090 05000300 A53A3401 87D61200 B168DE3A 56")),
            (find, bytes.fromhex("AAAAAA96690004000080 84")),
            (find, bytes.fromhex("AAAAAA9669000800009F00000000 97")),
            ("AAAAAA96690003200221", bytes.fromhex("AAAAAA9669000C0000900000000000000000 9C")),
            ("AAAAAA96690003300132", VECTORS["R"].reply),
            (address, bytes.fromhex("AAAAAA96690004000091 95")),
            (address, gone),
            (address, gone),
        ]
    )  # fmt: skip
    clock = Clock()
    reader = SerialCardReader(
        "line", mono_ns=clock.mono_ns, sleep=clock.sleep, open_line=lambda _port, _rate: line
    )
    reader.open()
    assert reader.reader_id() == "05.03-20200101-0001234567-0987654321"
    assert reader.wait_for_card(0.5)
    assert reader.read().id_number == NUMBER
    assert reader.wait_for_removal(2)
    reader.close()


def test_k07_a_card_is_found_selected_read_and_missed(bench: Bench) -> None:
    mark = len(bench.sam.log)
    assert not bench.reader.wait_for_card(0.2)
    bench.sam.present(CARDS["R"])
    assert bench.reader.wait_for_card(1)
    card = bench.reader.read()
    assert (card.name, card.id_number) == ("测试甲", NUMBER)
    assert not bench.reader.wait_for_removal(1)
    bench.sam.lift()
    assert bench.reader.wait_for_removal(2)
    log = bench.orders_since(mark)
    assert log[:4] == ("2001", "2001", "2002", "3001")
    assert set(log[4:]) == {"3003"}


@pytest.mark.parametrize("name", VECTORS)
def test_all_kinds_of_card(bench: Bench, name: str) -> None:
    assert bench.read_card(CARDS[name]).id_number == CARDS[name].number


def test_makers_pause_between_two_searches(bench: Bench) -> None:
    mark, start_s = len(bench.sam.log), bench.clock.now_s
    assert not bench.reader.wait_for_card(3)
    assert 3.0 <= bench.clock.now_s - start_s < 3.2
    assert 9 <= len(bench.orders_since(mark)) <= 11


def test_short_waits_do_not_search_more_often(bench: Bench) -> None:
    mark = len(bench.sam.log)
    for _ in range(30):
        bench.reader.wait_for_card(0.1)
    assert len(bench.orders_since(mark)) <= 11


def test_the_pause_begins_with_the_answer() -> None:
    """A module that searches for 0.4 s is asked every 0.7 s."""
    bench = Bench(SamMachine(work_s={"2001": 0.4}))
    bench.reader.open()
    mark = len(bench.sam.log)
    assert not bench.reader.wait_for_card(7.0)
    assert 10 <= len(bench.orders_since(mark)) <= 11


def test_select_follows_a_find_at_once(bench: Bench) -> None:
    bench.sam.present(CARDS["R"])
    start_s = bench.clock.now_s
    assert bench.reader.wait_for_card(1)
    assert bench.clock.now_s - start_s < 0.01


def test_a_lying_card_never_looks_gone(bench: Bench) -> None:
    bench.read_card(CARDS["R"])
    assert not bench.reader.wait_for_removal(30)


def test_removal_takes_two_looks(bench: Bench) -> None:
    bench.read_card(CARDS["R"])
    bench.sam.lift()
    start_s = bench.clock.now_s
    assert bench.reader.wait_for_removal(5)
    assert bench.clock.now_s - start_s >= 0.3


def test_one_odd_answer_is_not_a_removal(bench: Bench) -> None:
    bench.read_card(CARDS["R"])
    bench.sam.fault("sw3", on="3003", value=0x24)
    assert not bench.reader.wait_for_removal(3)


def test_a_miss_from_before_the_card_came_does_not_count(bench: Bench) -> None:
    assert not bench.reader.wait_for_removal(0)
    test_one_odd_answer_is_not_a_removal(bench)


def test_a_hiccup_is_not_a_removal(bench: Bench) -> None:
    bench.read_card(CARDS["R"])
    bench.sam.fault("silence", on="3003")
    assert not bench.reader.wait_for_removal(8)


def test_a_miss_a_hiccup_and_a_miss_are_not_two_misses_in_a_row(bench: Bench) -> None:
    bench.read_card(CARDS["R"])
    mark = len(bench.sam.log)
    bench.sam.fault("sw3", on="3003", value=0x24)
    bench.clock.after(0.4, lambda: bench.sam.fault("silence", on="3003"))
    bench.clock.after(1.5, lambda: bench.sam.fault("sw3", on="3003", value=0x24))
    assert not bench.reader.wait_for_removal(4)
    assert bench.orders_since(mark)[:4] == ("3003", "3003", "11FF", "3003")


def test_short_waits_add_up_to_a_removal(bench: Bench) -> None:
    bench.read_card(CARDS["R"])
    bench.sam.lift()
    assert any(bench.reader.wait_for_removal(0.35) for _ in range(4))


def test_removal_without_a_read_and_of_no_card_at_all(bench: Bench) -> None:
    assert bench.reader.wait_for_removal(1)
    bench.sam.present(CARDS["R"])
    assert bench.reader.wait_for_card(1)
    assert not bench.reader.wait_for_removal(1)
    bench.sam.lift()
    assert bench.reader.wait_for_removal(1)


def test_a_second_card_is_not_the_first(bench: Bench) -> None:
    assert bench.read_card(CARDS["R"]).name == "测试甲"
    bench.sam.present(CARDS["R2"])
    assert bench.reader.wait_for_removal(1), "the first card went"
    assert bench.reader.wait_for_card(1)
    assert bench.reader.read().name == "测试·乙"


def test_the_later_address_is_only_a_sign_of_life(bench: Bench) -> None:
    bench.read_card(replace(CARDS["R"], new_address="测试省测试市新址路9号"))
    assert not bench.reader.wait_for_removal(1)


# --- a line that lies ----------------------------------------------------------------

HARMLESS = ("bad_sum", "duplicate", "garbage_after", "garbage_before", "glued",
            "one_byte_writes", "time_out_frame", "vendor_header")  # fmt: skip


@pytest.mark.parametrize("order", ["2001", "2002"])
@pytest.mark.parametrize("name", HARMLESS)
def test_a_torn_answer_is_asked_for_again(bench: Bench, name: str, order: str) -> None:
    bench.sam.fault(name, on=order)
    assert bench.read_card(CARDS["R"]).id_number == NUMBER


@pytest.mark.parametrize("name", set(HARMLESS) - {"bad_sum", "time_out_frame"})
def test_a_read_survives_what_can_be_survived(bench: Bench, name: str) -> None:
    bench.sam.fault(name, on="3001")
    assert bench.read_card(CARDS["R"]).id_number == NUMBER


@pytest.mark.parametrize("name", ["bad_sum", "short", "silence", "too_long", "time_out_frame"])
def test_a_read_that_cannot_be_survived_asks_for_the_card_again(bench: Bench, name: str) -> None:
    bench.sam.fault(name, on="3001", value=600)
    with pytest.raises(DeviceError) as call:
        bench.read_card(CARDS["R"])
    assert fault_of(call) is Fault.GARBLED
    assert bench.read_card(CARDS["R2"]).name == "测试·乙"


@pytest.mark.parametrize("sw3", [0x10, 0x11])
def test_a_question_the_module_could_not_hear_is_put_once_more(bench: Bench, sw3: int) -> None:
    bench.sam.present(CARDS["R"])
    mark = len(bench.sam.log)
    bench.sam.fault("sw3", on="2001", value=sw3)
    assert bench.reader.wait_for_card(0.1)
    assert bench.orders_since(mark) == ("2001", "2001", "2002")
    bench.sam.fault("sw3", on="3001", value=sw3, times=2)
    with pytest.raises(DeviceError) as call:
        bench.reader.read()
    assert fault_of(call) is Fault.GARBLED


@pytest.mark.parametrize("late_s", [1.6, 2.5, 3.9, 4.5, 6.0])
@pytest.mark.parametrize("order", ["2001", "2002", "3001", "3003"])
def test_a_late_answer_is_never_taken_for_the_next(bench: Bench, order: str, late_s: float) -> None:
    """The first person's data are still on their way when the second lays the card down."""
    bench.sam.fault("late", on=order, value=late_s)
    bench.sam.present(CARDS["R"])
    with suppress(DeviceError):
        if bench.reader.wait_for_card(1):
            bench.reader.read()
            bench.reader.wait_for_removal(0.4)
    bench.sam.present(CARDS["R2"])
    assert bench.reader.wait_for_card(20)
    assert bench.reader.read().name == "测试·乙"


def test_a_late_answer_still_coming_in_is_let_through() -> None:
    """Its end would only be noise in front of the next answer."""
    slow = Bench(SamMachine(baud=9600, work_s={"3001": 4.0}))
    slow.reader.open()
    with pytest.raises(DeviceError):
        slow.read_card(CARDS["R"])
    mark = len(slow.sam.log)
    slow.sam.present(CARDS["R2"])
    assert slow.reader.wait_for_card(4)
    assert slow.orders_since(mark) == ("11FF", "2001", "2002")


def test_a_torn_answer_while_catching_up_means_catching_up_again(bench: Bench) -> None:
    mark = len(bench.sam.log)
    bench.sam.fault("silence", on="2001")
    bench.sam.fault("bad_sum", on="11FF")
    bench.sam.present(CARDS["R"])
    assert bench.reader.wait_for_card(6)
    assert bench.orders_since(mark) == ("2001", "11FF", "11FF", "2001", "2002")


def test_an_answer_left_in_the_line_is_drained(bench: Bench) -> None:
    """Two answers for one question: the second copy must not answer the next READ."""
    bench.sam.fault("duplicate", times=None)
    assert bench.read_card(CARDS["R"]).name == "测试甲"
    assert bench.read_card(CARDS["R2"]).name == "测试·乙"


def test_a_second_copy_of_an_old_answer_is_not_believed(bench: Bench) -> None:
    bench.sam.fault("duplicate", on="2001")
    assert not bench.reader.wait_for_card(0.1)
    bench.sam.present(CARDS["R"])
    mark = len(bench.sam.log)
    assert bench.reader.wait_for_card(1)
    assert bench.orders_since(mark) == ("2001", "2002")


# --- statuses ------------------------------------------------------------------------


@pytest.mark.parametrize("sw3", [0x31, 0x32, 0x33, 0x41, 0x47, 0x81, 0x50, 0x77])
def test_errors_of_the_card_ask_for_it_again(bench: Bench, sw3: int) -> None:
    bench.sam.fault("sw3", on="3001", value=sw3, times=None)
    with pytest.raises(DeviceError) as call:
        bench.read_card(CARDS["R"])
    assert fault_of(call) is Fault.GARBLED
    bench.sam.clear_faults()
    assert bench.read_card(CARDS["R"]).id_number == NUMBER


@pytest.mark.parametrize("sw3", [0x23, 0x24, 0x34, 0x3F])
def test_a_module_that_lost_the_thread_is_led_from_the_start(bench: Bench, sw3: int) -> None:
    bench.sam.fault("sw3", on="3001", value=sw3)
    mark = len(bench.sam.log)
    assert bench.read_card(CARDS["R"]).id_number == NUMBER
    assert bench.orders_since(mark) == ("2001", "2002", "3001", "2001", "2002", "3001")


@pytest.mark.parametrize("sw3", [0x32, 0x33])
def test_a_card_refused_three_times_is_not_accepted(bench: Bench, sw3: int) -> None:
    bench.sam.fault("sw3", on="3001", value=sw3, times=3)
    faults = []
    for _ in range(3):
        with pytest.raises(DeviceError) as call:
            bench.read_card(CARDS["R"])
        faults.append(fault_of(call))
    assert faults == [Fault.GARBLED, Fault.GARBLED, Fault.REFUSED]
    assert bench.read_card(CARDS["R"]).id_number == NUMBER


@pytest.mark.parametrize("order", ["2002", "3001"])
def test_a_kind_of_card_the_module_does_not_know(bench: Bench, order: str) -> None:
    bench.sam.fault("sw3", on=order, value=0x40)
    with pytest.raises(DeviceError) as call:
        bench.read_card(CARDS["R"])
    assert (fault_of(call), call.value.retry) == (Fault.REFUSED, True)


@pytest.mark.parametrize("sw3", [0x60, 0x61, 0x66])
@pytest.mark.parametrize("order", ["2001", "2002", "3001", "3003"])
def test_out_of_service_is_said_at_once(bench: Bench, order: str, sw3: int) -> None:
    bench.sam.fault("sw3", on=order, value=sw3)
    with pytest.raises(DeviceError) as call:
        whole_visit(bench)
    assert (fault_of(call), call.value.retry) == (Fault.REFUSED, False)
    assert not bench.reader.health().ok


def test_a_licence_that_lapsed_is_noticed_on_opening() -> None:
    bench = Bench()
    bench.sam.fault("sw3", on="11FF", value=0x66)
    with pytest.raises(DeviceError) as call:
        bench.reader.open()
    assert fault_of(call) is Fault.REFUSED
    assert "66" in bench.reader.health().words
    assert all(line.closed for line in bench.lines)


def test_a_random_number_that_failed_resets_the_module(bench: Bench) -> None:
    bench.sam.fault("sw3", on="3001", value=0x47)
    with pytest.raises(DeviceError):
        bench.read_card(CARDS["R"])
    assert bench.sam.log[-1] == "10FF"


def test_a_module_without_a_number_is_a_module() -> None:
    bench = Bench()
    bench.sam.fault("sw3", on="12FF", value=0x21)
    bench.reader.open()
    assert bench.reader.reader_id() == ""


def test_a_card_without_a_number_is_no_card(bench: Bench) -> None:
    with pytest.raises(DeviceError) as call:
        bench.read_card(replace(CARDS["R"], patches=((0, b" \0" * 128),)))
    assert fault_of(call) is Fault.GARBLED


# --- the ladder ----------------------------------------------------------------------


def test_one_unanswered_search_is_forgiven(bench: Bench) -> None:
    mark = len(bench.sam.log)
    bench.sam.fault("silence", on="2001")
    bench.sam.present(CARDS["R"])
    assert bench.reader.wait_for_card(4)
    assert bench.orders_since(mark) == ("2001", "11FF", "2001", "2002")


def test_three_unanswered_searches_lead_to_a_reset() -> None:
    bench = Bench()
    bench.reader.open()
    mark = len(bench.sam.log)
    bench.sam.fault("silence", on="2001", times=None)
    bench.sam.fault("silence", on="11FF", times=None)
    bench.clock.after(4.0, bench.sam.clear_faults)
    assert not bench.reader.wait_for_card(8)
    log = bench.orders_since(mark)
    assert "10FF" in log
    assert len(bench.lines) == 1, "the port stayed open"
    assert bench.read_card(CARDS["R"]).id_number == NUMBER


def test_a_module_that_stays_silent_is_given_up_and_found_again() -> None:
    bench = Bench()
    bench.reader.open()
    bench.sam.fault("silence", times=None)
    with pytest.raises(DeviceError) as call:
        bench.reader.wait_for_card(30)
    assert fault_of(call) is Fault.SILENT
    assert len(bench.lines) == 6, "every rate was tried"
    assert all(line.closed for line in bench.lines)
    assert bench.reader.health().fix
    with pytest.raises(DeviceError):
        bench.reader.wait_for_card(1)
    bench.sam.clear_faults()
    assert bench.read_card(CARDS["R"]).id_number == NUMBER
    assert bench.reader.health().ok


def test_a_slow_line_gets_the_time_it_needs() -> None:
    """At 9,600 baud the answer alone takes 1.35 s, the radio up to 1.2 s before it."""
    bench = Bench(SamMachine(baud=9600, work_s={"3001": 3.9}))
    bench.reader.open()
    bench.reader._talk.rate = 9600  # type: ignore[union-attr]
    assert bench.read_card(CARDS["R"]).id_number == NUMBER


def test_a_pulled_plug_is_said_at_once_and_healed() -> None:
    bench = Bench()
    bench.reader.open()
    bench.clock.after(1.0, bench.unplug)
    start_s = bench.clock.now_s
    with pytest.raises(DeviceError) as call:
        bench.reader.wait_for_card(30)
    assert fault_of(call) is Fault.ABSENT
    assert bench.clock.now_s - start_s < 1.5
    assert not bench.reader.health().ok
    with pytest.raises(DeviceError):
        bench.reader.wait_for_card(1)
    bench.plug_in()
    assert bench.read_card(CARDS["R"]).id_number == NUMBER
    assert [line.closed for line in bench.lines] == [True, False]


def test_a_plug_pulled_in_the_middle_of_a_read() -> None:
    bench = Bench(SamMachine(work_s={"3001": 1.0}))
    bench.reader.open()
    bench.clock.after(0.5, bench.unplug)
    with pytest.raises(DeviceError) as call:
        bench.read_card(CARDS["R"])
    assert fault_of(call) is Fault.ABSENT


# --- closing -------------------------------------------------------------------------


def test_closed_is_closed(bench: Bench) -> None:
    bench.reader.close()
    bench.reader.close()
    for call in (bench.reader.read, lambda: bench.reader.wait_for_card(1)):
        with pytest.raises(DeviceError) as raised:
            call()
        assert fault_of(raised) is Fault.ABSENT
    assert all(line.closed for line in bench.lines)
    bench.reader.open()
    assert bench.read_card(CARDS["R"]).id_number == NUMBER


def test_close_after_a_failed_open() -> None:
    bench = Bench()
    bench.unplug()
    with pytest.raises(DeviceError) as raised:
        bench.reader.open()
    assert fault_of(raised) is Fault.ABSENT
    bench.reader.close()
    assert bench.lines == []


@pytest.mark.parametrize("wait", ["wait_for_card", "wait_for_removal"])
def test_closing_ends_a_wait_quietly(bench: Bench, wait: str) -> None:
    bench.sam.present(CARDS["R"]) if wait == "wait_for_removal" else None
    bench.clock.after(2.0, bench.reader._closing.set)
    start_s = bench.clock.now_s
    assert getattr(bench.reader, wait)(60) is False
    assert bench.clock.now_s - start_s < 2.5


def test_closing_ends_the_pause_after_a_reset() -> None:
    bench = Bench()
    bench.reader.open()
    bench.sam.fault("sw3", on="3001", value=0x47)
    bench.clock.after(0.5, bench.reader._closing.set)
    start_s = bench.clock.now_s
    with pytest.raises(DeviceError) as raised:
        bench.read_card(CARDS["R"])
    assert fault_of(raised) is Fault.ABSENT
    assert bench.clock.now_s - start_s < 0.7


def test_closing_ends_a_read() -> None:
    bench = Bench(SamMachine(work_s={"3001": 3.0}))
    bench.reader.open()
    bench.clock.after(0.5, bench.reader._closing.set)
    start_s = bench.clock.now_s
    with pytest.raises(DeviceError) as raised:
        bench.read_card(CARDS["R"])
    assert fault_of(raised) is Fault.ABSENT
    assert bench.clock.now_s - start_s < 1.0


def test_fingerprints_are_never_asked_for(bench: Bench) -> None:
    bench.read_card(CARDS["R"])
    bench.reader.wait_for_removal(1)
    assert set(bench.sam.log) <= {"11FF", "12FF", "2001", "2002", "3001", "3003", "10FF"}


def test_no_message_names_anybody(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    bench.sam.fault("vendor_header", times=None)
    bench.sam.fault("late", on="3001", value=5)
    with pytest.raises(DeviceError) as call:
        bench.read_card(CARDS["R"])
    bench.clock.sleep(1)
    bench.read_card(CARDS["R"])
    told = caplog.text + str(call.value)
    assert "passed over" in told
    assert "测试" not in told
    assert NUMBER not in told
