"""One call's AgentSession, built in the order of the audio path. What happens in it is published as the call's events."""

import asyncio
import contextlib
from typing import Any

from livekit import rtc
from livekit.agents import NOT_GIVEN, AgentSession, llm
from livekit.agents.voice import events as livekit_events

from agent.adapters.audio import spoken_frames
from agent.adapters.echo import cancel_echo
from agent.adapters.front_desk import FrontDesk
from agent.adapters.heard_output import HeardOutput
from agent.adapters.llm import LocalLlm
from agent.adapters.session_options import CONNECT_OPTIONS, room_options, turn_detection, turn_handling
from agent.adapters.stt import LocalStt, judge_by_text
from agent.adapters.tts import LocalTts
from agent.adapters.vad import LocalVad, VoiceListener
from agent.call.events import (
    AgentIdle,
    AgentInterrupted,
    AgentMessage,
    CallerMessage,
    CallerStartedSpeaking,
    CallerStoppedSpeaking,
    CallerTurnTimed,
    EndReason,
    HangingUp,
    Payload,
    ReplyTimed,
)
from agent.call.resources import CallResources
from agent.call.spoken import Spoken
from agent.call.stream import EventStream
from agent.replies.prefill import Prefill
from agent.replies.speculation import Replies
from agent.turns.caller_turn import CallerTurn
from agent.turns.overlap import OverlapJudge
from agent.turns.silence import SilenceClock
from serving.chat import ChatRequest
from serving.vad.shared import SharedVad


