"""The agent's own voice comes back over a path: what is left of it, and of a caller who speaks over it, with each canceller."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jiwer
import numpy as np
from rich.table import Table

from scripts.bench.echo.cancellers import CANCELLERS, Canceller, Name
from scripts.bench.echo.listening import (
    Listeners,
    Spoken,
    agent_voice,
    caller_over,
    falling_silent,
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
STARTS_S = (6.0, 6.7, 7.4)
"""When the caller begins: the same lines over other words of the agent."""
COLUMNS = (
    "path",
    "canceller",
    "ERLE dB",
    "VAD speech (longest s)",
    "words of the agent",
    "WER % over it",
    "caught in 500 ms %",
    "WER % when it stops",
    "caught %",
    "CPU ms/s",
)


@dataclass(frozen=True, slots=True)
class Voices:
    """Who speaks, before any path."""

    agent: Pcm32
    """Replies with pauses."""
    track: Pcm32
    """The agent without a pause."""
    callers: list[tuple[Pcm32, list[Spoken]]]
    """A caller's lines on a track as long as the agent's."""


@dataclass(frozen=True, slots=True)
class Alone:
    """The agent speaks, the caller does not."""

    erle_db: float
    speech_s: list[float]
    """Lengths of the stretches of speech that the VAD finds in what is left."""
    words: int
    cpu_ms_per_s: float


@dataclass(frozen=True, slots=True)
class Both:
    """The caller speaks over the agent."""

    wer: float
    caught: float
    """Share of lines that opened the VAD in time."""


async def measure_alone(path: EchoPath, agent: Pcm32, ears: Listeners, canceller: Canceller) -> Alone:
    """The echo by itself."""
    echo = path.echo(agent)
    heard = path.line(echo)
    began = time.process_time()
    left = canceller.cancel(agent, heard)
    cpu_s = time.process_time() - began
    audible = np.abs(echo[: len(left)]) > AUDIBLE
    erle = 10 * np.log10(np.mean(heard[: len(left)][audible] ** 2) / (np.mean(left[audible] ** 2) + 1e-12))
    return Alone(
        erle_db=float(erle),
        speech_s=[found.end_s - found.start_s for found in speech_in(ears.vad, left, ears.gate)],
        words=len((await words_in(ears.stt, left)).split()),
        cpu_ms_per_s=1000 * cpu_s * SPEECH_RATE / len(left),
    )


async def measure_both(line: Callable[[Pcm32, list[Spoken]], Pcm32], voices: Voices, ears: Listeners) -> Both:
    """Every caller's lines in what the agent listens to."""
    said: list[str] = []
    heard: list[str] = []
    caught: list[bool] = []
    for caller, spoken in voices.callers:
        sound = line(caller, spoken)
        said += [each.text for each in spoken]
        heard += [(await words_in(ears.stt, _around(sound, each))) or "-" for each in spoken]
        opened = [found.decided_at_s for found in speech_in(ears.vad, sound, ears.gate)]
        caught += [_is_caught(each.start / SPEECH_RATE, opened) for each in spoken]
    return Both(float(jiwer.wer(said, heard)), float(np.mean(caught)))


def _around(sound: Pcm32, line: Spoken) -> Pcm32:
    before, after = (round(seconds * SPEECH_RATE) for seconds in AROUND_S)
    return sound[line.start - before : line.end + after]


def _is_caught(onset_s: float, opened_s: Sequence[float]) -> bool:
    return any(0 <= at_s - onset_s <= CAUGHT_WITHIN_S for at_s in opened_s)


async def row(path: EchoPath | None, name: Name, voices: Voices, ears: Listeners) -> list[str]:
    """One canceller's figures on one path; None: a line without echo."""
    canceller = CANCELLERS[name]

    def mixed(agent: Pcm32, caller: Pcm32) -> Pcm32:
        return canceller.cancel(agent, caller if path is None else path.line(path.echo(agent) + caller))

    over = await measure_both(lambda caller, _: mixed(voices.track, caller), voices, ears)
    stopping = await measure_both(
        lambda caller, spoken: mixed(falling_silent(voices.track, spoken), caller), voices, ears
    )
    alone = None if path is None else await measure_alone(path, voices.agent, ears, canceller)
    return [
        name,
        *_alone_figures(alone),
        *(f"{100 * share:.0f}" for both in (over, stopping) for share in (both.wer, both.caught)),
        "-" if alone is None else f"{alone.cpu_ms_per_s:.0f}",
    ]


def _alone_figures(alone: Alone | None) -> list[str]:
    if alone is None:
        return ["-"] * 3
    return [f"{alone.erle_db:.0f}", f"{len(alone.speech_s)} ({max(alone.speech_s, default=0.0):.1f})", f"{alone.words}"]


async def caller_alone(path: EchoPath | None, voices: Voices, ears: Listeners) -> list[str]:
    """A caller's figures on a path while the agent is silent: none can be better."""
    both = await measure_both(lambda caller, _: caller if path is None else path.line(caller), voices, ears)
    return ["(silent agent)", *["-"] * 5, f"{100 * both.wer:.0f}", f"{100 * both.caught:.0f}", "-"]


async def bench(names: Sequence[str], cancellers: Sequence[Name], *, repeats: int = 1) -> Table:
    """A row for each of these cancellers on each of these paths, or on all if there are none; "no echo" is a path too."""
    ears = load_listeners()
    agent = await agent_voice(ears.tts)
    track = np.tile(without_silence(agent), 2)
    voices = Voices(agent, track, [caller_over(len(track), first_s=start_s) for start_s in STARTS_S[:repeats]])
    table = Table(*COLUMNS)
    for path in [None, *PATHS.values(), *measured_rooms(REAL_SPEECH / "rooms")]:
        name = "no echo" if path is None else path.name
        if not names or name in names:
            table.add_row(_title(path), *await caller_alone(path, voices, ears))
            for canceller in cancellers:
                table.add_row("", *await row(path, canceller, voices, ears))
    return table


def _title(path: EchoPath | None) -> str:
    return "no echo" if path is None else f"{path.name}: {1000 * path.delay_s:.0f} ms, {path.gain_db:.0f} dB"
