"""The check against a person made of twelve points, who does as the prompts say, or does not."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.domain.challenge import Action, Hint, Prompt, Reason
from edge.models.geometry import Pose, rigid_points
from edge.models.liveness import Check, Stage
from edge.models.observation import FaceView, Limits, Observation
from tests.helpers_models import mesh

ALL = (Action.LEFT, Action.UP, Action.MOUTH, Action.RIGHT, Action.DOWN, Action.BLINK)
TURNS = {
    Prompt.LEFT: (30, 0, 0, 1),
    Prompt.RIGHT: (-30, 0, 0, 1),
    Prompt.UP: (0, 25, 0, 1),
    Prompt.DOWN: (0, -25, 0, 1),
    Prompt.MOUTH: (0, 0, 0.5, 1),
    Prompt.BLINK: (0, 0, 0, 0.2),
}
REST = (0, 0, 0, 1)


@dataclass
class Person:
    """Reacts `reaction_s` after a prompt, at most `speed` degrees a second; `depth` 0 is a print.

    The pose drawn is the pose read: the mesh's own compression is not what is tested here.
    """

    reaction_s: float = 0.6
    speed: float = 90.0
    depth: float = 1.0
    blink_s: float = 0.4
    answers: dict = field(default_factory=dict)  # prompt -> movement, instead of the right one
    at: np.ndarray = field(default_factory=lambda: np.array(REST, float))

    def move(self, prompt: Prompt, since_s: float, step_s: float) -> None:
        target = np.array(self._target(prompt, since_s), float)
        reach = np.array([self.speed, self.speed, 3.0, 10.0]) * step_s
        self.at = self.at + np.clip(target - self.at, -reach, reach)

    def _target(self, prompt: Prompt, since_s: float) -> tuple:
        if since_s < self.reaction_s:
            return tuple(self.at)
        if prompt is Prompt.BLINK and since_s > self.reaction_s + self.blink_s:
            return REST
        return self.answers.get(prompt, TURNS.get(prompt, REST))

    def face(self) -> FaceView:
        yaw, pitch, mouth, lids = self.at
        solid, print_ = mesh(yaw, pitch), mesh()
        return FaceView(
            pose=Pose(yaw, pitch, 0.0),
            eye_distance_px=90.0,
            mouth=0.05 + mouth,
            lids=0.3 * lids,
            off_centre=(0.0, 0.0),
            width=0.4,
            brightness=120.0,
            sharpness=100.0,
            rigid=rigid_points(print_ + self.depth * (solid - print_)),
        )


def run(check, person, change=lambda seen, at_s, check: seen, fps=15.0, most_s=120.0):
    """Let `person` stand in front of `check`; `change` may spoil each observation."""
    prompt, since_s, prompts = Prompt.FRAME_FACE, 0.0, []
    for frame in range(int(most_s * fps)):
        at_s = frame / fps
        person.move(prompt, at_s - since_s, 1 / fps)
        seen = Observation(int(at_s * 1e9), 1, 1, person.face())
        if check.wants_identity(seen):
            seen = replace(seen, identity=0.2)
        progress = check.see(change(seen, at_s, check))
        if progress.prompt is not prompt:
            prompt, since_s = progress.prompt, at_s
            prompts.append((at_s, prompt))
        if check.finished:
            return prompts
    raise AssertionError(f"no end in {most_s} s, at {check.stage}")


def gone(seen: Observation) -> Observation:
    return Observation(seen.at_ns, 0)


@pytest.mark.parametrize("fps", [8.0, 15.0, 30.0])
def test_e03_a_person_who_follows_the_prompts_passes(fps) -> None:
    check = Check(ALL)
    prompts = run(check, Person(), fps=fps)
    assert check.stage is Stage.PASSED
    assert check.done == ALL
    assert check.reasons == ()
    assert check.evidence > 0.5
    asked = [prompt for _, prompt in prompts if prompt in TURNS]
    assert asked == [Prompt.of(action) for action in ALL]


def test_the_prompt_returns_to_the_middle_between_actions() -> None:
    check = Check((Action.LEFT, Action.UP))
    prompts = [prompt for _, prompt in run(check, Person())]
    ahead = Prompt.LOOK_AHEAD
    assert prompts == [ahead, Prompt.LEFT, ahead, Prompt.UP, ahead]


def test_a_slow_old_person_has_time() -> None:
    check = Check(ALL)
    run(check, Person(reaction_s=3.5, speed=12.0, blink_s=1.5))
    assert check.stage is Stage.PASSED


@pytest.mark.parametrize("action", [Action.LEFT, Action.RIGHT, Action.UP, Action.DOWN])
def test_a_flat_picture_fails_whatever_the_mesh_reads(action) -> None:
    check = Check((action,))
    run(check, Person(depth=0.0))
    assert check.reasons == (Reason.FLAT,)
    assert check.evidence < 0.5


@pytest.mark.parametrize("depth", [0.2, 0.3, 0.4])
def test_a_little_depth_is_not_enough(depth) -> None:
    """At 30 degrees 0.15 eye distances are asked for; 0.4 of a head's depth gives 0.135."""
    check = Check((Action.LEFT,))
    run(check, Person(depth=depth))
    assert check.reasons == (Reason.FLAT,)


