"""How soon ends of turns are detected, against how many pauses are taken for ends.

    python -m scripts.bench.turns                             # every voice
    python -m scripts.bench.turns rms ked "pico us" "pico gb"

Callers that no model was trained on speak turns with pauses of known length. Callbox's model, Smart Turn v3.2, LiveKit's
v1-mini and silence alone judge the same silences every 0.1 s, and each gets the best policy from the grid of LiveKit's
eot-bench. Needs flite and festival; SVOX pico is built when first needed. Everything slow is kept in .cache/bench_turns.
"""

import json
from typing import Annotated

import numpy as np
import typer

from scripts.bench.turns.compare import OUT, hear, judge, show, show_people, word_errors
from scripts.bench.turns.detectors import detectors
from scripts.bench.turns.voices import VOICES, missing_programs
from scripts.bench.turns.words import as_judged
from scripts.command_line import new_app, warn
from scripts.paths import REAL_SPEECH

app = new_app()


@app.command()
def main(
    voices: Annotated[
        list[str] | None, typer.Argument(help=f"of {', '.join(voice.name for voice in VOICES)}; default: all")
    ] = None,
) -> None:
    """Measure end-of-turn detection: print the tables, write turns.json and the pictures."""
    names = [voice.name for voice in VOICES]
    if unknown := set(voices or []) - set(names):
        raise typer.BadParameter(f"no such voice: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if missing := missing_programs():
        warn(f"Missing: {', '.join(missing)}. Install: apt-get install flite festival festvox-kdlpc16k gcc")
        raise typer.Exit(1)
    np.seterr(all="raise", under="ignore")
    OUT.mkdir(parents=True, exist_ok=True)
    heard = list(hear(voices or names))
    found = detectors()
    judged, cpu_ms = judge([(case, as_judged(case, words)) for case, words in heard], found)
    report = {"recognition": word_errors(heard), "synthetic": show(judged, cpu_ms)}
    if REAL_SPEECH.is_dir():
        report["people"] = show_people(found)
    else:
        print(f"Recorded speech of people is skipped: {REAL_SPEECH} is not on this machine.")
    for detector in found:
        detector.close()
    (OUT / "turns.json").write_text(json.dumps(report, indent=1))
    print(f"Figures and pictures are in {OUT}.")


if __name__ == "__main__":
    app()
