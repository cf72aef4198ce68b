"""`report.html`: the figures of `report.json` for people, with the pictures beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

Figures = dict[str, Any]
KNOWN = 0.5  # who may be accepted this often is known to get through
STYLE = """
body{font:16px/1.5 system-ui,"Noto Sans","Noto Sans CJK SC",sans-serif;color:#22303c;
background:#fff;
max-width:1280px;margin:2.5rem auto;padding:0 1.2rem}
h1{font-size:1.7rem;margin:0 0 .2rem}h2{font-size:1.2rem;margin:2.2rem 0 .5rem}
p,li{max-width:76ch}.small{color:#5b6a76;font-size:.9rem}
table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.35rem .6rem;border-bottom:1px solid #dfe5ea;vertical-align:top}
th:first-child,td:first-child{text-align:left}td{white-space:nowrap}th{font-weight:600;background:#f4f6f8}
td.words,th.words{text-align:left;white-space:normal;min-width:13rem}td.words{font-size:.86rem;color:#44535f}
.good{color:#1f7a54;font-weight:600}.bad{color:#b5472f;font-weight:600}.doubt{color:#96690f;font-weight:600}
.verdict{padding:.7rem 1rem;border-radius:6px;background:#eef6f1;margin:1rem 0}
.verdict.no{background:#fbeee9}img{max-width:100%;height:auto}code{overflow-wrap:anywhere}
"""


def page(report: Figures, pictures: Sequence[tuple[str, str]]) -> str:
    """`pictures` are paths beside the page and what they show."""
    parts = [
        f"<h1>Evaluation of the camera check</h1><p class=small>{_made(report)}</p>",
        _gate(report["gate"]),
        _known(report["attacks"], report["limits"]["attacks"]),
        "<h2>Attacks, each kind by itself</h2>",
        "<p>Accepted means: taken for a living person. There is no mean over kinds, because the"
        " weakest kind is the one that will be used.</p>",
        _attacks(report["attacks"], report["limits"]["attacks"]),
        "<h2>How far each kind came</h2>",
        "<p>Movements accepted of those asked for. Who never blinks fails for that reason alone;"
        " turns and nods show what depth stops.</p>",
        _movements({**report["attacks"], "living": report["live"]}),
        "<h2>Living people, drawn</h2>",
        _live(report["live"]),
        "<h2>Real clips</h2>",
        "<p>Nobody in these clips follows prompts, and nobody nods, so none can come out as"
        " living. What counts is that turns are seen where heads turn, and nowhere else.</p>",
        _clips(report["real_clips"]),
        _layers(report.get("layers", {})),
        _verification(report["verification"]),
        "<h2>Speed and memory</h2>",
        _speed(report["speed"]),
        *(
            f'<h2>{escape(text)}</h2><img src="{escape(path)}" alt="{escape(text)}">'
            for path, text in pictures
        ),
        "<h2>What this rests on</h2>",
        _origin(report),
    ]
    head = f"<meta charset=utf-8><title>Evaluation</title><style>{STYLE}</style>"
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(parts)}</body></html>\n"


def _made(report: Figures) -> str:
    form = "full form" if report["form"] == "full" else "short form"
    return escape(f"{report['made']}, {form}, software {report['software']}")


def _gate(gate: Figures) -> str:
    if not gate["enough"]:
        text = "<div class='verdict no'><span class=bad>Too few sessions for a release.</span>"
    elif gate["released"]:
        text = "<div class=verdict><span class=good>No kind exceeds its limit.</span>"
    else:
        rows = "; ".join(_limit_words(row) for row in gate["blocked_by"])
        text = f"<div class='verdict no'><span class=bad>A release is blocked:</span> {rows}."
    doubt = "; ".join(_limit_words(row) for row in gate["above_but_not_sure"])
    more = (
        f" <span class=doubt>Above the limit, but within chance:</span> {doubt}." if doubt else ""
    )
    return f"{text}{more}</div>"


def _known(attacks: Figures, limits: Figures) -> str:
    known = [kind.replace("_", " ") for kind in attacks if limits.get(kind, 0.0) >= KNOWN]
    if not known:
        return ""
    return f"<p><span class=doubt>Known to get through:</span> {escape(', '.join(known))}.</p>"


def _limit_words(row: Figures) -> str:
    return escape(f"{row['what']} {percent(row['measured'])}, limit {percent(row['limit'])}")


def percent(share: float | None) -> str:
    if share is None:
        return "–"
    return f"{100 * share:.2f} %"


def between(pair: Sequence[float]) -> str:
    return f"{100 * pair[0]:.2f} – {100 * pair[1]:.2f} %"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    top = "".join(f"<th{_WORDY.get(name, '')}>{escape(name)}" for name in head)
    body = "".join("<tr>" + "".join(_cell(one) for one in row) for row in rows)
    return f"<table><tr>{top}{body}</table>"


_WORDY = dict.fromkeys(("stopped by", "movements seen", "reasons"), " class=words")


def _cell(text: str) -> str:
    if text.startswith("<td"):
        return text
    return f"<td>{escape(text)}"


def _words(text: str) -> str:
    return f"<td class=words>{escape(text)}"


def _judged(share: float | None, limit: float) -> str:
    if share is None:
        return "<td>–"
    word = "doubt" if limit >= KNOWN else "good" if share <= limit else "bad"
    return f"<td class={word}>{percent(share)}"


def _attacks(attacks: Figures, limits: Figures) -> str:
    head = ("kind", "attempts", "drawings", "accepted", "APCER", "95 % interval", "limit")
    more = ("no response", "IAPAR", "RIAPAR", "people", "stopped by")
    rows = [
        (
            kind.replace("_", " "),
            f"{row['attempts']:,}",
            f"{row['distinct_renders']:,}",
            f"{row['accepted']:,}",
            _judged(row["apcer"], limits.get(kind, 0.0)),
            between(row["ci95"]),
            percent(limits.get(kind, 0.0)),
            percent(row["apnrr"]),
            percent(row["iapar"]),
            percent(row.get("riapar")),
            str(row["identities"]),
            _words(_top(row["reasons"])),
        )
        for kind, row in attacks.items()
    ]
    return _table(head + more, rows) + "".join(map(_drawn_anew, attacks.values()))


def _drawn_anew(row: Figures) -> str:
    """Films are looked at once and shown to many tries; those drawn for one try alone, too."""
    if "pixel_level" not in row:
        return ""
    anew = row["pixel_level"]
    return (
        f"<p class=small>Of the replays {anew['attempts']:,} were drawn for one try alone:"
        f" {anew['accepted']:,} accepted, {percent(anew['apcer'])}"
        f" (95 % interval {between(anew['ci95'])}). The interval of all counts each film once.</p>"
    )


def _top(reasons: dict[str, int], most: int = 3) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in list(reasons.items())[:most])


def _movements(kinds: Figures) -> str:
    names = ("left", "right", "up", "down", "mouth", "blink", "still")
    rows = []
    for kind, row in kinds.items():
        moves = (row["movements"].get(name, {"asked": 0, "done": 0}) for name in names)
        cells = [f"{one['done']:,} / {one['asked']:,}" for one in moves]
        rows.append((kind.replace("_", " "), *cells))
    return _table(("kind", *names), rows)


def _live(live: Figures) -> str:
    facts = [
        ("sessions", f"{live['sessions']:,}"),
        ("refused (BPCER)", f"{live['refused']:,}, {percent(live['bpcer'])}"),
        ("95 % interval", between(live["ci95"])),
        ("no response (BPNRR)", percent(live["bpnrr"])),
        ("refused or not alike (FRR)", percent(live["frr"])),
        ("ended as somebody else, wrongly", percent(live["false_breaks"])),
        ("seconds, half of the accepted", seconds(live["seconds_p50"])),
        ("seconds, 95 % of the accepted", seconds(live["seconds_p95"])),
        ("people", str(live["identities"])),
        ("why refused", _words(_top(live["reasons"], 6))),
    ]
    parts = [
        (
            name,
            f"{row['sessions']:,}",
            f"{row['refused']:,}",
            seconds(row["seconds_p50"]),
            seconds(row["seconds_p95"]),
        )
        for name, row in live["by"].items()
    ]
    head = ("part", "sessions", "refused", "seconds, half", "seconds, 95 %")
    return _table(("all", ""), facts) + "<br>" + _table(head, parts)


def seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _clips(clips: Sequence[Figures]) -> str:
    if not clips:
        return "<p>None: EVAL_DATA did not name a folder.</p>"
    head = ("clip", "half", "frames", "face seen", "verdict", "movements seen", "reasons")
    rows = [
        (
            row["clip"],
            row["half"],
            str(row["frames"]),
            percent(row["with_face"]),
            row["verdict"],
            _words(", ".join(step["action"] for step in row["steps"]) or "–"),
            _words(", ".join(row["reasons"]) or "–"),
        )
        for row in clips
    ]
    return _table(head, rows)


def _verification(sets: Figures) -> str:
    if not sets:
        return ""
    head = ("set", "mated", "non-mated", "FNMR at FMR 1e-2", "at 1e-3", "95 % interval", "at 1e-4")
    rows = [
        (
            name.replace("_", " "),
            f"{row['mated']:,}",
            f"{row['non_mated']:,}",
            percent(row["fnmr_at_fmr_1e-2"]),
            percent(row["fnmr_at_fmr_1e-3"]),
            between(row["fnmr_at_fmr_1e-3_ci95"]),
            percent(row["fnmr_at_fmr_1e-4"]),
        )
        for name, row in sets.items()
    ]
    return "<h2>Comparison with the card photo</h2>" + _table(head, rows)


def _layers(layers: Figures) -> str:
    """How often each says what, of the living and of each kind of attack."""
    if not layers:
        return ""
    rows = [
        (name.replace("_", " "), kind.replace("_", " "), *(f"{n:,}" for n in states.values()))
        for name, kinds in layers.items()
        for kind, states in kinds.items()
    ]
    said = next(iter(next(iter(layers.values())).values()))
    return (
        "<h2>Other layers, each by itself</h2>"
        "<p>Before a physical simulator and drawn sensors, not in the sessions above, where they"
        " are switched off. None of them accepts anybody.</p>"
        + _table(("layer", "kind", *said), rows)
    )


def _speed(speed: Figures) -> str:
    rows = [(name.replace("_", " "), _speed_words(value)) for name, value in speed.items()]
    return _table(("", ""), rows)


def _speed_words(value: Any) -> str:
    if isinstance(value, dict):
        return _words(", ".join(f"{name} {one:.2f}" for name, one in value.items()))
    return f"{value:.2f}"


def _origin(report: Figures) -> str:
    data = report["data"]
    models = "".join(
        f"<li>{escape(name)}: <code>{escape(digest)}</code>"
        for name, digest in report["models"].items()
    )
    history = "".join(
        f"<li>{escape(row['date'])}: {escape(row['why'])} (<code>{row['sha256'][:16]}</code>)"
        for row in report["thresholds"]["history"]
    )
    notes = "".join(f"<li>{escape(note)}" for note in report["notes"])
    facts = (
        f"People: {', '.join(data['people']) or 'none'}; portraits: {', '.join(data['portraits'])}."
    )
    return (
        f"<p>{escape(facts)}</p><ul>{notes}</ul>"
        f"<p>Models:</p><ul>{models}</ul><p>Thresholds were frozen:</p><ul>{history}</ul>"
    )
