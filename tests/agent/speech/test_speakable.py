"""From tokens to speakable pieces."""

import random

import pytest

from agent.speech.normalizer import make_speakable
from agent.speech.speakable import Speakable

pytestmark = pytest.mark.unit

REPLIES = [
    "Sure! Dr. Chen is free on Nov. 24, 2026 at 3:30 p.m. or 4:00 p.m. Which would you prefer?",
    "We have 2 doctors:\n\n* **Dr. Patel** (cardiology)\n* **Dr. Chen**, who sees children\n\nWhich one would you like?",
    "Your copay is $4.50, and the visit costs about $1,200.00 without insurance. Is that okay?",
    "Please call us at (555) 123-4567 or write to info@riverside.com, and we will get back to you within 2-3 days.",
    "I'm sorry to hear that — chest pain can be serious, so please call 911 right away.",
    "Take 1/2 tablet b.i.d. with food; see [our page](https://x.org/a) for more, e.g. dosage.",
    "The clinic is at 12 Mill St. next to the library, and it opens Mon-Fri 8:30-18:00, Sat 9-1.",
    "Okay, so that is Anna Smith, Doctor Chen, Tuesday at ten thirty. Is that right?",
    "1. Fast for 8-12 hrs.\n2. Bring your ID.\n3. Arrive at 9 a.m. We open early.",
]


def spoken(tokens: list[str]) -> list[str]:
    speech = Speakable()
    return [piece for token in tokens for piece in speech.push(token)] + speech.flush()


@pytest.mark.parametrize("reply", REPLIES)
def test_pieces_say_what_the_whole_reply_says(reply: str) -> None:
    assert " ".join(spoken([reply])) == make_speakable(reply)


@pytest.mark.parametrize("reply", REPLIES)
def test_any_split_into_tokens_says_the_same(reply: str) -> None:
    rng, whole = random.Random(7), spoken([reply])
    assert spoken(list(reply)) == whole
    for _ in range(50):
        cuts = sorted(rng.sample(range(len(reply)), k=12))
        assert spoken([reply[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]) == whole


def test_an_amount_split_over_tokens_is_one_amount() -> None:
    tokens = ["That", " will", " be", " $", "4", ".", "50", ",", " please", "."]
    assert spoken(tokens) == ["That will be four dollars and fifty cents,", "please."]


def test_the_first_piece_leaves_while_the_reply_still_comes() -> None:
    speech = Speakable()
    assert speech.push("Dr. Chen can see you at 3:30 pm,") == []
    assert speech.push(" but") == ["Doctor Chen can see you at three thirty PM,"]


def test_what_cannot_be_spoken_makes_no_piece() -> None:
    assert spoken(["😀 😀 \n", "***\n", " \n"]) == []
