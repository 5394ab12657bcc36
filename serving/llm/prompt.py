"""A request as tokens, split after the part that all calls share."""

from dataclasses import dataclass
from functools import lru_cache

from tokenizers import Tokenizer

from serving.chat import ChatRequest
from serving.errors import EngineError
from serving.llm.chat_template import ChatTemplate


@dataclass(frozen=True, slots=True)
class Tokens:
    """A stretch of a prompt."""

    texts: tuple[str, ...] = ()
    """The tokens as text, as in the vocabulary."""
    ids: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Prompt:
    """Tokens in order: first `static`, then `rest`."""

    static: Tokens
    """The system message and the tools: the same for every reply of every call. Empty if they cannot be separated."""
    rest: Tokens
    """The conversation so far. Never empty."""

    @property
    def ids(self) -> list[int]:
        """All of it."""
        return [*self.static.ids, *self.rest.ids]

    def __len__(self) -> int:
        return len(self.static) + len(self.rest)


class PromptEncoder:
    """Renders and tokenizes requests. Immutable; safe to use from several threads."""

    def __init__(self, template: ChatTemplate, tokenizer: Tokenizer) -> None:
        self._template = template
        self._tokenizer = tokenizer
        special = {token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special}
        self._special = frozenset(special)
        self._encode_static = lru_cache(maxsize=32)(self._encode)

    def encode(self, request: ChatRequest) -> Prompt:
        """The prompt of `request`. Raises EngineError if the template refuses the conversation."""
        text = self._template.render(request.messages, request.tools)
        static_text = self._static_text(request)
        if static_text and text.startswith(static_text):
            static = self._encode_static(static_text)
            if static.texts[-1] in self._special:  # text on either side of a special token is tokenized separately
                return Prompt(static, self._encode(text[len(static_text) :]))
        return Prompt(Tokens(), self._encode(text))

    def _static_text(self, request: ChatRequest) -> str:
        system = [message for message in request.messages[:1] if message.role == "system"]
        if not system:
            return ""
        try:
            return self._template.render(system, request.tools, add_generation_prompt=False)
        except EngineError:  # this template cannot render a conversation without messages
            return ""

    def _encode(self, text: str) -> Tokens:
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return Tokens(tuple(encoding.tokens), tuple(encoding.ids))