def test_depth_that_was_there_before_the_turn_is_not_depth_of_the_turn() -> None:
    """Something bent is put in the way: parallax from the start, whatever the angle."""
    bent = rigid_points(mesh(yaw_deg=30))

    def change(seen, at_s, check):
        asked = check.stage is Stage.ASKED
        return replace(seen, face=replace(seen.face, rigid=bent)) if asked else seen

    check = Check((Action.LEFT,))
    run(check, Person(), change)
    assert check.reasons == (Reason.FLAT,)
    assert check.evidence > 0.5


@pytest.mark.parametrize("action", [Action.LEFT, Action.RIGHT, Action.UP, Action.DOWN])
def test_one_photograph_after_the_other_is_no_movement(action) -> None:
    """Ten frames a second and 290 degrees a second: ahead, and then at once turned away."""
    hints = []

    def change(seen, at_s, check):
        hints.append(check.progress().hint)
        return seen

    check = Check((action,))
    run(check, Person(speed=290.0), change, fps=10.0)
    assert check.reasons == (Reason.TIMED_OUT,)
    assert Hint.LOOK_AT_CAMERA in hints


def test_an_order_without_both_axes_proves_nothing() -> None:
    check = Check((Action.LEFT, Action.MOUTH))
    run(check, Person())
    assert check.stage is Stage.PASSED
    assert check.evidence == 0.0


@pytest.mark.parametrize("wrong", [Prompt.RIGHT, Prompt.UP, Prompt.DOWN])
@pytest.mark.parametrize("asked", [Action.LEFT, Action.MOUTH, Action.BLINK])
def test_another_movement_than_the_asked_one_fails(asked, wrong) -> None:
    check = Check((asked,))
    run(check, Person(answers={Prompt.of(asked): TURNS[wrong]}))
    assert check.reasons == (Reason.WRONG_ACTION,)
    assert check.done == ()


def test_a_small_wrong_movement_is_forgiven() -> None:
    check = Check((Action.LEFT,))
    half = {Prompt.LEFT: (0, 10, 0, 1)}
    run(check, Person(answers=half))
    assert check.reasons == (Reason.TIMED_OUT,)


def test_a_movement_that_begins_with_the_prompt_was_no_reaction() -> None:
    check = Check((Action.LEFT,))
    run(check, Person(reaction_s=0.0, speed=150.0), fps=30)
    assert check.reasons == (Reason.TOO_EARLY,)


def test_who_is_not_looking_ahead_gets_no_prompt() -> None:
    """A movement already under way cannot answer: the prompt waits until it is over."""
    person = Person()

    def change(seen, at_s, check):
        if check.stage is Stage.CENTRE and at_s < 5:
            person.at[0] = 25.0
            return replace(seen, face=person.face())
        return seen

    check = Check((Action.LEFT, Action.UP))
    prompts = run(check, person, change)
    assert next(at_s for at_s, prompt in prompts if prompt is Prompt.LEFT) > 5
    assert check.stage is Stage.PASSED


def test_a_movement_must_be_held() -> None:
    class Twitch(Person):
        def _target(self, prompt, since_s):
            return TURNS[prompt] if prompt is Prompt.LEFT and 1 < since_s < 1.1 else REST

    check = Check((Action.LEFT,))
    run(check, Twitch(speed=900.0))
    assert check.reasons == (Reason.TIMED_OUT,)


