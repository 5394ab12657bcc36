"""The measures of a Whisper, and how much of a GPU it takes."""

import struct
from pathlib import Path

import pytest

from models.store import open_store
from serving.errors import EngineLoadFailed
from serving.gpu.whisper import WhisperShape, weights_mib, work_mib
from tests.serving.gpu.cards import TURBO

pytestmark = pytest.mark.unit


def test_the_shipped_model_is_measured_without_reading_its_weights() -> None:
    shape = WhisperShape.from_model_dir(open_store().resolve("demo-stt"))
    assert shape == WhisperShape(
        encoder_layers=4, decoder_layers=2, width=384, heads=6, mels=80, vocabulary=2533, saved_as="int8"
    )


@pytest.mark.parametrize(("compute_type", "mib"), [("default", 1542), ("float16", 1542), ("int8_float16", 779)])
def test_turbo_takes_what_its_published_file_does_or_half(compute_type: str, mib: int) -> None:
    assert weights_mib(TURBO, compute_type) == mib  # its model.bin has 1,617,884,929 bytes


def test_work_grows_with_the_clips_and_faster_than_their_length() -> None:
    one = work_mib(TURBO, "float16", clips=1, window_s=10)
    assert work_mib(TURBO, "float16", clips=8, window_s=10) == pytest.approx(8 * one, rel=0.02)
    assert work_mib(TURBO, "float16", clips=1, window_s=30) > 5 * one


@pytest.mark.parametrize(
    "content",
    [b"", b"no model", struct.pack("<I", 5), struct.pack("<IH", 6, 4) + b"abc\0" + bytes(8)],
    ids=["empty", "text", "another format", "another model"],
)
def test_a_file_that_is_not_a_whisper_is_rejected_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.bin").write_bytes(content)
    with pytest.raises(EngineLoadFailed, match=r"model\.bin is not a Whisper model"):
        WhisperShape.from_model_dir(tmp_path)
