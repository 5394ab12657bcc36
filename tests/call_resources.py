"""What all calls share, on engines of the test's own."""

from typing import Any

from agent.call.resources import CallResources
from agent.clinic.demo_book import demo_clinic
from agent.clinic.facts import load_facts
from agent.settings import ROOT, Settings
from serving.capacity import CapacityGate
from serving.host import EngineHost, Engines


def call_resources(
    engines: Engines, *, phrase_texts: dict[str, str] | None = None, lines: int = 1, **settings: Any
) -> CallResources:
    """The demo's clinic on these engines, which are not loaded yet. `settings`: those that differ from the defaults."""
    choice = {"engine": "scripted", "model": "none"}
    return CallResources(
        settings=Settings.model_validate(
            {"profile": "scripted", "engines": {"stt": choice, "llm": choice, "tts": choice}, **settings}
        ),
        host=EngineHost(engines),
        clinic=demo_clinic(load_facts(ROOT / "configs" / "clinic.yaml")),
        instructions="You are the front desk.",
        phrase_texts=phrase_texts or {},
        gate=CapacityGate(lines),
    )
