"""vLLM's arguments, for machines other than this one."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from serving.errors import EngineLoadFailed
from serving.gpu.devices import Gpu
from serving.gpu.memory import GpuMemoryShort
from serving.llm.vllm_options import CPU_KV_MIB, ENVIRONMENT, VllmOptions, chosen_gpu, engine_arguments

pytestmark = pytest.mark.unit

L4 = Gpu(0, "NVIDIA L4", 22_563, 20_000, (8, 9), "580.95", (13, 0))
LLAMA_8B = {
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 14336,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "torch_dtype": "bfloat16",
}


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    """A Llama 3.1 8B with a config but no weights."""
    (tmp_path / "config.json").write_text(json.dumps(LLAMA_8B))
    return tmp_path


def arguments(model_dir: Path, gpu: Gpu | None, **options: Any) -> dict[str, Any]:
    """For these options, with random weights unless they say otherwise."""
    wanted = VllmOptions(**{"dummy_weights": True, "max_calls": 2, **options})
    return engine_arguments(wanted, model_dir, context_tokens=4096, gpu=gpu)


def test_on_any_machine_nothing_is_logged_or_tokenized_and_prefixes_are_shared(model_dir: Path) -> None:
    for gpu in (None, L4):
        told = arguments(model_dir, gpu)
        assert told["enable_log_requests"] is False
        assert told["skip_tokenizer_init"] is True
        assert told["enable_prefix_caching"] is True
        assert told["scheduling_policy"] == "priority"
        assert told["max_model_len"] == 4096
        assert told["max_num_seqs"] == 8


def test_on_a_gpu_its_share_is_what_is_free_and_kernels_come_with_the_wheel(model_dir: Path) -> None:
    told = arguments(model_dir, L4, reserve_mib=1000)
    assert 0.75 < told["gpu_memory_utilization"] < (20_000 - 1000) / 22_563
    assert told["attention_backend"] == "FLASH_ATTN"
    assert told["enforce_eager"] is False
    assert "kv_cache_memory_bytes" not in told
    assert arguments(model_dir, L4, reserve_mib=1500)["gpu_memory_utilization"] < told["gpu_memory_utilization"]


def test_on_a_cpu_the_cache_is_what_it_is_told(model_dir: Path) -> None:
    assert arguments(model_dir, None)["kv_cache_memory_bytes"] == CPU_KV_MIB << 20
    assert arguments(model_dir, None, max_kv_mib=64)["kv_cache_memory_bytes"] == 64 << 20
    assert "gpu_memory_utilization" not in arguments(model_dir, None)


def test_a_gpu_that_cannot_hold_it_is_refused_before_vllm_starts(model_dir: Path) -> None:
    with pytest.raises(GpuMemoryShort, match="MiB short"):
        arguments(model_dir, Gpu(0, "small", 16_000, 15_000, (8, 6), "580.95", (13, 0)))


def test_weights_that_are_not_there_are_missed(model_dir: Path) -> None:
    with pytest.raises(EngineLoadFailed, match="no weights"):
        arguments(model_dir, L4, dummy_weights=False)


def test_where_it_runs() -> None:
    auto, cuda, cpu = (VllmOptions(device=device) for device in ("auto", "cuda", "cpu"))
    assert chosen_gpu(auto, [L4], has_cuda=True) is L4
    assert chosen_gpu(auto, [L4], has_cuda=False) is None
    assert chosen_gpu(cpu, [L4], has_cuda=True) is None
    for gpus, has_cuda in (([L4], False), ([], True)):
        with pytest.raises(EngineLoadFailed, match="finds no NVIDIA GPU"):
            chosen_gpu(cuda, gpus, has_cuda=has_cuda)


def test_vllm_is_told_to_reach_for_nobody() -> None:
    assert {"VLLM_NO_USAGE_STATS": "1", "VLLM_DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1"}.items() <= ENVIRONMENT.items()
    assert ENVIRONMENT["VLLM_WORKER_MULTIPROC_METHOD"] == "spawn"


@pytest.mark.parametrize(
    "wrong",
    [{"gpu": 1}, {"device": "tpu"}, {"top_p": 0}, {"max_calls": 0}, {"context_tokens": 0}, {"full_contexts": 0}],
)
def test_options_refuse_unknown_keys_and_wrong_values(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(VllmOptions).validate_python(wrong)
