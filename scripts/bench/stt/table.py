"""The table of the speech recognition bench."""

import statistics

import jiwer
from rich.table import Table

from scripts.bench.stt.measure import Figures
from scripts.figures import milliseconds


def table(figures: dict[str, Figures]) -> Table:
    """One row for each way of recognising; preflight and final count from the caller's last sound."""
    result = Table("", "decode p50", "p95", "ratio p50", "CPU ratio", "preflight p50", "p95", "final p50", "p95", "WER")
    stock = next(iter(figures.values()))
    for name, found in figures.items():
        result.add_row(
            name,
            *spread(found.decode_s),
            ratio(found.decode_s, stock.decode_s),
            ratio(found.cpu_s, stock.cpu_s),
            *spread(found.preflight_s),
            *spread(found.final_s),
            f"{100 * jiwer.wer(found.said, [plain(text) for text in found.heard]):.1f} %",
        )
    return result


def ratio(values_s: list[float], baseline_s: list[float]) -> str:
    """Of the medians."""
    return f"{100 * statistics.median(values_s) / statistics.median(baseline_s):.1f} %" if values_s else "-"


def plain(text: str) -> str:
    """Lower case without punctuation, as the lines are written."""
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter in "' ")


def spread(values_s: list[float]) -> tuple[str, str]:
    """Median and 95th percentile in milliseconds."""
    return milliseconds(values_s, 50), milliseconds(values_s, 95)
