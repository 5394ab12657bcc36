"""A call's session: its parts are its own, its engines are shared, and none of it is a service elsewhere."""

import asyncio

import pytest
from livekit.agents import AgentSession

from agent.call.resources import CallResources
from agent.call.session import CallSession
from agent.call.stream import EventStream
from serving.host import Engines
from tests.call_resources import call_resources
from tests.scripted import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedTurn, ScriptedVad, Sounds
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit


def resources() -> CallResources:
    """On scripted engines."""
    sounds = Sounds()
    return call_resources(
        Engines(
            ScriptedVad(),
            ScriptedStt(sounds),
            ScriptedTurn(sounds),
            ScriptedLlm(lambda request: []),
            ScriptedTts(sounds),
        )
    )


def session_on(shared: CallResources) -> AgentSession[None]:
    """A call's."""
    return CallSession(shared, EventStream("call", asyncio.get_running_loop())).livekit


@in_virtual_time
async def test_nothing_of_a_session_is_a_service() -> None:
    session = session_on(resources())
    parts = (session.vad, session.stt, session.llm, session.tts)
    assert [getattr(part, "provider", None) for part in parts] == ["callbox"] * 4
    options = session.options
    assert options.interruption["mode"] == "vad"
    assert options.user_away_timeout is None
    assert options.aec_warmup_duration is None
    assert options.tts_text_transforms is None


@in_virtual_time
async def test_each_session_has_adapters_of_its_own_on_the_same_engines() -> None:
    shared = resources()
    one, other = session_on(shared), session_on(shared)
    assert one.llm is not other.llm
    assert one.stt is not other.stt
    assert one.llm.engine is other.llm.engine is shared.host.engines.llm  # type: ignore[union-attr]
