"""Measure barge-in: how soon a wish to speak stops the agent, and what stops it for nothing.

    python -m scripts.bench.bargein                    # the table and the picture, into out/bench_bargein
    python -m scripts.bench.bargein --words 120        # so many cases also in real time through the demo's recogniser
    python -m scripts.bench.bargein --quick

Sounds over the agent's voice are rendered into .cache by voices and sounds that no model is trained on, clean and telephone,
with exact onsets, and heard as a call hears them: the VAD's gate, a window every 100 ms, the rule of agent/turns/barge_in.py.
A stop is the decision, the model's own time included; transport (45 to 70 ms to the caller's ear) is not in it.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from agent.settings import load_settings
from agent.turns.barge_in import OverlapOptions
from models.store import open_store
from scripts.bench.bargein import run as way
from scripts.bench.bargein.agent import agent_sentences
from scripts.bench.bargein.cases import Case, cases
from scripts.bench.bargein.figures import Outcome, rows
from scripts.bench.bargein.meetings import meetings
from scripts.bench.bargein.picture import draw, point
from scripts.bench.bargein.voices import check_synthesizers
from scripts.bench.bargein.words import recognised
from serving.audio import SPEECH_RATE
from serving.interruption.callbox_interruption import CallboxInterruption, CallboxInterruptionOptions
from serving.vad.gate import GateOptions
from serving.vad.silero import SileroOptions, SileroVad

CACHE = Path(".cache/bench_bargein")
REAL_SPEECH = Path("../shared/real-speech")
OUT = Path("out/bench_bargein")
RULE = load_settings("demo").turns.overlap
VAD_WINDOW_S = 512 / SPEECH_RATE
Run = tuple[Case, list[way.Sound], list[list[way.Judgement]]]


def main() -> None:
    """Print the tables, write the picture and figures.json."""
    options = _options()
    check_synthesizers()
    console, store = Console(width=180), open_store()
    vad = SileroVad(SileroOptions(), store.resolve("silero-vad"))
    engine = CallboxInterruption(CallboxInterruptionOptions(), store.resolve("callbox-interruption"))
    vad.load()
    engine.load()
    engine.warm_up()
    chosen = list(cases(CACHE, agent_sentences(CACHE), REAL_SPEECH))[:: 11 if options.quick else 1]
    runs = [(case, *way.run(case.samples, vad, engine, GateOptions())) for case in chosen]
    _keep(runs)
    for line in ("clean", "telephone"):
        _print(console, f"{line} lines", _ways([run for run in runs if run[0].line == line]))
    _tell_cost(console, runs)
    if options.words:
        some = _spread(
            [run for run in runs if run[0].group in ("interruption", "yes-but", "backchannel", "throat")], options.words
        )
        _print(console, f"with words: {len(some)} of the cases in real time", _ways_with_words(some))
    _draw(runs)
    _tell_unnoticed(console, [run[0] for run in runs if not run[1]], engine)
    _tell_meetings(console, engine)
    engine.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.bench.bargein",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--words", type=int, default=0, metavar="CASES", help="cases to recognise in real time")
    parser.add_argument("--quick", action="store_true", help="every eleventh case")
    return parser.parse_args()


def _keep(runs: Sequence[Run]) -> None:
    """Every answer of the model: [overlap in s, interruption, backchannel, other, seconds from the onset]."""
    kept = []
    for case, sounds, found in runs:
        answers = [
            [overlap_s, said.interruption, said.backchannel, said.other, judgement.at_s - case.onset_s]
            for judgements in found
            for judgement in judgements
            for overlap_s, said in [judgement.window]
            if said is not None
        ]
        opened_s = [sound.opened_at_s - case.onset_s for sound in sounds]
        kept.append(
            {"group": case.group, "line": case.line, "name": case.name, "opened_s": opened_s, "answers": answers}
        )
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "answers.json").write_text(json.dumps(kept), encoding="utf-8")


def outcome(run: Run, stop_s: float) -> Outcome:
    """What a decision at `stop_s` means for a case; one before the onset counts as made there."""
    case = run[0]
    return Outcome(case.group, case.line, case.name, case.is_interruption, max(0.0, stop_s - case.onset_s))


def _ways(runs: Sequence[Run]) -> dict[str, list[Outcome]]:
    plain = [run for run in runs if run[0].group != "yes-but"]
    ours = {
        name: [outcome(run, way.stop_by_model(run[2], options=RULE)) for run in part]
        for name, part in (("ours, sound only", plain), ("  with “yeah, but …” among the wishes", runs))
    }
    by_length = [outcome(run, way.stop_by_length(run[1], way.LIVEKIT_MIN_DURATION_S, VAD_WINDOW_S)) for run in plain]
    noticed = [outcome(run, min((sound.decided_at_s for sound in run[1]), default=way.NEVER)) for run in plain]
    ours["noticed by the VAD at all"] = noticed
    return ours | {f"LiveKit's VAD default ({way.LIVEKIT_MIN_DURATION_S} s)": by_length}


def _ways_with_words(runs: Sequence[Run]) -> dict[str, list[Outcome]]:
    heard = recognised([run[0].samples for run in runs])
    both = list(zip(runs, heard, strict=True))
    return _ways(runs) | {
        "ours, sound and words": [outcome(run, way.stop_by_model(run[2], words, RULE)) for run, words in both],
        f"VAD {way.WORDS_MIN_DURATION_S} s or words": [
            outcome(run, way.stop_by_words(run[1], words, VAD_WINDOW_S)) for run, words in both
        ],
    }


def _spread(runs: Sequence[Run], count: int) -> list[Run]:
    places = np.linspace(0, len(runs) - 1, min(count, len(runs))).round().astype(int)
    return [runs[place] for place in places]


def _print(console: Console, title: str, ways: dict[str, list[Outcome]]) -> None:
    header, *lines = rows(ways)
    table = Table(*header, title=title)
    for line in lines:
        table.add_row(*line)
    console.print(table)
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / "figures.json"
    known = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps(known | {title: [header, *lines]}, indent=1))


def _tell_cost(console: Console, runs: Sequence[Run]) -> None:
    took_s = sorted(answer.took_s for _, _, sounds in runs for answers in sounds for answer in answers)
    missed = sum(not sounds for case, sounds, _ in runs if case.is_interruption)
    console.print(
        f"The model's answer, processor time: p50 {took_s[len(took_s) // 2] * 1e3:.1f} ms, p95 {took_s[len(took_s) * 95 // 100] * 1e3:.1f} ms"
        f" of {len(took_s)}. Wishes to speak that the VAD never noticed: {missed}."
    )


def _draw(runs: Sequence[Run]) -> None:
    """The rule's thresholds swept together; a mark where they stand."""
    plain = [run for run in runs if run[0].group != "yes-but"]
    curves, marks = {}, {}
    for line in ("clean", "telephone"):
        part = [run for run in plain if run[0].line == line]
        levels = [*np.arange(0.02, 1.0, 0.03), 0.98, 0.99, 0.995]
        single = [OverlapOptions(sure=float(level), likely=float(level), likely_windows=1) for level in levels]
        curves[line] = [
            point([outcome(run, way.stop_by_model(run[2], options=rule)) for run in part]) for rule in single
        ]
        for name, outcomes in _ways(part).items():
            if not name.startswith((" ", "noticed")):
                marks[f"{name}, {line}"] = (line, point(outcomes))
    draw(
        curves,
        marks,
        f"{len(plain)} cases, voices never trained on, {time.strftime('%Y-%m-%d')}",
        OUT / "trade_off.png",
    )
    Console().print(f"Picture: {OUT / 'trade_off.png'}")


