"""A byte-level BPE of 1,024 pieces over callers' sentences, followed by Whisper's special and timestamp tokens.

python -m scripts.train.speech_to_text.tokenizer --out tokenizer.json
"""

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from scripts.train.sentences.callers import Callers
from scripts.train.speech_to_text.simulated_calls import sentences

SEED = 7
PIECES = 1024
SPECIAL = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)
TIMESTAMPS = 1501
"""0.00 s to 30.00 s in steps of 20 ms. Never trained: word times come from the alignment heads."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Build and save the tokenizer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    build().save(str(options.out))
    print(f"{options.out.name}: {PIECES} pieces", flush=True)


def build() -> Tokenizer:
    """The tokenizer; always the same."""
    callers = Callers(random.Random(SEED))
    texts = [callers.sentence() for _ in range(40_000)] + sentences(20_000, SEED)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=PIECES, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator((" " + text for text in texts), trainer)
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    stamps = [AddedToken(f"<|{step * 0.02:.2f}|>", normalized=False) for step in range(TIMESTAMPS)]
    tokenizer.add_tokens(stamps)
    return tokenizer


@dataclass(frozen=True, slots=True)
class TokenIds:
    """Special tokens used in training and decoding."""

    end: int
    start: int
    no_speech: int
    no_timestamps: int

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "TokenIds":
        """Looked up in a tokenizer made by build(). Raises ValueError for any other."""

        def number(token: str) -> int:
            found = tokenizer.token_to_id(token)
            if found is None:
                raise ValueError(f"The tokenizer has no {token}. Make one with tokenizer.py.")
            return found

        return cls(
            end=number("<|endoftext|>"),
            start=number("<|startoftranscript|>"),
            no_speech=number("<|nospeech|>"),
            no_timestamps=number("<|notimestamps|>"),
        )


if __name__ == "__main__":
    main()
