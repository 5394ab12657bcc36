"""The plan for the settings of a box, on the real profiles."""

import hashlib
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from agent.errors import ConfigError
from agent.operate.gpu_plan import plan_for, plan_table, uses_gpu
from agent.settings import Settings, load_settings
from models.errors import ModelMissing
from models.store import ModelStore, open_store
from serving.errors import EngineLoadFailed
from serving.gpu.memory import GpuMemoryShort
from serving.gpu.plan import CPU, ELSEWHERE, GpuPlan
from tests.serving.gpu.cards import card

pytestmark = pytest.mark.unit

NOTHING: Mapping[str, Any] = {}
FP8 = {"engines": {"llm": {"model": "llama-3.1-8b-instruct-fp8"}}}


def settings(tmp_path: Path, site: Mapping[str, Any] = NOTHING, *, profile: str = "gpu") -> Settings:
    """A profile with this in configs/site.yaml."""
    file = tmp_path / "site.yaml"
    file.write_text(yaml.safe_dump(dict(site)))
    return load_settings(profile, site=file)


def mib(plan: GpuPlan, part: str) -> int:
    """Of the one placement whose name contains `part`."""
    (found,) = (placement.mib for placement in plan.placements if part in placement.what)
    return found


@pytest.fixture
def bare(tmp_path: Path) -> ModelStore:
    """The real manifest, with nothing downloaded."""
    real = open_store()
    entries = {name: model.model_dump(mode="json", exclude_none=True) for name, model in real.manifest.models.items()}
    for entry in entries.values():
        if entry["source"]["kind"] == "repository":
            entry.pop("files")
            entry["source"].pop("revision", None)
    (tmp_path / "manifest.yaml").write_text(yaml.safe_dump({"models": entries}))
    return open_store(tmp_path)


@pytest.mark.parametrize(("profile", "uses"), [("gpu", True), ("cpu", False), ("demo", False)])
def test_only_the_profile_gpu_uses_one(tmp_path: Path, profile: str, uses: bool) -> None:
    assert uses_gpu(settings(tmp_path, profile=profile), [card(24)]) is uses


def test_the_profile_gpu_puts_whisper_and_llama_on_the_gpu_and_the_rest_on_the_cpu(
    tmp_path: Path, bare: ModelStore
) -> None:
    plan = plan_for(settings(tmp_path), bare, [card(40)])
    on_cpu = {placement.what for placement in plan.placements if placement.device == CPU}
    assert on_cpu == {"vad silero-vad", "turn smart-turn", "tts piper-lessac-medium"}
    assert mib(plan, "whisper-large-v3-turbo (float16)") == 1_942
    assert mib(plan, "llama-3.1-8b-instruct: weights") == 15_317
    assert mib(plan, "llama-3.1-8b-instruct: KV cache") > 8 * 1024
    assert plan.left_mib == {0: 1024}


def test_the_profile_gpu_fits_24_gb_as_it_is_and_16_with_the_fp8_model(tmp_path: Path, bare: ModelStore) -> None:
    for gib, site in ((24, {}), (16, FP8)):
        plan = plan_for(settings(tmp_path, site), bare, [card(gib)])
        assert plan.llm is not None
        assert plan.llm.kv_tokens >= 2 * 8192
    with pytest.raises(GpuMemoryShort, match=r"llama-3\.1-8b-instruct-fp8"):
        plan_for(settings(tmp_path), bare, [card(16)])


def test_the_profile_gpu_works_on_as_many_calls_as_it_takes(tmp_path: Path) -> None:
    gpu = settings(tmp_path)
    assert gpu.engines.llm.options["max_calls"] == gpu.capacity.max_calls


def test_a_full_context_for_every_call_needs_more(tmp_path: Path, bare: ModelStore) -> None:
    every = {"engines": {"llm": {"options": {"full_contexts": 8}}}}
    with pytest.raises(GpuMemoryShort):
        plan_for(settings(tmp_path, every), bare, [card(24)])
    assert plan_for(
        settings(tmp_path, {"engines": {"llm": {**FP8["engines"]["llm"], **every["engines"]["llm"]}}}), bare, [card(24)]
    )


def test_16_gb_hold_three_full_contexts_with_8_bits_everywhere(tmp_path: Path, bare: ModelStore) -> None:
    llm = {"model": "llama-3.1-8b-instruct-fp8", "options": {"max_calls": 3, "full_contexts": 3}}
    small = {"engines": {"stt": {"options": {"compute_type": "int8_float16"}}, "llm": llm}}
    plan = plan_for(settings(tmp_path, small), bare, [card(16)])
    assert plan.llm is not None
    assert plan.llm.kv_tokens >= 3 * 8192
    with pytest.raises(GpuMemoryShort):
        plan_for(settings(tmp_path, {"engines": {"llm": llm}}), bare, [card(16)])


