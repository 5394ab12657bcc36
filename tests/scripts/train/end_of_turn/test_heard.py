"""What a recogniser made of a take's words: when it is learned from."""

import pytest

from scripts.train.end_of_turn.heard import is_understood

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("words", "recognised", "understood"),
    [
        ("my name is helen", "my name is helen", True),
        ("my name is helen", "my name is", True),
        ("my name is helen", "name is helen carter", True),
        ("my back hurts", "i take aspirin now", False),
        ("no", "", False),
        ("on monday", "on", True),
    ],
)
def test_most_words_have_to_be_there(words: str, recognised: str, *, understood: bool) -> None:
    assert is_understood(words, recognised) is understood
