"""How soon the language model answers, with and without the prefix cache: `python -m scripts.bench.llm`.

A call is played with prepared lines; then each of its replies is generated again and again, in turn by an engine that
caches the system message and the tools, by one that does not, and by the caching one while it also writes a summary.
"""

import asyncio
import json
import re
import statistics
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from scripts.bench.machine import this_machine
from scripts.command_line import console, new_app
from scripts.figures import milliseconds
from scripts.paths import DEMO
from serving.chat import ChatMessage, ChatRequest, Priority, TextDelta, ToolCall, ToolSpec, Usage
from serving.engine import LlmEngine
from serving.llm.ctranslate2 import CTranslate2Llm, CTranslate2LlmOptions

LANGUAGE_MODEL = DEMO / "language_model"
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
app = new_app()


@dataclass(slots=True)
class Timings:
    """One engine's figures, one value for each reply."""

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
    """The tools of the demo's front desk."""
    entries = [entry["function"] for entry in json.loads((LANGUAGE_MODEL / "prompts" / "tools.json").read_text())]
    return tuple(ToolSpec(entry["name"], entry["description"], entry["parameters"]) for entry in entries)


async def play_call(engine: LlmEngine) -> list[ChatRequest]:
    """The requests of one call, each with the model's own replies in its history."""
    system = ChatMessage("system", (LANGUAGE_MODEL / "prompts" / "front_desk.md").read_text())
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
    """Generate one reply and record when its first token, first clause and last token came."""
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
    """The same while a background reply is being generated."""
    summary = engine.open(replace(request, priority=Priority.BACKGROUND))
    events = aiter(summary)
    await anext(events)
    await measure(engine, request, timings)
    await summary.aclose()


async def run(model_dir: Path, threads: int, rounds: int) -> tuple[dict[str, Timings], list[int]]:
    """Figures by engine, and the lengths of the prompts in tokens."""
    cached, plain = load(model_dir, threads, 8192), load(model_dir, threads, 0)
    requests = await play_call(plain)
    await cached.warm_prefix(requests[0])
    without, with_cache, beside = Timings(), Timings(), Timings()
    for _ in range(rounds):
        for request in requests:
            await measure(plain, request, without)
            await measure(cached, request, with_cache)
            await measure_beside_summary(cached, request, beside)
    lengths = [
        event.prompt_tokens for request in requests async for event in plain.open(request) if isinstance(event, Usage)
    ]
    cached.close()
    plain.close()
    figures = {
        "prefix computed each time": without,
        "prefix cached": with_cache,
        "cached, beside a summary": beside,
    }
    return figures, lengths


def table(figures: dict[str, Timings]) -> Table:
    """One row for each engine; ratios are to the first."""
    columns = ("", "TTFT p50", "p95", "ratio p50", "first clause p50", "p95", "tokens/s p50", "prompt cached")
    result = Table(*columns)
    baseline_s = statistics.median(next(iter(figures.values())).ttft_s)
    for name, timings in figures.items():
        result.add_row(
            name,
            *(milliseconds(timings.ttft_s, percent, digits=1) for percent in (50, 95)),
            f"{statistics.median(timings.ttft_s) / baseline_s:.2f}",
            *(milliseconds(timings.clause_s, percent, digits=1) for percent in (50, 95)),
            f"{statistics.median(timings.tokens_per_s):.0f}",
            f"{100 * statistics.median(timings.cached_share):.0f} %",
        )
    return result


@app.command()
def main(
    threads: Annotated[int, typer.Option(help="intra_threads of the engine")] = 1,
    rounds: Annotated[int, typer.Option(help="how often the call is played")] = 20,
    model: Annotated[Path, typer.Option(help="folder of a converted model")] = LANGUAGE_MODEL / "ct2",
) -> None:
    """Measure how soon the language model answers, with and without the prefix cache."""
    console.print(f"{model.name}, {threads} thread(s), {this_machine().short}", highlight=False)
    figures, lengths = asyncio.run(run(model, threads, rounds))
    console.print(f"{len(lengths)} replies x {rounds}, prompts of {min(lengths)} to {max(lengths)} tokens")
    console.print(table(figures))


if __name__ == "__main__":
    app()
