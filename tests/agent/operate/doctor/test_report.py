import json

import pytest
from pydantic import ValidationError

from agent.operate.doctor.report import Outcome, Report, Row, Subject, format_size, split_advice

pytestmark = pytest.mark.unit

DISK = Subject("disk", "disk")
ROWS = (DISK.ok("fine"), DISK.warning("tight", fix="free some"), DISK.skipped("no disk"))


def test_warnings_do_not_make_a_machine_unhealthy() -> None:
    assert Report.of("demo", ROWS).healthy
    assert not Report.of("demo", (*ROWS, DISK.failed("full", fix="free more"))).healthy


def test_every_outcome_is_counted() -> None:
    counts = Report.of("demo", ROWS).counts
    assert counts == {Outcome.OK: 1, Outcome.WARNING: 1, Outcome.FAILED: 0, Outcome.SKIPPED: 1}


def test_the_object_keeps_its_keys() -> None:
    printed = json.loads(Report.of("demo", ROWS).model_dump_json())
    assert list(printed) == ["version", "profile", "healthy", "counts", "rows"]
    assert printed["rows"][1] == {
        "check": "disk",
        "name": "disk",
        "outcome": "warning",
        "found": "tight",
        "fix": "free some",
    }
    assert Report.model_validate(printed) == Report.of("demo", ROWS)


def test_the_schema_explains_every_key() -> None:
    schema = Report.model_json_schema()
    for part in (schema, schema["$defs"]["Row"]):
        assert [key for key, value in part["properties"].items() if "description" not in value] == []


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError):
        Row(check="a", name="a", outcome=Outcome.OK, found="", severity="high")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("sentence", "found", "fix"),
    [
        ("Port 1 is taken. Stop it.", "Port 1 is taken", "Stop it."),
        ("site.yaml: a: unknown key", "site.yaml: a: unknown key", "otherwise"),
        ("Two\nlines at 127.0.0.1.", "Two lines at 127.0.0.1", "otherwise"),
    ],
)
def test_an_errors_sentences_are_what_is_wrong_and_what_to_do(sentence: str, found: str, fix: str) -> None:
    assert split_advice(sentence, otherwise="otherwise") == (found, fix)


def test_sizes() -> None:
    assert [format_size(size) for size in (0, 5_000_000, 2**30, 16.1e9)] == ["0 MiB", "5 MiB", "1.0 GiB", "15.0 GiB"]
