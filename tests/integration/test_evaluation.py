"""The bench itself: its attacks would work if nothing stopped them, and recordings are judged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.app.cli import main
from edge.domain.challenge import Action, Prompt
from edge.domain.errors import ConfigError
from edge.drivers.sim.portrait import ASTRONAUT
from edge.evaluate.bench import Bench
from edge.evaluate.campaign import AGAIN, Company, Player
from edge.evaluate.clip import Clip, Judge, Judgement, lean_deg
from edge.evaluate.people import packaged
from edge.evaluate.scenes import sheets
from edge.evaluate.scenes.attacks import KINDS
from edge.evaluate.scenes.bodies import TURNS, Body, Tilt, brisk
from edge.evaluate.scenes.cast import Group
from edge.evaluate.scenes.sheets import View
from edge.evaluate.scenes.sitters import SIZE, Shape, head_of
from edge.evaluate.settings import HERE
from edge.evaluate.stage import Played, Stage, Theatre

FPS = 15.0
PORTRAITS = ("astronaut", "admiral")
SCRIPT = (
    (Prompt.LOOK_AHEAD, 1.2),
    (Prompt.LEFT, 2.0),
    (Prompt.LOOK_AHEAD, 1.6),
    (Prompt.UP, 2.0),
    (Prompt.LOOK_AHEAD, 1.6),
)
ONLY_A_TURN = SCRIPT[:3]


@pytest.fixture(scope="module")
def theatre(models_dir) -> Theatre:
    return Theatre(models_dir)


@pytest.fixture(scope="module")
def judge(models_dir) -> Judge:
    return Judge(models_dir)


@pytest.fixture(scope="module")
def astronaut():
    """The sitter, and her head."""
    sitter = packaged()[0]
    return sitter, head_of(sitter, Shape())


@pytest.fixture(scope="module")
def group() -> Group:
    everyone = packaged()
    return Group(everyone, everyone, np.random.default_rng(4))


# --- sessions ---------------------------------------------------------------------------


def test_the_living_pass_and_what_is_flat_does_not(models_dir) -> None:
    player = Player(Company(models_dir, None, (), PORTRAITS))
    (alive,) = player.play((("live", 3),))
    assert alive.live
    assert alive.done == alive.order
    (flat,) = player.play((("flat_print", 3),))
    assert not flat.live
    assert flat.asked >= 1


def order_in_film(show) -> tuple[Action, ...]:
    return tuple(Action(name) for name in show.facts["order"].split())


def test_a_replay_that_has_the_right_order_gets_through(theatre, group) -> None:
    """The control: only the order stops a replay, nothing clumsy in how it is played."""
    passed = 0
    for seed in range(3):
        show = KINDS["replay"](group, np.random.default_rng(seed))
        order = order_in_film(show)
        passed += theatre.play("replay", seed, show, order).live
        other = tuple(reversed(order))
        if other != order:
            again = KINDS["replay"](group, np.random.default_rng(seed))
            assert not theatre.play("replay", seed, again, other).live
    assert passed >= 2


FILM_ORDERS = (
    (Action.LEFT, Action.UP, Action.MOUTH, Action.DOWN),
    (Action.BLINK, Action.LEFT, Action.UP, Action.RIGHT),
    (Action.LEFT, Action.STILL, Action.UP, Action.RIGHT, Action.DOWN),
)


def test_a_film_looked_at_once_is_judged_as_one_looked_at_each_time(theatre, group) -> None:
    """Verdict, reasons, scores, times and frames of every try, with the film's own order too."""

    def film(slow: bool):
        show = KINDS["replay"](group, np.random.default_rng(0))
        show.slow = slow
        return show

    own = order_in_film(film(False))
    tries = [(n, order, n % 2 == 1) for n, order in enumerate((*FILM_ORDERS, own, own))]
    again = list(theatre.play_film(AGAIN, 7, film(False), tries))
    anew = [theatre.play(AGAIN, seed, film(slow), order) for seed, order, slow in tries]
    assert [comparable(one) for one in again] == [comparable(one) for one in anew]
    assert {one.render for one in again} == {7}
    assert [one.live for one in again] == [False, False, False, True, True]


def comparable(one: Played) -> Played:
    return replace(one, render=0, spent_s=0.0)


def test_photographs_in_several_poses_get_nowhere_at_the_kiosks_own_rate(theatre, group) -> None:
    for seed in range(3):
        show = KINDS["stills_in_poses"](group, np.random.default_rng(seed))
        show.fps = 15.0
        found = theatre.play("stills_in_poses", seed, show, (Action.LEFT, Action.UP))
        assert found.asked
        assert not found.live


