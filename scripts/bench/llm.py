"""How soon the language model answers, with the prefix cache and without it, in one run.

    python -m scripts.bench.llm [--threads 1] [--rounds 20] [--model FOLDER]

A call is played with canned lines; then every reply of it is generated again and again, in turn by an engine that
caches the system message and tools, by one that does not, and by the caching one while it also writes a summary.
"""

import argparse
import asyncio
import json
import platform
import re
import statistics
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from serving.chat import ChatMessage, ChatRequest, Priority, TextDelta, ToolCall, ToolSpec, Usage
from serving.engine import LlmEngine
from serving.llm.ctranslate2 import CTranslate2Llm, CTranslate2LlmOptions

DEMO = Path(__file__).parents[2] / "models" / "demo" / "language_model"
GREETING = ChatMessage("assistant", "Thank you for calling Riverside Clinic. How can I help you?")
LINES = (
    "what are your opening hours on saturday",
    "and where can i park",
    "id like to see doctor chen next tuesday",
    "nine thirty please",
    "anna smith",
    "its for a headache",
    "yes thats right",
    "no thank you goodbye",
)
RESULTS = {
    "check_availability": '{"status": "ok", "times": ["nine thirty", "two"]}',
    "book_appointment": '{"status": "booked"}',
    "end_call": '{"status": "ended"}',
}


@dataclass(slots=True)
class Timings:
    """One engine's figures, a number for each reply, in seconds unless the name says otherwise."""

    ttft_s: list[float] = field(default_factory=list)
    clause_s: list[float] = field(default_factory=list)
    tokens_per_s: list[float] = field(default_factory=list)
    cached_share: list[float] = field(default_factory=list)


def load(model_dir: Path, threads: int, cached_prefix_tokens: int) -> CTranslate2Llm:
    """A warm engine."""
    options = CTranslate2LlmOptions(intra_threads=threads, cached_prefix_tokens=cached_prefix_tokens)
    engine = CTranslate2Llm(options, model_dir)
    engine.load()
    engine.warm_up()
    return engine


def demo_tools() -> tuple[ToolSpec, ...]:
    """The front desk's tools."""
    entries = [entry["function"] for entry in json.loads((DEMO / "prompts" / "tools.json").read_text())]
    return tuple(ToolSpec(entry["name"], entry["description"], entry["parameters"]) for entry in entries)


async def play_call(engine: LlmEngine) -> list[ChatRequest]:
    """The requests of one call, each with the history that the model's own replies made."""
    system = ChatMessage("system", (DEMO / "prompts" / "front_desk.md").read_text())
    request = ChatRequest((system, GREETING), demo_tools())
    requests: list[ChatRequest] = []
    for line in LINES:
        request = replace(request, messages=(*request.messages, ChatMessage("user", line)))
        for _ in range(3):
            requests.append(request)
            events = [event async for event in engine.open(request)]
            text = "".join(event.text for event in events if isinstance(event, TextDelta))
            calls = tuple(event for event in events if isinstance(event, ToolCall))
            said = ChatMessage("assistant", text, tool_calls=calls)
            results = (ChatMessage("tool", RESULTS.get(call.name, "{}"), call_id=call.call_id) for call in calls)
            request = replace(request, messages=(*request.messages, said, *results))
            if not calls:
                break
    return requests


async def measure(engine: LlmEngine, request: ChatRequest, timings: Timings) -> None:
    """Generate one reply and note when its first token, its first clause and its last token came."""
    began = time.perf_counter()
    clause_s = None
    async for event in engine.open(request):
        if isinstance(event, TextDelta) and clause_s is None and re.search(r"[,.;:?!]", event.text):
            clause_s = time.perf_counter() - began
        if isinstance(event, Usage):
            timings.ttft_s.append(event.ttft_s)
            timings.cached_share.append(event.cached_tokens / event.prompt_tokens)
            rest_s = time.perf_counter() - began - event.ttft_s
            timings.tokens_per_s.append((event.completion_tokens - 1) / rest_s)
    if clause_s is not None:
        timings.clause_s.append(clause_s)


async def measure_beside_summary(engine: LlmEngine, request: ChatRequest, timings: Timings) -> None:
    """The same while a background reply is being written."""
    summary = engine.open(replace(request, priority=Priority.BACKGROUND))
    events = aiter(summary)
    await anext(events)
    await measure(engine, request, timings)
    await summary.aclose()


async def run(model_dir: Path, threads: int, rounds: int) -> tuple[dict[str, Timings], list[int]]:
    """All figures by engine, and the lengths of the prompts."""
    cached, plain = load(model_dir, threads, 8192), load(model_dir, threads, 0)
    requests = await play_call(plain)
    await cached.warm_prefix(requests[0])
    figures = {
        "prefix computed each time": Timings(),
        "prefix cached": Timings(),
        "cached, beside a summary": Timings(),
    }
    without, with_cache, beside = figures.values()
    lengths: list[int] = []
    for _ in range(rounds):
        for request in requests:
            await measure(plain, request, without)
            await measure(cached, request, with_cache)
            await measure_beside_summary(cached, request, beside)
    for request in requests:
        lengths += [event.prompt_tokens async for event in plain.open(request) if isinstance(event, Usage)]
    cached.close()
    plain.close()
    return figures, lengths


def percentile(values: list[float], share: float) -> float:
    """By nearest rank."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def table(figures: dict[str, Timings]) -> Table:
    """One line an engine; ratios are against the first."""
    columns = ("", "TTFT p50", "p95", "ratio p50", "first clause p50", "p95", "tokens/s p50", "prompt cached")
    result = Table(*columns)
    baseline_s = statistics.median(next(iter(figures.values())).ttft_s)
    for name, timings in figures.items():
        result.add_row(
            name,
            f"{1000 * statistics.median(timings.ttft_s):.1f} ms",
            f"{1000 * percentile(timings.ttft_s, 0.95):.1f} ms",
            f"{statistics.median(timings.ttft_s) / baseline_s:.2f}",
            f"{1000 * statistics.median(timings.clause_s):.1f} ms",
            f"{1000 * percentile(timings.clause_s, 0.95):.1f} ms",
            f"{statistics.median(timings.tokens_per_s):.0f}",
            f"{100 * statistics.median(timings.cached_share):.0f} %",
        )
    return result


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--threads", type=int, default=1, help="intra_threads of the engine")
    parser.add_argument("--rounds", type=int, default=20, help="how often the call is played")
    parser.add_argument("--model", type=Path, default=DEMO / "ct2", help="a converted model's folder")
    arguments = parser.parse_args()
    figures, lengths = asyncio.run(run(arguments.model, arguments.threads, arguments.rounds))
    console = Console(width=140)
    console.print(f"{arguments.model.name}, {arguments.threads} thread(s), {platform.machine()} {platform.system()}")
    console.print(f"{len(lengths)} replies x {arguments.rounds}, prompts of {min(lengths)} to {max(lengths)} tokens")
    console.print(table(figures))


if __name__ == "__main__":
    main()
