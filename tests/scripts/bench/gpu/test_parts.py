"""The GPU bench on a machine without a GPU: its parts that need no vLLM, on tiny shapes, and what it writes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from typer.testing import CliRunner

from agent.settings import load_settings
from models.store import open_store
from scripts.bench.gpu import command, figures, llm, parts, running, suite, v2v
from scripts.bench.gpu.figures import Figure, PartResult, Report, as_markdown, joined, spread
from scripts.bench.gpu.llama_shape import TOKENIZER, write_llama
from scripts.bench.gpu.llm_load import Conversation
from scripts.bench.gpu.outcomes import FILE_VARIABLE, read_outcomes
from scripts.bench.gpu.part import Part, Subject
from scripts.bench.gpu.stt import TINY, TURBO
from scripts.bench.gpu.whisper_shape import TEXT_TOKENS, TIMES, WORDS, vocabulary, write_whisper
from scripts.bench.machine import this_machine
from scripts.paths import ROOT
from serving.audio import SPEECH_RATE
from serving.gpu.devices import list_gpus
from serving.gpu.known import LLAMA_8B
from serving.gpu.llama import LlamaShape
from serving.gpu.whisper import WhisperShape
from serving.llm.vllm_options import VllmOptions, engine_arguments
from serving.llm.vocabulary import Vocabulary
from serving.stt.faster_whisper import FasterWhisperEngine
from serving.stt.whisper_options import FasterWhisperOptions
from serving.vad.silero import SileroOptions, SileroVad
from tests.serving.gpu.cards import card

pytestmark = pytest.mark.unit

SUBJECT = Subject("a model", "random", "cuda float16")
without_gpu = pytest.mark.skipif(bool(list_gpus()), reason="a GPU is here")


def part_at(folder: Path, name: str = "stt") -> Part:
    return Part(name, "cpu", True, folder / "lines")


def run(lines: Sequence[str], limit_s: float = 20.0) -> PartResult:
    """A part that is a little program; `tell` writes a figure."""
    figure = Figure(part="stt", what="w", model="m", weights="real", where="cpu", unit="ms", p50=1.0)
    told = json.dumps({"figure": figure.model_dump(mode="json")})
    head = ["import os, signal, sys, time", f"tell = lambda: open(sys.argv[-1], 'a').write({told!r} + chr(10))"]
    return running.run_part("stt", [sys.executable, "-c", "\n".join([*head, *lines])], limit_s=limit_s)


def report_of(*results: PartResult) -> Report:
    return Report(
        machine=this_machine(), command="python -m scripts.bench.gpu", device="cpu", quick=True, parts=results
    )


@pytest.fixture(scope="module")
def tiny_whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_whisper(TINY, tmp_path_factory.mktemp("whisper"))


def test_speech_recognition_is_measured_with_real_and_with_random_weights(tmp_path: Path) -> None:
    part = part_at(tmp_path)
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
def test_without_a_gpu_it_says_so_and_measures_nothing(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(command.app, ["--out", str(tmp_path / "out")])
    assert outcome.exit_code == 2
    assert "No NVIDIA driver answers" in outcome.output
    assert not (tmp_path / "out").exists()


def test_parts_are_chosen_one_by_one_or_several_at_once() -> None:
    assert parts.select(["tts", "stt"]) == parts.select(["tts,stt"]) == ["stt", "tts"]
    assert parts.select([]) == list(parts.PARTS)


def test_an_unknown_part_is_refused_with_those_there_are() -> None:
    outcome = CliRunner().invoke(command.app, ["--only", "video", "--device", "cpu"])
    assert outcome.exit_code != 0
    assert "video" in outcome.output


def test_everything_fits_into_25_minutes() -> None:
    assert sum(kind.limit_s for kind in parts.PARTS.values()) <= 25 * 60
    for kind in parts.PARTS.values():
        assert callable(kind.load())


def test_a_part_that_ends_in_order_is_done() -> None:
    result = run(["tell()"])
    assert (result.status, len(result.figures), result.problems) == ("done", 1, ())


def test_a_part_that_crashes_is_recorded_with_what_it_had_measured() -> None:
    result = run(["tell()", f"os.kill(os.getpid(), {signal.SIGSEGV.value})"])
    assert result.status == "failed"
    assert len(result.figures) == 1
    assert result.problems == ("ended by signal SIGSEGV",)


def test_a_part_that_hangs_is_ended_with_what_it_started() -> None:
    """vLLM's core is a child of the part: were it left, the next part would find no memory."""
    start = "import subprocess; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"
    say_pid = """open(sys.argv[-1], 'a').write('{"problem": "%d"}' % child.pid + chr(10))"""
    result = run(["tell()", start, say_pid, "time.sleep(600)"], limit_s=3.0)
    assert result.status == "out of time"
    assert len(result.figures) == 1
    child, reason = result.problems
    assert reason == "ended after its 3 s"
    assert not psutil.pid_exists(int(child)) or psutil.Process(int(child)).status() == psutil.STATUS_ZOMBIE