def test_who_does_nothing_runs_out_of_time() -> None:
    check = Check((Action.LEFT,))
    prompts = run(check, Person(answers={Prompt.LEFT: REST}))
    assert check.reasons == (Reason.TIMED_OUT,)
    assert prompts[1][1] is Prompt.LEFT


def test_who_never_returns_to_the_middle_runs_out_of_time() -> None:
    check = Check((Action.LEFT, Action.UP))
    run(check, Person(answers={Prompt.LOOK_AHEAD: TURNS[Prompt.LEFT]}, reaction_s=1.0))
    assert check.stage is Stage.FAILED


@pytest.mark.parametrize(
    ("spoiled", "hint"),
    [
        ({"eye_distance_px": 30.0}, Hint.TOO_FAR),
        ({"width": 0.9}, Hint.TOO_NEAR),
        ({"off_centre": (0.4, 0.0)}, Hint.OFF_CENTRE),
        ({"off_centre": (0.0, -0.4)}, Hint.OFF_CENTRE),
        ({"brightness": 20.0}, Hint.TOO_DARK),
        ({"brightness": 250.0}, Hint.TOO_BRIGHT),
        ({"sharpness": 1.0}, Hint.BLURRED),
        ({"pose": Pose(30.0, 0.0, 0.0)}, Hint.LOOK_AT_CAMERA),
        ({"pose": Pose(0.0, -40.0, 0.0)}, Hint.LOOK_AT_CAMERA),
    ],
)
def test_the_check_waits_and_says_why(spoiled, hint) -> None:
    check, hints = Check((Action.LEFT,)), set()
    for frame in range(100):
        face = replace(Person().face(), **spoiled)
        hints.add(check.see(Observation(frame * 66_000_000, 1, 1, face)).hint)
    assert check.stage in (Stage.FRAMING, Stage.BASELINE)
    assert hints == {hint}


def test_one_hint_at_a_time_the_first_thing_to_mend() -> None:
    check = Check((Action.LEFT,))
    bad = replace(Person().face(), brightness=1.0, sharpness=0.0, eye_distance_px=10.0)
    assert check.see(Observation(0, 1, 1, bad)).hint is Hint.TOO_FAR
    assert check.see(Observation(1, 2, 1, bad)).hint is Hint.TWO_FACES
    assert check.see(Observation(2, 0)).hint is Hint.NO_FACE


def test_framing_ends_some_time() -> None:
    check = Check((Action.LEFT,), Limits(framing_s=5.0))
    for at_s in range(10):
        check.see(Observation(at_s * 10**9, 0))
    assert check.reasons == (Reason.FACE_LOST,)


