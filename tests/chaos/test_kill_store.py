"""kill -9 in the middle of a commit, at every statement and at random moments."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from edge.store.journal import SqliteJournal
from tests.helpers_sync import HandTurnedTime

COMMITTER = Path(__file__).with_name("committer.py")
ROOT = COMMITTER.parent.parent.parent
RANDOM_KILLS = 40
STATEMENTS = 9
"""More than one commit has: the last numbers let it finish."""


def start(path: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(COMMITTER), str(path), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def stored(path: Path) -> set[str]:
    """Ids in the journal, after checking that what must hold after any crash does hold."""
    with closing(SqliteJournal(path, b"d" * 32, HandTurnedTime())) as journal:
        assert journal.verify_chain() is None
        pairs = journal.database.rows(
            "SELECT record_id, outbox.seq FROM records LEFT JOIN outbox USING (seq)"
        )
        assert all(seq is not None for _, seq in pairs), "a record without its outbox row"
        assert journal.database.rows("SELECT count(*) FROM outbox") == [(len(pairs),)]
        return {name for name, _ in pairs}


@pytest.mark.parametrize("statement", range(1, STATEMENTS + 1))
def test_killed_before_a_statement_leaves_all_or_nothing(tmp_path: Path, statement: int) -> None:
    path = tmp_path / "journal.db"
    with start(path, "step", "only", str(statement)) as child:
        promised = set(child.communicate(timeout=30)[0].split())
    assert child.returncode in (0, -signal.SIGKILL)
    assert stored(path) == promised or (not promised and stored(path) == {"only"})


def test_one_of_the_statements_is_the_last(tmp_path: Path) -> None:
    """Else the test above would no longer reach the end of a commit."""
    codes = []
    for statement in (1, STATEMENTS):
        with start(tmp_path / f"{statement}.db", "step", "only", str(statement)) as child:
            child.communicate(timeout=30)
        codes.append(child.returncode)
    assert codes == [-signal.SIGKILL, 0]


def test_e14_killed_at_random_moments_every_promise_is_kept(tmp_path: Path) -> None:
    """Whatever was printed is there, at most one more is, and the chain goes on."""
    path = tmp_path / "journal.db"
    chance = random.Random(20261123)
    before: set[str] = set()
    for kill in range(RANDOM_KILLS):
        with start(path, "loop", f"run{kill}") as child:
            promised = read_then_kill(child, chance.randrange(60), chance.uniform(0, 0.003))
        now = stored(path)
        assert before | promised <= now
        assert len(now - before - promised) <= 1
        before = now
    assert len(before) >= RANDOM_KILLS


def read_then_kill(child: subprocess.Popen[str], lines: int, more_s: float) -> set[str]:
    """Every id the child printed before it was killed."""
    assert child.stdout is not None
    seen = [child.stdout.readline() for _ in range(lines)]
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(more_s)  # so that the kill may fall anywhere inside a commit
    child.kill()
    seen += child.stdout.readlines()
    return {line.strip() for line in seen if line.endswith("\n")}
