"""The available engines."""

import subprocess
import sys

import pytest

from models.manifest import Stage
from serving.errors import EngineLoadFailed
from serving.registry import ENGINES, find

pytestmark = pytest.mark.unit

ALL = [(stage, name) for stage, engines in ENGINES.items() for name in engines]


@pytest.mark.parametrize(("stage", "name"), ALL)
def test_every_entry_names_an_engine_and_its_options(stage: Stage, name: str) -> None:
    engine, options = find(stage, name).load()
    for method in ("load", "warm_up", "check", "close", "predict" if stage in {"turn", "interruption"} else "open"):
        assert callable(getattr(engine, method))
    assert options() is not None, "every option has a default"


@pytest.mark.parametrize(("stage", "name"), ALL)
def test_options_do_not_change_and_refuse_what_they_do_not_know(stage: Stage, name: str) -> None:
    _, options = find(stage, name).load()
    assert options.__dataclass_params__.frozen
    assert options.__pydantic_config__ == {"extra": "forbid"}


def test_an_unknown_engine_is_answered_with_those_there_are() -> None:
    with pytest.raises(
        EngineLoadFailed, match=r"No tts engine is called 'parrot'\. Set engines\.tts\.engine to one of: piper\."
    ):
        find("tts", "parrot")


def test_no_inference_library_is_imported_before_an_engine_loads() -> None:
    """Checked in a new process."""
    code = (
        "import sys; from serving.registry import ENGINES, find;"
        "[find(stage, name).load() for stage, names in ENGINES.items() for name in names];"
        "print([name for name in ('ctranslate2', 'faster_whisper', 'onnxruntime', 'piper', 'vllm') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
