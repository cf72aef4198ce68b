"""The kiosk's process is killed in the middle of a visit, and started again on the same data.

Each `dies_…` ends in SIGKILL, at the very place where it says; `back_…` is played after it.
"""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing

from tests.chaos.points import POINTS, arm
from tests.own_world import HELD
from tests.window.journeys.branches import DONE
from tests.window.journeys.hall import Journeys, Kiosk
from tests.window.journeys.residents import to_consent, to_review

journey = Journeys()

COMMITTED = "kiosk: committed, screen does not say it"
UNPRINTED = "kiosk: done on the screen, no receipt"


def submit_and_die(k: Kiosk, point: str) -> None:
    arm(POINTS[point], os.getpid(), str(k.config.database.parent))
    to_consent(k)
    to_review(k)
    k.touch("提交")
    k.until(lambda: False, "the end")


def first_screen(k: Kiosk) -> None:
    """Nobody is there, and nothing of whoever was there before."""
    drawn = k.see("home", "离退休人员生存验证", title="又开机了", serves="E14")
    assert not any(word in text for text in drawn.texts for word in ("王", "100000", "验证成功"))
    assert k.glass.portrait() is None


@journey("断电：提交以前", folder="before_submit")
def dies_before_submit(k: Kiosk) -> None:
    to_consent(k)
    to_review(k)
    os.kill(os.getpid(), signal.SIGKILL)


@journey("又开机：什么也没有留下，从头办一次", folder="before_submit")
def back_before_submit(k: Kiosk) -> None:
    first_screen(k)
    assert k.centre.records() == []
    to_consent(k)
    to_review(k)
    k.touch("提交")
    k.see("finished", "验证成功。", serves="E14")
    assert len(k.centre.records()) == 1


@journey("断电：已经存好，屏幕还没有说", folder="committed")
def dies_when_committed(k: Kiosk) -> None:
    submit_and_die(k, COMMITTED)


@journey("断电：屏幕说了成功，回执还没有打", folder="unprinted")
def dies_before_the_receipt(k: Kiosk) -> None:
    submit_and_die(k, UNPRINTED)


@journey("又开机：一条记录，不多不少，回执可以补打", folder="committed")
def back_when_committed(k: Kiosk) -> None:
    reprints_what_was_never_printed(k)


@journey("又开机：一条记录，不多不少，回执可以补打", folder="unprinted")
def back_before_the_receipt(k: Kiosk) -> None:
    reprints_what_was_never_printed(k)


def reprints_what_was_never_printed(k: Kiosk) -> None:
    first_screen(k)
    (record,) = k.centre.records()
    assert record.outcome == "passed"
    assert _waiting(k) == 1, "it still goes to the centre"
    k.centre.expects(k.expected(**DONE))
    k.lay()
    k.see("confirm")
    k.touch("进入", "生存验证申请")
    k.see("turned_already_done", "您本年度已完成", serves="E04 E14")
    k.touch("补打回执", "刷脸确认是我", "同意刷脸")
    k.see("watch")
    k.eyes.end("passed")
    k.centre.answers_history(HELD)
    k.touch("补打回执")
    k.see("reprint_printed", "回执打印成功，请取走回执。", serves="E14")
    assert record.receipt_no in k.read_paper("补打的回执（副本）", "验证成功。", "下次办理")
    assert len(k.centre.records()) == 1


def _waiting(k: Kiosk) -> int:
    with closing(sqlite3.connect(k.config.database)) as db:
        return int(db.execute("SELECT count(*) FROM outbox").fetchone()[0])
