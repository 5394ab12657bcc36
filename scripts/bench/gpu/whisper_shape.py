"""A Whisper of any size with random weights, as CTranslate2 and faster-whisper load it; made without a download.

It computes as much as the real one of its size. Its output is fixed: its position encodings, far larger than everything else in
the decoder, select one made-up word after another and then the end, so that every decode has the same length.
"""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from serving.gpu.whisper import WhisperShape

TEXT_TOKENS = 50_257
"""Followed by the end, the special tokens and 1,501 times, as in every multilingual Whisper since large-v3."""
TIMES = 1_501
WORDS = 20
"""Tokens of every decode, without the end."""
PROMPT_TOKENS = 4
"""Start, language, task, no times."""
LOUD = 200.0
"""Size of the number that marks a position, far above all others."""
CERTAIN = 40.0
"""Logit of the fixed word; about 1 for all others."""
WEIGHT_SCALE = 0.02
MIN_WIDTH = 64

Numbers = npt.NDArray[np.float16]


def write_whisper(shape: WhisperShape, folder: Path) -> Path:
    """Write the model with weights in float16. Returns the folder. Raises ValueError for a shape that cannot hold the words."""
    if shape.width < MIN_WIDTH or shape.vocabulary <= TEXT_TOKENS + TIMES:
        raise ValueError(f"expected a Whisper of width {MIN_WIDTH} or more with the vocabulary of large-v3")
    folder.mkdir(parents=True, exist_ok=True)
    tokens = vocabulary(shape.vocabulary)
    tokenizer(tokens).save(str(folder / "tokenizer.json"))
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": shape.mels}))
    spec = _spec(shape)
    spec.register_vocabulary(tokens)
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    spec.config.lang_ids = list(range(tokens.index("<|en|>"), tokens.index("<|translate|>")))
    last = shape.decoder_layers - 1
    spec.config.alignment_heads = [[last, head] for head in range(min(6, shape.heads))]
    spec.validate()
    spec.decoder.projection.weight = "decoder/embeddings/weight"  # one matrix for both, as in a real Whisper
    spec.save(str(folder))
    return folder


def vocabulary(size: int) -> list[str]:
    """Tokens in the layout of the multilingual Whispers: bytes, made-up words, special tokens, times."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = map("".join, itertools.product("bdfgklmnprst", "aeiou", "bdfgklmnprst", "aeiou", "bdfgklmnprst", "aeiou"))
    text = [*letters, *itertools.islice((f"Ġ{word}" for word in words), TEXT_TOKENS - len(letters) - 1)]
    text.append("")  # CTranslate2 recognises a multilingual Whisper by it
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    languages = sorted(_LANGUAGE_CODES, key=lambda code: (code != "en", code))
    tasks = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
    names = ["endoftext", "startoftranscript", *languages[: size - TEXT_TOKENS - 2 - len(tasks) - TIMES], *tasks]
    named = [f"<|{name}|>" for name in names]
    return [*text, *named, *(f"<|{0.02 * place:.2f}|>" for place in range(TIMES))]


def tokenizer(tokens: list[str]) -> Tokenizer:
    """A byte-level tokenizer like Whisper's, whose ids are the places in `tokens`."""
    text = {token: place for place, token in enumerate(tokens[:TEXT_TOKENS])}
    made = Tokenizer(models.BPE(vocab=text, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(token, special=True) for token in tokens[TEXT_TOKENS:]])
    return made


def _spec(shape: WhisperShape) -> Any:
    from ctranslate2.specs import WhisperSpec

    spec = WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
    random = np.random.default_rng(0)
    width = shape.width
    encoder, decoder = spec.encoder, spec.decoder
    for convolution, inputs in ((encoder.conv1, shape.mels), (encoder.conv2, width)):
        _fill(convolution, random, width, inputs, 3)
    encoder.position_encodings.encodings = _normal(random, 1500, width)
    positions, embeddings = _normal(random, 448, width), _normal(random, shape.vocabulary, width)
    _fix_words(positions, embeddings)
    decoder.position_encodings.encodings = positions
    decoder.embeddings.weight = decoder.projection.weight = embeddings
    for layer in encoder.layer:
        _fill_layer(layer, random, width, {"self_attention": (3, 1)})
    for layer in decoder.layer:
        _fill_layer(layer, random, width, {"self_attention": (3, 1), "attention": (1, 2, 1)})
    for norm in (encoder.layer_norm, decoder.layer_norm):
        _level(norm, width)
    return spec


def _fix_words(positions: Numbers, embeddings: Numbers) -> None:
    """Position p is large in dimension p, which selects the p-th word; from the last word on, in the dimension of the end."""
    last = PROMPT_TOKENS + WORDS - 1
    words = [*range(1_000, 1_000 + 97 * last, 97), TEXT_TOKENS]
    for place, word in enumerate(words):
        embeddings[:, place] = 0.0
        embeddings[word, place] = CERTAIN / np.sqrt(embeddings.shape[1])
    for position in range(len(positions)):
        positions[position, min(position, last)] = LOUD


def _fill_layer(layer: Any, random: np.random.Generator, width: int, attentions: dict[str, tuple[int, ...]]) -> None:
    """`attentions`: for each name, the outputs of its matrices in multiples of the width."""
    for name, outputs in attentions.items():
        attention = getattr(layer, name)
        _level(attention.layer_norm, width)
        for linear, times in zip(attention.linear, outputs, strict=True):
            _fill(linear, random, times * width, width)
    _level(layer.ffn.layer_norm, width)
    _fill(layer.ffn.linear_0, random, 4 * width, width)
    _fill(layer.ffn.linear_1, random, width, 4 * width)


def _fill(layer: Any, random: np.random.Generator, outputs: int, *inputs: int) -> None:
    layer.weight = _normal(random, outputs, *inputs)
    layer.bias = np.zeros(outputs, np.float16)


def _level(norm: Any, width: int) -> None:
    norm.gamma, norm.beta = np.ones(width, np.float16), np.zeros(width, np.float16)


def _normal(random: np.random.Generator, *size: int) -> Numbers:
    return (WEIGHT_SCALE * random.standard_normal(size, dtype=np.float32)).astype(np.float16)
