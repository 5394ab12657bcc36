"""Checks that the exported model is the trained one: the chat template's text, and the replies of both runtimes."""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ctranslate2
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from scripts.train.language_model.domain import Lex, random_facts
from scripts.train.language_model.language_model import ASSISTANT, MAX_NEW_TOKENS
from scripts.train.language_model.prompts import TOOLS, front_desk_prompt, render_message, render_system
from scripts.train.language_model.simulate import Message, dialogue

SEED = 4242


@dataclass(slots=True)
class Agreement:
    """For how many replies two things agreed."""

    template: int = 0
    runtimes: int = 0
    streamed: int = 0


def compare(hf_dir: Path, ct2_dir: Path, count: int) -> None:
    """Print how often the template renders the training text, and how often both runtimes give the same reply."""
    replies = Replies(hf_dir, ct2_dir)
    lex, same = Lex(random.Random(SEED), "test"), Agreement()
    for _ in range(count):
        facts = random_facts(lex)
        messages = dialogue(lex, facts).messages
        cut = lex.choose([place for place, one in enumerate(messages) if one.role == "assistant" and place > 0])
        _compare_reply(replies, front_desk_prompt(facts), messages[:cut], same)
    print(
        f"chat template equals training text: {same.template}/{count}; transformers fp32 = CTranslate2 int8: "
        f"{same.runtimes}/{count} replies; stream = batch: {same.streamed}/{count}"
    )


def _compare_reply(replies: "Replies", system: str, history: list[Message], same: Agreement) -> None:
    text, trained_on = replies.templated(system, history), rendered(system, history)
    same.template += text == trained_on
    tokens = replies.tokenizer.convert_ids_to_tokens(replies.ids(text))
    full, batch, stream = replies.transformers(text), replies.batch(tokens), replies.stream(tokens)
    decode = replies.tokenizer.decode
    same.runtimes += decode(full) == decode(batch)
    same.streamed += stream == batch
    if full != batch:
        print(f"  fp32: {decode(full)}\n  int8: {decode(batch)}")


def rendered(system: str, history: list[Message]) -> str:
    """The prompt as in training."""
    messages = "".join(render_message(message.role, message.text) for message in history)
    return render_system(system, TOOLS) + messages + ASSISTANT


class Replies:
    """Greedy replies of both runtimes."""

    def __init__(self, hf_dir: Path, ct2_dir: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(hf_dir)
        self._model = AutoModelForCausalLM.from_pretrained(hf_dir, dtype=torch.float32)
        self._generator = ctranslate2.Generator(str(ct2_dir), device="cpu", compute_type="int8", intra_threads=1)
        self._greedy = {"max_length": MAX_NEW_TOKENS, "sampling_topk": 1, "end_token": "<|eot_id|>"}

    def ids(self, text: str) -> list[int]:
        """Tokens of a rendered prompt."""
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def templated(self, system: str, history: list[Message]) -> str:
        """The prompt as the chat template renders it."""
        messages = [{"role": "system", "content": system}, *map(_chat_message, history)]
        return str(
            self.tokenizer.apply_chat_template(messages, tools=TOOLS, add_generation_prompt=True, tokenize=False)
        )

    def transformers(self, text: str) -> list[int]:
        """By transformers, float32."""
        ids = torch.tensor([self.ids(text)])
        mask = torch.ones_like(ids)
        reply = self._model.generate(ids, attention_mask=mask, do_sample=False, max_new_tokens=MAX_NEW_TOKENS)
        return self._without_end(reply[0, ids.shape[1] :].tolist())

    def batch(self, tokens: list[str]) -> list[int]:
        """By CTranslate2, all at once."""
        result = self._generator.generate_batch([tokens], include_prompt_in_result=False, **self._greedy)
        return self._without_end(result[0].sequences_ids[0])

    def stream(self, tokens: list[str]) -> list[int]:
        """By CTranslate2, token by token."""
        return self._without_end([step.token_id for step in self._generator.generate_tokens(tokens, **self._greedy)])

    def _without_end(self, ids: list[int]) -> list[int]:
        return [token for token in ids if token != self.tokenizer.eos_token_id]


def _chat_message(message: Message) -> dict[str, Any]:
    if message.role == "assistant" and message.text.startswith("{"):
        call = json.loads(message.text)
        function = {"name": call["name"], "arguments": call["parameters"]}
        return {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": function}]}
    return {"role": "tool" if message.role == "ipython" else message.role, "content": message.text}