def test_a_restless_face_gives_no_neutral() -> None:
    check, person = Check((Action.LEFT,)), Person()
    for frame in range(60):
        person.at[0] = 8.0 * (-1) ** (frame // 3)
        check.see(Observation(frame * 66_000_000, 1, 1, person.face()))
    assert check.stage is Stage.BASELINE


def away(start_s, end_s, track=2):
    """The face is gone for a while after the first prompt, and comes back as another track."""
    first: list[float] = []

    def change(seen, at_s, check):
        if check.stage is Stage.ASKED and not first:
            first.append(at_s)
        if not first:
            return seen
        if start_s <= at_s - first[0] < end_s:
            return gone(seen)
        return replace(seen, track=track) if at_s - first[0] >= end_s else seen

    return change


def test_one_short_break_is_forgiven_if_it_is_still_the_same_face() -> None:
    check = Check((Action.LEFT, Action.UP))
    run(check, Person(), away(0.1, 0.3))
    assert check.stage is Stage.PASSED


def test_another_face_after_a_short_break_fails() -> None:
    back = away(0.1, 0.3)

    def change(seen, at_s, check):
        seen = back(seen, at_s, check)
        return replace(seen, identity=0.78) if seen.track == 2 and seen.identity else seen

    check = Check((Action.LEFT, Action.UP))
    run(check, Person(), change)
    assert check.reasons == (Reason.FACE_CHANGED,)


def test_a_long_break_fails() -> None:
    check = Check((Action.LEFT, Action.UP))
    run(check, Person(), away(0.1, 0.6))
    assert check.reasons == (Reason.FACE_LOST,)


def test_who_leaves_is_missed_at_once() -> None:
    check = Check((Action.LEFT, Action.UP))
    prompts = run(check, Person(reaction_s=9.0), away(0.1, 1000.0))
    assert check.reasons == (Reason.FACE_LOST,)
    (asked_s, asked), (ended_s, _) = prompts[-2:]
    assert asked is Prompt.LEFT
    assert ended_s - asked_s < 0.6


def test_nobody_is_asked_before_it_is_known_who_it_is() -> None:
    def change(seen, at_s, check):
        return replace(seen, identity=None) if at_s < 6 else seen

    check = Check((Action.LEFT, Action.UP))
    prompts = run(check, Person(), change)
    assert prompts[1][1] is Prompt.LEFT
    assert prompts[1][0] >= 6


def test_a_second_break_fails() -> None:
    first = away(0.1, 0.3)

    def change(seen, at_s, check):
        seen = first(seen, at_s, check)
        return replace(seen, track=3) if check.step == 1 and seen.face else seen

    check = Check((Action.LEFT, Action.UP))
    run(check, Person(), change)
    assert check.reasons == (Reason.FACE_LOST,)


@pytest.mark.parametrize("step", [0, 1, 2])
def test_another_face_on_an_unbroken_track_fails_at_the_next_step(step) -> None:
    """A swap so quick that the tracker followed it."""

    def change(seen, at_s, check):
        swapped = check.step == step and check.stage is not Stage.BASELINE
        return replace(seen, identity=0.78) if swapped and check.wants_identity(seen) else seen

    check = Check((Action.LEFT, Action.UP, Action.MOUTH))
    run(check, Person(), change)
    assert check.reasons == (Reason.FACE_CHANGED,)
    assert check.step == step


def test_after_a_pause_of_the_camera_the_face_proves_itself() -> None:
    check, person = Check((Action.LEFT,)), Person()
    at_ns = 0
    while check.stage is not Stage.ASKED:
        seen = Observation(at_ns, 1, 1, person.face())
        check.see(replace(seen, identity=0.1) if check.wants_identity(seen) else seen)
        at_ns += 66_000_000
    assert not check.wants_identity(seen)
    late = replace(seen, at_ns=at_ns + 2_000_000_000)
    check.see(late)
    assert check.wants_identity(late)


def test_a_step_is_not_done_while_two_faces_are_seen() -> None:
    def change(seen, at_s, check):
        return replace(seen, faces=2) if check.stage is Stage.ASKED else seen

    check = Check((Action.LEFT,))
    run(check, Person(), change)
    assert check.reasons == (Reason.TIMED_OUT,)
    assert check.done == ()


def test_moving_away_does_not_help_noise_to_pass_for_depth() -> None:
    def change(seen, at_s, check):
        far = check.stage is Stage.ASKED
        return replace(seen, face=replace(seen.face, eye_distance_px=20.0)) if far else seen

    check = Check((Action.LEFT,))
    run(check, Person(), change)
    assert check.reasons == (Reason.TIMED_OUT,)


# --- who makes a movement ------------------------------------------------------------


def held_by(*identities):
    """The frames that say who makes the movement say this, in turn."""
    turn = iter(identities)

    def change(seen, at_s, check):
        asked = check.stage is Stage.ASKED and seen.identity is not None
        return replace(seen, identity=next(turn, identities[-1])) if asked else seen

    return change


@pytest.mark.parametrize("action", ALL)
@pytest.mark.parametrize("fps", [10.0, 20.0, 30.0])
def test_a_movement_by_somebody_else_fails(action, fps) -> None:
    check = Check((action,))
    run(check, Person(), held_by(0.5), fps=fps)
    assert check.reasons == (Reason.FACE_CHANGED,)
    assert check.done == ()


@pytest.mark.parametrize("action", ALL)
def test_a_movement_by_somebody_in_between_is_not_done(action) -> None:
    check = Check((action,))
    run(check, Person(), held_by(0.4))
    assert check.reasons == (Reason.TIMED_OUT,)
    assert check.done == ()


@pytest.mark.parametrize("action", ALL)
def test_a_movement_by_nobody_known_is_not_done(action) -> None:
    check = Check((action,))
    run(check, Person(), held_by(None))
    assert check.done == ()


@pytest.mark.parametrize("identities", [(0.3, 0.45, 0.3), (0.3, 0.45, 0.45, 0.3, 0.45)])
def test_poor_frames_of_a_movement_are_forgiven(identities) -> None:
    """Whoever turns far away looks like nobody; on the way there and back they were seen."""
    check = Check((Action.LEFT,))
    run(check, Person(), held_by(*identities))
    assert check.stage is Stage.PASSED


def test_one_good_frame_of_a_movement_does_not_prove_it() -> None:
    check = Check((Action.LEFT,))
    run(check, Person(), held_by(0.3, 0.45))
    assert check.reasons == (Reason.TIMED_OUT,)


def test_frames_for_the_comparison_are_of_a_proven_face_only() -> None:
    def change(seen, at_s, check):
        return replace(seen, identity=0.4) if check.stage is Stage.FINAL else seen

    check = Check((Action.LEFT,))
    run(check, Person(), change)
    assert check.frontal_frames == 0
    assert check.reasons == (Reason.TIMED_OUT,)


def test_one_frontal_frame_of_quite_another_face_is_not() -> None:
    def change(seen, at_s, check):
        return replace(seen, identity=0.49) if check.frontal_frames == 3 else seen

    check = Check((Action.LEFT,))
    run(check, Person(), change)
    assert check.reasons == (Reason.FACE_CHANGED,)


def test_a_movement_that_never_looks_like_its_person_ends_the_try() -> None:
    check = Check((Action.LEFT,))
    run(check, Person(), held_by(0.3, 0.49))
    assert check.reasons == (Reason.TIMED_OUT,)
    check = Check((Action.LEFT,))
    run(check, Person(), held_by(0.49))
    assert check.reasons == (Reason.FACE_CHANGED,)


@pytest.mark.parametrize("fps", [10.0, 30.0])
def test_some_frames_of_a_movement_are_proven_not_all(fps) -> None:
    wanted = []

    def change(seen, at_s, check):
        if check.stage is Stage.ASKED and seen.identity is not None:
            wanted.append(at_s)
        return seen

    run(Check((Action.LEFT,)), Person(), change, fps=fps)
    assert 2 <= len(wanted) <= 5


def test_a_cut_between_two_frames_fails_at_once() -> None:
    def change(seen, at_s, check):
        return replace(seen, seam=0.62) if check.stage is Stage.ASKED else seen

    check = Check((Action.LEFT,))
    run(check, Person(), change)
    assert check.reasons == (Reason.FACE_CHANGED,)


def test_who_steps_aside_before_the_check_began_does_no_harm() -> None:
    cut = []

    def change(seen, at_s, check):
        if check.stage is Stage.BASELINE and at_s > 0.4 and not cut:
            cut.append(at_s)
            return replace(seen, seam=0.7)
        return seen

    check = Check((Action.LEFT,))
    prompts = run(check, Person(), change)
    assert check.stage is Stage.PASSED
    asked_s = next(at_s for at_s, prompt in prompts if prompt is Prompt.LEFT)
    assert asked_s > cut[0] + Limits().baseline_s


class Snap(Person):
    """A picture ahead, then at once a picture of the turned head; `again` makes it properly."""

    again = False

    def move(self, prompt, since_s, step_s):
        if prompt is Prompt.LEFT and since_s < 3.0:
            self.at = np.array(TURNS[prompt] if since_s > 0.6 else REST, float)
        elif prompt is Prompt.LEFT and (since_s < 4.0 or not self.again):
            self.at = np.array(REST, float) if self.again else self.at
        else:
            super().move(prompt, since_s, step_s)


def test_a_turn_in_no_time_counts_for_nothing() -> None:
    check, hints = Check((Action.LEFT,)), set()

    def change(seen, at_s, check):
        hints.add(check.progress().hint)
        return seen

    run(check, Snap(), change, fps=20)
    assert check.reasons == (Reason.TIMED_OUT,)
    assert Hint.LOOK_AT_CAMERA in hints


def test_it_counts_when_it_is_made_again_in_one_piece() -> None:
    person = Snap()
    person.again = True
    check = Check((Action.LEFT,))
    run(check, person, fps=20)
    assert check.stage is Stage.PASSED


def test_a_pause_of_the_camera_in_a_turn_takes_its_beginning_away() -> None:
    def change(seen, at_s, check):
        late = check.stage is Stage.ASKED and seen.face.pose.yaw > 15
        paused.append(late)
        return replace(seen, at_ns=seen.at_ns + 10**9) if any(paused) else seen

    paused: list[bool] = []
    check = Check((Action.LEFT,))
    run(check, Person(), change)
    assert check.reasons == (Reason.TIMED_OUT,)


# --- numbers that are none -------------------------------------------------------------

NAN = float("nan")
NUMBERS = {
    "yaw": lambda face: replace(face, pose=replace(face.pose, yaw=NAN)),
    "pitch": lambda face: replace(face, pose=replace(face.pose, pitch=NAN)),
    "roll": lambda face: replace(face, pose=replace(face.pose, roll=NAN)),
    "eye distance": lambda face: replace(face, eye_distance_px=NAN),
    "mouth": lambda face: replace(face, mouth=NAN),
    "lids": lambda face: replace(face, lids=NAN),
    "off centre x": lambda face: replace(face, off_centre=(NAN, 0.0)),
    "off centre y": lambda face: replace(face, off_centre=(0.0, NAN)),
    "width": lambda face: replace(face, width=NAN),
    "brightness": lambda face: replace(face, brightness=NAN),
    "sharpness": lambda face: replace(face, sharpness=NAN),
    "points": lambda face: replace(face, rigid=np.where(np.eye(12, 2) > 0, NAN, face.rigid)),
}


@pytest.mark.parametrize("stage", [Stage.FRAMING, Stage.CENTRE, Stage.ASKED, Stage.FINAL])
@pytest.mark.parametrize("number", NUMBERS)
def test_a_face_with_a_nan_is_no_face(number, stage) -> None:
    def change(seen, at_s, check):
        spoil = check.stage is stage
        return replace(seen, face=NUMBERS[number](seen.face)) if spoil else seen

    check = Check((Action.LEFT, Action.UP), Limits(framing_s=2.0))
    run(check, Person(), change)
    assert check.reasons == (Reason.FACE_LOST,)


@pytest.mark.parametrize("stage", [Stage.CENTRE, Stage.ASKED, Stage.FINAL])
@pytest.mark.parametrize("name", ["identity", "seam"])
def test_a_nan_proves_nobody(name, stage) -> None:
    def change(seen, at_s, check):
        spoil = check.stage is stage and (name == "seam" or seen.identity is not None)
        return replace(seen, **{name: NAN}) if spoil else seen

    check = Check((Action.LEFT, Action.UP))
    run(check, Person(), change)
    assert check.reasons == (Reason.FACE_CHANGED,)


def test_a_nan_seam_gives_no_neutral() -> None:
    check = Check((Action.LEFT,), Limits(framing_s=2.0))
    run(check, Person(), lambda seen, at_s, check: replace(seen, seam=NAN))
    assert check.reasons == (Reason.TIMED_OUT,)
    assert check.stage is Stage.FAILED


@pytest.mark.parametrize(("lids", "reasons"), [(0.75, (Reason.TIMED_OUT,)), (0.3, ())])
def test_a_blink_is_measured_against_the_own_open_eyes(lids, reasons) -> None:
    check = Check((Action.BLINK,))
    run(check, Person(answers={Prompt.BLINK: (0, 0, 0, lids)}))
    assert check.reasons == reasons


def test_who_sleeps_does_not_blink() -> None:
    check = Check((Action.BLINK,))
    run(check, Person(blink_s=4.0))
    assert check.reasons == (Reason.TIMED_OUT,)


def test_closed_eyes_alone_are_no_blink() -> None:
    check = Check((Action.BLINK,))
    run(check, Person(blink_s=100.0))
    assert check.reasons == (Reason.TIMED_OUT,)


def test_lids_are_measured_only_where_they_count() -> None:
    assert not Check((Action.LEFT,)).wants_lids
    assert Check((Action.BLINK,)).wants_lids


# --- keeping still, the prompt once more, the slow pace ---------------------------------------


def test_keeping_still_is_a_step_of_its_own() -> None:
    check = Check((Action.LEFT, Action.STILL, Action.UP))
    prompts = run(check, Person())
    assert check.stage is Stage.PASSED
    assert check.done == (Action.LEFT, Action.STILL, Action.UP)
    (still_s,) = [at_s for at_s, prompt in prompts if prompt is Prompt.STILL]
    next_s = min(at_s for at_s, _ in prompts if at_s > still_s)
    assert next_s - still_s >= Limits().still_s


@pytest.mark.parametrize("goes_on", [Prompt.LEFT, Prompt.UP, Prompt.DOWN])
def test_a_film_that_goes_on_although_one_should_keep_still_fails(goes_on) -> None:
    check = Check((Action.RIGHT, Action.STILL, Action.UP))
    run(check, Person(answers={Prompt.STILL: TURNS[goes_on]}))
    assert check.reasons == (Reason.WRONG_ACTION,)
    assert check.done == (Action.RIGHT,)


def test_a_little_unrest_only_takes_longer() -> None:
    """Half a movement begins the while anew; who settles then is through."""

    def change(seen, at_s, check):
        if check.stage is not Stage.ASKED or at_s > 4.0:
            return seen
        return replace(seen, face=replace(seen.face, pose=Pose(12.0, 0.0, 0.0)))

    check = Check((Action.STILL,))
    prompts = run(check, Person(), change)
    assert check.done == (Action.STILL,)
    assert prompts[-1][0] >= 4.0 + Limits().still_s


def test_who_keeps_still_is_proven_too() -> None:
    check = Check((Action.STILL,))
    run(check, Person(), held_by(0.4))
    assert check.reasons == (Reason.TIMED_OUT,)


@pytest.mark.parametrize(("limits", "again_s"), [(Limits(), 4.0), (Limits.slow(), 6.0)])
def test_e07_the_prompt_is_given_once_more_to_who_does_not_begin(limits, again_s) -> None:
    check, hints = Check((Action.LEFT,), limits), []

    def change(seen, at_s, check):
        if check.stage is Stage.ASKED:
            hints.append((at_s, check.progress().hint))
        return seen

    prompts = run(check, Person(answers={Prompt.LEFT: REST}), change)
    asked_s = next(at_s for at_s, prompt in prompts if prompt is Prompt.LEFT)
    again = [at_s - asked_s for at_s, hint in hints if hint is Hint.AGAIN]
    assert again_s <= min(again) <= max(again) < again_s + 1.7
    assert check.reasons == (Reason.TIMED_OUT,)


def test_nobody_who_has_begun_is_told_to_begin() -> None:
    hints = []

    def change(seen, at_s, check):
        hints.append(check.progress().hint)
        return seen

    check = Check((Action.LEFT,))
    run(check, Person(speed=3.0), change)
    assert Hint.AGAIN not in hints


def test_the_slow_pace_waits_longer_and_asks_for_no_less() -> None:
    slow, person = Limits.slow(), Person(reaction_s=9.0)
    check = Check((Action.LEFT, Action.UP), slow)
    run(check, person)
    assert check.stage is Stage.PASSED
    hurried = Check((Action.LEFT, Action.UP))
    run(hurried, Person(reaction_s=9.0))
    assert hurried.reasons == (Reason.TIMED_OUT,)
    numbers = ("yaw", "pitch", "parallax", "growth", "hold_s", "reaction_s")
    assert all(getattr(slow, name) == getattr(Limits(), name) for name in numbers)


# --- one plain reason at a time -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoilt", "hint"),
    [
        ({"eye_distance_px": 40.0}, Hint.TOO_FAR),
        ({"width": 0.9}, Hint.TOO_NEAR),
        ({"off_centre": (0.4, 0.0)}, Hint.OFF_CENTRE),
        ({"brightness": 20.0}, Hint.TOO_DARK),
        ({"brightness": 240.0}, Hint.TOO_BRIGHT),
        ({"brightness": 70.0, "behind": 190.0}, Hint.BACKLIGHT),
        ({"sharpness": 1.0}, Hint.BLURRED),
        ({"pose": Pose(30.0, 0.0, 0.0)}, Hint.LOOK_AT_CAMERA),
        ({"lips": 0.004}, Hint.COVERED),
        ({"eyes": 0.2}, Hint.COVERED),
        ({"brightness": 120.0, "behind": 230.0}, None),
        ({"brightness": 60.0, "behind": 140.0}, None),
    ],
)
def test_e06_what_is_wrong_with_the_picture_is_said_in_one_hint(spoilt, hint) -> None:
    seen = Observation(0, 1, 1, replace(Person().face(), **spoilt))
    assert Check(ALL).see(seen).hint is hint


