"""Fixtures for every test."""

pytest_plugins = ["tests.fixtures_models", "tests.fixtures_broker", "tests.fixtures_cloud"]
