"""Holds one call: answers by the dialogue's rules, listens for the end of each reply, hangs up."""

import asyncio
from dataclasses import dataclass, field

from scripts.caller.captions import Segment
from scripts.caller.dialogue import Dialogue, Rule, Script
from scripts.caller.mouth import Kind, Utterance, until_spoken
from scripts.caller.room import CallerRoom, TurnEvent
from scripts.caller.voice import Voice
from serving.audio import Pcm16

MAX_JOIN_S = 15.0
"""The agent must have joined the room by then."""
MAX_GREETING_WAIT_S = 6.0
"""If no greeting has begun by then, the caller speaks first."""
MAX_ANSWER_WAIT_S = 10.0
"""If no answer has begun by then, the caller repeats the line once, as people do, and then gives up."""
MAX_REPLY_S = 60.0
"""Longest reply."""
SILENCE_S = 0.7
"""A reply is over after this much silence, unless the agent's state is speaking or thinking."""
MAX_SILENCE_S = 4.0
"""A reply is over after this much silence in any case."""
POLL_S = 0.02


@dataclass(slots=True)
class Exchange:
    """A line of the caller and the reply to it."""

    utterance: Utterance | None
    """None for the greeting."""
    reply: str
    """The agent's words, from the captions."""


@dataclass(frozen=True, slots=True)
class Step:
    """What the caller does next."""

    rule: Rule
    kind: Kind


@dataclass(slots=True, kw_only=True)
class CallRecord:
    """The records of a call; both recordings begin at the same instant, int16 at RATE."""

    room: str
    caller: Pcm16
    agent: Pcm16
    utterances: list[Utterance]
    segments: list[Segment]
    caller_identity: str
    turns: list[TurnEvent]
    exchanges: list[Exchange]
    problems: list[str] = field(default_factory=list)
    """What went wrong, in sentences."""

    @property
    def agent_said(self) -> str:
        """All captions of the agent."""
        return " ".join(s.text.strip() for s in self.segments if s.identity != self.caller_identity)


class Conversation:
    """Takes one caller through a dialogue, in a room already joined."""

    def __init__(self, call: CallerRoom, voice: Voice, dialogue: Dialogue) -> None:
        self._call = call
        self._voice = voice
        self._script = Script(dialogue)
        self._dialogue = dialogue
        self._lines = {text: voice.line(text) for text in dialogue.lines()}
        self._exchanges: list[Exchange] = []
        self._problems: list[str] = []

    async def hold(self, room: str) -> CallRecord:
        """Hold the whole call, from the greeting to hanging up."""
        try:
            await asyncio.wait_for(self._call.agent_joined.wait(), MAX_JOIN_S)
        except TimeoutError:
            self._problems.append(f"no agent joined within {MAX_JOIN_S:.0f} s: is the worker running and not full?")
        else:
            await self._talk()
        return CallRecord(
            room=room,
            caller=self._call.mouth.recording(),
            agent=self._call.ear.recording(),
            utterances=list(self._call.mouth.utterances),
            segments=list(self._call.captions.segments),
            caller_identity=self._call.identity,
            turns=list(self._call.turns),
            exchanges=self._exchanges,
            problems=self._problems,
        )

    async def _talk(self) -> None:
        due = await self._listen(0.0, 0.0, MAX_GREETING_WAIT_S)
        self._exchanges.append(Exchange(None, self._reply_since(0.0)))
        opening = self._dialogue.opening
        step = Step(Rule(say=opening), Kind.LINE) if opening and due is None else self._next_step(due)
        for _ in range(self._dialogue.max_turns):
            if step is None:
                return
            step = await self._exchange(step)
        if step is not None:
            self._problems.append(f"the dialogue was not over after {self._dialogue.max_turns} lines of the caller")

    async def _exchange(self, step: Step) -> Step | None:
        """Say the rule's line and listen to the answer. Returns the next step; None to hang up."""
        say, kind = step.rule.say or "", step.kind
        for attempt in (1, 2):
            began_s = self._call.clock.now_s()
            utterance = self._call.mouth.say(self._lines[say], kind)
            spoken_s = await until_spoken(utterance, self._call.clock)
            due = await self._listen(began_s, spoken_s, MAX_ANSWER_WAIT_S)
            self._exchanges.append(Exchange(utterance, self._reply_since(began_s)))
            if step.rule.hang_up:
                return None
            if self._call.ear.sounded_since(spoken_s) or self._call.over.is_set():
                return self._next_step(due)
            self._problems.append(f"no answer within {MAX_ANSWER_WAIT_S:.0f} s to {say!r} (attempt {attempt})")
            kind = Kind.LINE
        return None

    def _next_step(self, due: Rule | None) -> Step | None:
        """The barge-in that is due, or the rules' answer to the last reply; None to hang up."""
        if due is not None:
            return Step(due, Kind.BARGE_IN)
        reply = self._exchanges[-1].reply
        rule = self._script.answer(reply)
        if rule is not None and rule.hang_up and rule.say is None:
            return None
        if self._call.over.is_set():
            self._problems.append(f"the agent left the call after {reply!r}")
            return None
        if rule is None:
            self._problems.append(f"nothing in the dialogue answers {reply!r}")
            return None
        return Step(rule, Kind.LINE)

    async def _listen(self, began_s: float, since_s: float, begins_within_s: float) -> Rule | None:
        """Wait until the reply that sounds after `since_s` is over, or until a barge-in is due, which is returned.

        `began_s` is the start of the line that it answers: the reply's captions begin later.
        """
        call, murmured, onset_s = self._call, False, None
        while not call.over.is_set():
            now_s = call.clock.now_s()
            if call.ear.sounded_since(since_s):
                onset_s = onset_s or call.ear.began_after(since_s) or since_s
                so_far, sounding_s = self._reply_since(began_s), now_s - onset_s
                if self._is_silent(now_s) or sounding_s > MAX_REPLY_S:
                    return None
                if rule := self._script.interruption(so_far, sounding_s):
                    return rule
                murmur = None if murmured else self._script.backchannel(so_far, sounding_s)
                if murmur is not None:
                    murmured = True
                    call.mouth.say(self._lines[murmur.say], Kind.BACKCHANNEL)
            elif now_s > since_s + begins_within_s * (2 if self._agent_is_busy else 1):
                return None
            await asyncio.sleep(POLL_S)
        return None

    def _is_silent(self, now_s: float) -> bool:
        silence_s = now_s - (self._call.ear.last_sound_s or 0.0)
        return silence_s > (MAX_SILENCE_S if self._agent_is_busy else SILENCE_S)

    @property
    def _agent_is_busy(self) -> bool:
        return self._call.agent_state in {"speaking", "thinking"}

    def _reply_since(self, since_s: float) -> str:
        return self._call.captions.text(self._call.agent_identities, since_s=since_s)
