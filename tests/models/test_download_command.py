"""scripts/download_models.sh and `python -m models download`, run as processes, with the test's own store."""

import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import models.__main__
from models.store import ModelState, open_store
from tests.models.conftest import WHISPER, Site, describe, pin, repository, write_manifest
from tests.models.loopback_hub import Fault

pytestmark = pytest.mark.unit

REPOSITORY = Path(__file__).parents[2]
SCRIPT = REPOSITORY / "scripts" / "download_models.sh"

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(site: Site) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "CALLBOX_"))}
    return {**kept, "CALLBOX_MODELS": str(site.root), "HF_HUB_DOWNLOAD_TIMEOUT": "5"}


@pytest.fixture
def command(site: Site) -> Command:
    """`python -m models download` with these options."""

    def run(
        *options: str, program: tuple[str, ...] = (sys.executable, "-m", "models", "download"), **more: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*program, *options],
            cwd=REPOSITORY,
            env={**environment(site), **more},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_the_script_brings_a_profile_from_a_mirror(site: Site, command: Command) -> None:
    whisper = repository("lab/whisper", include=["config.json", "model.bin", "vocabulary.*"])
    voice = repository("lab/voices", stage="tts", folder="en/amy", include=["amy.onnx", "MODEL_CARD"])
    large = repository("meta/llama", stage="llm", gate="accept", profiles=["gpu"])
    write_manifest(site.root, whisper=whisper, amy=voice, llama=large)
    done = command("--profile", "cpu", "--mirror", site.hub.url, program=(str(SCRIPT),))
    assert (done.returncode, done.stderr) == (0, "")
    assert "All models of profile cpu are ready: amy, whisper." in done.stdout
    assert "License: for research only" in done.stdout
    store = open_store(site.root)
    assert [store.status(name).state for name in ("whisper", "amy")] == [ModelState.OK] * 2
    assert not store.is_present("llama")
    again = command("--profile", "cpu", program=(str(SCRIPT),))  # no mirror: nothing is asked of anybody
    assert again.returncode == 0
    assert again.stdout.count("already downloaded") == 2


def test_verify_knows_what_was_downloaded(site: Site, command: Command) -> None:
    command("--only", "whisper", "--mirror", site.hub.url)
    verify = (sys.executable, "-m", "models", "verify")
    done = command(program=verify)
    assert done.returncode == 0
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("whisper ")]
    assert row.split()[:5] == ["whisper", "stt", "ok", "2.5", "MB"]
    (site.root / "store" / "whisper" / "model.bin").write_bytes(b"")
    assert command(program=verify).returncode == 1


def test_the_mirror_can_be_a_setting(site: Site, command: Command) -> None:
    assert command("--only", "whisper", HF_ENDPOINT=site.hub.url).returncode == 0
    (site.root / "lock.yaml").unlink()
    (site.root.parent / ".env").write_text(f"HF_ENDPOINT={site.hub.url}\n")
    assert command("--only", "whisper").returncode == 0


def test_the_token_is_read_from_dotenv(site: Site, command: Command) -> None:
    refused = command("--only", "llama", "--mirror", site.hub.url)
    assert refused.returncode == 1
    assert "open https://huggingface.co/meta/llama, accept the licence" in refused.stderr
    (site.root.parent / ".env").write_text("HF_TOKEN=hf_accepted\n")
    assert command("--only", "llama", "--mirror", site.hub.url).returncode == 0


def test_an_unknown_name_is_told_with_the_known_ones(command: Command) -> None:
    done = command("--only", "wisper")
    assert done.returncode == 1
    assert done.stderr.startswith("No model is called 'wisper'. models/manifest.yaml has: amy, llama, whisper.")


def test_a_model_of_another_profile_is_told(command: Command) -> None:
    done = command("--profile", "gpu", "--only", "whisper")
    assert done.returncode == 1
    assert "Profile 'gpu' does not use 'whisper'." in done.stderr


@pytest.mark.parametrize(
    ("has_gpu", "told"),
    [(True, "Profile gpu: {} exists (--profile cpu"), (False, "Profile cpu: there is no {} (--profile gpu")],
)
def test_without_a_profile_the_machine_decides_and_it_is_told(
    site: Site,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    has_gpu: bool,
    told: str,
) -> None:
    device = tmp_path / "nvidia0"
    if has_gpu:
        device.touch()
    shipped = describe(profiles=["cpu", "gpu"])
    folder = site.root / "demo" / "some_model"
    folder.mkdir(parents=True)
    for file in shipped["files"]:
        (folder / file["path"]).write_bytes(b"weights " * 1000 if file["path"] == "model.bin" else b"{}")
    write_manifest(site.root, some=shipped)
    monkeypatch.setenv("CALLBOX_MODELS", str(site.root))
    monkeypatch.setattr(models.__main__, "NVIDIA_DEVICE", device)
    assert models.__main__.main(["download"]) == 0
    assert told.format(device) in capsys.readouterr().out.replace("\n", " ").replace("  ", " ")


def test_control_c_is_answered_in_a_sentence_and_the_next_run_continues(site: Site, command: Command) -> None:
    site.hub.faults["model.bin"] = [Fault(after=2 << 20, kind="stall")]
    started = subprocess.Popen(
        [sys.executable, "-m", "models", "download", "--only", "whisper", "--mirror", site.hub.url],
        cwd=REPOSITORY,
        env=environment(site),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not any(path.stat().st_size for path in site.partials() if path.name.startswith("model.bin")):
        assert started.poll() is None, started.communicate()
        time.sleep(0.02)
    started.send_signal(signal.SIGINT)
    _, complaint = started.communicate(timeout=30)
    assert started.returncode == 130
    assert complaint.strip() == "Stopped. Run the same command again to continue the download."
    assert site.files("whisper") == {}
    site.hub.requests.clear()
    assert command("--only", "whisper", "--mirror", site.hub.url).returncode == 0
    assert site.hub.got("model.bin")[0].range is not None
    assert site.files("whisper")["model.bin"] == WHISPER["model.bin"]


def test_the_turn_model_comes_out_of_its_wheel(site: Site, command: Command) -> None:
    content = b"pretend this is onnx"
    member = "tiny/data/turn.onnx"
    source = {
        "kind": "wheel",
        "package": "tiny-wheel",
        "version": "1.0",
        "member": member,
        "command": "python -m scripts.fetch_smart_turn",
    }
    write_manifest(
        site.root, smart_turn=describe(stage="turn", profiles=["cpu"], source=source, files=[pin("turn.onnx", content)])
    )
    wheels = site.root.parent / ".cache" / "wheels"
    wheels.mkdir(parents=True)
    with zipfile.ZipFile(wheels / "tiny_wheel-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(member, content)
    done = command("--profile", "cpu")
    assert (done.returncode, done.stderr) == (0, "")
    assert open_store(site.root).resolve("smart-turn")
