"""Endless training batches of simulated calls."""

import random
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from tokenizers import Tokenizer
from torch import Tensor

from scripts.train.language_model.domain import Lex, random_facts
from scripts.train.language_model.prompts import (
    HANDOFF_PROMPT,
    SUMMARY_PROMPT,
    TOOLS,
    front_desk_prompt,
    render_system,
)
from scripts.train.language_model.simulate import Dialogue, dialogue, transcript

IGNORED = -100
"""Target of tokens that are not learned."""

SHUFFLED_FACTS = 0.4
SPLIT_SENTENCES = 0.03
CUT_SENTENCES = 0.04
CLINICS = 40
CALLS_A_CLINIC = 12
DRILL_PIECES = 12

Sequence = tuple[list[int], list[int]]
"""Token ids, and each position's target."""


class Batch(NamedTuple):
    """A prompt (tokens,), calls that begin with it (count, tokens), and each position's next token or IGNORED."""

    prompt: Tensor
    calls: Tensor
    targets: Tensor


class Batches:
    """Calls of similar length, grouped by clinic behind one prompt; only the assistant's tokens are learned."""

    def __init__(self, tokenizer: Tokenizer, seed: int = 0, *, budget_tokens: int = 1500, notes: float = 0.12) -> None:
        """`notes` is the share of calls whose summary and briefing are also learned."""
        self._tokenizer, self._budget, self._notes = tokenizer, budget_tokens, notes
        self._rng = random.Random(seed)
        self._lex = Lex(self._rng)
        self._pool: list[Batch] = []
        id_of: Callable[[str], Any] = tokenizer.token_to_id
        start, end = id_of("<|start_header_id|>"), id_of("<|end_header_id|>")
        self._eot: int = id_of("<|eot_id|>")
        self._bos: int = id_of("<|begin_of_text|>")
        breaks = tokenizer.encode("\n\n").ids
        self._breaks = len(breaks)
        self._headers = {
            role: [start, *tokenizer.encode(role).ids, end, *breaks] for role in ("user", "assistant", "ipython")
        }

    def next(self) -> Batch:
        """The next batch."""
        if not self._pool:
            self._refill()
        return self._pool.pop()

    def drill(self, count: int = 8) -> Batch:
        """Random pieces, then the same pieces in a different order; only the copied tokens are targets."""
        rng, sequences = self._rng, list[Sequence]()
        for _ in range(count):
            pieces = [[rng.randrange(256, 2000) for _ in range(rng.randint(3, 7))] for _ in range(DRILL_PIECES)]
            again = rng.sample(pieces, DRILL_PIECES)
            ids = [token for piece in pieces + again for token in piece]
            learned = [IGNORED] * sum(map(len, pieces))
            learned += [token if place else IGNORED for piece in again for place, token in enumerate(piece)]
            sequences.append((ids, [*learned[1:], IGNORED]))
        return self._batch([self._bos], sequences)

    def _refill(self) -> None:
        notes: dict[str, list[Sequence]] = {SUMMARY_PROMPT: [], HANDOFF_PROMPT: []}
        for _ in range(CLINICS):
            facts = random_facts(self._lex)
            calls = [dialogue(self._lex, facts) for _ in range(CALLS_A_CLINIC)]
            order = self._rng if self._rng.random() < SHUFFLED_FACTS else None
            prompt = self._tokenizer.encode(render_system(front_desk_prompt(facts, order), TOOLS)).ids
            self._group(prompt, [self._encode([message[:2] for message in call.messages]) for call in calls])
            self._add_notes(notes, calls)
        for system, sequences in notes.items():
            self._group(self._tokenizer.encode(render_system(system)).ids, sequences)
        self._rng.shuffle(self._pool)

    def _add_notes(self, notes: dict[str, list[Sequence]], calls: list[Dialogue]) -> None:
        """Transcripts of some calls up to some point, with their summary and briefing."""
        count = max(1, int(CALLS_A_CLINIC * self._notes + self._rng.random()))
        chosen = []
        for call in self._rng.sample(calls, count):
            snapshot = self._rng.choice(call.snapshots[-3:] + call.snapshots[-1:])
            chosen.append((transcript(call.messages[: snapshot.messages]), snapshot))
        notes[SUMMARY_PROMPT] += [self._encode([("user", text), ("assistant", now.summary)]) for text, now in chosen]
        notes[HANDOFF_PROMPT] += [self._encode([("user", text), ("assistant", now.handoff)]) for text, now in chosen]

    def _encode(self, messages: list[tuple[str, str]]) -> Sequence:
        ids, learned = list[int](), list[int]()
        for number, (role, text) in enumerate(messages):
            is_varied = number + 1 < len(messages) and len(messages) > 2
            texts, is_learned = self._varied(role, text) if is_varied else ([text], role == "assistant")
            for part in texts:
                body = [*self._tokenizer.encode("\n\n" + part).ids[self._breaks :], self._eot]
                ids += self._headers[role] + body
                learned += [IGNORED] * len(self._headers[role]) + (body if is_learned else [IGNORED] * len(body))
        return ids, [*learned[1:], IGNORED]

    def _varied(self, role: str, text: str) -> tuple[list[str], bool]:
        """A message as it may appear in a history, and whether it is learned."""
        words = text.split()
        if len(words) > 3 and text[0] != "{":
            if role == "user" and self._rng.random() < SPLIT_SENTENCES:  # one sentence, heard as two
                cut = self._rng.randrange(1, len(words))
                return [" ".join(words[:cut]), " ".join(words[cut:])], False
            if role == "assistant" and self._rng.random() < CUT_SENTENCES:  # interrupted by the caller
                return [" ".join(words[: self._rng.randrange(1, len(words))])], False
        return [text], role == "assistant"

    def _group(self, prompt: list[int], sequences: list[Sequence]) -> None:
        """Batches of similar length within the token budget."""
        batch: list[Sequence] = []
        for sequence in sorted(sequences, key=lambda one: len(one[0])):
            if batch and (len(batch) + 1) * len(sequence[0]) > self._budget:
                self._pool.append(self._batch(prompt, batch))
                batch = []
            batch.append(sequence)
        if batch:
            self._pool.append(self._batch(prompt, batch))

    def _batch(self, prompt: list[int], sequences: list[Sequence]) -> Batch:
        ids, targets = zip(*sequences, strict=True)
        return Batch(torch.tensor(prompt), _padded(ids, 0), _padded(targets, IGNORED))


def _padded(rows: Iterable[list[int]], filler: int) -> Tensor:
    rows = list(rows)
    length = max(map(len, rows))
    return torch.tensor([row + [filler] * (length - len(row)) for row in rows])
