"""The dimensions of the profiles' models, for planning before they are downloaded; after that, their files are read."""

from dataclasses import replace

from serving.gpu.llama import LlamaShape
from serving.gpu.whisper import WhisperShape

LLAMA_8B = LlamaShape(
    layers=32,
    heads=32,
    kv_heads=8,
    head_dim=128,
    hidden=4096,
    intermediate=14336,
    vocabulary=128_256,
    max_positions=131_072,
    tied=False,
    linear_bytes=2,
    kv_dtype_bytes=2,
)
LLAMAS = {
    "llama-3.1-8b-instruct": LLAMA_8B,
    "llama-3.1-8b-instruct-fp8": replace(LLAMA_8B, linear_bytes=1),
}
"""By their name in models/manifest.yaml."""
WHISPERS = {
    "whisper-large-v3-turbo": WhisperShape(
        encoder_layers=32, decoder_layers=4, width=1280, heads=20, mels=128, vocabulary=51_866, saved_as="float16"
    ),
    "whisper-base.en": WhisperShape(
        encoder_layers=6, decoder_layers=6, width=512, heads=8, mels=80, vocabulary=51_864, saved_as="float16"
    ),
}
"""By their name in models/manifest.yaml."""
