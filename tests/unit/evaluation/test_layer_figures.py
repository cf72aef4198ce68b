"""Each layer is reported apart, for the living and for each kind of attack."""

from edge.evaluate import layers


def test_nobody_living_is_suspected_and_nothing_false_is_believed(monkeypatch) -> None:
    monkeypatch.setattr(layers, "SESSIONS", 2)
    found = layers.measure(seed=7)
    assert set(found) == {"screen_light", "camera_truth"}
    for kinds in found.values():
        assert kinds["live"]["suspicious"] == 0
        assert kinds["live"]["consistent"] > 0
        for kind, states in kinds.items():
            assert kind == "live" or states["consistent"] == 0, kind
