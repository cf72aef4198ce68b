"""The words for what was found of the kiosk's parts."""

import pytest

from edge.domain.findings import CODES, Finding, Status
from edge.session.states import Language
from edge.ui.findings import told

ALL = [(part, code) for part, codes in CODES.items() for code in (*codes, "setting")]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(("part", "code"), ALL)
def test_a_finding_that_knows_little_has_words_all_the_same(part, code, language) -> None:
    """A check may fail before it has learnt what its own words would tell."""
    words = told(Finding(part, Status.FAILED, code, {}), language)
    assert words.state
    assert "{" not in words.state + words.fix + words.tried
