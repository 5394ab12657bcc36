"""LiveKit's remote control of a session (`lk.agent.session`) is closed: a caller can neither observe nor control it."""

import asyncio

import pytest
from livekit import rtc
from livekit.agents.voice.remote_session import TOPIC_SESSION_MESSAGES, RemoteSession

from scripts.caller.room import mint_ticket
from tests.call.conftest import RunningBox

pytestmark = pytest.mark.call

ANSWER_WITHIN_S = 2.0
"""An open channel answers within milliseconds."""


async def test_a_caller_cannot_control_the_session(box: RunningBox) -> None:
    room, received = rtc.Room(), asyncio.Event()
    server = box.server
    ticket = mint_ticket(server.url, server.key, server.secret, room="control", identity="caller", agent=box.agent_name)
    spoken = asyncio.Event()
    room.on("track_subscribed", lambda *_: spoken.set())
    await room.connect(ticket.url, ticket.token)
    try:
        await asyncio.wait_for(spoken.wait(), 20)
        agent = next(iter(room.remote_participants.values())).identity
        remote = RemoteSession.from_room(room, agent)
        await remote.start()
        for ask in (remote.get_agent_info, remote.get_chat_history, lambda: remote.run("where can i park")):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ask(), ANSWER_WITHIN_S)
        await remote.aclose()
        # nor does the session broadcast what happens in it
        room.register_byte_stream_handler(TOPIC_SESSION_MESSAGES, lambda reader, identity: received.set())
        await room.local_participant.send_text("where can i park", topic="lk.chat")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(received.wait(), ANSWER_WITHIN_S)
    finally:
        await room.disconnect()
