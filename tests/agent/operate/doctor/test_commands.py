import pytest

from agent.operate.doctor.commands import ask

pytestmark = pytest.mark.unit


def test_what_a_program_says() -> None:
    answer = ask(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert answer is not None
    assert (answer.status, answer.output) == (3, "out")


def test_a_program_that_is_not_installed() -> None:
    assert ask(["no-such-program"]) is None


def test_a_program_that_does_not_answer_in_time() -> None:
    assert ask(["sleep", "60"], timeout_s=0.05) is None
