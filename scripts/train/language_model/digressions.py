"""What callers say instead of an answer."""

from collections.abc import Callable

from scripts.train.language_model.caller import Caller, number
from scripts.train.language_model.domain import WORDS
from scripts.train.language_model.frames import Frame, Utterance
from scripts.train.language_model.phrases import DIGRESSIONS, GARBLED_WORDS, draw_each

WEIGHTS = {
    "fact": 5,
    "backchannel": 1.5,
    "repeat": 2,
    "hold": 1,
    "frustrated": 2,
    "garbled": 2,
    "robot": 1,
    "offtopic": 1,
    "unknown": 1,
    "advice": 1,
    "hear": 1,
    "nevermind": 0.7,
    "human": 0.8,
    "thanks": 0.4,
    "emergency": 0.5,
    "smalltalk": 0.7,
    "ability": 0.4,
    "info": 1,
    "medical": 1.2,
    "unsure": 0.8,
}
ANSWERABLE = ("confirm", "transfer", "appt", "retry", "else", "other", "choice")
"""Questions to which "uh huh" would be an answer."""

DECADES = ("fifty", "sixty", "seventy", "eighty", "ninety")


def digress(caller: Caller, question: str) -> Utterance:
    """Something other than an answer to `question`; a question about the clinic where the draw does not fit."""
    (kind,) = caller.lex.rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
    does_not_fit = (
        (kind == "backchannel" and question in ANSWERABLE)
        or (kind == "nevermind" and question in ("help", "else"))
        or (kind == "unsure" and question in ("confirm", "choice"))
    )
    if kind == "fact" or does_not_fit:
        return caller.ask_fact()
    if kind == "thanks":
        return caller.lex.choose(DIGRESSIONS["thanks"]), Frame("bye" if question == "else" else "thanks")
    return _SPECIAL[kind](caller) if kind in _SPECIAL else caller.digression(kind)


def _garbled(caller: Caller) -> Utterance:
    count = caller.lex.choose([2, 3, 4, 5])
    return " ".join(caller.lex.choose(GARBLED_WORDS) for _ in range(count)), Frame("garbled")


def _unknown(caller: Caller) -> Utterance:
    question = caller.lex.choose(DIGRESSIONS["unknown"])
    return question.format(caller.lex.word("tests")), Frame("unknown")


def _advice(caller: Caller) -> Utterance:
    question = caller.lex.choose(DIGRESSIONS["advice"])
    return question.format(caller.lex.word("medications")), Frame("advice")


def _never_mind(caller: Caller) -> Utterance:
    caller.next_task()
    return caller.digression("nevermind")


def _human(caller: Caller) -> Utterance:
    caller.next_task(more=False)
    who = caller.phrase("colleagues_midway")
    return f"{caller.phrase('wants')} speak to [{who}]", Frame("human", {"who": who})


def _emergency(caller: Caller) -> Utterance:
    caller.next_task(more=False)
    reason = caller.lex.word("emergencies")
    return caller.phrase("further_emergencies").format(reason), Frame("emergency", {"reason": reason})


def _info(caller: Caller) -> Utterance:
    lex = caller.lex
    digits = number(lex)
    draws: dict[str, Callable[[], str]] = {
        "month": lambda: lex.word("months"),
        "ordinal": lambda: lex.word("ordinals"),
        "decade": lambda: lex.choose(DECADES),
        "digit": lambda: lex.choose(WORDS["numbers"][:9]),
        "numbered": lambda: lex.choose(["phone", "patient", "insurance", "member"]),
        "reach": lambda: lex.choose(["text", "call"]),
        "number": lambda: digits,
        "house_number": lambda: lex.word("house_numbers"),
        "street": lambda: lex.word("street"),
    }
    return lex.choose(draw_each(DIGRESSIONS["info"], draws)), Frame("info")


def _medical(caller: Caller) -> Utterance:
    lex = caller.lex
    draws: dict[str, Callable[[], str]] = {
        "medication": lambda: lex.word("medications"),
        "times": lambda: lex.choose(["once", "twice", "three times"]),
    }
    return lex.choose(draw_each(DIGRESSIONS["medical"], draws)), Frame("medical")


_SPECIAL: dict[str, Callable[[Caller], Utterance]] = {
    "garbled": _garbled,
    "unknown": _unknown,
    "advice": _advice,
    "nevermind": _never_mind,
    "human": _human,
    "emergency": _emergency,
    "info": _info,
    "medical": _medical,
}
