"""The GPU bench on a machine without a GPU: its parts that need no vLLM, on tiny shapes, and its command."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from agent.settings import load_settings
from scripts.bench.gpu import command, figures, parts, running, v2v
from scripts.bench.gpu.part import Part
from scripts.free_ports import free_ports
from serving.gpu.devices import list_gpus

pytestmark = pytest.mark.unit


without_gpu = pytest.mark.skipif(bool(list_gpus()), reason="an NVIDIA GPU was found")


def test_speech_recognition_is_measured_with_real_and_with_random_weights(tmp_path: Path) -> None:
    part = Part("stt", "cpu", True, tmp_path / "lines")
    parts.PARTS["stt"].load()(part)
    found, problems = running.read_lines(part.lines)
    assert problems == ()
    assert {figure.part for figure in found} == {"stt"}
    assert all(figure.p50 > 0 for figure in found if figure.unit == "ms")
    for model, weights in (("demo Whisper", "real"), ("tiny Whisper shape", "random")):
        of_model = [figure for figure in found if figure.model == model]
        assert {figure.weights for figure in of_model} == {weights}
        assert any("stock" in figure.what for figure in of_model)


def test_the_command_writes_a_table_and_adds_parts_to_it(tmp_path: Path) -> None:
    common = ["--device", "cpu", "--quick", "--out", str(tmp_path)]
    for name in ("turn", "tts"):
        outcome = CliRunner().invoke(command.app, ["--only", name, *common])
        assert outcome.exit_code == 0, outcome.output
    report = figures.read(tmp_path)
    assert report is not None
    assert [part.name for part in report.parts] == ["turn", "tts"]
    assert all(part.status == "done" and part.figures for part in report.parts)
    table = (tmp_path / "figures.md").read_text()
    assert "these figures mean nothing" in table
    assert report.machine.commit in table
    assert "Smart Turn v3.2" in table
    assert len({line.count("|") for line in table.split("\n\n")[-1].splitlines()}) == 1


@without_gpu
def test_without_a_gpu_the_bench_says_so_and_measures_nothing(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(command.app, ["--out", str(tmp_path / "out")])
    assert outcome.exit_code == 2
    assert "No NVIDIA driver answers" in outcome.output
    assert not (tmp_path / "out").exists()


def test_parts_are_selected_one_by_one_or_several_at_once() -> None:
    assert parts.select(["tts", "stt"]) == parts.select(["tts,stt"]) == ["stt", "tts"]
    assert parts.select([]) == list(parts.PARTS)


def test_an_unknown_part_is_refused() -> None:
    outcome = CliRunner().invoke(command.app, ["--only", "video", "--device", "cpu"])
    assert outcome.exit_code != 0
    assert "video" in outcome.output


def test_all_parts_fit_into_25_minutes() -> None:
    assert sum(kind.limit_s for kind in parts.PARTS.values()) <= 25 * 60
    for kind in parts.PARTS.values():
        assert callable(kind.load())


def test_calls_use_the_demo_s_settings_with_the_gpu_profile_s_engines(tmp_path: Path) -> None:
    part = Part("v2v", "cuda", False, tmp_path / "lines")
    ports = dict(zip(v2v.PORTS, free_ports(*v2v.PORTS.values()), strict=True))
    site = tmp_path / "site.yaml"
    site.write_text(yaml.safe_dump(v2v.site_settings(part, ports, v2v.llm_settings(part))))
    settings = load_settings("demo", site=site)
    assert (settings.engines.llm.engine, settings.engines.llm.options["device"]) == ("vllm", "cuda")
    assert settings.engines.stt.options["compute_type"] == "float16"
    assert settings.engines.stt.options["window_floor_s"] == 4.0
    assert len({settings.network.web_port, settings.network.ops_port, settings.network.livekit_port}) == 3