def test_a_swap_between_one_and_the_same_person_gets_through(theatre, group) -> None:
    """The control: what ends a swap is the other face, not the way it is cut in."""
    same = Group(packaged(), packaged(), np.random.default_rng(4))
    same.other_head = same.head
    order = (Action.LEFT, Action.UP, Action.RIGHT, Action.DOWN)
    for seed in (1, 3):  # a dissolve, and an absence
        found = theatre.play("swap", seed, swap_at(same, seed), order)
        assert found.live
        found = theatre.play("swap", seed, swap_at(group, seed), order)
        assert found.presented
        assert not found.live


def swap_at(group: Group, seed: int):
    return KINDS["swap"](group, np.random.default_rng(seed))


def test_whoever_gets_no_answer_is_given_up(theatre, group) -> None:
    show = KINDS["two_people"](group, np.random.default_rng(1))
    show.draw = lambda *_: np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    found = theatre.play("two_people", 1, show, (Action.LEFT, Action.UP))
    assert (found.asked, found.live, found.reasons) == (0, False, ("no_answer",))
    assert found.seconds < 8


def test_a_campaign_keeps_what_it_played_and_plays_it_once(
    models_dir, tmp_path, monkeypatch
) -> None:
    monkeypatch.delenv("EVAL_DATA", raising=False)
    cache, kinds = tmp_path / "cache", ("injected_still", "flat_print")
    bench = Bench(HERE, models_dir, cache, full=False, workers=1, count=2, kinds=kinds)
    found = bench.look()
    assert {kind: row["attempts"] for kind, row in found["attacks"].items()} == {
        "injected_still": 2,
        "flat_print": 2,
    }
    assert found["attacks"]["flat_print"]["seeds"] == [1000, 1001]
    kept = {path: path.read_bytes() for path in cache.rglob("*.jsonl")}
    assert len(kept) == 2
    again = Bench(HERE, models_dir, cache, full=False, workers=1, count=2, kinds=kinds)
    assert again.look()["attacks"] == found["attacks"]
    assert {path: path.read_bytes() for path in cache.rglob("*.jsonl")} == kept


# --- recordings --------------------------------------------------------------------------


def film(path: Path, pictures) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), FPS, SIZE)
    for rgb in pictures:
        writer.write(np.ascontiguousarray(rgb[..., ::-1]))
    writer.release()
    return path


def acted(head, script):
    body, at_s = Body(brisk(np.random.default_rng(2))), 0.0
    for prompt, lasts_s in script:
        for number in range(round(lasts_s * FPS)):
            at_s += 1 / FPS
            body.move(prompt, number / FPS, 1 / FPS)
            yield head.render(body.pose(at_s))


def held(sitter, script, degrees: float):
    """A print with its edges in view, tilted as the script says."""
    sheet = sheets.printed(sitter, np.random.default_rng(1), edge=True)
    view, room = View(110.0, 690.0), np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
    tilt = np.zeros(2)
    for prompt, lasts_s in script:
        aim = np.array(TURNS.get(prompt, (0.0, 0.0))) * degrees
        for _ in range(round(lasts_s * FPS)):
            tilt = tilt + np.clip(aim - tilt, -6, 6)
            yield sheets.on_room(sheet, room, view, Tilt(float(tilt[0]), float(tilt[1])))


def test_somebody_who_turns_and_nods_is_live(judge, astronaut, tmp_path) -> None:
    found = judge.judge(film(tmp_path / "her.avi", acted(astronaut[1], SCRIPT)))
    assert found.judgement is Judgement.LIVE
    assert [step.action for step in found.steps] == [Action.LEFT, Action.UP]
    assert all(step.depth >= 1.0 for step in found.steps)
    assert (found.reasons, found.neutral) == ((), "still")


def test_a_turn_alone_is_not_enough(judge, astronaut, tmp_path) -> None:
    found = judge.judge(film(tmp_path / "her.avi", acted(astronaut[1], ONLY_A_TURN)))
    assert found.judgement is Judgement.INSUFFICIENT
    assert [step.action for step in found.steps] == [Action.LEFT]
    assert found.reasons == ("no_nod",)


def test_a_recording_that_begins_turned_away_shows_its_turn_backwards(
    judge, astronaut, tmp_path
) -> None:
    pictures = list(acted(astronaut[1], ONLY_A_TURN[:2]))[::-1]
    found = judge.judge(film(tmp_path / "her.avi", pictures))
    assert [step.action for step in found.steps] == [Action.LEFT]


