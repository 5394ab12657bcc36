"""Ways of deciding when a caller's sound stops the agent, compared on the same cases."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.table import Table

from agent.settings import load_settings
from agent.turns.barge_in import OverlapOptions
from scripts.bench.bargein.cases import Case
from scripts.bench.bargein.figures import Outcome, rows
from scripts.bench.bargein.picture import draw, point
from scripts.bench.bargein.run import (
    LIVEKIT_MIN_DURATION_S,
    NEVER,
    WORDS_MIN_DURATION_S,
    Judgement,
    Sound,
    stop_by_length,
    stop_by_model,
    stop_by_words,
)
from scripts.bench.bargein.words import recognised
from scripts.paths import NO_SITE
from serving.audio import SPEECH_RATE

OUT = Path("out/bench_bargein")
LINES = ("clean", "telephone")
RULE = load_settings("demo", site=NO_SITE).turns.overlap
VAD_WINDOW_S = 512 / SPEECH_RATE
Run = tuple[Case, list[Sound], list[list[Judgement]]]


def keep_answers(runs: Sequence[Run]) -> None:
    """Write every answer of the model: overlap in s, interruption, backchannel, other, seconds from the onset."""
    kept = []
    for case, sounds, found in runs:
        answers = [
            [overlap_s, verdict.interruption, verdict.backchannel, verdict.other, judgement.at_s - case.onset_s]
            for judgements in found
            for judgement in judgements
            for overlap_s, verdict in [judgement.window]
            if verdict is not None
        ]
        opened_s = [sound.opened_at_s - case.onset_s for sound in sounds]
        kept.append(
            {"group": case.group, "line": case.line, "name": case.name, "opened_s": opened_s, "answers": answers}
        )
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "answers.json").write_text(json.dumps(kept), encoding="utf-8")


def outcome(run: Run, stop_s: float) -> Outcome:
    """What stopping at `stop_s` means for a case; a stop before the onset counts as one at the onset."""
    case = run[0]
    return Outcome(case.group, case.line, case.name, case.is_interruption, max(0.0, stop_s - case.onset_s))


def ways(runs: Sequence[Run]) -> dict[str, list[Outcome]]:
    """The outcomes of each way of deciding that goes by sound alone."""
    plain = [run for run in runs if run[0].group != "yes-but"]
    found = {
        name: [outcome(run, stop_by_model(run[2], options=RULE)) for run in part]
        for name, part in (("ours, sound only", plain), ("  with “yeah, but …” added", runs))
    }
    found["noticed by the VAD at all"] = [
        outcome(run, min((sound.decided_at_s for sound in run[1]), default=NEVER)) for run in plain
    ]
    found[f"LiveKit's VAD default ({LIVEKIT_MIN_DURATION_S} s)"] = [
        outcome(run, stop_by_length(run[1], LIVEKIT_MIN_DURATION_S, VAD_WINDOW_S)) for run in plain
    ]
    return found


def ways_with_words(runs: Sequence[Run]) -> dict[str, list[Outcome]]:
    """The same and those that use words, which the demo's recogniser hears in real time."""
    heard = recognised([run[0].samples for run in runs])
    both = list(zip(runs, heard, strict=True))
    return ways(runs) | {
        "ours, sound and words": [outcome(run, stop_by_model(run[2], words, RULE)) for run, words in both],
        f"VAD {WORDS_MIN_DURATION_S} s or words": [
            outcome(run, stop_by_words(run[1], words, VAD_WINDOW_S)) for run, words in both
        ],
    }


def sample(runs: Sequence[Run], count: int) -> list[Run]:
    """This many runs, evenly spaced."""
    places = np.linspace(0, len(runs) - 1, min(count, len(runs))).round().astype(int)
    return [runs[place] for place in places]


def table(title: str, found: Mapping[str, Sequence[Outcome]]) -> Table:
    """One row for each way of deciding. Also written to figures.json."""
    header, *lines = rows(found)
    result = Table(*header, title=title)
    for line in lines:
        result.add_row(*line)
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / "figures.json"
    known = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps(known | {title: [header, *lines]}, indent=1))
    return result


def draw_trade_off(runs: Sequence[Run], date: str) -> Path:
    """The rule's thresholds swept together, and a mark where they stand. Writes a PNG and returns its path."""
    plain = [run for run in runs if run[0].group != "yes-but"]
    curves, marks = {}, {}
    for line in LINES:
        part = [run for run in plain if run[0].line == line]
        levels = [*np.arange(0.02, 1.0, 0.03), 0.98, 0.99, 0.995]
        rules = [OverlapOptions(sure=float(level), likely=float(level), likely_windows=1) for level in levels]
        curves[line] = [point([outcome(run, stop_by_model(run[2], options=rule)) for run in part]) for rule in rules]
        for name, outcomes in ways(part).items():
            if not name.startswith((" ", "noticed")):
                marks[f"{name}, {line}"] = (line, point(outcomes))
    path = OUT / "trade_off.png"
    draw(curves, marks, f"{len(plain)} cases, voices never trained on, {date}", path)
    return path
