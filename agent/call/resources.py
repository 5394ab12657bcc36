"""What all calls of a worker share: settings, engines, the clinic, and the phrases that can be said without any engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.adapters.interruption_server import InterruptionServer
from agent.call.events import EngineReloaded
from agent.call.stream import Attachment, EventStream
from agent.clinic.clinic import Clinic
from agent.clinic.demo_book import demo_clinic
from agent.clinic.facts import load_facts
from agent.clinic.prompts import front_desk_prompt, greeting, load_phrases
from agent.clinic.tools import TOOL_SPECS
from agent.replies.phrases import StockPhrase, synthesize_phrases
from agent.settings import ROOT, EngineChoice, Settings
from models.manifest import Stage
from models.store import ModelStore
from serving.capacity import CapacityGate
from serving.chat import ChatMessage, ChatRequest
from serving.demand import Demand
from serving.engine import VadEngine
from serving.host import EngineHost, Engines, Report


@dataclass(slots=True)
class CallResources:
    """Shared by all calls. `phrases` and `registered` are set before the first call."""

    settings: Settings
    host: EngineHost
    clinic: Clinic
    instructions: str
    """The system prompt."""
    phrase_texts: dict[str, str]
    """The stock phrases, by name."""
    gate: CapacityGate
    phrases: dict[str, StockPhrase] = field(default_factory=dict)
    """The same, synthesized."""
    demand: Demand = field(default_factory=Demand)
    """What calls currently ask of the engines."""
    attachments: list[Attachment] = field(default_factory=list)
    """Attached to every call."""
    interruptions: InterruptionServer | None = None
    """Where LiveKit asks about sound over the agent's voice. Set once the worker runs, if there is an interruption engine."""
    registered: bool = False
    """Whether livekit-server knows the worker and can send it calls."""
    calls: set[EventStream] = field(default_factory=set)
    """Calls in progress."""

    @property
    def is_ready(self) -> bool:
        """Whether a call would be answered now, given a free line."""
        return self.registered and bool(self.phrases) and self.host.is_ready

    def engine_reloaded(self, stage: str) -> None:
        """Publish to all calls. From any thread."""
        for events in tuple(self.calls):
            events.publish_threadsafe(EngineReloaded(stage))


def build_resources(
    settings: Settings, store: ModelStore, report: Report, *, configs: Path = ROOT / "configs"
) -> CallResources:
    """Everything a worker needs, with the engines not loaded yet. Raises ConfigError or ModelError."""
    prompts = configs / "prompts"
    facts = load_facts(configs / settings.conversation.clinic)
    return CallResources(
        settings=settings,
        host=EngineHost(build_engines(settings, store), report),
        clinic=demo_clinic(facts),
        instructions=front_desk_prompt(facts, file=settings.conversation.prompt, directory=prompts),
        phrase_texts={**dict(load_phrases(facts, directory=prompts)), "greeting": greeting(facts, directory=prompts)},
        gate=CapacityGate(settings.capacity.max_calls),
    )


async def prepare(resources: CallResources) -> None:
    """With the engines loaded, do what the first caller should not wait for: compute the prompt, synthesize the phrases."""
    engines, tenant = resources.host.engines, resources.settings.conversation.tenant
    system = ChatMessage("system", resources.instructions)
    await engines.llm.warm_prefix(ChatRequest((system,), TOOL_SPECS, tenant=tenant))
    resources.phrases = await synthesize_phrases(engines.tts, resources.phrase_texts)


def build_engines(settings: Settings, store: ModelStore) -> Engines:
    """The chosen engines on verified models. Raises ConfigError, ModelError or EngineLoadFailed."""
    chosen = settings.chosen_engines
    vad: VadEngine = _build("vad", chosen["vad"], store)
    return Engines(
        vad=vad,
        stt=_build("stt", chosen["stt"], store, vad=vad),
        turn=_build("turn", chosen["turn"], store) if "turn" in chosen else None,
        llm=_build("llm", chosen["llm"], store),
        tts=_build("tts", chosen["tts"], store, defaults={"room_rate": settings.network.room_sample_rate}),
        interruption=_build("interruption", chosen["interruption"], store) if "interruption" in chosen else None,
    )


def _build(
    stage: Stage, choice: EngineChoice, store: ModelStore, *, defaults: Mapping[str, Any] | None = None, **parts: Any
) -> Any:
    engine_class, options = choice.load(stage, **(defaults or {}))
    return engine_class(options, store.resolve(choice.model), **parts)
