"""What all calls share, and the engines chosen for it."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from agent.call.events import EngineReloaded, Payload
from agent.call.resources import build_engines, build_resources, prepare
from agent.call.stream import EventStream
from agent.clinic.tools import TOOL_SPECS
from agent.errors import ConfigError
from agent.settings import Settings
from models.errors import ModelMissing
from models.store import ModelStore, open_store
from serving.errors import EngineLoadFailed
from serving.host import EngineHost
from serving.registry import ENGINES, Entry
from tests.scripted import ScriptedLlm, ScriptedTts, Sounds

pytestmark = pytest.mark.unit


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedOptions:
    """Options of an engine that only remembers how it was made."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    threads: int = 1
    room_rate: int = 0


class Named:
    """An engine that only remembers how it was made."""

    def __init__(self, options: NamedOptions, model_dir: Path, **extra: Any) -> None:
        self.options = options
        self.model_dir = model_dir
        self.extra = extra


@pytest.fixture(autouse=True)
def _named_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    for engines in ENGINES.values():
        monkeypatch.setitem(engines, "named", Entry(__name__, "Named", "NamedOptions"))


@pytest.fixture(scope="module")
def store() -> ModelStore:
    """The shipped models."""
    return open_store()


def settings(*, turns: dict[str, Any] | None = None, llm_engine: str = "named", **options: dict[str, Any]) -> Settings:
    """Named engines on the demo's models, with options by stage."""
    models = {"vad": "silero-vad", "stt": "demo-stt", "turn": "silero-vad", "llm": "demo-llm", "tts": "demo-voice"}
    engines: dict[str, dict[str, Any]] = {
        stage: {"engine": "named", "model": model, "options": options.get(stage, {})} for stage, model in models.items()
    }
    engines["llm"]["engine"] = llm_engine
    return Settings.model_validate(
        {"profile": "test", "engines": engines, "turns": turns or {}, "network": {"room_sample_rate": 48_000}}
    )


def test_each_stage_gets_its_model_and_its_options(store: ModelStore) -> None:
    engines: Any = build_engines(settings(llm={"threads": 3}), store)
    assert engines.llm.options == NamedOptions(threads=3)
    assert engines.llm.model_dir == store.resolve("demo-llm")
    assert engines.stt.model_dir == store.resolve("demo-stt")


def test_recognition_listens_with_the_same_vad(store: ModelStore) -> None:
    engines: Any = build_engines(settings(), store)
    assert engines.stt.extra == {"vad": engines.vad}


def test_the_voice_speaks_at_the_rooms_rate_unless_another_is_set(store: ModelStore) -> None:
    engines: Any = build_engines(settings(), store)
    assert engines.tts.options.room_rate == 48_000
    engines = build_engines(settings(tts={"room_rate": 16_000}), store)
    assert engines.tts.options.room_rate == 16_000


@pytest.mark.parametrize("detection", ["vad", "livekit-v1-mini"])
def test_an_end_of_turn_engine_that_is_not_used_need_not_be_there(store: ModelStore, detection: str) -> None:
    assert build_engines(settings(turns={"detection": detection}), store).turn is None
    assert build_engines(settings(), store).turn is not None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"treads": 2}, r"engines\.llm\.options: treads"),
        ({"threads": "many"}, r"engines\.llm\.options: threads: .*integer"),
    ],
)
def test_a_bad_option_is_named(store: ModelStore, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_engines(settings(llm=options), store)


def test_an_engine_that_is_not_there_is_named(store: ModelStore) -> None:
    with pytest.raises(EngineLoadFailed, match="No llm engine is called 'oracle'"):
        build_engines(settings(llm_engine="oracle"), store)


def test_a_model_that_is_not_there_is_named_before_anything_loads(store: ModelStore, tmp_path: Path) -> None:
    empty = ModelStore(tmp_path, store.manifest)
    with pytest.raises(ModelMissing, match="demo-stt"):
        build_engines(settings(), empty)


def test_there_is_what_every_call_needs(store: ModelStore) -> None:
    resources = build_resources(settings(), store, lambda stage, state, took_s: None)
    assert "Riverside Clinic" in resources.instructions
    assert {"greeting", "not_heard", "technical_apology", "technical_goodbye"} <= set(resources.phrase_texts)
    assert "Riverside Clinic" in resources.phrase_texts["greeting"]
    assert resources.gate.max_calls == 4
    assert not resources.is_ready


async def test_preparing_warms_the_prompt_and_synthesizes_every_phrase(store: ModelStore) -> None:
    resources = build_resources(settings(), store, lambda stage, state, took_s: None)
    llm, tts = ScriptedLlm(lambda request: []), ScriptedTts(Sounds(), piece_s=0.0)
    engines = resources.host.engines
    resources.host = EngineHost(type(engines)(engines.vad, engines.stt, engines.turn, llm, tts))
    await prepare(resources)
    (warmed,) = llm.warmed
    assert [message.text for message in warmed.messages] == [resources.instructions]
    assert warmed.tools == TOOL_SPECS
    assert {name: phrase.text for name, phrase in resources.phrases.items()} == resources.phrase_texts
    assert all(phrase.spoken for phrase in resources.phrases.values())


async def test_every_call_in_progress_is_told_of_an_engine_that_works_again(store: ModelStore) -> None:
    resources = build_resources(settings(), store, lambda stage, state, took_s: None)
    loop = asyncio.get_running_loop()
    calls = [EventStream(name, loop) for name in ("one", "two", "over")]
    published: list[tuple[str, Payload]] = []
    for call in calls:
        call.react(lambda payload, name=call.call_id: published.append((name, payload)))  # type: ignore[misc]
    resources.calls |= set(calls[:2])
    await asyncio.to_thread(resources.engine_reloaded, "llm")  # as the host does, from a thread of its own
    await asyncio.sleep(0)
    assert sorted(name for name, _ in published) == ["one", "two"]
    assert {payload for _, payload in published} == {EngineReloaded("llm")}
