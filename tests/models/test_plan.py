"""Which files of a repository are chosen."""

import pytest

from models.errors import DownloadFailed
from models.hub import Hub, HubFile
from models.manifest import Repository
from models.plan import make_plan, select
from models.store import open_store

pytestmark = pytest.mark.unit

LLAMA = (
    "config.json",
    "generation_config.json",
    "model-00001-of-00002.safetensors",
    "model-00002-of-00002.safetensors",
    "model.safetensors.index.json",
    "original/consolidated.00.pth",
    "original/params.json",
    "original/tokenizer.model",
    "LICENSE",
    "README.md",
    "USE_POLICY.md",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    ".gitattributes",
)


def files(*paths: str) -> tuple[HubFile, ...]:
    return tuple(HubFile(path, 1, "0" * 64) for path in paths)


def source_of(name: str) -> Repository:
    source = open_store().manifest.find(name).source
    assert isinstance(source, Repository)
    return source


def test_metas_own_checkpoints_are_left_where_they_are() -> None:
    chosen = select(files(*LLAMA), source_of("llama-3.1-8b-instruct"))
    left = {path for path in LLAMA if path.startswith("original/")} | {"README.md", ".gitattributes"}
    assert set(chosen) == set(LLAMA) - left


def test_one_voice_of_many_is_chosen_and_lies_flat() -> None:
    folder = "en/en_US/lessac/medium"
    names = ("MODEL_CARD", "en_US-lessac-medium.onnx", "en_US-lessac-medium.onnx.json")
    listed = files(
        *(f"{folder}/{name}" for name in names), "en/en_US/lessac/low/en_US-lessac-low.onnx", f"{folder}/samples/0.mp3"
    )
    chosen = select(listed, source_of("piper-lessac-medium"))
    assert {path: file.path for path, file in chosen.items()} == {name: f"{folder}/{name}" for name in names}


@pytest.mark.parametrize("vocabulary", ["vocabulary.txt", "vocabulary.json"])
def test_whisper_takes_its_vocabulary_in_either_form(vocabulary: str) -> None:
    chosen = select(files("config.json", "model.bin", "tokenizer.json", vocabulary), source_of("whisper-base.en"))
    assert vocabulary in chosen


def test_a_lacking_file_is_named_with_its_repository() -> None:
    with pytest.raises(DownloadFailed, match=r"Systran/faster-whisper-base\.en has no file model\.bin"):
        select(files("config.json", "tokenizer.json", "vocabulary.txt"), source_of("whisper-base.en"))


def test_a_pinned_open_model_needs_no_word_from_the_hub() -> None:
    from models.lockfile import LockedModel
    from models.manifest import ModelFile

    source = source_of("piper-lessac-medium")
    locked = tuple(ModelFile(path=path, size=size, sha256="0" * 64) for path, size in (("big", 9), ("small", 1)))
    pin = LockedModel(repository=source.repository, folder=source.folder, revision="a" * 40, files=locked)
    plan = make_plan(Hub("http://127.0.0.1:9"), "v", open_store().manifest.find("piper-lessac-medium"), source, pin)
    assert (plan.revision, list(plan.files), plan.size) == ("a" * 40, ["small", "big"], 10)
    assert plan.files["big"].path == "en/en_US/lessac/medium/big"
