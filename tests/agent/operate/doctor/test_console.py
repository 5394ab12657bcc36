import io

import pytest
from rich.console import Console

from agent.operate.doctor.console import model_progress, show, summary
from agent.operate.doctor.report import Report, Subject

pytestmark = pytest.mark.unit

DISK = Subject("disk", "disk")
ILL = Report.of("gpu", (DISK.ok("[bold] 3 GiB free"), DISK.failed("full", fix="Free 3 GiB.")))


def _shown(report: Report) -> str:
    out = io.StringIO()
    show(report, Console(file=out, width=80))
    return out.getvalue()


def test_every_row_with_what_was_found_and_what_to_do() -> None:
    lines = [line.strip() for line in _shown(ILL).splitlines()]
    assert any(line.startswith("ok") and "[bold] 3 GiB free" in line for line in lines), "brackets are no markup"
    assert any(line.startswith("failed") and line.endswith("full") for line in lines)
    assert "→ Free 3 GiB." in lines


def test_the_last_line_sums_up() -> None:
    assert "1 of 2 checks failed" in summary(ILL)
    fine = Report.of("demo", (DISK.ok("fine"), DISK.warning("tight", fix="free some")))
    assert summary(fine) == "Profile demo can run, 1 warning."


def test_without_a_terminal_no_bar_is_drawn() -> None:
    out = io.StringIO()
    with model_progress(Console(file=out)) as on_model:
        on_model("llama", 100)(50)
    assert out.getvalue() == ""


def test_at_a_terminal_the_model_and_its_bytes_are_shown() -> None:
    out = io.StringIO()
    with model_progress(Console(file=out, force_terminal=True, width=100)) as on_model:
        on_model("llama", 100)(50)
    assert "Checking llama" in out.getvalue()
    assert "50/100 bytes" in out.getvalue()
