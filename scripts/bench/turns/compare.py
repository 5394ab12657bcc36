"""How soon ends of turns are seen, against how many pauses are taken for ends: `python -m scripts.bench.turns`.

Callers that no model was trained on speak turns with pauses of known length; Callbox's model, Smart Turn v3.2, LiveKit's v1-mini
and silence alone judge the same silences every 0.1 s, and each gets the best policy of the grid of LiveKit's eot-bench. Needs
flite and festival; SVOX pico is built when first needed. Everything slow is kept in .cache/bench_turns.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import jiwer

from scripts.bench.turns.cases import TurnCase, voice_cases
from scripts.bench.turns.detectors import OURS, OURS_AS_SAID, Detector, detectors
from scripts.bench.turns.metrics import reliability
from scripts.bench.turns.pictures import draw_reliability, draw_trade_off
from scripts.bench.turns.policies import policies
from scripts.bench.turns.real import REAL_SPEECH, real_cases
from scripts.bench.turns.report import Judged, figures, fixed, print_fixed, print_groups, print_sweeps, sweeps
from scripts.bench.turns.scripted import read_callers
from scripts.bench.turns.voices import VOICES, missing_programs, speak
from scripts.bench.turns.words import HeardPause, Hearing, as_judged, as_said

OUT = Path("out/bench_turns")
RELIABLE_AFTER_S = (0.2, 0.5)


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench.turns", description=__doc__)
    parser.add_argument("--voices", nargs="*", default=[voice.name for voice in VOICES], help="only these")
    chosen: list[str] = parser.parse_args().voices
    if missing := missing_programs():
        sys.exit(f"Missing: {', '.join(missing)}. Install: apt-get install flite festival festvox-kdlpc16k gcc")
    OUT.mkdir(parents=True, exist_ok=True)
    heard = list(hear(chosen))
    found = detectors()
    judged, cpu_ms = judge([(case, as_judged(case, words)) for case, words in heard], found)
    report = {"recognition": word_errors(heard), "synthetic": show(judged, cpu_ms)}
    if REAL_SPEECH.is_dir():
        report["people"] = show_people(found)
    else:
        print(f"People's recorded speech is skipped: {REAL_SPEECH} is not on this machine.")
    for detector in found:
        detector.close()
    (OUT / "turns.json").write_text(json.dumps(report, indent=1))
    print(f"Figures and pictures are in {OUT}.")


def hear(chosen: Sequence[str]) -> Iterator[tuple[TurnCase, tuple[HeardPause, ...]]]:
    """Every turn by every voice, and the words made out of it."""
    callers, hearing = read_callers(), Hearing()
    for seed, voice in enumerate(VOICES):
        if voice.name not in chosen:
            continue
        try:
            cases = list(voice_cases(voice, callers if voice.is_strange else callers[:3], speak, seed))
        except subprocess.CalledProcessError as error:
            print(f"The voice {voice.name} is left out: {error}")
            continue
        for case in cases:
            yield case, hearing.words(case)
    hearing.close()


def judge(
    heard: Sequence[tuple[TurnCase, tuple[HeardPause, ...]]], found: Sequence[Detector]
) -> tuple[list[Judged], dict[str, float]]:
    """What every detector says of every silence, and the CPU milliseconds of its judgements (median)."""
    judged: list[Judged] = []
    cpu_ms: dict[str, list[float]] = {detector.name: [] for detector in found}
    for case, words in heard:
        scores = {}
        for detector in found:
            scores[detector.name], took_ms = detector.score(case, words)
            cpu_ms[detector.name] += took_ms
            if detector.name == OURS and case.said:
                scores[OURS_AS_SAID], _ = detector.score(case, as_said(case))
            detector.keep()
        groups = {"voice": case.voice, "line": case.line, "strange": str(case.is_strange)}
        for number, pause in enumerate(case.pauses):
            of_pause = {name: silences[number] for name, silences in scores.items()}
            judged.append(Judged({**groups, "kind": pause.kind}, pause.length_s, of_pause))
    return judged, {name: median(taken) for name, taken in cpu_ms.items()}


def show(judged: Sequence[Judged], cpu_ms: dict[str, float]) -> dict[str, Any]:
    """Tables, pictures, and all figures."""
    names = list(judged[0].scores)
    strange = [one for one in judged if one.groups["strange"] == "True"]
    swept = sweeps(strange, names)
    print_sweeps("voices that no model has heard", strange, swept, cpu_ms)
    report: dict[str, Any] = {"all": {name: figures(found) for name, found in swept.items()}, "cpu_ms": cpu_ms}
    for key, group in (("voice", judged), ("line", strange), ("kind", strange)):
        report[key] = print_groups(group, names, key)
    rules = {policy.name: fixed(policy, strange) for policy in policies(names)}
    print_fixed("rules with their numbers fixed, the same silences", rules)
    report["rules"] = {name: asdict(row) for name, row in rules.items()}
    draw_trade_off(OUT / "trade_off.png", swept, rules)
    report["reliability"] = show_reliability(strange, "reliability.png")
    return report


def show_reliability(judged: Sequence[Judged], picture: str) -> dict[str, Any]:
    """How far our probabilities are to be believed; nothing without our model."""
    if OURS not in judged[0].scores:
        return {}
    silences = [one.silence(OURS) for one in judged]
    found = {f"after {after_s} s": reliability(silences, after_s) for after_s in RELIABLE_AFTER_S}
    draw_reliability(OUT / picture, found)
    for name, one in found.items():
        print(f"Callbox's probability {name} of silence: expected calibration error {one.expected_error:.3f}")
    return {name: asdict(one) | {"ece": one.expected_error} for name, one in found.items()}


def show_people(found: Sequence[Detector]) -> dict[str, Any]:
    """The same for people's recorded speech, without words."""
    heard = [(case, (HeardPause("", ""),) * len(case.pauses)) for case in real_cases()]
    judged, cpu_ms = judge(heard, found)
    names = list(judged[0].scores)
    swept = sweeps(judged, names)
    print_sweeps("people, recorded, words withheld", judged, swept, cpu_ms)
    rules = {policy.name: fixed(policy, judged) for policy in policies(names)}
    print_fixed("rules with their numbers fixed, people", rules)
    return {
        "all": {name: figures(one) for name, one in swept.items()},
        "rules": {name: asdict(row) for name, row in rules.items()},
        "reliability": show_reliability(judged, "reliability_people.png"),
    }


def word_errors(heard: Sequence[tuple[TurnCase, tuple[HeardPause, ...]]]) -> dict[str, float]:
    """The recogniser's word error rate over whole turns, pauses and all, by voice and line."""
    turns: dict[str, list[tuple[str, str]]] = {}
    for case, words in heard:
        turns.setdefault(f"{case.voice}, {case.line}", []).append((case.words, words[-1].settled))
    rates = {
        name: float(jiwer.wer([said for said, _ in pairs], [words for _, words in pairs]))
        for name, pairs in turns.items()
    }
    print("Word error rates: " + "; ".join(f"{name} {100 * rate:.0f} %" for name, rate in rates.items()))
    return rates
