"""The picture of a call: both voices over time, and the latency of each turn beside the stages' own figures."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from scripts.caller.clock import RATE
from scripts.caller.mouth import Kind
from serving.audio import Pcm16

if TYPE_CHECKING:
    from scripts.caller.conversation import CallRecord
    from scripts.caller.report import Turn

CALLER, AGENT, GAP, GREY = "#33658a", "#c1666b", "#e2b04a", "#555555"
NOISE = 0.008
"""Peaks below this are room noise, not speech."""
STAGE_COLOURS = {"end_of_turn_delay_ms": "#7a9e7e", "llm_ttft_ms": "#8d6a9f", "tts_ttfb_ms": "#4f9da6"}
STAGE_NAMES = {
    "end_of_turn_delay_ms": "end-of-turn delay",
    "llm_ttft_ms": "LLM first token",
    "tts_ttfb_ms": "TTS first sound",
}


def draw_call(record: "CallRecord", turns: "list[Turn]", path: Path) -> None:
    """Write the picture as PNG."""
    rows = [t for t in turns if t.kind is not Kind.BACKCHANNEL]
    figure, (voices, bars) = plt.subplots(
        2, 1, figsize=(11, 3.4 + 0.62 * max(1, len(rows))), height_ratios=[2, 0.62 * max(1, len(rows)) + 0.8],
        layout="constrained",
    )  # fmt: skip
    _draw_voices(voices, record, turns)
    _draw_turns(bars, rows)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _draw_voices(axes: Axes, record: "CallRecord", turns: "list[Turn]") -> None:
    for samples, at, colour, name in ((record.caller, 1, CALLER, "caller"), (record.agent, -1, AGENT, "agent")):
        times_s, level = envelope(samples)
        axes.fill_between(times_s, at - level, at + level, color=colour, linewidth=0, label=name)
    for turn in turns:
        timing = turn.timing
        if timing.agent_start_s is not None and timing.agent_start_s > timing.caller_end_s:
            axes.axvspan(timing.caller_end_s, timing.agent_start_s, color=GAP, alpha=0.5, linewidth=0)
        axes.annotate(str(turn.number), (timing.caller_start_s, 2.05), fontsize=8, color=GREY, annotation_clip=False)
    axes.set(xlim=(0, max(len(record.caller), len(record.agent), 1) / RATE), ylim=(-2, 2), yticks=[1, -1])
    axes.set_yticklabels(["caller", "agent"])
    axes.set_xlabel("seconds; shaded: from the caller's last word to the agent's first sound", fontsize=9)
    _plain(axes)


def _draw_turns(axes: Axes, turns: "list[Turn]") -> None:
    for row, turn in enumerate(turns):
        recorded = turn.timing.voice_to_voice_ms
        label = "recorded voice-to-voice" if row == 0 else None
        axes.barh(row, recorded or 0, height=0.36, color=GAP, label=label)
        text = "no answer" if recorded is None else f"{recorded:.0f} ms"
        if turn.timing.stopped_after_ms is not None:
            text += f"\nagent silent {turn.timing.stopped_after_ms:.0f} ms into the line"
        axes.text(max(recorded or 0, 0) + 8, row, text, va="center", fontsize=9)
        left = 0.0
        for name, colour in STAGE_COLOURS.items():
            value = shown(turn.figures or {}, name)
            axes.barh(
                row + 0.34, value, left=left, height=0.2, color=colour, label=STAGE_NAMES[name] if row == 0 else None
            )
            left += value
        if turn.framework_ms is not None:
            axes.plot(
                [turn.framework_ms] * 2, [row - 0.22, row + 0.46], color="black", linewidth=1.4,
                label="framework's own figure" if row == 0 else None,
            )  # fmt: skip
    axes.set_yticks(range(len(turns)), [f"{t.number}  {t.said[:34]}" for t in turns], fontsize=9)
    axes.invert_yaxis()
    axes.margins(x=0.16)
    axes.set_xlabel(
        "ms after the caller's last word (stages that ran ahead of the turn's end are not added)", fontsize=9
    )
    if turns:
        axes.legend(fontsize=8, frameon=False, ncols=5, loc="lower center", bbox_to_anchor=(0.4, 1.0))
    _plain(axes)


def draw_bench(figures: dict[str, Any], path: Path) -> None:
    """Write a PNG: the latencies of all turns, recorded and by the framework, sorted, and the transport floor."""
    values = figures["values_ms"]
    figure, axes = plt.subplots(figsize=(9, 4.2), layout="constrained")
    for name, colour in (("recorded voice-to-voice", CALLER), ("framework's own figure", AGENT)):
        ordered = sorted(values[name])
        if ordered:
            share = (np.arange(len(ordered)) + 1) / len(ordered) * 100
            axes.step(ordered, share, where="post", color=colour, label=name)
            axes.plot(ordered, share, "o", color=colour, markersize=4)
    floor = figures["ms"]["transport floor, there and back"]["p50"]
    if floor is not None:
        axes.axvline(floor, color=GREY, linestyle=":", label=f"transport floor {floor:.0f} ms")
    axes.set(xlim=(0, None), ylim=(0, 102), ylabel="% of turns", xlabel="ms after the caller's last word")
    axes.set_title(f"{figures['turns']} turns; {figures['machine']}", fontsize=10)
    axes.legend(frameon=False, fontsize=9, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.16))
    axes.grid(alpha=0.3)
    _plain(axes)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def shown(figures: dict[str, Any], name: str) -> float:
    """Length of a stage's bar: LLM and TTS took no time of their own if the reply was ready ahead."""
    if figures.get("preempted") and name != "end_of_turn_delay_ms":
        return 0.0
    return float(figures.get(name) or 0.0)


def envelope(samples: Pcm16, columns: int = 1600) -> tuple[Any, Any]:
    """Times in seconds and peak levels of about `columns` stretches: 0 to 0.95 on a square-root scale, without noise."""
    step = max(1, -(-len(samples) // columns))
    padded = np.pad(samples, (0, -len(samples) % step)).astype(np.float64)
    peaks = np.abs(padded.reshape(-1, step)).max(axis=1) / 32768
    peaks[peaks < NOISE] = 0.0
    return np.arange(len(peaks)) * step / RATE, 0.95 * np.sqrt(peaks)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=0)
