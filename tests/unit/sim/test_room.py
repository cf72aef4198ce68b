"""The room between simulated devices: heard, seen and looked into from any thread."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from edge.drivers.sim.room import Room


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
    return Room()


def test_words_and_screens_reach_whoever_is_there(room):
    parrot = Parrot()
    room.enter(parrot)
    room.hear("请抬头")
    room.see(("请抬头",))
    assert parrot.heard == ["请抬头"]
    assert parrot.seen == [(), ("请抬头",)]
    assert room.picture(0).max() == 1


def test_who_enters_reads_the_screen_first(room):
    room.see(("欢迎",))
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
