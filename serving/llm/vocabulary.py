"""What an engine must know of a Llama besides its weights: tokens, chat template, end-of-message tokens, context length."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from serving.chat import ChatRequest
from serving.errors import EngineLoadFailed, PromptTooLong
from serving.llm.chat_template import ChatTemplate
from serving.llm.prompt import Prompt, PromptEncoder
from serving.llm.reply import ReplyReader

STOP_TOKENS = ("<|eot_id|>", "<|eom_id|>", "<|end_of_text|>")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Read-only; safe to use from several threads."""

    tokenizer: Tokenizer
    encoder: PromptEncoder
    stop_ids: frozenset[int]
    context_tokens: int
    """Prompt and reply together."""

    @classmethod
    def from_directory(cls, model_dir: Path, *, context_tokens: int) -> "Vocabulary":
        """Read it from a model folder in Hugging Face's layout; at most `context_tokens` fit. Raises EngineLoadFailed, naming the file."""
        template = ChatTemplate.from_directory(model_dir)
        path = model_dir / "tokenizer.json"
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # tokenizers raises bare Exception
            raise EngineLoadFailed(
                f"{path} cannot be read: {error}. Check the model with `python -m models verify`."
            ) from error
        return cls(
            tokenizer=tokenizer,
            encoder=PromptEncoder(template, tokenizer),
            stop_ids=_stop_ids(model_dir, tokenizer),
            context_tokens=_context_tokens(model_dir, context_tokens),
        )

    def prompt(self, request: ChatRequest) -> Prompt:
        """The prompt of a request, if it fits. Raises PromptTooLong, or EngineError if the template refuses it."""
        prompt = self.encoder.encode(request)
        if len(prompt) + request.max_tokens > self.context_tokens:
            raise PromptTooLong(
                f"The conversation has {len(prompt)} tokens and the reply may have {request.max_tokens}, but the "
                f"language model's limit is {self.context_tokens} together. Summarize or cut the history, shorten the system "
                "message, or raise engines.llm.options.context_tokens if the model allows more."
            )
        return prompt

    def reader(self) -> ReplyReader:
        """A reader for one reply."""
        return ReplyReader(self.tokenizer, self.stop_ids)


def _stop_ids(model_dir: Path, tokenizer: Tokenizer) -> frozenset[int]:
    """The tokens that end a message, from generation_config.json and by Llama 3's names."""
    named = [tokenizer.token_to_id(token) for token in STOP_TOKENS]
    configured = _read_json(model_dir / "generation_config.json").get("eos_token_id", [])
    configured = configured if isinstance(configured, list) else [configured]
    stop_ids = frozenset(token for token in [*named, *configured] if token is not None)
    if not stop_ids:
        raise EngineLoadFailed(f"{model_dir}: no token ends a message. Copy the model's generation_config.json there.")
    return stop_ids


def _context_tokens(model_dir: Path, wanted: int) -> int:
    own = _read_json(model_dir / "tokenizer_config.json").get("model_max_length")
    return min(wanted, int(own)) if own else wanted


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise EngineLoadFailed(f"{path} cannot be read: {error}. Download or convert the model again.") from error
    return content
