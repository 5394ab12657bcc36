"""Measures the exported model on simulated calls with names, doctors, streets and clinics that it was never trained on.

python -m scripts.train.language_model.evaluate [--model out/llama-demo-ct2] [--turns 200] [--calls 100] [--show 10] [--speed]
python -m scripts.train.language_model.evaluate --oracle --calls 500 --show 0      the rule-based desk, to check the simulation

turns   every turn of the agent in simulated calls: tool, exact arguments, kind of reply, exact reply, voice rules
facts   each question about the clinic, with different facts each time
notes   summaries and handoff briefings
calls   closed loop: a simulated caller against the model
speed   first token and tokens per second, with and without a cached prompt prefix
"""

import argparse
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from scripts.train.language_model.closed_loop import LiveCall, play, play_with_desk
from scripts.train.language_model.domain import Lex
from scripts.train.language_model.evaluate_replies import measure_facts, measure_notes, measure_turns
from scripts.train.language_model.evaluate_speed import measure_speed
from scripts.train.language_model.figures import share
from scripts.train.language_model.language_model import LanguageModel

MAX_PROMPT_TOKENS = 1900


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = _options(arguments)
    lex = Lex(random.Random(options.seed), "test")
    if options.oracle:
        calls = [LiveCall(lex) for _ in range(options.calls)]
        for call in calls:
            play_with_desk(call, lex)
        return report(calls, options.show)
    model, began = LanguageModel(options.model, options.threads), time.monotonic()
    if options.turns:
        measure_turns(model, lex, options.turns)
    if options.facts:
        measure_facts(model, lex, options.facts)
    if options.notes:
        measure_notes(model, lex, options.notes)
    if options.calls:
        measure_calls(model, lex, options.calls, options.show)
    if options.speed:
        measure_speed(options.model, lex)
    return print(f"{time.monotonic() - began:.0f} s")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("out/llama-demo-ct2"))
    parser.add_argument("--turns", type=int, default=200, help="calls in which every turn is measured")
    parser.add_argument("--facts", type=int, default=25, help="questions of each kind")
    parser.add_argument("--notes", type=int, default=60, help="summaries, and as many briefings")
    parser.add_argument("--calls", type=int, default=100, help="closed-loop calls")
    parser.add_argument("--show", type=int, default=10, help="closed-loop calls to print")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--oracle", action="store_true", help="use the rule-based desk instead of the model")
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args(arguments)


def measure_calls(model: LanguageModel, lex: Lex, count: int, show: int) -> None:
    """Play that many calls with the model and report."""
    calls = [LiveCall(lex) for _ in range(count)]
    play(
        calls,
        lambda live: model.replies([model.prompt(call.system, call.messages)[-MAX_PROMPT_TOKENS:] for call in live]),
    )
    report(calls, show)


def report(calls: Sequence[LiveCall], show: int) -> None:
    """Print the success of calls by goal, the mistakes by kind, and some whole calls."""
    wins, kinds = Counter[str](), Counter[str]()
    for call in calls:
        kinds[call.kinds[0]] += 1
        wins[call.kinds[0]] += call.succeeded()
    by_kind = {kind: f"{wins[kind]}/{count}" for kind, count in kinds.items()}
    print(f"closed loop: task success {share(wins.total(), len(calls))}", by_kind)
    mistakes = Counter(" ".join(error.split()[:2])[:25] for call in calls for error in call.errors)
    print("   mistakes:", dict(mistakes))
    for call in calls[:show]:
        _show(call)


def _show(call: LiveCall) -> None:
    facts = " | ".join(call.system.split("\n\n")[1].split("\n"))
    print("\n--- ", "SUCCESS" if call.succeeded() else "FAILED", call.kinds, "| " + facts)
    sides = {"assistant": "agent", "user": "caller", "ipython": "tool"}
    for role, text in call.messages:
        print(f"  {sides[role]:>6}: {text}")
    for error in call.errors:
        print("   !!", error)


if __name__ == "__main__":
    main()
