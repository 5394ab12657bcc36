"""What holds for all tests."""

from importlib.util import find_spec

import pytest

pytest.register_assert_rewrite("tests.contract.llm_suite", "tests.vllm.crowd")

REAL_TIME = ("call", "web")

collect_ignore = [] if find_spec("vllm") else ["vllm"]  # they have an environment of their own: make test-vllm


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Calls and browsers live in real time, on machines that others keep busy: what fails twice in a row is broken."""
    for item in items:
        if any(item.get_closest_marker(name) for name in REAL_TIME):
            item.add_marker(pytest.mark.flaky(reruns=1))