def test_e06_a_covered_lens_is_not_an_empty_chair() -> None:
    assert Check(ALL).see(Observation(0, 0, blank=True)).hint is Hint.COVERED
    assert Check(ALL).see(Observation(0, 0)).hint is Hint.NO_FACE


seen_things = st.builds(
    Observation,
    at_ns=st.integers(0, 10**11),
    faces=st.integers(0, 3),
    track=st.integers(0, 3),
    face=st.none()
    | st.builds(
        FaceView,
        pose=st.builds(Pose, *[st.floats(-180, 180)] * 3),
        eye_distance_px=st.floats(0, 500),
        mouth=st.floats(0, 5),
        lids=st.none() | st.floats(0, 1),
        off_centre=st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
        width=st.floats(0, 2),
        brightness=st.floats(0, 255),
        sharpness=st.floats(0, 1e4),
        rigid=st.sampled_from([np.zeros((12, 2)), rigid_points(mesh()), rigid_points(mesh(30))]),
    ),
    identity=st.none() | st.floats(0, 1.5) | st.just(NAN),
    seam=st.floats(0, 1.5) | st.just(NAN),
)


@settings(max_examples=60)
@given(seen=st.lists(seen_things, max_size=60), order=st.lists(st.sampled_from(ALL), max_size=4))
def test_nothing_that_can_be_seen_breaks_the_check(seen, order) -> None:
    check = Check(tuple(order), Limits(baseline_s=0.0, baseline_frames=1))
    steps = 0
    for one in sorted(seen, key=lambda one: one.at_ns):
        was = check.stage
        progress = check.see(one)
        assert progress.step >= steps
        steps = progress.step
        assert was not in (Stage.PASSED, Stage.FAILED) or check.stage is was
    assert (check.stage is Stage.FAILED) == bool(check.reasons)


