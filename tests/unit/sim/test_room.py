"""The room between simulated devices: heard, seen and looked into from any thread."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from edge.drivers.sim.room import Room, ScreenSeen
from tests.sim_clock import HandClock


class Parrot:
    """A person who remembers everything."""

    def __init__(self):
        self.heard, self.seen = [], []

    def hear(self, words):
        self.heard.append(words)

    def see(self, texts):
        self.seen.append(tuple(texts))

    def picture(self, now_ns):
        return np.full((480, 640, 3), len(self.heard), np.uint8)


@pytest.fixture
def room():
    return Room(HandClock())


def test_words_and_screens_reach_whoever_is_there(room):
    parrot = Parrot()
    room.enter(parrot)
    room.hear("请抬头")
    room.see(ScreenSeen(("请抬头",), (("取消", 10.0, 20.0),)))
    assert parrot.heard == ["请抬头"]
    assert parrot.seen == [(), ("请抬头",)]
    assert room.picture(0).max() == 1


def test_who_enters_reads_the_screen_first(room):
    room.see(ScreenSeen(("欢迎",)))
    parrot = Parrot()
    room.enter(parrot)
    assert parrot.seen == [("欢迎",)]


def test_nobody_listens_in_an_empty_room(room):
    parrot = Parrot()
    room.enter(parrot)
    room.leave()
    room.hear("请抬头")
    assert parrot.heard == []
    assert room.picture(0).shape == (480, 640, 3)


def test_what_was_said_is_kept_with_its_time():
    clock = HandClock()
    room = Room(clock)
    room.hear("一")
    clock.advance(1)
    room.hear("二")
    said = room.said()
    assert [one.words for one in said] == ["一", "二"]
    assert said[1].at_ns - said[0].at_ns == 1_000_000_000


def test_waiting_for_a_screen_from_another_thread(room):
    found = []

    def wait():
        found.append(room.wait_for_screen(lambda screen: "谢谢" in screen.texts, timeout_s=10))

    waiting = threading.Thread(target=wait)
    waiting.start()
    room.see(ScreenSeen(("欢迎",)))
    room.see(ScreenSeen(("谢谢",)))
    waiting.join(10)
    assert found == [ScreenSeen(("谢谢",))]


def test_waiting_in_vain_ends(room):
    assert room.wait_for_screen(lambda screen: bool(screen.texts), timeout_s=0.01) is None


def test_many_threads_at_once(room):
    parrot = Parrot()
    room.enter(parrot)
    threads = [
        threading.Thread(target=lambda: [room.hear("请眨眼") for _ in range(50)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for _ in range(50):
        room.picture(0)
    for thread in threads:
        thread.join(10)
    assert len(parrot.heard) == 200
    assert len(room.said()) == 100