def test_what_goes_wrong_is_recorded_and_the_part_goes_on(tmp_path: Path) -> None:
    part = part_at(tmp_path)

    def fail() -> None:
        raise RuntimeError("CUDA error: no kernel image")

    part.attempt("Whisper", fail)
    part.tell("nothing", SUBJECT, [])
    part.tell("something", SUBJECT, [0.5, 0.7], scale=1e3)
    found, problems = running.read_lines(part.lines)
    assert [figure.p50 for figure in found] == [600.0]
    assert problems[0] == "Whisper: RuntimeError: CUDA error: no kernel image"
    assert "nothing was measured" in problems[1]


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    part = part_at(tmp_path)
    part.tell("something", SUBJECT, [1.0])
    with part.lines.open("a") as file:
        file.write('{"figure": {"part": "st')
    found, problems = running.read_lines(part.lines)
    assert (len(found), problems) == (1, ())


def test_few_values_have_no_95th_percentile() -> None:
    assert spread([1.0, 2.0, 3.0, 4.0]) == (2.5, None)
    assert spread([float(value) for value in range(101)]) == (50.0, 95.0)
    with pytest.raises(ValueError, match="nothing"):
        spread([])


def test_what_would_break_the_table_is_taken_out_of_it() -> None:
    failed = PartResult(name="llm", status="failed", took_s=3.0, problems=("a | pipe\nand a line",))
    line = next(line for line in as_markdown(report_of(failed)).splitlines() if line.startswith("| llm"))
    assert line == "| llm | failed | 3 | a / pipe and a line |"


def test_the_short_table_has_the_figures_of_the_readme_in_its_order() -> None:
    told = [("abort", "llm"), ("recorded voice-to-voice", "v2v"), ("5 s window, one at once", "stt")]
    made = tuple(
        Figure(part=part, what=what, model="m", weights="random", where="cuda", unit="ms", p50=1234.5, p95=0.031, n=9)
        for what, part in told
    )
    table = as_markdown(report_of(PartResult(name="llm", status="done", took_s=1.0, figures=made)))
    _, short, everything = table.split("| what | model", 1)[0], *table.split("All figures:")
    rows = [line.split(" | ")[0] for line in short.splitlines() if "1,23" in line]
    assert rows == ["| 5 s window, one at once", "| recorded voice-to-voice"]
    assert "| random: speed and memory only | cuda | 1,234 ms | 0.031 ms |" in short
    assert everything.count("1,234 ms") == len(told)


def test_parts_of_another_machine_or_commit_are_not_joined() -> None:
    first, second = (PartResult(name=name, status="done", took_s=1.0) for name in ("stt", "llm"))
    earlier, now = report_of(first, second), report_of(second)
    assert [part.name for part in joined(earlier, now).parts] == ["stt", "llm"]
    other = earlier.model_copy(update={"machine": earlier.machine.model_copy(update={"commit": "other"})})
    assert [part.name for part in joined(other, now).parts] == ["llm"]
    assert joined(None, now) == now


