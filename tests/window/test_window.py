"""A real window, touched by a scripted finger. No display is needed: SDL draws offscreen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge.ui.fonts import SOURCE
from tests.ui_world import LEFT_COLOUR, RIGHT_COLOUR
from tests.window.x_display import x_display

ROOT = Path(__file__).parent.parent.parent

pytestmark = [
    pytest.mark.window,
    pytest.mark.skipif(not SOURCE.is_dir(), reason="needs the Debian package fonts-noto-cjk"),
]


def play(name: str, **environment: str) -> Any:
    """One play in a process of its own; what it told on its last line."""
    given = {**os.environ, "SDL_VIDEODRIVER": "offscreen", **environment}
    command = [
        sys.executable,
        "-W",
        "error::ResourceWarning",
        "-m",
        "tests.window.stage_hand",
        name,
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout.splitlines()[-1])


def test_each_button_posts_its_own_event_and_every_touch_is_noticed() -> None:
    told = play("touches")
    assert dict(zip(told["labels"], told["pressed"], strict=True)) == {
        "再听一遍": "repeat",
        "English": "language_en",
        "生存验证申请": "apply",
        "生存验证历史": "history",
        "我的信息": "mine",
        "大字": "large_print",
        "叫工作人员": "call_staff",
        "上一步": "back",
        "帮助": "help",
        "返回首页": "home",
        "扫描二维码": "scan",
    }
    assert told["touches"] == len(told["labels"]) + 1


def test_a_key_under_the_finger_outlives_a_change_of_prompt() -> None:
    told = play("moving")
    assert told["pressed"] == ["call_staff"]
    assert "请向右转头" in told["texts"]


def test_nothing_is_drawn_while_nothing_changes() -> None:
    told = play("idle")
    assert told["quiet"] == 0
    assert told["after_change"] > 0


def test_the_preview_is_mirrored_and_the_picture_taken_is_not() -> None:
    told = play("mirror")
    left, right = list(LEFT_COLOUR), list(RIGHT_COLOUR)
    assert told["preview"] == [right, left]
    assert told["portrait"] == [left, right]


def test_a_window_opened_again_shows_the_same_session() -> None:
    told = play("restart")
    assert told["first"][0] == "consent"
    assert told["first"] == told["second"]


def test_the_keyboard_reaches_every_key() -> None:
    told = play("keyboard")
    assert told["pressed"] == ["enter", "enter", "reveal", "enter", "help", "repeat"]
    assert told["touches"] == 9
    assert told["told"] == ["enter", "reveal", "enter"], "said aloud before it is pressed"


def test_every_screen_can_be_used_with_the_keys_alone() -> None:
    told = play("by_keys")
    assert told["seen"] > 100
    assert told["wrong"] == []


def test_what_was_shown_of_a_person_is_gone_with_the_screen() -> None:
    told = play("forgets")
    assert told["before"] > 0
    assert told["after"] == 0


def test_our_log_stays_ours() -> None:
    assert play("logging_is_ours") == {"same": True}


def test_passing_seconds_leave_the_keys_alone() -> None:
    assert play("seconds") == {"same": True}


def test_a_window_pulled_smaller_is_drawn_anew() -> None:
    assert play("resized") == {"pressed": ["scan"], "inside": True}


STAFF_SCREENS = [
    *("staff_badge", "staff_pin", "service_menu", "service_devices", "service_devices"),
    *("service_tests", "service_camera", "service_tests", "service_sound", "home"),
]


def test_staff_sign_in_by_touch_and_keyboard_and_find_their_way_out() -> None:
    told = play("staff")
    assert told["screens"] == STAFF_SCREENS
    assert told["pictures"] == len(STAFF_SCREENS)
    assert told["keys_stay"], "no key is built anew under the next finger"
    assert told["camera_closed"]
    assert not told["secret"]


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs Xvfb")
def test_it_works_on_an_x_display_too() -> None:
    with x_display() as environment:
        told = play("mirror", **environment)
        staff = play("staff", **environment)
    assert told["preview"] == [list(RIGHT_COLOUR), list(LEFT_COLOUR)]
    assert staff["screens"] == STAFF_SCREENS
