"""The agent's own voice comes back over a path: what is left of it, and of a caller who speaks over it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import jiwer
import numpy as np
from rich.table import Table

from agent.turns.echo.canceller import LAG_S
from scripts.bench.echo.listening import (
    Listeners,
    Spoken,
    agent_voice,
    caller_over,
    cancel,
    load_listeners,
    speech_in,
    without_silence,
    words_in,
)
from scripts.bench.echo.paths import PATHS, EchoPath, measured_rooms
from scripts.paths import REAL_SPEECH
from serving.audio import SPEECH_RATE, Pcm32

CAUGHT_WITHIN_S = 0.5
AUDIBLE = 2e-3
AROUND_S = (0.3, 0.4)
"""Of what surrounds a caller's line, so much is recognised with it."""


@dataclass(frozen=True, slots=True)
class Alone:
    """The agent speaks, the caller does not."""

    erle_db: float
    speech_before: int
    """Stretches of speech that the VAD finds in the echo itself."""
    speech_after: list[float]
    """Lengths in seconds of those it finds behind the canceller."""
    words_before: int
    words_after: int
    cpu_ms_per_s: float


@dataclass(frozen=True, slots=True)
class Both:
    """The caller speaks over the agent."""

    wer: float
    caught: float
    """Share of lines that opened the VAD in time."""


async def measure_alone(path: EchoPath, agent: Pcm32, ears: Listeners) -> Alone:
    """The echo by itself."""
    echo = path.echo(agent)
    heard = path.line(echo)
    began = time.process_time()
    left = cancel(agent, heard)
    cpu_s = time.process_time() - began
    audible = np.abs(echo[: len(left)]) > AUDIBLE
    erle = 10 * np.log10(np.mean(heard[: len(left)][audible] ** 2) / (np.mean(left[audible] ** 2) + 1e-12))
    return Alone(
        erle_db=float(erle),
        speech_before=len(speech_in(ears.vad, heard, ears.gate)),
        speech_after=[found.end_s - found.start_s for found in speech_in(ears.vad, left, ears.gate)],
        words_before=len((await words_in(ears.stt, heard)).split()),
        words_after=len((await words_in(ears.stt, left)).split()),
        cpu_ms_per_s=1000 * cpu_s * SPEECH_RATE / len(left),
    )


async def measure_both(sound: Pcm32, spoken: list[Spoken], ears: Listeners, *, lag_s: float = 0.0) -> Both:
    """The caller's lines in what the agent listens to, and gets so much later than it was heard."""
    before, after = (round(seconds * SPEECH_RATE) for seconds in AROUND_S)
    heard = [(await words_in(ears.stt, sound[line.start - before : line.end + after])) or "-" for line in spoken]
    opened = [found.decided_at_s + lag_s for found in speech_in(ears.vad, sound, ears.gate)]
    onsets = [line.start / SPEECH_RATE for line in spoken]
    caught = [any(0 <= at_s - onset_s <= CAUGHT_WITHIN_S for at_s in opened) for onset_s in onsets]
    return Both(float(jiwer.wer([line.text for line in spoken], heard)), float(np.mean(caught)))


async def row(path: EchoPath, agent: Pcm32, track: Pcm32, ears: Listeners) -> list[str]:
    """One path's figures."""
    alone = await measure_alone(path, agent, ears)
    caller, spoken = caller_over(len(track))
    quiet, over = path.line(caller), path.line(path.echo(track) + caller)
    without = await measure_both(quiet, spoken, ears)
    echoed = await measure_both(over, spoken, ears)
    cancelled = await measure_both(cancel(track, over), spoken, ears, lag_s=LAG_S)
    longest_s = max(alone.speech_after, default=0.0)
    return [
        path.name,
        f"{1000 * path.delay_s:.0f}",
        f"{path.gain_db:.0f}",
        f"{alone.erle_db:.0f}",
        f"{alone.speech_before} > {len(alone.speech_after)} ({longest_s:.1f})",
        f"{alone.words_before} > {alone.words_after}",
        *(f"{100 * both.wer:.0f}" for both in (without, echoed, cancelled)),
        f"{100 * without.caught:.0f} > {100 * cancelled.caught:.0f}",
        f"{alone.cpu_ms_per_s:.0f}",
    ]


async def bench(names: Sequence[str]) -> Table:
    """The paths of these names, or all if there are none, and a line without echo."""
    ears = load_listeners()
    agent = await agent_voice(ears.tts)
    track = np.tile(without_silence(agent), 2)
    columns = ("path", "delay ms", "gain dB", "ERLE dB", "VAD speech (longest s)", "words of the agent")
    table = Table(*columns, "WER % alone", "with echo", "cancelled", "caught in 500 ms %", "CPU ms/s")
    caller, spoken = caller_over(len(track))
    untouched = await measure_both(caller, spoken, ears)
    passed = await measure_both(cancel(track, caller), spoken, ears)
    figures = [f"{100 * untouched.wer:.0f}", "-", f"{100 * passed.wer:.0f}"]
    table.add_row("no echo", *["-"] * 5, *figures, f"{100 * untouched.caught:.0f} > {100 * passed.caught:.0f}", "-")
    for path in [*PATHS.values(), *measured_rooms(REAL_SPEECH / "rooms")]:
        if not names or path.name in names:
            table.add_row(*await row(path, agent, track, ears))
    return table
