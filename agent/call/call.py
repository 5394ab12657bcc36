"""One call: brings a session into its room, attaches the subscribers, and ends with it."""

import asyncio
from contextlib import AbstractContextManager, nullcontext

from livekit import rtc
from livekit.agents import JobContext

from agent.adapters.captions import Captions
from agent.call.call_log import CallLog
from agent.call.call_metrics import CallMetrics
from agent.call.dialogue import Dialogue
from agent.call.events import CallBegan, CallEnded, ParticipantJoined, ParticipantLeft
from agent.call.resources import CallResources
from agent.call.session import CallSession
from agent.call.spoken import Spoken
from agent.call.stream import EventStream
from agent.call.turn_figures import TurnRecorder


class Call:
    """One caller on the line. Lives on the event loop of its job, and is the call's Commands."""

    def __init__(self, job: JobContext, resources: CallResources) -> None:
        self._job = job
        self._resources = resources
        self._events = EventStream(job.job.id, asyncio.get_running_loop())
        self._session = CallSession(resources, self._events)
        Dialogue(self._events, self, longest_turn_end_s=resources.settings.turns.endpointing.max_delay_s)
        for attach in (CallMetrics, CallLog, TurnRecorder, *resources.attachments):
            attach(self._events)
        Captions(job.room, self._events)

    async def run(self) -> None:
        """Hold the call until one side has left."""
        self._resources.calls.add(self._events)
        try:
            await self._job.connect()
            self._publish_participants()
            with self._overlaps_judged():
                await self._session.start(self._job.room)
                self._events.publish(CallBegan())
                await self._session.ended.wait()
        finally:
            self._resources.calls.discard(self._events)
            self._events.publish(CallEnded(self._session.end_reason))
            await self._events.aclose()

    # commands

    def say(self, phrase: str, *, allow_interruptions: bool = True) -> str:
        """See Commands.say."""
        return self._session.say(phrase, allow_interruptions=allow_interruptions)

    def interrupt(self) -> None:
        """See Commands.interrupt."""
        self._session.interrupt()

    def hang_up(self) -> None:
        """See Commands.hang_up."""
        self._session.shutdown()
        self._job.delete_room()

    # what happens in the room

    def _publish_participants(self) -> None:
        def joined(participant: rtc.RemoteParticipant) -> None:
            is_telephone = participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP
            self._events.publish(ParticipantJoined(Spoken(participant.identity), is_telephone))

        def left(participant: rtc.RemoteParticipant) -> None:
            self._events.publish(ParticipantLeft(Spoken(participant.identity)))

        room = self._job.room
        for participant in room.remote_participants.values():
            joined(participant)
        room.on("participant_connected", joined)
        room.on("participant_disconnected", left)

    def _overlaps_judged(self) -> AbstractContextManager[None]:
        server, overlap = self._resources.interruptions, self._session.overlap
        if server is None or overlap is None:
            return nullcontext()
        return server.judging(self._job.job.id, overlap.judge)
