"""What the agent's last words asked the caller for, judged by the words alone. Covers general English and front-desk questions. Pure."""

import re

from serving.speech import Asked

_LEAD = r"^(?:(?:and|so|okay|ok|sure|great|thank you|thanks|now|then|well|alright|please|for|on|at|to|in)[, ]+)*"
"""What may come before the first word of a question."""


def _pattern(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives))


_REPEAT = _pattern(
    r"\b(?:say|repeat) (?:that|it|this)(?: again| once more)?\b", r"\bsay (?:.* )?again\b", r"(?:\bnot|n't) catch\b"
)
_OPEN = _pattern(
    r"\bhow (?:can|may|could) i (?:help|assist)\b",
    r"\bwhat can i (?:do|help)\b",
    r"\banything else\b",
    r"\bhow are you\b",
)
_TAG = _pattern(
    r"\b(?:is|was) (?:that|this|it) (?:right|correct|ok|okay|fine|all right|alright)\W*$",
    r"\b(?:does|did|would|will) (?:that|this|it) (?:sound|work|suit|help|be)\b",
    r", ?(?:right|correct|ok|okay|yes|no)\W*$",
    _LEAD + r"(?:how|what) about\b",
    r"\bhow does (?:that|this) sound\b",
    r"\b(?:on|at) (?:this|the same) number\b",
)
_WH = re.compile(_LEAD + r"(?:what|when|which|who|whom|whose|where|why|how)\b")
_WH_ANYWHERE = re.compile(r"\b(?:what|when|which|who|where|why|how)\b")
_REQUEST = _pattern(
    _LEAD + r"(?:can|could|may|might) (?:i|we) (?:please )?(?:just )?(?:have|get|take|ask|see|know)\b",
    _LEAD + r"(?:can|could|would|will) you (?:please )?(?:just )?(?:mind )?"
    r"(?:give|giving|tell|telling|spell|spelling|say|confirm|provide|share|describe|read|leave|repeat)\b",
    _LEAD + r"(?:tell|give|spell|say|describe|read|enter|confirm|let me (?:have|get|take)|let me know)\b",
    _LEAD + r"(?:i|we)(?: will|'ll|'d| would)? (?:just |also )?(?:need|have|like) (?:your|to (?:know|ask|have))\b",
    _LEAD + r"your(?: \w+){1,3}\?$",
    _LEAD + r"do you (?:have|know|remember) (?:a|the|your)\b.*\b(?:number|id|code|date|name)\b",
)
_YES_OR_NO = re.compile(_LEAD + r"(?:is|are|was|were|do|does|did|has|have|had|shall|should|would|will|can|could|may)\b")
_OFFER = re.compile(r"\b(?:have|there is|available|free|choose|either)\b.* or \b")
_CONTENTS: tuple[tuple[Asked, re.Pattern[str]], ...] = (
    (
        Asked.DESCRIPTION,
        _pattern(
            r"\b(?:visit|appointment|call) (?:is )?(?:for|about)\b|\bis (?:it|this|that) (?:for|about)\b",
            r"\b(?:reason|symptoms?|describe|happened|happening|wrong|matter|trouble|concerns?|problems?|issue)\b",
            r"\b(?:brings? you|feel(?:ing)?|hurts?|more about|tell me why|calling about)\b",
        ),
    ),
    (Asked.DATE, _pattern(r"\b(?:date|birth|birthday|born|day|days|time|month|year|week|when|what hour)\b")),
    (
        Asked.DIGITS,
        _pattern(
            r"\b(?:numbers?|phone|telephone|mobile|digits?|zip|postcode|postal code|id|pin|extension)\b",
            r"\b(?:social security|policy|account|reference)\b",
            r"\b(?:reach|call) you (?:at|on|back)\b",
        ),
    ),
    (Asked.NAME, _pattern(r"\bnames?\b", r"\bspell", r"\bwho (?:am i|is (?:this|calling|speaking)|'s calling)\b")),
    (Asked.CHOICE, _pattern(r"\bwhich\b", r"\bwho\b", r"\b(?:doctor|medication|medicine|prescription|test)\b")),
    (Asked.DESCRIPTION, re.compile(r"\b(?:what|why|how|where)\b")),
)
"""The first match in a question counts."""


def asked_for(text: str) -> Asked | None:
    """What the agent last asked for in `text`, which may end anywhere: of an interrupted reply it is the part that was heard.

    None if the agent only asked the caller to repeat something: the question before that still stands.
    """
    plain = " ".join(text.casefold().replace("’", "'").split())
    sentences = [sentence.strip() for sentence in re.split(r"(?<=[.?!])\s+", plain) if sentence.strip()]
    for sentence in reversed(sentences):
        found = _question(sentence)
        if found is not None:
            if found is Asked.NOTHING and _REPEAT.search(sentence):
                return None
            return found
    return None if _REPEAT.search(plain) else Asked.NOTHING


def _question(sentence: str) -> Asked | None:
    """What a sentence asks for; None if it is not a question."""
    if _OPEN.search(sentence) or _REPEAT.search(sentence):
        return Asked.NOTHING
    if _TAG.search(sentence):
        return Asked.CONFIRMATION
    is_question = sentence.endswith("?")
    if _WH.search(sentence) or _REQUEST.search(sentence):
        return _content(sentence)
    if _YES_OR_NO.search(sentence):
        return _yes_or_no(sentence, is_question=is_question)
    if is_question:
        return _content(sentence) if _WH_ANYWHERE.search(sentence) else _yes_or_no(sentence, is_question=True)
    return Asked.CHOICE if _OFFER.search(sentence) else None


def _yes_or_no(sentence: str, *, is_question: bool) -> Asked | None:
    if not is_question:
        return None  # "have a good day."
    return Asked.CHOICE if " or " in sentence else Asked.CONFIRMATION


def _content(sentence: str) -> Asked:
    return next((asked for asked, pattern in _CONTENTS if pattern.search(sentence)), Asked.NOTHING)
