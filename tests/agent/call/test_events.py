"""The events of a call as types: nothing that anybody said can get where it must not."""

import json
import logging
from dataclasses import fields, is_dataclass
from typing import get_args, get_type_hints

import pytest

from agent.call import events
from agent.call.events import (
    CallerTranscript,
    CallEvent,
    ConfidentialPayload,
    Payload,
    PublicPayload,
    TurnOver,
    is_public,
)
from agent.call.spoken import Spoken
from serving.speech import TranscriptStage, Word

pytestmark = pytest.mark.unit

SECRET = "my name is anna smith"
HEARD = Spoken(SECRET, (Word("anna", 0.0, 0.3),))


def holds_words(payload: type) -> bool:
    """Whether a payload has a field for what somebody said."""
    return any("Spoken" in str(kind) or kind is Word for kind in get_type_hints(payload).values())


@pytest.mark.parametrize("payload", get_args(Payload), ids=lambda payload: str(payload.__name__))
def test_what_holds_words_is_confidential_and_nothing_else_is(payload: type) -> None:
    assert holds_words(payload) == (payload in get_args(ConfidentialPayload))
    assert holds_words(payload) != (payload in get_args(PublicPayload))


@pytest.mark.parametrize("payload", get_args(Payload), ids=lambda payload: str(payload.__name__))
def test_payloads_are_frozen_values_that_say_what_they_mean(payload: type) -> None:
    assert is_dataclass(payload)
    assert payload.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert hasattr(payload, "__slots__")
    assert payload.__doc__
    assert not payload.__doc__.startswith(f"{payload.__name__}(")


def test_every_payload_of_the_package_is_in_the_union() -> None:
    defined = {
        kind
        for kind in vars(events).values()
        if isinstance(kind, type) and is_dataclass(kind) and kind is not CallEvent
    }
    assert defined == set(get_args(Payload))


@pytest.mark.parametrize("show", [str, repr, "{}".format, "%s".__mod__, lambda said: f"{said}"])
def test_words_do_not_show_when_printed(show: object) -> None:
    assert callable(show)
    assert show(HEARD) == "<21 characters>"
    assert "anna" not in show(CallerTranscript(TranscriptStage.FINAL, HEARD))
    assert "anna" not in show(CallEvent("call", 1.0, CallerTranscript(TranscriptStage.FINAL, HEARD)))


def test_words_do_not_get_into_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("heard %s in %r", HEARD, CallerTranscript(TranscriptStage.FINAL, HEARD))
    assert "anna" not in caplog.text


def test_words_are_no_text_by_mistake() -> None:
    with pytest.raises(TypeError):
        json.dumps({"said": HEARD})
    with pytest.raises(TypeError):
        "said: " + HEARD  # type: ignore[operator]
    assert HEARD.text == SECRET


def test_events_are_told_apart_by_their_payload() -> None:
    assert is_public(CallEvent("call", 0.0, TurnOver()))
    assert not is_public(CallEvent("call", 0.0, CallerTranscript(TranscriptStage.FINAL, HEARD)))
    assert [field.name for field in fields(CallEvent)] == ["call_id", "at_s", "payload"]
