"""What callers say over the agent's voice: interruptions, and backchannels that only show that they listen."""

import random

from scripts.train.sentences.callers import Callers
from scripts.train.sentences.grammar import Grammar

MAX_WORDS = 9
"""Of a line: nothing later than two seconds is used for training."""

WORDS = {
    "first": ["anna", "david", "maria", "james", "linda", "sarah", "tom", "helen", "martin", "nora"],
    "day": ["monday", "tuesday", "wednesday", "thursday", "friday", "tomorrow", "next week", "today", "the weekend"],
    "number": ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twenty"],
    "thing": [
        *("appointment", "prescription", "insurance", "blood test", "bill", "address", "phone number", "doctor"),
        *("knee", "son", "daughter", "mother", "password", "order", "account", "delivery", "name", "car", "invoice"),
    ],
    "verb": [
        *("change", "cancel", "move", "check", "ask about", "talk about", "book", "confirm", "pay for", "know about"),
        *("forget", "send", "explain", "look at", "find"),
    ],
}
RULES = {
    "stop": (
        "{wait|stop|stop|stop now|stop there|excuse me|excuse me please|sorry excuse me|hold on|hang on|wait wait|stop stop|no|no no|no no no|sorry|excuse me|pardon|pardon me|one moment|"
        "just a moment|just a second|hold on a second|wait a minute|hang on a minute|hold it|stop talking|stop it|"
        "please stop|be quiet|shut up|listen|hey|hello|hello hello|hey listen|let me speak|can i say something|"
        "i have a question|quick question|no thanks|never mind|forget it|cancel|cancel that|repeat|repeat that|"
        "say that again|what|what did you say|what was that|who|when|where|why|which one|how much|how long|"
        "not that one|that is wrong|that's wrong|wrong|not today|too late|too early|too expensive|i disagree|"
        "i don't understand|i can't hear you|speak up|slower please|too fast|go back|skip|skip that|next|next one|"
        "help|agent|operator|human please|a person please|don't|do not do that|enough|that's enough}"
    ),
    "opener": (
        "{actually|actually|actually no|but|but|but i|but wait|well|well actually|um|uh|er|so|and|and also|also|then|because|i mean|look|listen|"
        "by the way|one more thing|the thing is|what about|how about|could you|can you|can i|could i|do you|did you|"
        "is there|is it|are you|will it|would you|i want|i need|i think|i don't|i can't|i was|i already|my|the|it's|"
        "that's|this is|there is|we|you said|you told me|let me|let's|maybe|not|if|after|before|at|on|in|for|to}"
    ),
    "rest": (
        "{ it| that| the <thing>| my <thing>| <day>| a <thing>} {please|on <day>|for <day>|instead|again|now|first|"
        "about the <thing>|before <day>|with <first>|to <verb>|and <verb> it|is wrong|was on <day>|costs too much}"
    ),
    "question": (
        "{what|when|where|why|how|who} {is|are|was|does|do|did|would|can|should} {it|that|the <thing>|my <thing>|you|i|"
        "he|she|they} {cost|start|open|come|mean|do|work|need|<verb> that}"
    ),
    "statement": (
        "{i|we|you|they|he|she|it|somebody|nobody|everyone} {have|has|had|was|were|am|is|can't|don't|didn't|won't|"
        "never|already|only|just|really|still|might|should|could} {<verb>|need|want|like|think|go|call|come|work|"
        "take|make|hear|see|say} {the <thing>|my <thing>|a <thing>|it|that|you|on <day>}"
    ),
    "answer": (
        "{on <day>|<day>|<day> please|at <number>|at <number> thirty|<number>|<number> <number> <number>|"
        "<number> o'clock|the <number>th|<first>|my name is <first>|it's <first>|the first one|the second one|"
        "the last one|neither|both|none|not sure|i don't know|maybe|in the morning|in the afternoon|after lunch|"
        "half past <number>|half past <number> please|half past <number> on <day>|at half past <number>|<number> fifteen|"
        "a quarter past <number>|a quarter to <number>|<number> thirty please|any time|as soon as possible|the earlier one|doctor <first>}"
    ),
    "yesbut": (
        "{yeah|yeah|yes|right|okay|okay|oh|i see|sure|<mm>|<mm_hmm>|sure|uh huh|i see|alright|got it|yeah yeah|okay okay} {but|but|but|so|and|no|wait|"
        "then|well|actually|what about|can i|could you|i need|i want|i have|i don't|is there|does it|do you|that's not|"
        "the <thing>|how|when|let me|just|my|it's|you} <rest>"
    ),
    "murmur": (
        "{<mm_hmm>|<mm>|uh huh|uh-huh|yeah|yeah|yep|yes|yes|right|right|okay|okay|sure|i see|got it|alright|all right|oh|"
        "ah|oh okay|oh i see|oh yeah|oh right|ah okay|uh|aha|of course|good|great|fine|cool|true|exactly|really|yup|huh|"
        "wow|nice|perfect|absolutely|definitely|very good|sounds good|go on|i know|makes sense|fair enough|that's right|"
        "thank you|thanks}"
    ),
    "core": (
        "{<mm_hmm>|<mm_hmm>|uh huh|uh-huh|yeah|yeah|yes|right|okay|okay|okay|sure|i see|i see|got it|alright|oh|oh|<mm>|yep}"
    ),
}
_IN_LETTERS = {"mm_hmm": ("um hum", "umhum"), "mm": ("hum", "um", "mum")}
SPELLED: dict[str, dict[str, tuple[str, ...]]] = {
    "flite": _IN_LETTERS,
    "foreign": _IN_LETTERS,
    "espeak": {
        "mm_hmm": ("[[m:h'm:]]", "[[m'mh'm]]", "[[@mh'Vm]]", "um hum"),
        "mm": ("[[m:]]", "[[m:m]]", "[[h@m]]", "[[hm:]]"),
    },
}
"""How to write a murmur so that a synthesizer says it; they spell out "mm hmm"."""
PHONES = (
    *("pau m hh m pau", "pau m m hh m m pau", "pau ah m hh ah m pau", "pau m hh ah m pau", "pau m m hh m pau"),
    *("pau m pau", "pau m m pau", "pau hh m pau", "pau hh m m pau", "pau ah m pau", "pau m ah m pau", "pau n hh n pau"),
    *("pau ah hh ah pau", "pau ah hh ah ah pau", "pau ax hh ah pau"),
)
"""Murmurs in the phones of flite and festival's kal: mm hmm, mm, hm, uh huh."""


