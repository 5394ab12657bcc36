"""What the agent's words ask for."""

import pytest

from agent.turns.asked import asked_for
from scripts.train.language_model.phrases import QUESTIONS
from serving.speech import Asked

pytestmark = pytest.mark.unit

DEMO = {
    "name": Asked.NAME,
    "reason": Asked.DESCRIPTION,
    "doctor": Asked.CHOICE,
    "day": Asked.DATE,
    "time": Asked.DATE,
    "from_day": Asked.DATE,
    "to_day": Asked.DATE,
    "medication": Asked.CHOICE,
    "test": Asked.CHOICE,
    "confirm": Asked.CONFIRMATION,
    "choice": Asked.CHOICE,
    "retry": Asked.CONFIRMATION,
    "change": Asked.DESCRIPTION,
    "other": Asked.CONFIRMATION,
    "else": Asked.NOTHING,
    "help": Asked.NOTHING,
    "transfer": Asked.CONFIRMATION,
    "appt": Asked.CONFIRMATION,
}
"""What each of the demo agent's questions asks for."""


def test_every_question_of_the_demo_agent_is_known() -> None:
    assert set(QUESTIONS) == set(DEMO)


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in QUESTIONS.items() for text in texts])
def test_how_the_demo_agent_asks(kind: str, text: str) -> None:
    assert asked_for(text) is DEMO[kind]
    assert asked_for(f"Thank you, Robert. {text}") is DEMO[kind]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("So that is Robert Wilson, Doctor Chen, tomorrow at ten. Is that right?", Asked.CONFIRMATION),
        ("On Monday I have ten or half past ten. Which one suits you?", Asked.CHOICE),
        ("On Monday I have ten or half past ten.", Asked.CHOICE),
        ("Nothing is free on Monday. I have Tuesday at nine or Friday at four. Which one?", Asked.CHOICE),
        ("You are booked with Doctor Chen on Monday at ten. Is there anything else?", Asked.NOTHING),
        ("Hello, this is the clinic. How can I help you?", Asked.NOTHING),
        ("Could you give me your date of birth, please?", Asked.DATE),
        ("And when were you born?", Asked.DATE),
        ("When would you like to come in?", Asked.DATE),
        ("What's the best number to reach you at?", Asked.DIGITS),
        ("May I have your member ID?", Asked.DIGITS),
        ("Please tell me your telephone number.", Asked.DIGITS),
        ("I'll need your phone number.", Asked.DIGITS),
        ("Do you have a number where I can call you back?", Asked.DIGITS),
        ("Is your phone number still the same?", Asked.CONFIRMATION),
        ("Can I call you back on this number?", Asked.CONFIRMATION),
        ("Could you spell that for me?", Asked.NAME),
        ("Who am I speaking with?", Asked.NAME),
        ("And your full name?", Asked.NAME),
        ("Your date of birth?", Asked.DATE),
        ("What is it for?", Asked.DESCRIPTION),
        ("Would ten or eleven suit you better?", Asked.CHOICE),
        ("Do you prefer the morning or the afternoon?", Asked.CHOICE),
        ("Does Tuesday at ten work for you?", Asked.CONFIRMATION),
        ("How about Tuesday at ten?", Asked.CONFIRMATION),
        ("Tuesday at ten, okay?", Asked.CONFIRMATION),
        ("Which doctor would you like to see?", Asked.CHOICE),
        ("Can you describe the pain?", Asked.DESCRIPTION),
        ("What seems to be the problem?", Asked.DESCRIPTION),
        ("What brings you in today?", Asked.DESCRIPTION),
        ("Where does it hurt?", Asked.DESCRIPTION),
        ("Tell me what happened.", Asked.DESCRIPTION),
        ("What is your name? I need it for the booking.", Asked.NAME),
        ("You can park behind the building.", Asked.NOTHING),
        ("I will put you through to the nurse who can help.", Asked.NOTHING),
        ("Goodbye, and have a good day.", Asked.NOTHING),
        ("", Asked.NOTHING),
        ("WHAT IS YOUR FULL NAME?", Asked.NAME),
        ("What’s your full name?", Asked.NAME),
    ],
)
def test_what_a_reply_asks_for(text: str, asked: Asked) -> None:
    assert asked_for(text) is asked


@pytest.mark.parametrize(
    "text",
    [
        "Sorry, I did not catch that. Could you say it again?",
        "I am sorry, I have a technical problem. Could you say that again?",
        "Sorry, can you repeat that?",
        "I didn't catch that.",
    ],
)
def test_a_wish_to_hear_it_again_asks_for_what_was_asked_before(text: str) -> None:
    assert asked_for(text) is None


def test_who_is_asked_again_by_name_is_asked_for_it() -> None:
    assert asked_for("Sorry, I did not catch that. What is your full name?") is Asked.NAME


@pytest.mark.parametrize(
    ("heard", "asked"),
    [
        ("Thank you. What is your full", Asked.DESCRIPTION),
        ("Thank you. What is your full name", Asked.NAME),
        ("Thank you. What", Asked.DESCRIPTION),
        ("Thank you. Which day", Asked.DATE),
        ("Thank you", Asked.NOTHING),
    ],
)
def test_of_an_interrupted_reply_what_was_heard_counts(heard: str, asked: Asked) -> None:
    assert asked_for(heard) is asked
