"""The exported model for evaluation: greedy replies from CTranslate2."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import ctranslate2
from tokenizers import Tokenizer

from scripts.train.language_model.prompts import TOOLS, Tool, render_message, render_system

MAX_NEW_TOKENS = 96
BATCH_TOKENS = 8192
ASSISTANT = "<|start_header_id|>assistant<|end_header_id|>\n\n"


class LanguageModel:
    """Batches of replies."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.generator = ctranslate2.Generator(str(folder), device="cpu", compute_type="int8", intra_threads=threads)

    def tokens(self, text: str) -> list[str]:
        """Tokens of rendered text."""
        return list(self._tokenizer.encode(text).tokens)

    def prompt(self, system: str, messages: Iterable[Sequence[Any]], tools: Sequence[Tool] | None = TOOLS) -> list[str]:
        """Tokens of a prompt; messages begin with role and text."""
        history = "".join(render_message(message[0], message[1]) for message in messages)
        return self.tokens(render_system(system, tools) + history + ASSISTANT)

    def replies(self, prompts: Sequence[list[str]]) -> list[str]:
        """One greedy reply per prompt, in order."""
        order = sorted(range(len(prompts)), key=lambda place: len(prompts[place]))
        results = self.generator.generate_batch(
            [prompts[place] for place in order],
            max_batch_size=BATCH_TOKENS,
            batch_type="tokens",
            max_length=MAX_NEW_TOKENS,
            sampling_topk=1,
            include_prompt_in_result=False,
            end_token="<|eot_id|>",
        )
        texts = {
            place: self._tokenizer.decode(result.sequences_ids[0]) for place, result in zip(order, results, strict=True)
        }
        return [texts[place] for place in range(len(prompts))]
