"""The report of the GPU bench: figures, tables, parts of earlier runs."""

import pytest

from scripts.bench.gpu.figures import Figure, PartResult, Report, as_markdown, joined, spread
from scripts.bench.machine import this_machine

pytestmark = pytest.mark.unit


def report_of(*results: PartResult) -> Report:
    return Report(
        machine=this_machine(), command="python -m scripts.bench.gpu", device="cpu", quick=True, parts=results
    )


def test_few_values_have_no_95th_percentile() -> None:
    assert spread([1.0, 2.0, 3.0, 4.0]) == (2.5, None)
    assert spread([float(value) for value in range(101)]) == (50.0, 95.0)
    with pytest.raises(ValueError, match="nothing"):
        spread([])


def test_pipes_and_line_breaks_do_not_break_the_table() -> None:
    failed = PartResult(name="llm", status="failed", took_s=3.0, problems=("a | pipe\nand a line",))
    line = next(line for line in as_markdown(report_of(failed)).splitlines() if line.startswith("| llm"))
    assert line == "| llm | failed | 3 | a / pipe and a line |"


def test_the_short_table_has_the_readme_s_figures_in_order() -> None:
    told = [("abort", "llm"), ("recorded voice-to-voice", "v2v"), ("5 s window, one at once", "stt")]
    made = tuple(
        Figure(part=part, what=what, model="m", weights="random", where="cuda", unit="ms", p50=1234.5, p95=0.031, n=9)
        for what, part in told
    )
    table = as_markdown(report_of(PartResult(name="llm", status="done", took_s=1.0, figures=made)))
    _, short, everything = table.split("| what | model", 1)[0], *table.split("All figures:")
    rows = [line.split(" | ")[0] for line in short.splitlines() if "1,23" in line]
    assert rows == ["| 5 s window, one at once", "| recorded voice-to-voice"]
    assert "| random: speed and memory only | cuda | 1,234 ms | 0.031 ms |" in short
    assert everything.count("1,234 ms") == len(told)


def test_parts_of_another_machine_or_commit_are_not_joined() -> None:
    first, second = (PartResult(name=name, status="done", took_s=1.0) for name in ("stt", "llm"))
    earlier, now = report_of(first, second), report_of(second)
    assert [part.name for part in joined(earlier, now).parts] == ["stt", "llm"]
    other = earlier.model_copy(update={"machine": earlier.machine.model_copy(update={"commit": "other"})})
    assert [part.name for part in joined(other, now).parts] == ["llm"]
    assert joined(None, now) == now
