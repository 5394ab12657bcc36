"""The available engines, by stage and name. None is imported before it is asked for."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from models.manifest import Stage
from serving.errors import EngineLoadFailed


@dataclass(frozen=True, slots=True)
class Entry:
    """Where to find an engine."""

    module: str
    engine: str
    """Class name. Constructed as engine(options, model_dir), an STT engine also with vad=."""
    options: str
    """Class name of its options dataclass."""

    def load(self) -> tuple[type[Any], type[Any]]:
        """The engine's class and its options' class."""
        module = import_module(self.module)
        return getattr(module, self.engine), getattr(module, self.options)


ENGINES: dict[Stage, dict[str, Entry]] = {
    "vad": {"silero": Entry("serving.vad.silero", "SileroVad", "SileroOptions")},
    "stt": {"faster-whisper": Entry("serving.stt.faster_whisper", "FasterWhisperEngine", "FasterWhisperOptions")},
    "turn": {
        "callbox-turn": Entry("serving.turn.callbox_turn", "CallboxTurn", "CallboxTurnOptions"),
        "smart-turn": Entry("serving.turn.smart_turn", "SmartTurn", "SmartTurnOptions"),
    },
    "llm": {
        "ctranslate2": Entry("serving.llm.ctranslate2", "CTranslate2Llm", "CTranslate2LlmOptions"),
        "vllm": Entry("serving.llm.vllm", "VllmLlm", "VllmOptions"),
        "openai-server": Entry("serving.llm.openai_server", "OpenAiServerLlm", "OpenAiServerOptions"),
    },
    "tts": {"piper": Entry("serving.tts.piper", "PiperEngine", "PiperOptions")},
    "interruption": {
        "callbox-interruption": Entry(
            "serving.interruption.callbox_interruption", "CallboxInterruption", "CallboxInterruptionOptions"
        )
    },
}


def find(stage: Stage, name: str) -> Entry:
    """The engine of that name. Raises EngineLoadFailed, naming those that exist."""
    entry = ENGINES[stage].get(name)
    if entry is None:
        known = ", ".join(sorted(ENGINES[stage]))
        raise EngineLoadFailed(f"No {stage} engine is called '{name}'. Set engines.{stage}.engine to one of: {known}.")
    return entry
