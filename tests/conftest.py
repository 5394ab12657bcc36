"""Configuration of all tests."""

from importlib.util import find_spec

import pytest

pytest.register_assert_rewrite("tests.contract.llm_suite", "tests.vllm.crowd")

REAL_TIME = ("call", "web")

collect_ignore = [] if find_spec("vllm") else ["vllm"]  # these tests have their own environment: make test-vllm


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Rerun a failed test once if it depends on real time, because the machine may be busy; failing twice means broken."""
    for item in items:
        if any(item.get_closest_marker(name) for name in REAL_TIME):
            item.add_marker(pytest.mark.flaky(reruns=1))
