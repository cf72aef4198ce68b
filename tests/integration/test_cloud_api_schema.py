"""schemathesis tries the API against its own description: no crash, no answer it does not name."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from cloud_bridge.api import door
from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.registry import api_clients
from cloud_bridge.registry.limits import Limit
from cloud_bridge.registry.models import DeathReport, Person, Proof, Region
from cloud_bridge.wsgi import application
from tests.fixtures_cloud import NOW, TestRegistry

EXAMPLES = 8
"""For each operation, as described and not."""
OWN_TESTS = [ignored_auth, positive_data_acceptance]
"""The door is tried in test_cloud_api.py; here it always gets a good key. And what has the right
form may be wrong all the same: a check digit, a cursor, a day to come.
"""
HOST = {"Host": "testserver"}
WIDE = Limit(10**6, 1)


@pytest.fixture
def key(registry: TestRegistry, monkeypatch: pytest.MonkeyPatch) -> str:
    kiosk = registry.kiosk()
    review = kiosk.record(outcome="needs_review", reasons=["not_alike"])
    registry.ingest.ingest([Arrival("k-001", kiosk.record()), Arrival("k-001", review)], NOW)
    for name in ("CALLS", "LOOKUPS", "WRONG_KEYS"):
        monkeypatch.setattr(door, name, WIDE)
    whole = Region.objects.get(pk="0" * 12)
    return api_clients.add("schema", whole, api_clients.SCOPES, registry.vault, "test", NOW)[1]


def described() -> Any:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application, headers=HOST)


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_operation_answers_as_it_is_described(key: str, mode: GenerationMode) -> None:
    tried = 0
    people = list(Person.objects.order_by("pk").values_list("pk", "covered", "dead_since"))
    for operation in described().get_all_operations():
        cases = operation.ok().as_strategy(generation_mode=mode)

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases)
        def ask(case: Any) -> None:
            nonlocal tried
            response = case.call(headers={"Authorization": f"Bearer {key}", **HOST})
            case.validate_response(response, excluded_checks=OWN_TESTS)
            tried += 1

        ask()
    assert tried >= EXAMPLES * 5
    assert people == list(Person.objects.order_by("pk").values_list("pk", "covered", "dead_since"))
    assert not DeathReport.objects.exists()
    assert not Proof.objects.exclude(voided_at=None).exists()


def test_the_description_is_whole(key: str) -> None:
    described = schemathesis.openapi.from_wsgi(
        "/api/v1/openapi.json", application, headers=HOST
    ).raw_schema
    assert json.dumps(described)
    for path, methods in described["paths"].items():
        assert path.startswith("/api/v1/")
        for operation in methods.values():
            assert operation["summary"]
            assert set(operation["responses"]) >= {"200", "401", "403", "404", "422", "429"}
