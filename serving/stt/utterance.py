"""One utterance from its first sound to its final: what has been heard, and the events still to send."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future

from serving.speech import SpeechEnded, SttEvent, Transcript, TranscriptStage, Word
from serving.stt.hearing import Heard
from serving.stt.local_agreement import LocalAgreement, common_prefix

AGREEMENT_HOLD_S = 0.2
"""Words that end less than this before the end of a partial clip are not agreed on. This halves the number of agreed words that the
final contradicts (demo model, 250 ms between partials, 240 utterances: 2.2 % instead of 4.3 %)."""


class Utterance:
    """Collects `events` in order; the stream sends them."""

    def __init__(self, start_s: float, clip_start_s: float) -> None:
        self.clip_start_s = clip_start_s
        self.events: deque[SttEvent] = deque()
        self.is_over = False
        """Whether its last event is in `events`."""
        self.partial: Future[Heard] | None = None
        """The latest partial decode."""
        self.settling: Future[Heard] | None = None
        """The decode that will be the final unless the caller goes on."""
        self.start_s = start_s
        self._agreement = LocalAgreement()
        self._agreed: tuple[Word, ...] = ()
        self._settled: Transcript | None = None
        self._finished = False
        self._told: Transcript | None = None
        """The last transcript sent."""

    def awaits(self, answer: "Future[Heard]") -> bool:
        """Whether this answer still matters."""
        return answer is self.partial or answer is self.settling

    def heard_partial(self, heard: Heard, end_s: float, decode_s: float) -> None:
        """A partial decode is done; ignored if the caller has paused since."""
        if self.settling is not None or self._finished:
            return
        agreement = self._agreement.push(heard.words, before_s=end_s - AGREEMENT_HOLD_S)
        self._agreed = agreement.words[: agreement.agreed]
        interim = self._transcript(TranscriptStage.INTERIM, agreement.words, end_s, decode_s)
        if interim.text and (self._told is None or interim.text != self._told.text):
            self._tell(interim)

    def settle(self, answer: "Future[Heard]") -> None:
        """The caller has paused; `answer` decodes the whole utterance."""
        self._cancel(self.partial)
        self.partial, self.settling = None, answer

    def reopen(self) -> None:
        """The caller goes on, so the settled decode is not the final."""
        answer, self.settling, self._settled = self.settling, None, None
        self._cancel(answer)

    def heard_settled(self, heard: Heard, speech_end_s: float, decode_s: float) -> None:
        """The whole utterance is decoded: a preflight, or the final if the silence has lasted long enough."""
        agreement = self._agreement.push(heard.words)
        self._agreed = agreement.words[: agreement.agreed]
        self._settled = self._transcript(TranscriptStage.PREFLIGHT, heard.words, speech_end_s, decode_s)
        if self._finished:
            self._end(self._settled)
        elif self._settled.text and not self._is_told(self._settled):
            self._tell(self._settled)

    def finish(self) -> None:
        """The silence has lasted long enough: the final has the words of the last settled decode."""
        self._finished = True
        if self._settled is not None:
            self._end(self._settled)

    def abandon(self) -> None:
        """Cancel decodes that are still waiting."""
        partial, settling = self.partial, self.settling
        self.partial = self.settling = None
        self._cancel(partial)
        self._cancel(settling)

    def _end(self, settled: Transcript) -> None:
        final = self._transcript(TranscriptStage.FINAL, settled.words, settled.end_s, settled.decode_s)
        self._tell(final)
        self.events.append(SpeechEnded(settled.end_s))
        self.is_over = True

    def _is_told(self, preflight: Transcript) -> bool:
        """Whether the last event was a preflight of the same words: the caller only took a breath."""
        return self._told is not None and (self._told.stage, self._told.text) == (preflight.stage, preflight.text)

    def _tell(self, transcript: Transcript) -> None:
        self._told = transcript
        self.events.append(transcript)

    def _transcript(self, stage: TranscriptStage, words: Sequence[Word], end_s: float, decode_s: float) -> Transcript:
        return Transcript(
            stage=stage,
            text=" ".join(word.text for word in words),
            start_s=self.start_s,
            end_s=end_s,
            words=tuple(words),
            confidence=sum(word.probability for word in words) / len(words) if words else 0.0,
            agreed_words=len(words) if stage is TranscriptStage.FINAL else common_prefix(self._agreed, words),
            decode_s=decode_s,
        )

    def _cancel(self, answer: "Future[Heard] | None") -> None:
        if answer is not None:
            answer.cancel()