class Lines:
    """Draws lines; the same state of `rng` gives the same lines."""

    def __init__(self, rng: random.Random) -> None:
        """Draws from `rng`."""
        self._rng = rng
        self._engine = "flite"
        spelled = {name: lambda name=name: rng.choice(SPELLED[self._engine][name]) for name in SPELLED["flite"]}
        self._grammar = Grammar(rng, words=WORDS, rules=RULES, functions=spelled)
        self._callers = Callers(rng)

    def interruption(self) -> str:
        """An interruption that sounds like one from its first word."""
        kind = self._rng.choices(("stop", "opener", "question", "statement", "answer", "callers"), (6, 5, 2, 3, 3, 6))[
            0
        ]
        if kind == "callers":
            return self._cut(self._not_a_murmur())
        text = self._grammar.draw(kind)
        if kind == "opener" or (kind == "stop" and self._rng.random() < 0.35):
            text += " " + (self._grammar.draw("rest") if self._rng.random() < 0.5 else self._not_a_murmur())
        return self._cut(text)

    def yes_but(self, engine: str) -> str:
        """An interruption that begins like a backchannel, written for that synthesizer."""
        self._engine = engine
        return self._cut(self._grammar.draw("yesbut"))

    def backchannel(self, engine: str) -> str:
        """A backchannel, sometimes a double one, written for that synthesizer."""
        self._engine = engine
        if engine in ("flite", "foreign") and self._rng.random() < 0.3:
            text = self._rng.choice(PHONES)
            return f"{text} {text}" if self._rng.random() < 0.2 else text
        text = self._grammar.draw("core" if self._rng.random() < 0.65 else "murmur")
        draw = self._rng.random()
        if draw < 0.15:
            return f"{text} {text}"
        if draw < 0.3:
            return f"{text} {self._grammar.draw('core')}"
        return f"{text}, {text}" if draw < 0.34 else text

    def talk(self) -> str:
        """Any sentence, as said by a television, another person or the agent."""
        return self._callers.sentence() if self._rng.random() < 0.6 else self._grammar.draw("statement")

    def _not_a_murmur(self) -> str:
        while True:
            text = self._callers.sentence()
            if text.split()[0] not in (
                "yes",
                "okay",
                "sure",
                "right",
                "correct",
                "perfect",
                "great",
                "thank",
                "thanks",
            ):
                return text

    def _cut(self, text: str) -> str:
        return " ".join(text.split()[:MAX_WORDS])
