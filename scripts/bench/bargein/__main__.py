"""How soon a caller who wants to speak stops the agent, and what stops it for nothing.

    python -m scripts.bench.bargein                    # the table and the picture, into out/bench_bargein
    python -m scripts.bench.bargein --words 120        # 120 of the cases also in real time through the demo's recogniser
    python -m scripts.bench.bargein --quick

Sounds over the agent's voice, clean and by telephone and with exact onsets, are rendered into .cache by voices and from noises
that no model is trained on. They are heard as a call hears them: the VAD's gate, a window every 100 ms, the rule of
agent/turns/barge_in.py. A stop is the decision to stop, the model's own time included; transport (45 to 70 ms to the caller's
ear) is not.
"""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from models.store import open_store
from scripts.bench.bargein import model_alone
from scripts.bench.bargein.agent import agent_sentences
from scripts.bench.bargein.cases import cases
from scripts.bench.bargein.compare import LINES, Run, draw_trade_off, keep_answers, sample, table, ways, ways_with_words
from scripts.bench.bargein.run import run
from scripts.bench.bargein.voices import missing_programs
from scripts.command_line import new_app, warn
from scripts.paths import REAL_SPEECH
from serving.interruption.callbox_interruption import CallboxInterruption, CallboxInterruptionOptions
from serving.vad.gate import GateOptions
from serving.vad.silero import SileroOptions, SileroVad

CACHE = Path(".cache/bench_bargein")
GROUPS_WITH_WORDS = ("interruption", "yes-but", "backchannel", "throat")
app = new_app()


@app.command()
def main(
    words: Annotated[int, typer.Option(metavar="CASES", help="cases to recognise in real time too")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="every eleventh case")] = False,
) -> None:
    """Measure barge-in: print the tables, write figures.json and the picture."""
    if missing := missing_programs():
        warn(f"Missing: {', '.join(missing)}. apt-get install flite festival festvox-kdlpc16k espeak-ng")
        raise typer.Exit(1)
    console = Console(width=180)
    engine = CallboxInterruption(CallboxInterruptionOptions(), open_store().resolve("callbox-interruption"))
    engine.load()
    engine.warm_up()
    runs = _run_cases(engine, every=11 if quick else 1)
    keep_answers(runs)
    for line in LINES:
        console.print(table(f"{line} lines", ways([one for one in runs if one[0].line == line])))
    console.print(model_alone.cost(runs))
    if words:
        some = sample([one for one in runs if one[0].group in GROUPS_WITH_WORDS], words)
        console.print(table(f"with words: {len(some)} of the cases in real time", ways_with_words(some)))
    console.print(f"Picture: {draw_trade_off(runs, time.strftime('%Y-%m-%d'))}")
    for line in model_alone.unnoticed([case for case, sounds, _ in runs if not sounds], engine):
        console.print(line)
    for line in model_alone.meetings(REAL_SPEECH / "ami", engine):
        console.print(line)
    engine.close()


def _run_cases(engine: CallboxInterruption, *, every: int) -> list[Run]:
    vad = SileroVad(SileroOptions(), open_store().resolve("silero-vad"))
    vad.load()
    chosen = list(cases(CACHE, agent_sentences(CACHE), REAL_SPEECH))[::every]
    return [(case, *run(case.samples, vad, engine, GateOptions())) for case in chosen]


if __name__ == "__main__":
    app()
