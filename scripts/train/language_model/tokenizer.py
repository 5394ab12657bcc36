"""A BPE of 2,048 entries over simulated calls, with Llama 3's special tokens.

python -m scripts.train.language_model.tokenizer [--out tokenizer.json]      10 s

Two hidden marks make copying easy for a tiny model: the normalizer writes a capital letter as CAPITAL and the small letter, and
puts GLUE before a word that follows a quote or a line break. So `anna` in a caller's words, "anna" in a tool call and Anna in a
reply are the same token. The decoder undoes both; a mark at the end decodes to nothing, so a streaming decoder simply waits for
the next token. Lossless for text without these two characters.
"""

import argparse
import random
import string
from collections.abc import Iterator, Sequence
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from scripts.train.language_model.domain import Lex, random_facts
from scripts.train.language_model.prompts import HANDOFF_PROMPT, SUMMARY_PROMPT, front_desk_prompt, tools_text
from scripts.train.language_model.simulate import dialogue, transcript

CAPITAL = "⇧"
GLUE = "⁀"
SPECIAL = (
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|finetune_right_pad_id|>",
)
ENTRIES = 2048
CALLS = 2500
SEED = 11
ROLES = ("system", "user", "assistant", "ipython")
WORDS = r" ?[a-z_']+| ?[0-9]|\n+| ?[^\sa-z0-9]+(?: [^\sa-z0-9]+)*|\s+"


def main(arguments: Sequence[str] | None = None) -> None:
    """Build and save the tokenizer, and report what does not survive a round trip."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("tokenizer.json"))
    options = parser.parse_args(arguments)
    tokenizer = build()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(options.out))
    print(f"{options.out.name}: {tokenizer.get_vocab_size()} entries", flush=True)
    check(tokenizer)


def build(calls: int = CALLS, seed: int = SEED) -> Tokenizer:
    """A tokenizer trained on that many calls."""
    tokenizer = untrained()
    trainer = trainers.BpeTrainer(
        vocab_size=ENTRIES - len(SPECIAL),
        min_frequency=2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(calls, seed), trainer)
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    return tokenizer


def untrained() -> Tokenizer:
    """Normalizer, splitter and decoder, but no merges."""
    replace = normalizers.Replace
    steps = [replace(Regex(r'"(?=[A-Za-z])'), f'"{GLUE} '), replace(Regex(r"\n(?=[A-Za-z])"), f"\n{GLUE} ")]
    steps += [replace(f" {letter}", f"{CAPITAL} {letter.lower()}") for letter in string.ascii_uppercase]
    steps += [replace(letter, CAPITAL + letter.lower()) for letter in string.ascii_uppercase]
    restore = decoders.Replace
    undo = [restore(f"{CAPITAL} {letter.lower()}", f" {letter}") for letter in string.ascii_uppercase]
    undo += [restore(CAPITAL + letter.lower(), letter) for letter in string.ascii_uppercase]
    undo += [restore(f"{GLUE} ", ""), restore(CAPITAL, ""), restore(GLUE, "")]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence(steps)
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(WORDS), "isolated"), byte_level])
    tokenizer.decoder = decoders.Sequence([decoders.ByteLevel(), *undo])
    return tokenizer


def corpus(calls: int, seed: int) -> Iterator[str]:
    """Texts as they appear in a prompt, after two line breaks."""
    lex = Lex(random.Random(seed))
    for number in range(calls):
        facts = random_facts(lex)
        call = dialogue(lex, facts)
        if number % 4 == 0:
            yield "\n\n" + front_desk_prompt(facts) + tools_text()
        yield from ("\n\n" + message.text for message in call.messages)
        for snapshot in call.snapshots[-1:]:
            yield "\n\n" + snapshot.summary
            yield "\n\n" + snapshot.handoff
        if number % 10 == 0:
            yield "\n\n" + transcript(call.messages)
    yield from ["\n\n" + SUMMARY_PROMPT, "\n\n" + HANDOFF_PROMPT] * 50
    yield from ROLES * 200


def check(tokenizer: Tokenizer, calls: int = 200, seed: int = 5) -> None:
    """Print how many texts of held-out calls change in a round trip, and the tokens per word."""
    lex = Lex(random.Random(seed), "test")
    tokens = words = changed = 0
    for _ in range(calls):
        facts = random_facts(lex)
        texts = [front_desk_prompt(facts) + tools_text(), *(message.text for message in dialogue(lex, facts).messages)]
        for text in texts:
            ids = tokenizer.encode("\n\n" + text).ids
            tokens += len(ids)
            words += len(text.split())
            changed += tokenizer.decode(ids) != "\n\n" + text
    print(f"{changed} texts changed; {tokens / words:.2f} tokens per word", flush=True)


if __name__ == "__main__":
    main()