def _tell_unnoticed(console: Console, unnoticed: Sequence[Case], engine: CallboxInterruption) -> None:
    """What the model alone makes of sounds that the VAD spared it, asked as if the VAD had noticed them at their onset."""
    found: dict[str, list[bool]] = {}
    for case in unnoticed:
        sound = way.Sound(case.onset_s, case.onset_s + 0.064, case.onset_s + 0.7)
        answers = asyncio.run(way.judged(case.samples, [sound], engine, VAD_WINDOW_S))
        found.setdefault(case.group, []).append(way.stop_by_model(answers) < way.NEVER)
    for group, stops in found.items():
        console.print(
            f"Unnoticed by the VAD, {group}: {np.mean(stops):.1%} of {len(stops)} would have stopped the agent."
        )


def _tell_meetings(console: Console, engine: CallboxInterruption) -> None:
    """Segments of real meetings: each judged from its labelled start, windows every 100 ms, words withheld."""
    found: dict[bool, list[float]] = {True: [], False: []}
    for segment in meetings(REAL_SPEECH / "ami"):
        start_s = segment.start_s
        sound = way.Sound(start_s, start_s + 0.064, start_s + 0.7)
        part = segment.samples[: round((start_s + 0.7) * SPEECH_RATE)]
        answers = asyncio.run(way.judged(part, [sound], engine, VAD_WINDOW_S))
        found[segment.is_long].append(way.stop_by_model(answers) - start_s)
    if not found[True]:
        console.print(f"No meetings: {REAL_SPEECH / 'ami'} is absent.")
        return
    for is_long, delays_s in found.items():
        kind = "long (2 s or more)" if is_long else "short (0.8 s or less)"
        stopped = np.mean(np.array(delays_s) < way.NEVER)
        console.print(
            f"Meetings (AMI), {kind} segments over another speaker: {stopped:.0%} of {len(delays_s)} taken for a wish to speak within 0.7 s"
        )
