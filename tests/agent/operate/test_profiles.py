"""Which profile a box runs, and why: on the real profiles, with stores made here."""

import hashlib
from pathlib import Path

import pytest
import yaml

from agent.operate.profiles import Choice, Machine, choose_profile, missing_models, settings_for, this_machine
from agent.settings import load_settings
from models.store import ModelStore, open_store
from serving.gpu.devices import Gpu, count_cards

pytestmark = pytest.mark.unit

CONTENT = b"weights"
L4 = Gpu(0, "NVIDIA L4", 22_563, 22_400, (8, 9), "580.95.05", (13, 0))
T4 = Gpu(0, "Tesla T4", 15_095, 15_000, (7, 5), "580.95.05", (13, 0))
GPU = {"whisper-large-v3-turbo", "llama-3.1-8b-instruct", "piper-lessac-medium"}
FP8 = "llama-3.1-8b-instruct-fp8"
CPU = {"whisper-base.en", "llama-3.2-1b-instruct", "piper-lessac-medium"}


def store_with(root: Path, there: set[str]) -> ModelStore:
    """The real manifest with these of its downloaded models pinned and there, the others not."""
    real = open_store()
    entries = {name: model.model_dump(mode="json", exclude_none=True) for name, model in real.manifest.models.items()}
    for name, entry in entries.items():
        if entry["source"]["kind"] != "repository":
            continue
        entry["files"] = []
        entry["source"].pop("revision", None)
        if name in there:
            folder = root / "store" / name
            folder.mkdir(parents=True)
            (folder / "model.bin").write_bytes(CONTENT)
            digest = hashlib.sha256(CONTENT).hexdigest()
            entry["files"] = [{"path": "model.bin", "size": len(CONTENT), "sha256": digest}]
            entry["source"]["revision"] = "a" * 40
    (root / "manifest.yaml").write_text(yaml.safe_dump({"models": entries}))
    return open_store(root)


def machine(*gpus: Gpu, cards: int = 0, missing: tuple[str, ...] = ()) -> Machine:
    """A machine whose driver answers for these GPUs."""
    return Machine(gpus=gpus, cards=cards or len(gpus), missing_packages=missing)


def chosen(root: Path, there: set[str], on: Machine, site: str = "") -> Choice:
    """The choice, with this in configs/site.yaml."""
    root.mkdir(exist_ok=True)
    (root / "site.yaml").write_text(site)
    return choose_profile(store_with(root, there), machine=on, site=root / "site.yaml")


@pytest.mark.parametrize(
    ("there", "on", "profile"),
    [
        (GPU | CPU, machine(L4), "gpu"),
        (GPU, machine(L4), "gpu"),
        (GPU | CPU, machine(), "cpu"),
        (GPU | CPU, machine(cards=1), "cpu"),
        (GPU | CPU, machine(L4, missing=("vllm",)), "cpu"),
        (GPU | CPU, machine(T4), "cpu"),
        (CPU, machine(L4), "cpu"),
        (CPU, machine(), "cpu"),
        (GPU, machine(), "demo"),
        (GPU - {"whisper-large-v3-turbo"}, machine(L4), "demo"),
        (set(), machine(L4), "demo"),
        (set(), machine(), "demo"),
    ],
)
def test_the_best_profile_that_has_all_it_needs(tmp_path: Path, there: set[str], on: Machine, profile: str) -> None:
    assert chosen(tmp_path, there, on).profile == profile


@pytest.mark.parametrize(
    ("there", "on", "reason"),
    [
        (GPU, machine(L4), "an NVIDIA L4 was found, and the profile's models are installed"),
        (CPU, machine(), "its models are installed; no NVIDIA GPU found"),
        (
            GPU - {"whisper-large-v3-turbo"},
            machine(L4),
            "an NVIDIA L4 was found, but whisper-large-v3-turbo is missing: "
            "`scripts/download_models.sh --profile gpu` downloads the rest",
        ),
        (
            set(),
            machine(),
            "no models have been downloaded: `scripts/download_models.sh --profile cpu` downloads them; no NVIDIA GPU found",
        ),
        (
            CPU,
            machine(cards=1),
            "its models are installed; an NVIDIA GPU was found, but its driver does not answer (`nvidia-smi` says why)",
        ),
        (
            GPU,
            machine(L4, missing=("vllm", "nvidia-cublas-cu12")),
            "an NVIDIA L4 was found, but these packages are missing: vllm, nvidia-cublas-cu12 (`make setup PROFILE=gpu` "
            "installs them)",
        ),
        (
            GPU,
            machine(T4),
            "an NVIDIA Tesla T4 was found, but it is too old for profile gpu (which needs compute capability 8.0, Ampere)",
        ),
    ],
)
def test_the_reason_names_what_is_missing_and_how_to_get_it(
    tmp_path: Path, there: set[str], on: Machine, reason: str
) -> None:
    assert chosen(tmp_path, there, on).reason == reason


def test_the_models_that_count_are_those_of_the_merged_settings(tmp_path: Path) -> None:
    site = f"engines: {{llm: {{model: {FP8}}}}}"
    fp8 = GPU - {"llama-3.1-8b-instruct"} | {FP8}
    assert chosen(tmp_path / "with", fp8, machine(L4), site).profile == "gpu"
    without = chosen(tmp_path / "without", fp8, machine(L4))
    assert without.profile == "demo"
    assert f"`{site}` in configs/site.yaml uses it" in without.reason


def test_several_gpus_are_counted(tmp_path: Path) -> None:
    second = Gpu(1, "NVIDIA L4", 22_563, 22_400, (8, 9), "580.95.05", (13, 0))
    assert chosen(tmp_path, GPU, machine(L4, second)).reason.startswith("an NVIDIA L4 (first of 2 GPUs) was found")


def test_a_file_of_another_size_does_not_count_and_nothing_is_hashed(tmp_path: Path) -> None:
    store = store_with(tmp_path, GPU)
    file = store.folder("llama-3.1-8b-instruct") / "model.bin"
    file.write_bytes(b"w" * len(CONTENT))
    assert choose_profile(store, machine=machine(L4), site=tmp_path / "none.yaml").profile == "gpu"
    file.write_bytes(CONTENT[:-1])
    assert choose_profile(store, machine=machine(L4), site=tmp_path / "none.yaml").profile == "demo"


def test_the_end_of_turn_model_is_no_reason_against_a_profile(tmp_path: Path) -> None:
    assert "smart-turn" not in missing_models(
        load_settings("gpu", site=tmp_path / "none.yaml"), store_with(tmp_path, set())
    )


def test_this_machine_is_examined(tmp_path: Path) -> None:
    found = this_machine()
    assert found.cards == count_cards()
    assert bool(found.gpus) <= bool(found.cards)
    assert choose_profile(store_with(tmp_path, set()), site=tmp_path / "none.yaml").profile == "demo"


@pytest.mark.parametrize("profile", ["gpu", "cpu", "demo"])
def test_a_profile_names_engines_options_and_models_that_exist(tmp_path: Path, profile: str) -> None:
    store, settings = open_store(), load_settings(profile, site=tmp_path / "none.yaml")
    assert set(settings.chosen_engines) >= {"vad", "stt", "turn", "llm", "tts"}
    for stage, choice in settings.chosen_engines.items():
        choice.load(stage)
        model = store.manifest.find(choice.model)
        assert model.stage == stage
        assert profile in model.profiles


def test_a_requested_profile_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CALLBOX_SITE", str(tmp_path / "none.yaml"))
    assert settings_for("demo").profile == "demo"