def test_every_test_that_did_not_pass_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert 1 == 2\n"
        "@pytest.mark.skip(reason='no GPU')\n"
        "def test_skipped(): pass\n"
        "@pytest.fixture\ndef broken(): raise RuntimeError('it broke')\n"
        "def test_never_began(broken): pass\n"
    )
    outcomes = tmp_path / "outcomes"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "scripts.bench.gpu.outcomes",
        "-c",
        os.devnull,
        str(tmp_path),
    ]
    subprocess.run(
        command,
        env={**os.environ, FILE_VARIABLE: str(outcomes)},
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    part = replace(part_at(tmp_path, "suite"), device="cuda")
    suite.report(part, read_outcomes(outcomes))
    found, problems = running.read_lines(part.lines)
    assert (found[0].p50, found[0].note) == (1.0, "of 4 that ran")
    assert len(problems) == 3
    assert "test_bad failed: " in problems[0]
    assert "assert 1 == 2" in problems[0]
    assert "no GPU" in problems[1]
    assert "it broke" in problems[2]


def test_a_random_whisper_is_of_its_shape_and_says_so_many_words(tiny_whisper: Path) -> None:
    assert WhisperShape.from_model_dir(tiny_whisper) == TINY
    vad = SileroVad(SileroOptions(), open_store().resolve("silero-vad"))
    engine = FasterWhisperEngine(FasterWhisperOptions(window_floor_s=4.0), tiny_whisper, vad)
    engine.load()
    noise = np.random.default_rng(1).normal(0, 0.05, 20 * SPEECH_RATE).astype(np.float32)
    heard = [engine.recognise(noise[: seconds * SPEECH_RATE]) for seconds in (4, 9, 20)]
    engine.close()
    assert [len(words) for words in heard] == [WORDS] * 3
    assert len({word.text for word in heard[0]}) == WORDS
    assert engine_is_multilingual(tiny_whisper)


def engine_is_multilingual(folder: Path) -> bool:
    import ctranslate2

    return bool(ctranslate2.models.Whisper(str(folder)).is_multilingual)


def test_turbos_vocabulary_is_in_openais_order() -> None:
    tokens = vocabulary(TURBO.vocabulary)
    assert len(tokens) == len(set(tokens)) == 51_866
    places = {"<|endoftext|>": 50_257, "<|startoftranscript|>": 50_258, "<|en|>": 50_259, "<|transcribe|>": 50_360}
    assert {token: tokens.index(token) for token in places} == places
    assert tokens.index("<|notimestamps|>") == 50_364
    assert tokens[-1] == "<|30.00|>"
    assert len(tokens) == TEXT_TOKENS + 109 - 1 + TIMES


def test_a_whisper_too_narrow_for_its_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="64 or more"):
        write_whisper(replace(TINY, width=32), tmp_path)


@pytest.mark.parametrize("linear_bytes", [2, 1])
def test_llamas_folder_is_read_back_as_its_shape(tmp_path: Path, linear_bytes: int) -> None:
    shape = replace(LLAMA_8B, linear_bytes=linear_bytes)
    folder = write_llama(shape, tmp_path / "llama")
    assert LlamaShape.from_model_dir(folder) == shape
    assert Vocabulary.from_directory(folder, context_tokens=4096).context_tokens == 4096
    options = VllmOptions(device="cuda", dummy_weights=True, context_tokens=4096, max_calls=32)
    arguments = engine_arguments(options, folder, context_tokens=4096, gpu=card(80))
    assert arguments["load_format"] == "dummy"
    assert arguments["gpu_memory_utilization"] > 0.8


def test_conversations_fit_the_contexts_that_they_are_asked_in(tmp_path: Path) -> None:
    for folder, exchanges, context, is_random in (
        (TOKENIZER, llm.DEMO_EXCHANGES, llm.DEMO_CONTEXT_TOKENS, False),
        (write_llama(LLAMA_8B, tmp_path / "llama"), llm.EXCHANGES, llm.CONTEXT_TOKENS, True),
    ):
        words = Vocabulary.from_directory(folder, context_tokens=context)
        request = Conversation.of(exchanges, is_random).asked("somebody")
        longest = replace(request, max_tokens=400)
        assert 500 < len(words.prompt(longest)) < context - 400


def test_the_settings_of_the_calls_are_the_demos_with_engines_of_the_gpu_profile(tmp_path: Path) -> None:
    import yaml

    part = Part("v2v", "cuda", False, tmp_path / "lines")
    site = tmp_path / "site.yaml"
    site.write_text(yaml.safe_dump(v2v.site_settings(part, v2v.free_ports(), v2v.llm_settings(part))))
    settings = load_settings("demo", site=site)
    assert (settings.engines.llm.engine, settings.engines.llm.options["device"]) == ("vllm", "cuda")
    assert settings.engines.stt.options["compute_type"] == "float16"
    assert settings.engines.stt.options["window_floor_s"] == 4.0
    assert len({settings.network.web_port, settings.network.ops_port, settings.network.livekit_port}) == 3
