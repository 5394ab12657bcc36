"""The conversion to CTranslate2: the bytes of the official converter, and what the model computes afterwards.

tests/vllm/test_llama_conversion.py holds it against the official converter and Transformers themselves.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from models.errors import ConversionFailed
from scripts.convert_llama.__main__ import app
from scripts.convert_llama.conversion import convert
from tests.scripts.convert_llama import tiny_llama
from tests.scripts.convert_llama.tiny_llama import DEMO, LLAMA3, config_of, random_weights

pytestmark = pytest.mark.unit

IDS = np.random.RandomState(3).randint(0, 2000, 400).tolist()


def computed(folder: Path) -> Any:
    """What CTranslate2 says after each of IDS."""
    import ctranslate2

    return np.array(ctranslate2.Generator(str(folder), compute_type="float32").forward_batch([IDS]))[0]


def difference(folder: Path, weights: Mapping[str, Any], scaling: Mapping[str, Any] | None) -> float:
    return float(np.abs(computed(folder) - tiny_llama.logits(weights, IDS, scaling)).max())


def run(arguments: list[str]) -> Any:
    return CliRunner().invoke(app, arguments)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_demo_llama_is_converted_to_the_bytes_that_are_shipped(tmp_path: Path) -> None:
    assert run([str(DEMO / "hf"), str(tmp_path / "ct2")]).exit_code == 0
    assert contents(tmp_path / "ct2") == contents(DEMO / "ct2")


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("kind", ["bfloat16", "float16", "float32"])
def test_the_converted_model_computes_what_a_llama_computes(tmp_path: Path, tied: bool, kind: str) -> None:
    weights = random_weights(tied=tied)
    source = tiny_llama.write(tmp_path / "hf", config_of(tie_word_embeddings=tied), weights, kind)
    convert(source, tmp_path / "ct2", quantization="float32")
    assert difference(tmp_path / "ct2", weights, None) < (0.05 if kind == "float16" else 2e-3)


@pytest.mark.parametrize(
    "config",
    [
        config_of(tie_word_embeddings=True, rope_scaling=LLAMA3),
        config_of(tie_word_embeddings=True, rope_parameters={**LLAMA3, "rope_theta": tiny_llama.THETA}, rope_theta=1.0),
    ],
    ids=["rope_scaling", "rope_parameters"],
)
def test_llama_3s_position_scaling_survives(tmp_path: Path, config: dict[str, Any]) -> None:
    weights = random_weights(tied=True)
    convert(tiny_llama.write(tmp_path / "hf", config, weights), tmp_path / "ct2", quantization="float32")
    assert difference(tmp_path / "ct2", weights, LLAMA3) < 2e-3
    assert difference(tmp_path / "ct2", weights, None) > 1.0  # the test sees the scaling


def test_int8_stays_close(tmp_path: Path) -> None:
    weights = random_weights()
    convert(tiny_llama.write(tmp_path / "hf", config_of(rope_scaling=LLAMA3), weights), tmp_path / "ct2")
    wanted = tiny_llama.logits(weights, IDS, LLAMA3)
    assert np.corrcoef(computed(tmp_path / "ct2").ravel(), wanted.ravel())[0, 1] > 0.99


def test_everything_but_weights_and_settings_is_taken_along(tmp_path: Path) -> None:
    source = tiny_llama.write(tmp_path / "hf", config_of(), random_weights())
    (source / "LICENSE.txt").write_text("Community")
    convert(source, tmp_path / "ct2")
    assert set(contents(tmp_path / "ct2")) == {
        "LICENSE.txt",
        "config.json",
        "generation_config.json",
        "model.bin",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocabulary.json",
    }
    assert json.loads((tmp_path / "ct2" / "config.json").read_text())["eos_token"] == "<|eot_id|>"


def test_a_conversion_can_be_repeated_over_what_an_interrupted_one_left(tmp_path: Path) -> None:
    for leftover in ("ct2.partial", "ct2"):
        (tmp_path / leftover).mkdir()
        (tmp_path / leftover / "model.bin").write_bytes(b"half")
    assert run([str(DEMO / "hf"), str(tmp_path / "ct2")]).exit_code == 0
    assert contents(tmp_path / "ct2") == contents(DEMO / "ct2")
    assert [path.name for path in tmp_path.iterdir()] == ["ct2"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model_type": "mistral"}, "model_type is mistral"),
        ({"hidden_act": "gelu"}, "hidden_act is gelu"),
        ({"attention_bias": True}, "attention_bias is True"),
        ({"head_dim": 128}, "head_dim is 128"),
        ({"quantization_config": {"quant_method": "fp8"}}, "quantization_config"),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 2.0}}, "scaled by 'yarn'"),
    ],
)
def test_what_would_come_out_wrong_is_refused(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    source = tiny_llama.write(tmp_path / "hf", config_of(**changes), random_weights())
    with pytest.raises(ConversionFailed, match=told):
        convert(source, tmp_path / "ct2")
    assert not (tmp_path / "ct2").exists()


def test_missing_weights_are_named(tmp_path: Path) -> None:
    weights = random_weights()
    del weights["model.layers.1.mlp.up_proj.weight"]
    source = tiny_llama.write(tmp_path / "hf", config_of(), weights)
    outcome = run([str(source), str(tmp_path / "ct2")])
    assert outcome.exit_code == 1
    assert "model.layers.1.mlp.up_proj.weight" in outcome.stderr


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.safetensors", b"short"),
        ("model.safetensors", None),
        ("config.json", b"{"),
        ("config.json", b"{}"),
        ("tokenizer.json", b"{}"),
    ],
)
def test_unreadable_files_are_named(tmp_path: Path, name: str, content: bytes | None) -> None:
    source = tiny_llama.write(tmp_path / "hf", config_of(), random_weights())
    whole = (source / name).read_bytes()
    (source / name).write_bytes(whole[:-100] if content is None else content)
    with pytest.raises(ConversionFailed, match=name):
        convert(source, tmp_path / "ct2")
