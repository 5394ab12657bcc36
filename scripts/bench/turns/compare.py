"""End-of-turn detectors, compared on the same silences."""

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import jiwer

from scripts.bench.turns.cases import TurnCase, voice_cases
from scripts.bench.turns.detectors import OURS, OURS_AS_SAID, Detector
from scripts.bench.turns.metrics import reliability
from scripts.bench.turns.pictures import draw_reliability, draw_trade_off
from scripts.bench.turns.policies import policies
from scripts.bench.turns.real import real_cases
from scripts.bench.turns.report import Judged, figures, fixed, print_fixed, print_groups, print_sweeps, sweeps
from scripts.bench.turns.scripted import read_callers
from scripts.bench.turns.voices import VOICES, speak
from scripts.bench.turns.words import HeardPause, Hearing, as_said

OUT = Path("out/bench_turns")
RELIABLE_AFTER_S = (0.2, 0.5)


def hear(chosen: Sequence[str]) -> Iterator[tuple[TurnCase, tuple[HeardPause, ...]]]:
    """Every turn by each chosen voice, and the words the recogniser heard in it."""
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
    """What every detector says of every silence, and the median CPU milliseconds of its judgements."""
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
    """Print the tables, draw the picture, and return all figures."""
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
    """How well our probabilities are calibrated; nothing without our model."""
    if OURS not in judged[0].scores:
        return {}
    silences = [one.silence(OURS) for one in judged]
    found = {f"after {after_s} s": reliability(silences, after_s) for after_s in RELIABLE_AFTER_S}
    draw_reliability(OUT / picture, found)
    for name, one in found.items():
        print(f"Callbox's probability {name} of silence: expected calibration error {one.expected_error:.3f}")
    return {name: asdict(one) | {"ece": one.expected_error} for name, one in found.items()}


def show_people(found: Sequence[Detector]) -> dict[str, Any]:
    """The same for recorded speech of people, without words."""
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
    """The recogniser's word error rate over whole turns, pauses included, by voice and line."""
    turns: dict[str, list[tuple[str, str]]] = {}
    for case, words in heard:
        turns.setdefault(f"{case.voice}, {case.line}", []).append((case.words, words[-1].settled))
    rates = {
        name: float(jiwer.wer([said for said, _ in pairs], [words for _, words in pairs]))
        for name, pairs in turns.items()
    }
    print("Word error rates: " + "; ".join(f"{name} {100 * rate:.0f} %" for name, rate in rates.items()))
    return rates
