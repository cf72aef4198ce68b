"""Shares, intervals, limits: what the report says of sessions."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from edge.domain.errors import ConfigError
from edge.evaluate import campaign, page, report, settings
from edge.evaluate.campaign import AGAIN, Archive, jobs
from edge.evaluate.settings import HERE, Limits
from edge.evaluate.stage import NO_ANSWER, Played
from edge.evaluate.statistics import clopper_pearson, percentile

FACTS = {"manner": "brisk", "gain": 1.0, "shadow": 0.0}


def played(seed=1000, *, live=False, passed=None, asked=1, presented=True, person="s13", **more):
    row = {
        "kind": "flat_print",
        "seed": seed,
        "render": seed,
        "slow": False,
        "people": (person,),
        "facts": FACTS,
        "fps": 12.0,
        "order": ("left", "up", "mouth", "down"),
        "presented": presented,
        "asked": asked,
        "done": ("left", "up", "mouth", "down") if live else (),
        "live": live,
        "passed": live if passed is None else passed,
        "reasons": () if live else ("timed_out",),
        "evidence": 0.7 if live else None,
        "likeness": 0.7 if live else None,
        "seconds": 12.0 if live else 9.0,
        "frames": 100,
        "spent_s": 0.5,
    }
    return Played(**{**row, **more})


@pytest.mark.parametrize(
    ("hits", "tries", "low", "high"),
    [  # from tables of the exact interval
        (0, 150, 0.0, 0.02429),
        (0, 3000, 0.0, 0.001229),
        (1, 10, 0.002529, 0.445016),
        (5, 100, 0.016432, 0.112835),
        (10, 10, 0.691503, 1.0),
    ],
)
def test_intervals_are_exact(hits, tries, low, high) -> None:
    assert clopper_pearson(hits, tries) == pytest.approx((low, high), abs=1e-5)


def test_an_interval_of_nothing_is_everything() -> None:
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_percentiles_are_values_that_occurred() -> None:
    assert percentile([3.0, 1.0, 2.0, 4.0], 0.5) == 2.0
    assert percentile([3.0, 1.0, 2.0, 4.0], 0.95) == 4.0
    assert percentile([], 0.5) is None


def test_accepted_is_liveness_alone_and_iapar_both() -> None:
    rows = [played(n) for n in range(8)]
    rows += [played(8, live=True, passed=False), played(9, live=True)]
    found = report.attack(rows)
    assert (found["attempts"], found["accepted"], found["apcer"]) == (10, 2, 0.2)
    assert found["iapar"] == 0.1
    assert found["ci95"] == clopper_pearson(2, 10)


def test_silence_is_counted_apart_and_cannot_hide_an_acceptance() -> None:
    rows = [played(n, asked=0, reasons=(NO_ANSWER,)) for n in range(9)] + [played(9, live=True)]
    found = report.attack(rows)
    assert found["apnrr"] == 0.9
    assert found["apcer"] == 0.1
    assert found["apcer_of_responses"] == 1.0
    blocked = report.gate({"flat_print": found}, live_of(), LIMITS, full=False)["blocked_by"]
    assert [row["what"] for row in blocked] == ["flat_print"]


def test_an_attack_that_never_took_place_is_no_attempt() -> None:
    found = report.attack([played(1), played(2, presented=False)])
    assert (found["attempts"], found["not_presented"]) == (1, 1)


def test_showing_a_film_again_makes_no_interval_narrower() -> None:
    """400 tries of 10 films, one of which passes always: as wide as 1 of 10."""
    rows = [
        played(n, kind=AGAIN, render=n // 40, live=n // 40 == 3, order=("left", "up"))
        for n in range(400)
    ]
    found = report.attack(rows)
    assert (found["attempts"], found["accepted"], found["distinct_renders"]) == (400, 40, 10)
    assert found["ci95"] == clopper_pearson(1, 10)
    assert found["ci95_of_attempts"] == clopper_pearson(40, 400)


def test_a_share_between_two_counts_takes_the_wider_interval() -> None:
    rows = [played(n, kind=AGAIN, render=n // 40, live=n in (0, 40, 80)) for n in range(400)]
    low, high = report.attack(rows)["ci95"]
    assert (low, high) == (0.0, clopper_pearson(1, 10)[1])


def test_replays_are_one_kind_and_those_drawn_anew_are_told_apart() -> None:
    anew = [played(n, kind="replay", live=n == 0) for n in range(200)]
    again = [played(n, kind=AGAIN, render=n // 40) for n in range(400)]
    found = report.attacks({"replay": anew, AGAIN: again, "live": []})
    assert set(found) == {"replay"}
    assert (found["replay"]["attempts"], found["replay"]["distinct_renders"]) == (600, 210)
    assert found["replay"]["pixel_level"]["attempts"] == 200
    assert found["replay"]["pixel_level"]["accepted"] == 1


def test_one_person_whose_picture_always_passes_is_named() -> None:
    rows = [played(n) for n in range(90)]
    rows += [played(90 + n, live=True, person="s20") for n in range(3)]
    assert report.attack(rows)["worst_person"] == {"person": "s20", "accepted": 3, "attempts": 3}


def live_of(refused: int = 0, sessions: int = 200):
    rows = [played(n, live=n >= refused, kind="live") for n in range(sessions)]
    return report.living(rows)


def test_the_living_have_all_the_keys_that_were_promised() -> None:
    keys = ["sessions", "refused", "bpcer", "ci95", "bpnrr", "seconds_p50", "seconds_p95"]
    found = live_of(refused=3)
    assert set(keys) <= set(found)
    assert (found["refused"], found["bpcer"]) == (3, 0.015)
    attack = report.attack([played()])
    assert {"attempts", "accepted", "apcer", "ci95", "apnrr"} <= set(attack)


def test_false_breaks_are_honest_people_taken_for_others() -> None:
    rows = [played(n, live=True, kind="live") for n in range(98)]
    rows += [played(98, reasons=("face_changed",)), played(99, reasons=("timed_out",))]
    assert report.living(rows)["false_breaks"] == 0.01


def test_riapar_adds_the_refused_to_the_accepted() -> None:
    attacks = {"swap": report.attack([played(live=True), played(2), played(3), played(4)])}
    report.add_riapar(attacks, live_of(refused=20))
    assert attacks["swap"]["riapar"] == pytest.approx(0.25 + 0.1)


LIMITS = Limits({"flat_print": 0.0, "replay": 0.004}, bpcer=0.02, false_breaks=0.005)


def some(accepted: int, tries: int):
    return report.attack([played(n, live=n < accepted) for n in range(tries)])


def test_one_acceptance_blocks_where_none_is_allowed() -> None:
    assert not report.gate({"flat_print": some(1, 200)}, live_of(), LIMITS, full=False)["released"]
    assert report.gate({"flat_print": some(0, 200)}, live_of(), LIMITS, full=False)["released"]


def test_chance_alone_does_not_block_the_short_form_but_the_full_one() -> None:
    """1 of 200 is 0.5 %; a true 0.4 % would show it more often than not."""
    short = report.gate({"replay": some(1, 200)}, live_of(), LIMITS, full=False)
    assert short["released"]
    assert [row["what"] for row in short["above_but_not_sure"]] == ["replay"]
    assert not report.gate({"replay": some(1, 200)}, live_of(), LIMITS, full=True)["released"]


def test_too_few_sessions_release_nothing() -> None:
    gate = report.gate({"flat_print": some(0, 20)}, live_of(), LIMITS, enough=False)
    assert not gate["released"]
    assert gate["blocked_by"] == []
    assert "Too few sessions" in page.page({**whole_report(), "gate": gate}, [])


def test_what_is_known_to_get_through_is_said_first() -> None:
    shown = whole_report()
    shown["attacks"]["replay_scrubbed"] = some(150, 200)
    shown["limits"]["attacks"]["replay_scrubbed"] = 1.0
    text = page.page(shown, [])
    assert text.index("Known to get through") < text.index("<table")
    assert "<td class=doubt>75.00 %" in text


def test_a_kind_without_a_limit_may_not_get_through() -> None:
    assert not report.gate({"new": some(1, 200)}, live_of(), LIMITS, full=False)["released"]


def test_too_many_refused_block_a_release_too() -> None:
    gate = report.gate({}, live_of(refused=20), LIMITS, full=False)
    assert [row["what"] for row in gate["blocked_by"]] == ["live bpcer"]


def test_every_kind_has_a_limit_and_every_limit_a_kind() -> None:
    limits = settings.read_limits(HERE)
    assert set(limits.attacks) == set(campaign.GENERATORS) - {campaign.LIVE, campaign.AGAIN}
    assert limits.attacks["flat_print"] == limits.attacks["flat_screen"] == 0.0
    assert limits.attacks["replay"] <= 0.004
    assert limits.attacks["swap"] <= 0.001
    assert limits.bpcer <= 0.02


def test_the_halves_share_no_seed_and_no_person() -> None:
    splits = settings.read_splits(HERE)
    assert splits.first_seed("development") == 0
    assert splits.first_seed("report") == splits.last_seed + 1 == 1000
    assert splits.half_of_person("s12") == "development"
    assert splits.half_of_person("s13") == "report"
    assert splits.half_of_clip("never-seen.mkv") == "report"


# --- the archive ------------------------------------------------------------------------


def test_what_was_played_is_not_played_again(tmp_path) -> None:
    archive = Archive(tmp_path)
    archive.add([played(1000), played(1003, live=True)])
    kept = archive.of("flat_print")
    assert kept == {1000: played(1000), 1003: played(1003, live=True)}
    left = jobs({"flat_print": 12}, 1000, {"flat_print": kept})
    assert [[seed for _, seed in job] for job in left] == [
        [1001, 1002, 1004],
        [*range(1005, 1010)],
        [1010, 1011],
    ]


def test_whoever_shares_heads_shares_a_job() -> None:
    """A head takes half a second to prepare; stills need none."""
    none = {kind: {} for kind in ("live", "swap", "flat_print", AGAIN)}
    work = jobs({"live": 5, "swap": 10, "flat_print": 5, AGAIN: 400}, 1000, none)
    kinds = sorted((tuple(sorted({kind for kind, _ in job})), len(job)) for job in work)
    assert kinds == [
        (("flat_print",), 5),
        (("live", "swap"), 10),
        ((AGAIN,), 200),
        ((AGAIN,), 200),
        (("swap",), 5),
    ]


def test_a_fingerprint_is_of_what_code_means(tmp_path) -> None:
    same = tmp_path / "same.py", tmp_path / "other.py"
    same[0].write_text('"""Words."""\nLIMIT = 0.3  # a word\n')
    same[1].write_text("LIMIT = (0.3)\n")
    assert campaign._meaning(same[0]) == campaign._meaning(same[1])
    same[1].write_text("LIMIT = 0.4\n")
    assert campaign._meaning(same[0]) != campaign._meaning(same[1])


def test_every_file_that_the_outcome_depends_on_is_in_the_fingerprint() -> None:
    """By what is imported from where; what is only reported or switched off is left out."""
    edge = Path(campaign.__file__).parents[1]
    known = {f"edge/{part}" for part in campaign.DEPENDS_ON}
    assert all((edge.parent / f"{part}.py").exists() for part in known)
    needed = {
        name.replace(".", "/")
        for part in known
        for name in imports(edge.parent / f"{part}.py")
        if name.startswith(("edge.models", "edge.evaluate", "edge.drivers", "edge.session"))
    }
    harmless = ("layers", "manifest")  # off in every session; hashes are taken by themselves
    missing = {name for name in needed - known if not name.endswith(harmless)}
    assert {name for name in missing if (edge.parent / f"{name}.py").exists()} == set()


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_a_torn_line_costs_one_session(tmp_path) -> None:
    archive = Archive(tmp_path)
    archive.add([played(1000)])
    file = tmp_path / "flat_print.jsonl"
    with file.open("a") as torn:
        torn.write(json.dumps({"kind": "flat_print"})[:9])
    archive.add([played(1001)])
    assert set(archive.of("flat_print")) == {1000, 1001}


def test_settings_that_cannot_be_read_say_so(tmp_path) -> None:
    (tmp_path / "limits.toml").write_text("[attacks")
    with pytest.raises(ConfigError, match=r"limits\.toml"):
        settings.read_limits(tmp_path)


# --- the page ------------------------------------------------------------------------------


def whole_report():
    attacks = {"flat_print": some(0, 200), "replay": some(1, 200)}
    live = live_of(refused=2)
    report.add_riapar(attacks, live)
    return {
        "made": "2026-11-23",
        "software": "0.1.0",
        "form": "short",
        "gate": report.gate(attacks, live, LIMITS, full=False),
        "attacks": attacks,
        "live": live,
        "limits": {"attacks": dict(LIMITS.attacks)},
        "real_clips": [],
        "verification": {},
        "speed": {"match_ms_p50": 7.1},
        "models": {"face_mesh": "ab" * 32},
        "thresholds": {"history": [{"date": "2026-11-23", "why": "first", "sha256": "cd" * 32}]},
        "data": {"people": ["s13"], "portraits": ["astronaut"]},
        "notes": ["a note <with> marks"],
    }


def test_the_page_shows_each_kind_and_no_mean() -> None:
    text = page.page(whole_report(), [("plots/times.png", "times")])
    assert "flat print" in text
    assert "0.00 – 1.83 %" in text
    assert "&lt;with&gt;" in text
    numbers = json.dumps(whole_report())
    assert "ACER" not in text.replace("APCER", "").replace("BPCER", "")
    assert not any(word in numbers for word in ("mean", "average", "overall"))


def test_no_path_of_this_machine_is_written() -> None:
    numbers = json.dumps(whole_report())
    assert str(Path.home()) not in numbers
