"""What the window does about its memory."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from edge.ui import memory


class Ring:
    """As a widget and its canvas: each knows the other."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def seldom() -> Iterator[None]:
    """The collector does not come by itself."""
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("seldom")
def test_rings_of_references_are_gone_after_tidying() -> None:
    memory.settle()
    gone = weakref.ref(Ring())
    assert gone() is not None
    memory.tidy()
    assert gone() is None


@pytest.mark.usefixtures("seldom")
def test_what_was_there_when_it_settled_is_not_looked_at_again() -> None:
    memory.settle()
    assert gc.get_freeze_count() > len(gc.get_objects())