# --- photographs that fade ------------------------------------------------------------


FEATURES = np.random.default_rng(5).uniform(0, 255, 24)  # dark and bright, side by side


def before_a_wall(shift: float) -> np.ndarray:
    """What lies in the place of the face: features that wander with the head."""
    across = np.linspace(0.3, 0.7, 24) + shift
    row = np.interp(across, np.linspace(0, 1, len(FEATURES)), FEATURES)
    return np.tile(row, (24, 1)).astype(np.float32).ravel()


def wandering(seen: Observation, _at_s: float, check: Check) -> Observation:
    assert seen.face is not None
    turned = (seen.face.pose.yaw + seen.face.pose.pitch) / 100
    return replace(seen, patch=before_a_wall(turned)) if check.wants_patch else seen


def fading(seen: Observation, _at_s: float, check: Check) -> Observation:
    """Between the photograph ahead and the one in the pose there is nothing but their mixture."""
    assert seen.face is not None
    most = TURNS.get(check.progress().prompt, REST)
    part = (seen.face.pose.yaw + seen.face.pose.pitch) / ((most[0] + most[1]) or 1)
    ends = before_a_wall(0.0), before_a_wall((most[0] + most[1]) / 100)
    both = ((1 - part) * ends[0] + part * ends[1]).astype(np.float32)
    return replace(seen, patch=both) if check.wants_patch else seen


@pytest.mark.parametrize("fps", [8.0, 15.0, 30.0])
def test_a_head_whose_features_wander_is_seen_turning(fps) -> None:
    check = Check(ALL)
    run(check, Person(), wandering, fps=fps)
    assert check.stage is Stage.PASSED


@pytest.mark.parametrize("fps", [8.0, 15.0, 30.0])
@pytest.mark.parametrize("action", [Action.LEFT, Action.RIGHT, Action.UP, Action.DOWN])
def test_a_photograph_that_fades_into_another_turns_nothing(fps, action) -> None:
    check = Check((action,))
    hints = set()

    def change(seen: Observation, at_s: float, check: Check) -> Observation:
        hints.add(check.progress().hint)
        return fading(seen, at_s, check)

    run(check, Person(), change, fps=fps)
    assert check.reasons == (Reason.TIMED_OUT,)
    assert check.done == ()
    assert Hint.LOOK_AT_CAMERA in hints
