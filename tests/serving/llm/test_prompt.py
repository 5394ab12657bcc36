from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

from serving.chat import ChatMessage, ChatRequest, ToolSpec
from serving.llm.chat_template import ChatTemplate
from serving.llm.prompt import PromptEncoder, Tokens

pytestmark = pytest.mark.unit

SYSTEM = ChatMessage("system", "You are the receptionist of Riverside Clinic.")
GREETING = ChatMessage("assistant", "Thank you for calling. How can I help?")
QUESTIONS = [
    ChatMessage("user", text) for text in ("when are you open", "i need Doctor Chen\n\n at 9:30 - é 漢 😀", "")
]


@pytest.fixture
def tokenizer(model_dir: Path) -> Tokenizer:
    return Tokenizer.from_file(str(model_dir / "tokenizer.json"))


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_split_prompt_has_the_tokens_of_the_whole(
    model_dir: Path, tokenizer: Tokenizer, tools: tuple[ToolSpec, ...], question: ChatMessage
) -> None:
    template = ChatTemplate.from_directory(model_dir)
    request = ChatRequest((SYSTEM, GREETING, question), tools)
    prompt = PromptEncoder(template, tokenizer).encode(request)
    whole = tokenizer.encode(template.render(request.messages, tools), add_special_tokens=False)
    assert [*prompt.static.texts, *prompt.rest.texts] == whole.tokens
    assert prompt.ids == whole.ids
    assert len(prompt) == len(whole)


def test_the_static_part_is_the_system_message_with_its_tools(
    model_dir: Path, tokenizer: Tokenizer, tools: tuple[ToolSpec, ...]
) -> None:
    encoder = PromptEncoder(ChatTemplate.from_directory(model_dir), tokenizer)
    prompts = [encoder.encode(ChatRequest((SYSTEM, question), tools)) for question in QUESTIONS]
    assert len({prompt.static for prompt in prompts}) == 1
    text = tokenizer.decode(prompts[0].static.ids, skip_special_tokens=False)
    assert text.endswith("end_call(): hang up after goodbye<|eot_id|>")
    assert encoder.encode(ChatRequest((SYSTEM, QUESTIONS[0]))).static != prompts[0].static


def test_without_a_system_message_nothing_is_static(model_dir: Path, tokenizer: Tokenizer) -> None:
    encoder = PromptEncoder(ChatTemplate.from_directory(model_dir), tokenizer)
    assert encoder.encode(ChatRequest((GREETING, QUESTIONS[0]))).static == Tokens()


@pytest.mark.parametrize(
    "source",
    [
        "{% for m in messages %}{{ m.content }} {% endfor %}",  # nothing special between the messages
        '{{ messages | length }}<|eot_id|>{{ "x" }}',  # the beginning changes with the conversation
        '{% if messages | length < 2 %}{{ raise_exception("too early") }}{% endif %}x',
    ],
)
def test_templates_without_a_clean_cut_are_encoded_whole(tokenizer: Tokenizer, source: str) -> None:
    prompt = PromptEncoder(ChatTemplate(source, {}), tokenizer).encode(ChatRequest((SYSTEM, QUESTIONS[0])))
    assert prompt.static == Tokens()
    assert prompt.rest


def test_text_streams_out_as_it_went_in(tokenizer: Tokenizer, prompts_dir: Path) -> None:
    """Characters that take several tokens are waited for, never guessed."""
    texts = [path.read_text() for path in sorted(prompts_dir.glob("*.*"))] + [question.text for question in QUESTIONS]
    for text in texts:
        stream = DecodeStream(skip_special_tokens=True)
        pieces = [stream.step(tokenizer, token) for token in tokenizer.encode(text, add_special_tokens=False).ids]
        assert "".join(piece or "" for piece in pieces) == text
        assert not any("�" in (piece or "") for piece in pieces)