class CallSession:
    """The session of one call. Belongs to the call's event loop."""

    def __init__(self, resources: CallResources, events: EventStream) -> None:
        self._resources = resources
        self._events = events
        self.end_reason = EndReason.CALLER_LEFT
        """Why the call ended, or would end if it did now."""
        self.ended = asyncio.Event()
        """Set when the session is over."""
        engines, turns = resources.host.engines, resources.settings.turns
        self._turn = CallerTurn(events)
        self.overlap = self._overlap_judge()
        """Judges sound over the agent's voice. None if there is no engine for it: then the VAD decides."""
        self._model = self._language_model()
        self._voice = LocalTts(engines.tts, events=events)
        self.livekit: AgentSession[None] = self._agent_session()
        self._replies = Replies(
            turns.speculation,
            resources.demand,
            events,
            lines=resources.settings.capacity.max_calls,
            is_judged=engines.turn is not None,
            interrupt=self.interrupt,
        )
        Prefill(engines.llm, events, self._prompt)
        SilenceClock(events)
        events.react(self._react)
        self._publish_events_of(self.livekit)

    # commands

    async def start(self, room: rtc.Room | None = None) -> None:
        """Start listening and speaking in `room`, or through the input and output that `livekit` already has."""
        session, settings = self.livekit, self._resources.settings
        await session.start(
            self._front_desk(),
            room=NOT_GIVEN if room is None else room,
            room_options=NOT_GIVEN if room is None else room_options(settings),
            record=False,
            session_host=False,  # it would show the prompt to every caller, and let them run tools
        )
        if room is not None:
            cancel_echo(session, settings.turns.cancel_echo)
        output = session.output.audio
        if output is not None:
            session.output.audio = HeardOutput(output, self._events)

    def say(self, phrase: str, *, allow_interruptions: bool = True) -> str:
        """See Commands.say."""
        stock = self._resources.phrases[phrase]
        speech = self.livekit.say(
            stock.text, audio=spoken_frames(stock.spoken), allow_interruptions=allow_interruptions
        )
        return speech.id

    def interrupt(self) -> None:
        """See Commands.interrupt."""
        with contextlib.suppress(RuntimeError):  # the session is closing, or this reply may not be interrupted
            self.livekit.interrupt()

    def shutdown(self) -> None:
        """End the session once everything has been said."""
        self.livekit.shutdown(drain=True)

    # parts, in the order of the audio path

    def _agent_session(self) -> AgentSession[None]:
        settings, engines = self._resources.settings, self._resources.host.engines
        turns, overlap = settings.turns, self.overlap
        detection = turn_detection(turns, engines.turn, self._turn, self._events)
        listeners: list[VoiceListener] = [self._turn] if overlap is None else [overlap, self._turn]
        vad = SharedVad(engines.vad)
        return AgentSession(
            vad=LocalVad(vad, turns.gate, listeners=listeners),
            stt=LocalStt(
                engines.stt,
                language=settings.conversation.language,
                events=self._events,
                turn=self._turn,
                judge_overlap=judge_by_text if overlap is None else overlap.judge_words,
                vad=vad,
            ),
            turn_handling=turn_handling(turns, detection, is_adaptive=overlap is not None),
            llm=self._model,
            max_tool_steps=settings.conversation.max_tool_steps,
            tts=self._voice,
            tts_text_transforms=None,  # agent/speech does it, with the clause splitting it needs
            use_tts_aligned_transcript=False,  # HeardOutput reads the word times from the frames
            aec_warmup_duration=None,  # would deafen the agent for its first three seconds
            user_away_timeout=None,
            conn_options=CONNECT_OPTIONS,
        )

    def _overlap_judge(self) -> OverlapJudge | None:
        engine, turns = self._resources.host.engines.interruption, self._resources.settings.turns
        if engine is None:
            return None
        max_unjudged_s = turns.interruption_min_speech_s
        return OverlapJudge(engine, turns.overlap, max_unjudged_s=max_unjudged_s, events=self._events)

    def _language_model(self) -> LocalLlm:
        talk = self._resources.settings.conversation
        return LocalLlm(
            self._resources.host.engines.llm,
            max_reply_tokens=talk.max_reply_tokens,
            plain_user_text=talk.plain_user_text,
            tenant=talk.tenant,
            events=self._events,
        )

    def _front_desk(self) -> FrontDesk:
        return FrontDesk(
            instructions=self._resources.instructions,
            clinic=self._resources.clinic,
            model=self._model,
            voice=self._voice,
            replies=self._replies,
            events=self._events,
        )

    def _prompt(self, words: str) -> ChatRequest:
        """What the language model would be asked if the caller stopped after `words`."""
        agent = self.livekit.current_agent
        return self._model.request(agent.chat_ctx, agent.tools, saying=words)

    # from LiveKit's events to the call's

    def _publish_events_of(self, session: AgentSession[None]) -> None:
        session.on("speech_created", self._speech_created)
        session.on("user_state_changed", self._caller_state_changed)
        session.on("agent_state_changed", self._agent_state_changed)
        session.on("conversation_item_added", self._item_added)
        session.on("close", self._closed)

    def _speech_created(self, event: livekit_events.SpeechCreatedEvent) -> None:
        self._replies.announce(event.speech_handle, is_awaited=event.source != "say")

    def _caller_state_changed(self, event: livekit_events.UserStateChangedEvent) -> None:
        is_speaking = event.new_state == "speaking"
        self._events.publish(CallerStartedSpeaking() if is_speaking else CallerStoppedSpeaking())

    def _agent_state_changed(self, event: livekit_events.AgentStateChangedEvent) -> None:
        if event.new_state == "listening":
            self._events.publish(AgentIdle())

    def _item_added(self, event: livekit_events.ConversationItemAddedEvent) -> None:
        message = event.item
        if not isinstance(message, llm.ChatMessage):
            return
        times: dict[str, Any] = dict(message.metrics)
        if message.role == "user":
            self._events.publish(CallerMessage(Spoken(message.text_content or "")))
            self._events.publish(CallerTurnTimed(times.get("end_of_turn_delay"), times.get("transcription_delay")))
        elif message.role == "assistant":
            self._agent_said(message.text_content or "", is_interrupted=message.interrupted)
            self._events.publish(
                ReplyTimed(times.get("e2e_latency"), times.get("llm_node_ttft"), times.get("tts_node_ttfb"))
            )

    def _agent_said(self, text: str, *, is_interrupted: bool) -> None:
        self._turn.agent_said(text)
        if is_interrupted:
            self._events.publish(AgentInterrupted())
        self._events.publish(AgentMessage(Spoken(text), is_interrupted))

    def _closed(self, event: livekit_events.CloseEvent) -> None:
        if event.error is not None:
            self.end_reason = EndReason.FAILED
        self.ended.set()

    def _react(self, payload: Payload) -> None:
        if isinstance(payload, HangingUp):
            self.end_reason = payload.reason