def test_a_print_that_leans_is_an_attack(judge, astronaut, tmp_path) -> None:
    found = judge.judge(film(tmp_path / "print.avi", held(astronaut[0], SCRIPT, 48.0)))
    assert found.judgement is Judgement.ATTACK
    assert "flat" in found.reasons
    assert not found.steps


def test_a_picture_that_keeps_still_proves_nothing(judge, astronaut, tmp_path) -> None:
    found = judge.judge(film(tmp_path / "still.avi", held(astronaut[0], SCRIPT[:2], 0.0)))
    assert found.judgement is Judgement.INSUFFICIENT
    assert found.reasons == ("no_nod", "no_turn")


def test_two_faces_cut_together_are_an_attack(judge, astronaut, tmp_path) -> None:
    other = head_of(packaged()[1], Shape())
    pictures = [*acted(astronaut[1], SCRIPT[:1]), *acted(other, SCRIPT)]
    found = judge.judge(film(tmp_path / "both.avi", pictures))
    assert found.judgement is Judgement.ATTACK
    assert "face_changed" in found.reasons


def test_nobody_is_insufficient(judge, tmp_path) -> None:
    empty = [np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)] * 20
    found = judge.judge(film(tmp_path / "empty.avi", empty))
    assert found.judgement is Judgement.INSUFFICIENT
    assert "face_lost" in found.reasons


@pytest.mark.parametrize("name", ["no.mp4", "words.mp4", "words.gif"])
def test_what_is_no_recording_is_said_in_words(judge, tmp_path, name) -> None:
    if name != "no.mp4":
        (tmp_path / name).write_bytes(b"these are words and no frames" * 9)
    with pytest.raises(ConfigError, match=name):
        judge.judge(tmp_path / name)


def test_a_leaning_plane_leans_by_its_angle() -> None:
    flat = np.random.default_rng(1).normal(0, 40, (12, 2))
    narrow = flat * [np.cos(np.radians(40)), 1.0] * 1.3
    turned = narrow @ np.array([[0.8, 0.6], [-0.6, 0.8]]) + [100, 50]
    assert lean_deg(flat, turned) == pytest.approx(40.0, abs=1e-6)


def test_exit_codes_say_what_came_of_it(astronaut, tmp_path, capsys) -> None:
    still = str(film(tmp_path / "still.avi", held(astronaut[0], ONLY_A_TURN[:1], 0.0)))
    assert main(["evaluate", "--clip", still, "--expect", "live", "--json"]) == 3
    row = json.loads(capsys.readouterr().out)
    assert (row["verdict"], row["clip"], row["steps"]) == ("insufficient", "still.avi", [])
    assert main(["evaluate", "--clip", still]) == 2
    flat = str(film(tmp_path / "flat.avi", held(astronaut[0], ONLY_A_TURN[:2], 48.0)))
    assert main(["evaluate", "--clip", flat, "--expect", "live"]) == 1
    assert "verdict: attack (expected: live)" in capsys.readouterr().out
    assert main(["evaluate", "--clip", flat, "--expect", "attack"]) == 0
    assert main(["evaluate", "--clip", str(tmp_path / "no.mp4"), "--expect", "live"]) == 2


def test_the_stage_is_a_camera_that_waits_for_nobody() -> None:
    stage = Stage()
    stage.set_up(lambda *_: np.zeros((SIZE[1], SIZE[0], 3), np.uint8), 10.0)
    with stage.stream() as frames:
        assert [next(frames).captured_ns for _ in range(3)] == [10**8, 2 * 10**8, 3 * 10**8]


# --- real people ---------------------------------------------------------------------------


@pytest.mark.eval_data
def test_every_real_head_turn_passes_its_yaw_step_and_nothing_else_moves(judge, eval_data) -> None:
    found: dict[str, Clip] = {}
    for path in sorted((eval_data / "live").glob("*")):
        if path.suffix in (".gif", ".mkv"):
            found[path.name] = judge.judge(path)
    assert {clip.judgement for clip in found.values()} == {Judgement.INSUFFICIENT}
    turns = {name for name, clip in found.items() if axes(clip) & {"yaw", "pitch"}}
    assert turns == {name for name in found if "head-turn" in name}
    assert all(axes(found[name]) == {"yaw"} for name in turns)


def axes(clip: Clip) -> set[str]:
    return {step.action.axis for step in clip.steps}


def test_portraits_of_the_package_need_no_data() -> None:
    assert [one.person for one in packaged()] == list(PORTRAITS)
    assert ASTRONAUT.name in PORTRAITS
