"""GPUs and models for plans: the memory of real cards as CUDA tells it, and the profile's models."""

from serving.gpu.devices import Gpu
from serving.gpu.known import LLAMAS, WHISPERS

BF16, FP8 = LLAMAS["llama-3.1-8b-instruct"], LLAMAS["llama-3.1-8b-instruct-fp8"]
TURBO = WHISPERS["whisper-large-v3-turbo"]
TOTALS_MIB = {16: 15_946, 24: 22_563, 40: 40_326, 80: 81_090}
"""By GiB on the box: RTX 4080, L4, A100, H100."""


def card(gib: int, *, index: int = 0, used_mib: int = 0) -> Gpu:
    """A card of that size on which others use so much."""
    total = TOTALS_MIB[gib]
    return Gpu(index, f"NVIDIA {gib} GB", total, total - used_mib, (8, 9), "580.95.05", (13, 0))
