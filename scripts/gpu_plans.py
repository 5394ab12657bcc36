"""How many calls a GPU holds: the profile gpu, planned for cards of several sizes. Needs neither a GPU nor a download.

python -m scripts.gpu_plans                              # the table in docs/gpu-box.md
python -m scripts.gpu_plans --mib 45466 --context 4096   # a card by its total in CUDA, and shorter calls
"""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from agent.operate.gpu_plan import plan_for
from agent.settings import Settings, load_settings
from models.store import ModelStore, open_store
from scripts.command_line import new_app
from scripts.paths import NO_SITE
from serving.gpu.devices import Gpu
from serving.gpu.memory import GpuMemoryShort
from serving.gpu.plan import GpuPlan

app = new_app()

CARDS = {
    "16 GB (RTX 4080)": 16_077,
    "24 GB (L4, A10)": 22_563,
    "24 GB (RTX 4090)": 24_207,
    "32 GB (RTX 5090)": 32_113,
    "48 GB (L40S)": 45_466,
    "80 GB (A100, H100)": 81_050,
}
"""Total MiB that CUDA reports, without what the driver and error correction keep."""
LLAMAS = {"bf16": "llama-3.1-8b-instruct", "FP8": "llama-3.1-8b-instruct-fp8"}


@app.command()
def main(
    mib: Annotated[int | None, typer.Option(help="the card's total in MiB, as CUDA reports it")] = None,
    context: Annotated[int, typer.Option(help="tokens of context for each call")] = 8192,
    whisper: Annotated[str, typer.Option(help="Whisper's compute_type: float16 or int8_float16")] = "float16",
) -> None:
    """Print how many calls each card holds for each number format of Llama, and what takes up its memory."""
    table = Table(title=f"Calls of {context:,} tokens at once, beside Whisper large-v3-turbo in {whisper}; MiB")
    table.add_column("card", no_wrap=True)
    table.add_column("Llama 3.1 8B")
    for name in ("calls", "Whisper", "weights", "work space", "KV cache", "left free"):
        table.add_column(name, justify="right")
    store, settings = open_store(), load_settings("gpu", site=NO_SITE)
    for card, total_mib in CARDS.items() if mib is None else [(f"{mib:,} MiB", mib)]:
        gpu = Gpu(0, card, total_mib, total_mib, (8, 9), "580", (13, 0))
        for llama, model in LLAMAS.items():
            changed = changed_to(settings, {"compute_type": whisper}, model, {"context_tokens": context})
            table.add_row(card, llama, *_figures(most_calls(changed, store, gpu)))
    Console(width=max(110, Console().width)).print(table)


def most_calls(settings: Settings, store: ModelStore, gpu: Gpu) -> GpuPlan | None:
    """The plan with the most calls that fit; None if not even one fits."""
    found = None
    for calls in range(1, 1_000):
        try:
            changed = changed_to(settings, {}, settings.engines.llm.model, {"max_calls": calls, "full_contexts": calls})
            found = plan_for(changed, store, [gpu])
        except GpuMemoryShort:
            break
    return found


def changed_to(settings: Settings, stt: dict[str, Any], model: str, llm: dict[str, Any]) -> Settings:
    """The settings with these options and this language model."""
    engines = settings.engines
    changes = {
        "stt": engines.stt.model_copy(update={"options": {**engines.stt.options, **stt}}),
        "llm": engines.llm.model_copy(update={"model": model, "options": {**engines.llm.options, **llm}}),
    }
    return settings.model_copy(update={"engines": engines.model_copy(update=changes)})


def _figures(plan: GpuPlan | None) -> tuple[str, ...]:
    if plan is None or plan.llm is None:
        return ("none",)
    whisper = next(placement.mib for placement in plan.placements if placement.what.startswith("stt"))
    parts = (whisper, plan.llm.weights_mib, plan.llm.work_mib, plan.llm.kv_mib, plan.left_mib[0])
    return (str(plan.llm.calls), *(f"{mib:,}" for mib in parts))


if __name__ == "__main__":
    app()
