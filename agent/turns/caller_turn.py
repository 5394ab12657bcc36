"""What is known of the caller's turn while it lasts: told by the stages of one call, asked by whoever judges its end."""

import asyncio
import contextlib
import time
from collections.abc import Iterable

from agent.call.stream import EventStream
from agent.turns.asked import asked_for
from agent.turns.judged_words import judged_words
from agent.turns.pause_habits import PauseHabits
from serving.speech import Asked, TranscriptStage, TurnContext
from serving.vad.gate import Gate

BETWEEN_WINDOWS_S = 0.05
"""The silence grows with the clock for so long after the VAD's last window; then it waits for the next. Sound that has queued
up while the event loop was busy may hold speech."""
MUTED_S = 0.5
"""After so long without a window no sound comes at all (a muted microphone, a call that ends): silence is what the clock says."""


class CallerTurn:
    """Words, silence and habits of one call's caller, and what they were asked. Belongs to the call's event loop."""

    def __init__(self, events: EventStream) -> None:
        self._events = events
        self._habits = PauseHabits()
        self._utterances: list[tuple[str, str]] = []
        """Of this turn, those that are over: their words, and what they count as when its end is judged."""
        self._hypothesis = ""
        self._asked = Asked.NOTHING
        self._silence_s = 0.0
        self._window_at = 0.0
        self._news = asyncio.Event()
        self.is_sounding = False
        """Whether the VAD's last window held sound: perhaps the caller goes on."""
        self.words_are_in = True
        """Whether no utterance is being spoken or recognised."""
        self.words_are_settled = True
        """Whether the words up to this pause are known, those of an utterance that may go on included."""

    # what the stages tell

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
        """The VAD begins anew; the silence goes on."""

    def utterance_began(self) -> None:
        """Recognition hears speech."""
        self._hypothesis = ""
        self.words_are_in = self.words_are_settled = False

    def heard_words(self, text: str, stage: TranscriptStage) -> None:
        """The words of the utterance so far; all of them, if it is over."""
        is_final = stage is TranscriptStage.FINAL
        if is_final:
            self._utterances.append((text, text))
        self._hypothesis = "" if is_final else text
        self.words_are_settled = stage is not TranscriptStage.INTERIM
        self.tell()

    def heard_no_words(self, speech_s: float) -> None:
        """The utterance is over: so many seconds of speech, and nothing was made out."""
        self._hypothesis = ""
        self._utterances.append(("", judged_words("", speech_s)))
        self.tell()

    def utterance_over(self) -> None:
        """Its last words have been told."""
        self._hypothesis = ""
        self.words_are_in = self.words_are_settled = True
        self.tell()

    def agent_said(self, text: str) -> None:
        """The agent's message ended; `text` is what was heard of it."""
        if not any(text for text, _ in self._utterances):
            self._utterances.clear()  # what was not made out has been asked for again
        if text:
            self._asked = asked_for(text) or self._asked

    def turn_over(self) -> None:
        """The words up to now are being answered."""
        self._utterances.clear()

    # what is asked

    @property
    def words(self) -> str:
        """The caller's words of this turn, newest hypothesis included."""
        return self._joined(text for text, _ in self._utterances)

    @property
    def words_to_judge(self) -> str:
        """The same with marks for utterances that nothing was made out of: what the end of the turn is judged by."""
        return self._joined(judged for _, judged in self._utterances)

    def _joined(self, utterances: Iterable[str]) -> str:
        return " ".join(text for text in (*utterances, self._hypothesis) if text)

    def silence_s(self) -> float:
        """How long the caller has made no sound, now."""
        unheard_s = time.monotonic() - self._window_at
        return self._silence_s + (unheard_s if unheard_s >= MUTED_S else min(unheard_s, BETWEEN_WINDOWS_S))

    def context(self) -> TurnContext:
        """All of it, now."""
        return TurnContext(self.words_to_judge, self._asked, self.silence_s(), self._habits.pauses_s)

    def tell(self) -> None:
        """Something has changed: wake who waits for it."""
        self._news.set()

    async def changed(self, within_s: float) -> None:
        """Wait until something has changed, but no longer than that. One may wait at a time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._news.wait()
        self._news.clear()
