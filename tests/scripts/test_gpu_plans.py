"""The table of GPUs in docs/gpu-box.md."""

import pytest
from typer.testing import CliRunner

from agent.operate.gpu_plan import plan_for
from agent.settings import load_settings
from models.store import open_store
from scripts import gpu_plans
from scripts.gpu_plans import LLAMAS, app, changed_to, most_calls
from scripts.paths import NO_SITE
from serving.gpu.memory import GpuMemoryShort
from tests.serving.gpu.cards import card

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("llama", LLAMAS)
def test_the_most_calls_fit_and_one_more_does_not(llama: str) -> None:
    store = open_store()
    settings = changed_to(load_settings("gpu", site=NO_SITE), {}, LLAMAS[llama], {})
    plan = most_calls(settings, store, card(24))
    assert plan is not None
    assert plan.llm is not None
    more = changed_to(
        settings, {}, LLAMAS[llama], {"max_calls": plan.llm.calls + 1, "full_contexts": plan.llm.calls + 1}
    )
    with pytest.raises(GpuMemoryShort):
        plan_for(more, store, [card(24)])


def test_the_table_has_every_card_with_both_models() -> None:
    shown = CliRunner().invoke(app, []).stdout
    for name in gpu_plans.CARDS:
        assert shown.count(name) == len(LLAMAS)
    assert "none" in shown  # a 16 GB card does not hold the 16-bit weights


def test_another_card_and_shorter_calls_are_planned() -> None:
    shown = CliRunner().invoke(app, ["--mib", "45466", "--context", "4096", "--whisper", "int8_float16"]).stdout
    assert shown.count("45,466 MiB") == len(LLAMAS)
    assert "4,096 tokens" in shown
    assert "1,179" in shown
