"""Time to the first token and tokens per second of the exported model, with and without a cached prompt prefix."""

import statistics
import time
from pathlib import Path
from typing import Any

from scripts.train.language_model.domain import DEFAULT_FACTS, Lex
from scripts.train.language_model.language_model import MAX_NEW_TOKENS, LanguageModel
from scripts.train.language_model.prompts import TOOLS, front_desk_prompt, render_system
from scripts.train.language_model.simulate import dialogue

PROMPTS = 30
PROMPT_TOKENS = range(570, 641)


def measure_speed(folder: Path, lex: Lex) -> None:
    """Print both for one thread and for two."""
    for threads in (1, 2):
        model = LanguageModel(folder, threads)
        static = model.tokens(render_system(front_desk_prompt(DEFAULT_FACTS), TOOLS))
        prompts = _prompts(model, lex)
        _time(model, prompts[0][len(static) :], {"static_prompt": static})  # fills the cache
        plain = [_time(model, prompt, {}) for prompt in prompts]
        cached = [_time(model, prompt[len(static) :], {"static_prompt": static}) for prompt in prompts]
        length = statistics.median(map(len, prompts))
        print(f"{threads} thread(s), prompt {length:.0f} tokens, {len(static)} of them in the prefix")
        for kind, times in (("plain", plain), ("cached", cached)):
            first_ms, rate = (statistics.median(column) for column in zip(*times, strict=True))
            print(f"   {kind:>6}: first token {1000 * first_ms:.1f} ms (median), then {rate:.0f} tokens/s")


def _prompts(model: LanguageModel, lex: Lex) -> list[list[str]]:
    prompts: list[list[str]] = []
    system = front_desk_prompt(DEFAULT_FACTS)
    while len(prompts) < PROMPTS:
        messages = dialogue(lex, DEFAULT_FACTS).messages
        places = [place for place, message in enumerate(messages) if message.role == "assistant"]
        candidates = (model.prompt(system, messages[:place]) for place in places)
        prompts += [prompt for prompt in candidates if len(prompt) in PROMPT_TOKENS][:1]
    return prompts


def _time(model: LanguageModel, prompt: list[str], static: dict[str, Any]) -> tuple[float, float]:
    """Seconds to the first token, and tokens per second from then on."""
    began, first_s, tokens = time.perf_counter(), 0.0, 0
    steps = model.generator.generate_tokens(
        prompt, max_length=MAX_NEW_TOKENS, sampling_topk=1, end_token="<|eot_id|>", **static
    )
    for _ in steps:
        first_s = first_s or time.perf_counter() - began
        tokens += 1
    return first_s, (tokens - 1) / max(1e-9, time.perf_counter() - began - first_s)
