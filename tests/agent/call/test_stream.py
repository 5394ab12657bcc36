"""The stream of a call's events: who gets them, and that no reader can harm the call."""

import asyncio
import threading
import time

import pytest

from agent.call.events import (
    AgentStartedSpeaking,
    CallBegan,
    CallEnded,
    CallerTranscript,
    CallEvent,
    CallState,
    EndReason,
    EngineReloaded,
    Payload,
    PublicPayload,
    Silence,
    StateChanged,
    TurnOver,
)
from agent.call.spoken import Spoken
from agent.call.stream import CAPACITY, EventStream
from serving import metrics
from serving.speech import TranscriptStage
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit

WORDS = CallerTranscript(TranscriptStage.FINAL, Spoken("where can i park"))


def stream() -> EventStream:
    """Of a call that begins now."""
    return EventStream("AJ_1", asyncio.get_running_loop())


def count(name: str, subscriber: str) -> float:
    """A counter of the registry, 0 if there is none yet."""
    return metrics.REGISTRY.get_sample_value(f"callbox_{name}_total", {"subscriber": subscriber}) or 0.0


class Reader:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[CallEvent[Payload]] = []

    async def __call__(self, event: CallEvent[Payload]) -> None:
        self.events.append(event)

    @property
    def payloads(self) -> list[Payload]:
        """Without their times."""
        return [event.payload for event in self.events]


@in_virtual_time
async def test_every_subscriber_gets_every_event_in_order_with_its_time() -> None:
    events, first, second = stream(), Reader(), Reader()
    events.subscribe("first", first)
    events.subscribe("second", second)
    events.publish(CallBegan())
    await asyncio.sleep(1.5)
    events.publish(WORDS)
    await events.drained(1.0)
    assert first.payloads == second.payloads == [CallBegan(), StateChanged(CallState.LISTENING), WORDS]
    assert [event.at_s for event in first.events] == [0.0, 0.0, 1.5]
    assert {event.call_id for event in first.events} == {"AJ_1"}
    await events.aclose()


@in_virtual_time
async def test_logs_and_metrics_get_nothing_that_anybody_said() -> None:
    events, seen = stream(), list[PublicPayload]()

    async def read(event: CallEvent[PublicPayload]) -> None:
        seen.append(event.payload)

    events.subscribe_public("log", read)
    for payload in (TurnOver(), WORDS, Silence(5.0)):
        events.publish(payload)
    await events.drained(1.0)
    assert seen == [TurnOver(), Silence(5.0)]
    await events.aclose()


@in_virtual_time
async def test_a_subscriber_that_never_reads_loses_events_and_holds_up_nothing() -> None:
    events, reader = stream(), Reader()

    async def stuck(event: CallEvent[Payload]) -> None:
        await asyncio.Event().wait()

    lost = count("call_events_lost", "stuck")
    subscription = events.subscribe("stuck", stuck)
    events.subscribe("reader", reader)
    for at in range(CAPACITY + 100):
        events.publish(Silence(float(at)))
        await asyncio.sleep(0.01)
    await events.drained(0.5)
    assert len(reader.events) == CAPACITY + 100
    assert subscription.lost == count("call_events_lost", "stuck") - lost == 99  # one is being handled
    began = time.monotonic()
    await events.aclose(within_s=0.5)
    assert time.monotonic() - began == pytest.approx(0.5)


@in_virtual_time
async def test_a_subscriber_that_raises_loses_that_event_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    events, handled = stream(), list[Payload]()

    async def clumsy(event: CallEvent[Payload]) -> None:
        if event.payload == WORDS:
            raise ValueError(WORDS.said.text)
        handled.append(event.payload)

    failed = count("call_events_failed", "clumsy")
    events.subscribe("clumsy", clumsy)
    for payload in (TurnOver(), WORDS, Silence(5.0)):
        events.publish(payload)
    await events.drained(1.0)
    assert handled == [TurnOver(), Silence(5.0)]
    assert count("call_events_failed", "clumsy") == failed + 1
    assert "ValueError" in caplog.text
    assert "park" not in caplog.text
    await events.aclose()


@in_virtual_time
async def test_publishing_takes_as_many_steps_for_an_unread_subscriber_as_for_none() -> None:
    """What counts is that nothing of a subscriber runs inside `publish`."""
    events, ran = stream(), list[Payload]()

    async def read(event: CallEvent[Payload]) -> None:
        ran.append(event.payload)

    events.subscribe("reader", read)
    for _ in range(100):
        events.publish(TurnOver())
        assert ran == []
    await events.drained(1.0)
    assert ran.count(TurnOver()) == 100
    await events.aclose()


@in_virtual_time
async def test_the_conversation_reacts_inside_publish_with_the_new_state() -> None:
    events, seen = stream(), list[tuple[Payload, CallState]]()
    events.react(lambda payload: seen.append((payload, events.state)))
    events.publish(CallBegan())
    events.publish(AgentStartedSpeaking())
    assert seen == [
        (CallBegan(), CallState.LISTENING),
        (StateChanged(CallState.LISTENING), CallState.LISTENING),
        (AgentStartedSpeaking(), CallState.AGENT_SPEAKING),
        (StateChanged(CallState.AGENT_SPEAKING), CallState.AGENT_SPEAKING),
    ]
    await events.aclose()


@in_virtual_time
async def test_what_a_reaction_publishes_comes_after_what_it_reacts_to() -> None:
    events, reader = stream(), Reader()
    events.subscribe("reader", reader)
    events.react(lambda payload: events.publish(TurnOver()) if isinstance(payload, Silence) else None)
    events.publish(CallBegan())
    events.publish(Silence(5.0))
    await events.drained(1.0)
    assert reader.payloads[2:] == [Silence(5.0), TurnOver(), StateChanged(CallState.ANSWERING)]
    await events.aclose()


@in_virtual_time
async def test_after_the_end_nothing_is_published_and_subscribers_have_read_it_all() -> None:
    events, reader = stream(), Reader()
    events.subscribe("reader", reader)
    events.publish(CallBegan())
    events.publish(CallEnded(EndReason.CALLER_LEFT))
    events.publish(TurnOver())
    await events.aclose()
    assert reader.payloads[-1] == CallEnded(EndReason.CALLER_LEFT)
    assert TurnOver() not in reader.payloads


async def test_an_event_from_another_thread_arrives_on_the_calls_loop() -> None:
    events, seen = stream(), asyncio.Event()
    threads = list[int]()

    async def read(event: CallEvent[Payload]) -> None:
        threads.append(threading.get_ident())
        seen.set()

    events.subscribe("reader", read)
    other = threading.Thread(target=events.publish_threadsafe, args=(EngineReloaded("llm"),))
    other.start()
    await asyncio.wait_for(seen.wait(), 5)
    other.join()
    assert threads == [threading.get_ident()]
    await events.aclose()


def test_an_event_for_a_call_that_is_gone_hurts_nobody() -> None:
    loop = asyncio.new_event_loop()
    events = EventStream("AJ_1", loop)
    loop.close()
    events.publish_threadsafe(EngineReloaded("llm"))
