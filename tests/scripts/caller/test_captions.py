"""Segments of the transcript."""

import pytest

from scripts.caller.captions import Captions

pytestmark = pytest.mark.unit


def test_a_stream_with_a_known_segment_replaces_its_text() -> None:
    captions = Captions()
    captions.open("a", "caller", 1.0).text = "i would"
    again = captions.open("a", "caller", 1.4)
    assert again.text == "i would", "the words stay until the new stream's have come"
    again.text = "i would like"
    assert [(s.text, s.began_s) for s in captions.segments] == [("i would like", 1.0)]


def test_the_reply_is_what_began_after_a_time() -> None:
    captions = Captions()
    captions.open("1", "agent", 0.5).text = "Hello."
    captions.open("2", "caller", 2.0).text = "hi"
    captions.open("3", "agent", 3.0).text = "We are open."
    captions.open("4", "agent", 4.0).text = " Until six. "
    assert captions.text({"agent"}, since_s=2.0) == "We are open. Until six."
    assert captions.text({"agent"}) == "Hello. We are open. Until six."
