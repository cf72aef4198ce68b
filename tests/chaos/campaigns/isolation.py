"""One kiosk's certificate against everybody else: nothing read, nothing written, nobody evicted.

A kiosk with a valid certificate tries, at random and thousands of times, to publish as others,
to listen to others, to leave wills and retained messages with others, and to take others'
sessions. Deliveries are counted at every end, because mosquitto grants subscriptions that its
access rules then never serve. What it signs in another's name has to be refused by the
registry. The control plays the same attacks against a weaker broker and has to succeed.
"""

from __future__ import annotations

import random
import re
import time
from contextlib import ExitStack
from pathlib import Path

from edge.wire import topics
from provisioning.site import Site
from tests.chaos import intruder
from tests.chaos.campaign import Progress, Quiet, Section, Size
from tests.chaos.ends import Centre, keys_of, scratch, until
from tests.chaos.intruder import ATTACKER, MARK, VICTIM, Listener, Stage
from tests.fixtures_broker import KIOSKS, Broker

QUIET_S = 1.0
"""How long to listen after the last attempt."""


class ShippedBroker(Broker):
    """Logs what the shipped configuration says, and no more."""

    OPTIONS = ()


def run(size: Size, progress: Progress) -> Section:
    attempts = size.of(120, 2400)
    progress.expect(attempts)
    found = _attack(attempts, size.seed, progress)
    control = _attack(size.of(40, 200), size.seed, Quiet(), weak=True)
    found |= {
        "forged_records": _forged_records(size.of(20, 80), size.seed),
        "control_weak_broker": {key: control[key] for key in ("deliveries", "evictions")},
    }
    return found | {"broken": _broken(found)}


def _broken(found: Section) -> list[str]:
    forged, control = found["forged_records"], found["control_weak_broker"]
    rules = (
        (found["deliveries"] == 0, "messages reached somebody they were not meant for"),
        (found["evictions"] == 0, "connections of others were ended"),
        (found["unlogged"] == 0, "attempts are not in the broker's log"),
        (found["honest_heard"] == found["honest_sent"], "honest messages did not arrive"),
        (forged["filed"] == 0, "the registry filed a record in another kiosk's name"),
        (forged["quarantined"] == forged["sent"], "forged records left no trace at the registry"),
        (forged["honest_filed"] == 1, "the victim's own record was not filed"),
        (control["deliveries"] > 0, "the control delivered nothing: the attacks do not bite"),
        (control["evictions"] > 0, "the control evicted nobody: the thefts do not bite"),
    )
    return [words for holds, words in rules if not holds]


def _attack(attempts: int, seed: int, progress: Progress, *, weak: bool = False) -> Section:
    with scratch() as root, ExitStack() as stack:
        broker = ShippedBroker(root)
        if weak:
            _weaken(broker.site)
        broker.start()
        stack.callback(broker.stop)
        stage = Stage(broker.site, broker.port, random.Random(seed))
        stack.callback(stage.close)
        for number in range(attempts):
            stage.attempt(number)
            progress.step()
        until(lambda: stage.honest_heard() == stage.honest_sent, 5)
        time.sleep(QUIET_S)
        return _result(stage, broker.log)


def _weaken(site: Site) -> None:
    """What people write before they have thought about it."""
    conf = site.broker_conf
    conf.write_text(conf.read_text().replace("use_username_as_clientid true", ""))
    conf.with_name("acl").write_text("pattern readwrite #\npattern read $SYS/#\n")


def _result(stage: Stage, log: Path) -> Section:
    told = log.read_text(encoding="utf-8", errors="replace")
    logged = {name: len(re.findall(words, told)) for name, words in intruder.IN_THE_LOG.items()}
    evictions = stage.evictions()
    return {
        "attempts": sum(stage.tries.values()),
        "tries": dict(stage.tries),
        "refused_by_reason_code": stage.refused,
        "evictions": evictions,
        "honest_sent": stage.honest_sent,
        "honest_heard": stage.honest_heard(),
        "logged": logged,
        "unlogged": sum(max(0, stage.expected[name] - logged[name]) for name in logged),
        # Last, because it ends the honest connections to look for what was left behind.
        "deliveries": stage.misdelivered() + _left_behind(stage),
    }


def _left_behind(stage: Stage) -> int:
    """Retained messages that the honest ends would find when they come again."""
    stage.close()
    found = 0
    for listener in stage.honest_ends():
        until(lambda listener=listener: len(listener.heard) > 1, 0.5)  # type: ignore[misc]
        found += sum(MARK in payload for _, payload in listener.heard)
        listener.close()
    return found


def _forged_records(count: int, seed: int) -> dict[str, int]:
    """Signed by the attacker's own key, on its own topic, in the name of the other kiosk."""
    chance = random.Random(seed)
    with scratch() as root, ExitStack() as stack:
        broker = ShippedBroker(root)
        broker.start()
        stack.callback(broker.stop)
        centre = stack.enter_context(Centre(broker.site, root / "logs", KIOSKS))
        centre.start()
        victim = keys_of(broker.site.kiosk(VICTIM), VICTIM)
        attacker = keys_of(broker.site.kiosk(ATTACKER), ATTACKER)
        honest = victim.record(provenance="simulated")
        forged = [intruder.forged(victim, attacker, honest, chance) for _ in range(count)]
        for listener, payloads in (
            (intruder.honest_kiosk(broker.site, broker.port), [honest]),
            (intruder.as_attacker(broker.site, broker.port), forged),
        ):
            _deliver(listener, payloads)
        rows = "SELECT sum(times) FROM registry_quarantine"
        until(lambda: (centre.rows(rows)[0][0] or 0) >= count, 20)
        until(lambda: len(centre.filed()) >= 1, 10)
        filed = centre.filed()
        return {
            "sent": count,
            "quarantined": int(centre.rows(rows)[0][0] or 0),
            "filed": len(filed) - 1,
            "honest_filed": len(filed),
        }


def _deliver(listener: Listener, payloads: list[bytes]) -> None:
    for payload in payloads:
        listener.say(topics.topic(listener.name, topics.RECORD), payload)
    until(lambda: listener.confirmed == len(payloads), 20)
    listener.close()
