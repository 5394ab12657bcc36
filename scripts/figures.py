"""Percentiles, and how figures are written in tables and reports."""

from collections.abc import Sequence

import numpy as np


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Linear between the two nearest values; None without values."""
    return float(np.percentile(values, percent)) if len(values) else None


def summarize(values: Sequence[float]) -> dict[str, float | int | None]:
    """Median, 95th percentile and number of values, ready for JSON; one decimal."""
    p50, p95 = (percentile(values, percent) for percent in (50, 95))
    return {"p50": _rounded(p50), "p95": _rounded(p95), "n": len(values)}


def number(value: float | None) -> str:
    """Whole, or a dash for None."""
    return "–" if value is None else f"{value:.0f}"


def milliseconds(values_s: Sequence[float], percent: float, *, digits: int = 0) -> str:
    """A percentile of times in seconds, in milliseconds with its unit; a dash without values."""
    found_s = percentile(values_s, percent)
    return "–" if found_s is None else f"{1000 * found_s:.{digits}f} ms"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
