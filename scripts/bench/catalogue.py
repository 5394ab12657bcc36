"""The benches: what each measures and about how long it takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Bench:
    """One bench, run with `python -m scripts.bench.NAME`."""

    name: str
    measures: str
    takes: str
    """On two cores, in words."""
    needs_gpu: bool = False


BENCHES = (
    Bench("v2v", "voice-to-voice latency over a real room, its stages, the transport, and the worker's CPU", "5 min"),
    Bench("stt", "speech recognition: time to the final transcript, beside stock faster-whisper", "2 min"),
    Bench("llm", "language model: time to first token and first clause, with and without the prefix cache", "2 min"),
    Bench("tts", "speech synthesis: time to the first sound, and how exact its word times are", "2 min"),
    Bench("turns", "end of turn: delay against false cut-offs, beside Smart Turn and LiveKit", "30 min, cached: 3 min"),
    Bench("bargein", "barge-in: time from the caller's first sound to the stop, and false stops", "10 min"),
    Bench("echo", "echo cancellation: what is left of the agent's voice, and of a caller over it", "15 min"),
    Bench("heard", "interrupted replies: words the agent remembers against words the caller heard", "15 min"),
    Bench("speculation", "preemptive generation: latency saved, tokens and speech wasted", "12 min"),
    Bench("gpu", "everything that a GPU machine can tell, without a network", "25 min", needs_gpu=True),
)
ALL = "all"


def select(names: Sequence[str]) -> tuple[Bench, ...]:
    """The benches of these names, in the order of BENCHES; `all` means those that need no GPU. Raises ValueError."""
    known = {bench.name for bench in BENCHES} | {ALL}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(
            f"no such bench: {', '.join(unknown)}; there are {', '.join(b.name for b in BENCHES)}, and all"
        )
    return tuple(bench for bench in BENCHES if bench.name in names or (ALL in names and not bench.needs_gpu))


def table() -> Table:
    """All of them."""
    result = Table("bench", "measures", "takes about")
    for bench in BENCHES:
        result.add_row(bench.name, bench.measures, bench.takes + (", on a GPU" if bench.needs_gpu else ""))
    return result
