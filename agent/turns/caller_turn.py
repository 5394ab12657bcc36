"""What is known about the caller's turn while it lasts. The stages of a call report to it; whoever judges the end of the turn reads it."""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from enum import Enum

from agent.call.stream import EventStream
from agent.turns.asked import asked_for
from agent.turns.judged_words import judged_words
from agent.turns.pause_habits import PauseHabits
from serving.speech import Asked, TranscriptStage, TurnContext
from serving.vad.gate import Gate

BETWEEN_WINDOWS_S = 0.05
"""For this long after the VAD's last window the silence grows with the clock; then it waits for the next window. Sound that
queued up while the event loop was busy may hold speech."""
MUTED_S = 0.5
"""After this long without a window no sound is arriving at all (a muted microphone, a call that is ending), so the silence
follows the clock."""


class Recognition(Enum):
    """How far recognition has come with what the caller has said."""

    IDLE = "idle"
    """No utterance is being spoken or recognised: all words are in."""
    LISTENING = "listening"
    """An utterance is being spoken."""
    PAUSED = "paused"
    """The caller has paused, and the words so far are known; the utterance may go on."""


class CallerTurn:
    """The caller's words, silence and pausing habits, and what they were asked. Belongs to the call's event loop."""

    def __init__(self, events: EventStream) -> None:
        self._events = events
        self._habits = PauseHabits()
        self._utterances: list[tuple[str, str]] = []
        """The finished utterances of this turn: their words, and what they count as when the end of the turn is judged."""
        self._hypothesis = ""
        self._asked = Asked.NOTHING
        self._silence_s = 0.0
        self._window_at = 0.0
        self._news = asyncio.Event()
        self.is_sounding = False
        """Whether the VAD's last window held sound: the caller may be going on."""
        self.recognition = Recognition.IDLE

    # reported by the stages

    def heard_window(self, gate: Gate, end_s: float) -> None:
        """The VAD has judged a window that ends at `end_s`, and its gate has seen it."""
        self.is_sounding = gate.speech_run_s > 0
        self._silence_s = end_s - gate.speech_end_s
        self._window_at = time.monotonic()
        if not self.is_sounding:
            self._habits.silent(self._silence_s, agent_speaks=self._events.state.agent_is_speaking)
        elif gate.is_open:
            self._habits.speaks()
        self.tell()

    def voice_reset(self) -> None:
        """The VAD starts over; the silence goes on."""

    def utterance_began(self) -> None:
        """The recogniser hears speech."""
        self._hypothesis = ""
        self.recognition = Recognition.LISTENING

    def heard_words(self, text: str, stage: TranscriptStage) -> None:
        """The words of the utterance so far; all of them if `stage` is FINAL."""
        is_final = stage is TranscriptStage.FINAL
        if is_final:
            self._utterances.append((text, text))
        self._hypothesis = "" if is_final else text
        if self.recognition is not Recognition.IDLE:
            is_interim = stage is TranscriptStage.INTERIM
            self.recognition = Recognition.LISTENING if is_interim else Recognition.PAUSED
        self.tell()

    def unintelligible(self, speech_s: float) -> None:
        """The utterance is over: this many seconds of speech without a recognisable word."""
        self._hypothesis = ""
        self._utterances.append(("", judged_words("", speech_s)))
        self.tell()

    def utterance_over(self) -> None:
        """Its last words have been reported."""
        self._hypothesis = ""
        self.recognition = Recognition.IDLE
        self.tell()

    def agent_said(self, text: str) -> None:
        """The agent's message is over; `text` is what was heard of it."""
        if not any(text for text, _ in self._utterances):
            self._utterances.clear()  # the caller was asked to repeat what was unintelligible
        if text:
            self._asked = asked_for(text) or self._asked

    def turn_over(self) -> None:
        """The words up to now are being answered."""
        self._utterances.clear()

    # read by whoever judges the end of the turn

    @property
    def words(self) -> str:
        """The caller's words in this turn, including the newest hypothesis."""
        return self._joined(text for text, _ in self._utterances)

    @property
    def words_to_judge(self) -> str:
        """The same with marks for unintelligible utterances: what the end of the turn is judged by."""
        return self._joined(judged for _, judged in self._utterances)

    def _joined(self, utterances: Iterable[str]) -> str:
        return " ".join(text for text in (*utterances, self._hypothesis) if text)

    def silence_s(self) -> float:
        """How long the caller has been silent."""
        unheard_s = time.monotonic() - self._window_at
        return self._silence_s + (unheard_s if unheard_s >= MUTED_S else min(unheard_s, BETWEEN_WINDOWS_S))

    def context(self) -> TurnContext:
        """All of it, as the end-of-turn engine takes it."""
        return TurnContext(self.words_to_judge, self._asked, self.silence_s(), self._habits.pauses_s)

    def tell(self) -> None:
        """Something has changed: wake whoever waits for it."""
        self._news.set()

    async def changed(self, within_s: float) -> None:
        """Wait until something has changed, at most `within_s`. Only one task may wait at a time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._news.wait()
        self._news.clear()