def test_a_model_on_its_own_server_takes_nothing_in_the_plan(tmp_path: Path, bare: ModelStore) -> None:
    llm = {"engine": "openai-server", "options": {"address": "unix:/run/vllm.sock"}}
    apart = settings(tmp_path, {"engines": {"llm": llm}}).model_copy()
    choice = apart.engines.llm.model_copy(update={"options": llm["options"]})
    apart = apart.model_copy(update={"engines": apart.engines.model_copy(update={"llm": choice})})
    plan = plan_for(apart, bare, [card(16)])
    assert plan.llm is None
    assert next(placement for placement in plan.placements if placement.what.startswith("llm")).device == ELSEWHERE


def test_without_a_gpu_the_profile_gpu_is_refused_in_one_sentence(tmp_path: Path, bare: ModelStore) -> None:
    with pytest.raises(EngineLoadFailed, match=r"no NVIDIA driver answers on this machine\. `make run PROFILE=cpu`"):
        plan_for(settings(tmp_path), bare, ())


def test_a_downloaded_model_counts_as_its_files_say(tmp_path: Path) -> None:
    site = {
        "engines": {
            "stt": {"model": "demo-stt", "options": {"compute_type": "float16"}},
            "llm": {"model": "demo-llm-hf", "options": {"context_tokens": 8192}},
        }
    }
    plan = plan_for(settings(tmp_path, site), open_store(), [card(24)])
    assert mib(plan, "demo-llm-hf: weights") == 11
    assert mib(plan, "demo-stt (float16)") == 400 + 27
    assert plan.llm is not None
    (cache,) = (placement for placement in plan.placements if "KV cache" in placement.what)
    assert "contexts of 2,048" in cache.detail  # what that model reads


def test_a_model_that_is_neither_downloaded_nor_known_is_missing(tmp_path: Path, bare: ModelStore) -> None:
    site = {"engines": {"stt": {"model": "llama-3.2-1b-instruct"}}}
    with pytest.raises(ModelMissing, match=r"scripts/download_models\.sh"):
        plan_for(settings(tmp_path, site), bare, [card(80)])


def test_options_that_an_engine_does_not_have_are_refused_by_name(tmp_path: Path, bare: ModelStore) -> None:
    site = {"engines": {"stt": {"options": {"beams": 5}}}}
    with pytest.raises(ConfigError, match=r"engines\.stt\.options: beams"):
        plan_for(settings(tmp_path, site), bare, [card(80)])


def test_a_voice_on_the_gpu_counts_against_what_is_kept_free(tmp_path: Path, bare: ModelStore) -> None:
    site = {"engines": {"tts": {"options": {"device": "cuda"}}, "llm": {"options": {"reserve_mib": 900}}}}
    with pytest.raises(GpuMemoryShort, match=r"reserve_mib to at least 948"):
        plan_for(settings(tmp_path, site), bare, [card(80)])


def test_a_language_model_on_ctranslate2_counts_with_its_file(tmp_path: Path) -> None:
    site = {"engines": {"llm": {"options": {"device": "cuda"}}}}
    demo = settings(tmp_path, site, profile="demo")
    assert uses_gpu(demo)
    plan = plan_for(demo, open_store(), [card(16)])
    assert mib(plan, "llm demo-llm") == 400 + 5
    assert plan.llm is None


def test_the_table_names_every_part_with_its_place(tmp_path: Path, bare: ModelStore) -> None:
    page = StringIO()
    Console(file=page, width=100).print(plan_table(plan_for(settings(tmp_path), bare, [card(80)])))
    shown = page.getvalue()
    assert "GPU 0: NVIDIA 80 GB, 81,090 MiB" in shown
    rows = [line for line in shown.splitlines() if "GPU 0 " in line]
    assert len(rows) == 5
    numbers = [int(row.split("│")[2].strip().replace(",", "")) for row in rows]
    assert sum(numbers) == 81_090


def test_lock_and_hash_are_not_needed_to_plan(tmp_path: Path, bare: ModelStore) -> None:
    """A model is found by its files' sizes: gigabytes are not hashed for a plan."""
    content = b"not what the lock says"
    entries = yaml.safe_load((tmp_path / "manifest.yaml").read_text())["models"]
    entry = entries["llama-3.1-8b-instruct"]
    entry["source"]["revision"] = "a" * 40
    entry["files"] = [
        {"path": name, "size": len(content), "sha256": hashlib.sha256(b"other").hexdigest()}
        for name in ("config.json", "model.safetensors")
    ]
    (tmp_path / "manifest.yaml").write_text(yaml.safe_dump({"models": entries}))
    folder = tmp_path / "store" / "llama-3.1-8b-instruct"
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes(content)
    with pytest.raises(EngineLoadFailed, match=r"config\.json does not describe a Llama"):
        plan_for(settings(tmp_path), open_store(tmp_path), [card(80)])
