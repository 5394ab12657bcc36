"""LiveKit's TTS on top of a TtsEngine: tokens in, speakable clauses to the engine, audio and word times out."""

import asyncio

from livekit.agents import APIConnectOptions, tts, utils

from agent.adapters.audio import timed
from agent.adapters.errors import NO_RETRIES, api_error
from agent.call.events import EngineFailed
from agent.call.stream import EventStream
from agent.replies.reply import Reply
from agent.speech.speakable import Speakable
from models.errors import CallboxError
from serving.engine import TtsEngine, TtsStream

_SILENCE_S = 0.02


class LocalTts(tts.TTS[str]):
    """Speech from a shared engine, with word times, at the room's rate."""

    def __init__(self, engine: TtsEngine, *, events: EventStream) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=True, aligned_transcript=True),
            sample_rate=engine.sample_rate,
            num_channels=1,
        )
        self.engine = engine
        self.events = events

    @property
    def model(self) -> str:
        return self.engine.name

    @property
    def provider(self) -> str:
        return "callbox"

    def synthesize(self, text: str, *, conn_options: APIConnectOptions = NO_RETRIES) -> tts.ChunkedStream:
        return self._synthesize_with_stream(text, conn_options=NO_RETRIES)

    def stream(self, *, conn_options: APIConnectOptions = NO_RETRIES) -> tts.SynthesizeStream:
        return self.speak(None)

    def speak(self, reply: Reply | None) -> tts.SynthesizeStream:
        """Open a stream that synthesizes `reply`; None outside a call."""
        return _LocalTtsStream(self, reply)


class _LocalTtsStream(tts.SynthesizeStream):
    def __init__(self, parent: LocalTts, reply: Reply | None) -> None:
        super().__init__(tts=parent, conn_options=NO_RETRIES)
        self._parent = parent
        self._reply = reply
        self._has_pushed = False

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id=utils.shortuuid("speech_"),
            sample_rate=self._parent.sample_rate,
            num_channels=1,
            mime_type="audio/pcm",
            stream=True,
        )
        output_emitter.start_segment(segment_id=utils.shortuuid("segment_"))
        try:
            await self._speak_with(self._parent.engine.open(), output_emitter)
        except CallboxError as error:
            self._parent.events.publish(EngineFailed("tts", type(error).__name__))
            raise api_error(error) from error

    async def _speak_with(self, engine_stream: TtsStream, output_emitter: tts.AudioEmitter) -> None:
        feeding = asyncio.create_task(self._feed(engine_stream))
        try:
            await self._speak(engine_stream, output_emitter)
            await feeding
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            await engine_stream.aclose()

    async def _feed(self, engine_stream: TtsStream) -> None:
        speakable = Speakable()
        async for item in self._input_ch:
            pieces = speakable.push(item) if isinstance(item, str) else speakable.flush()
            await self._push(engine_stream, pieces)
        await self._push(engine_stream, speakable.flush())
        engine_stream.end_input()

    async def _push(self, engine_stream: TtsStream, pieces: list[str]) -> None:
        for piece in pieces:
            if self._has_pushed and self._reply is not None:
                await self._reply.wait_until_confirmed()  # the first clause covers the time that the next one takes
            self._has_pushed = True
            self._mark_started()
            engine_stream.push(piece)

    async def _speak(self, engine_stream: TtsStream, output_emitter: tts.AudioEmitter) -> None:
        spoken_s = 0.0
        async for spoken in engine_stream:
            for word in spoken.words:
                output_emitter.push_timed_transcript(timed(word))
            output_emitter.push(spoken.audio.samples.tobytes())
            spoken_s += spoken.audio.duration_s
            if self._reply is not None:
                self._reply.add_audio(spoken.audio.duration_s)
        if not spoken_s:
            # LiveKit treats a reply without audio as a failure, which text of nothing but symbols is not
            output_emitter.push(b"\0\0" * int(_SILENCE_S * self._parent.sample_rate))
        output_emitter.end_segment()
