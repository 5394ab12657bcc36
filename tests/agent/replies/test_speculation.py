"""Replies between their announcement and the end of their turn."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from livekit.agents.voice import SpeechHandle
from livekit.agents.voice.events import SpeechCreatedEvent

from agent.replies.reply import Reply, reply_in_hand
from agent.replies.speculation import GOES_ON_S, Speculations
from agent.replies.speculation_policy import SpeculationLimits
from serving import metrics
from serving.demand import Demand
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit


def count(name: str, **labels: str) -> float:
    """A counter of the registry, 0 if there is none yet."""
    return metrics.REGISTRY.get_sample_value(f"callbox_{name}_total", labels) or 0.0


@dataclass(slots=True)
class Call:
    """Speculations, and LiveKit's part in them."""

    demand: Demand = field(default_factory=Demand)
    thrown_away: int = 0
    speculations: Speculations = field(init=False)

    def __init__(self, **limits: Any) -> None:
        self.demand = Demand()
        self.thrown_away = 0
        self.speculations = Speculations(
            SpeculationLimits(**limits), self.demand, lines=4, is_judged=True, throw_away=self._throw_away
        )

    def _throw_away(self) -> None:
        self.thrown_away += 1

    def announce(self, source: Literal["say", "generate_reply"] = "generate_reply") -> Reply:
        """A reply is announced; LiveKit's tasks begin in the next step of the loop."""
        handle = SpeechHandle.create()
        self.speculations.announced(SpeechCreatedEvent(user_initiated=True, source=source, speech_handle=handle))
        reply = reply_in_hand()
        assert reply is not None
        assert reply.handle is handle
        return reply

    def turn_is_over(self, adopted: Reply | None = None) -> None:
        """The turn is over, and this reply is spoken."""
        self.speculations.turn_over()
        if adopted is not None:
            adopted.handle._mark_scheduled()


async def begin(reply: Reply) -> "asyncio.Task[None]":
    """Ask for it as the language model's adapter does."""
    await asyncio.sleep(0)
    asking = asyncio.create_task(reply.may_begin())
    await asyncio.sleep(0.01)
    return asking


@in_virtual_time
async def test_what_livekit_starts_from_an_announcement_finds_its_reply() -> None:
    call = Call()

    async def work() -> Reply | None:
        await asyncio.sleep(0.01)
        return await asyncio.create_task(deeper())

    async def deeper() -> Reply | None:
        return reply_in_hand()

    first = call.announce()
    of_first = asyncio.create_task(work())
    second = call.announce()
    assert [await of_first, await work()] == [first, second]


@in_virtual_time
async def test_a_reply_that_is_spoken_anyway_needs_no_leave() -> None:
    call = Call(max_per_turn=0)
    reply = call.announce()
    reply.handle._mark_scheduled()
    assert (await begin(reply)).done()
    assert reply.begun_at is None
    await asyncio.wait_for(reply.confirmed(), 0.1)


@in_virtual_time
async def test_a_reply_that_was_put_off_begins_when_its_turn_is_over() -> None:
    call = Call(max_per_turn=0)
    before = count("speculations_put_off", reason="budget")
    reply = call.announce()
    asking = await begin(reply)
    call.speculations.judged(0.9)
    await asyncio.sleep(5.0)
    assert not asking.done()
    assert count("speculations_put_off", reason="budget") == before + 1
    call.turn_is_over(reply)
    await asyncio.wait_for(asking, 0.1)
    assert (reply.begun_at, call.speculations.lead_s) == (None, None)
    assert call.speculations.put_off_s == pytest.approx(5.01)


@in_virtual_time
async def test_a_reply_that_was_put_off_and_is_thrown_away_never_begins() -> None:
    call = Call(max_per_turn=1)
    used = call.announce()
    await begin(used)
    reply = call.announce()
    asking = await begin(reply)
    reply.handle._cancel()
    call.turn_is_over()
    call.speculations.judged(0.9)
    await asyncio.sleep(5.0)
    assert not asking.done()
    asking.cancel()


@in_virtual_time
async def test_a_judgement_lets_the_last_reply_of_a_turn_begin() -> None:
    call = Call(max_per_turn=2)
    await begin(call.announce())
    reply = call.announce()
    asking = await begin(reply)
    call.speculations.judged(0.1)
    await asyncio.sleep(0.1)
    assert not asking.done()
    call.speculations.judged(0.8)
    await asyncio.sleep(0.1)
    assert asking.done()
    assert reply.begun_at is not None


@in_virtual_time
async def test_the_lead_is_the_time_that_the_first_sound_would_have_taken() -> None:
    call = Call()
    reply = call.announce()
    await begin(reply)
    await asyncio.sleep(0.1)
    reply.sounded(0.5)
    await asyncio.sleep(0.3)
    call.turn_is_over(reply)
    await asyncio.sleep(0)
    assert call.speculations.lead_s == pytest.approx(0.11)


@in_virtual_time
async def test_the_lead_of_a_reply_that_is_still_silent_is_the_time_since_it_was_begun() -> None:
    call = Call()
    reply = call.announce()
    await begin(reply)
    await asyncio.sleep(0.2)
    call.turn_is_over(reply)
    await asyncio.sleep(0)
    assert call.speculations.lead_s == pytest.approx(0.21)
    call.turn_is_over()
    assert call.speculations.lead_s is None


@in_virtual_time
async def test_work_is_useful_or_wasted_also_what_comes_later() -> None:
    call = Call()
    names = [("reply_tokens", "useful"), ("reply_tokens", "wasted"), ("reply_audio_seconds", "wasted")]
    before = [count(name, use=use) for name, use in names]
    thrown_away = call.announce()
    await begin(thrown_away)
    thrown_away.wrote(5)
    thrown_away.sounded(0.5)
    kept = call.announce()
    await begin(kept)
    thrown_away.wrote(1)  # on its way when LiveKit closed it
    kept.wrote(7)
    call.turn_is_over(kept)
    await asyncio.sleep(0)
    kept.wrote(3)
    assert [count(name, use=use) - was for (name, use), was in zip(names, before, strict=True)] == [10, 6, 0.5]


@in_virtual_time
async def test_only_what_is_still_computed_is_stopped_when_the_caller_goes_on() -> None:
    call = Call()
    reply = call.announce()
    await begin(reply)
    call.speculations.caller_speaks()
    await asyncio.sleep(2 * GOES_ON_S)
    assert call.thrown_away == 0
    with reply.computing():
        call.speculations.caller_speaks()
        await asyncio.sleep(GOES_ON_S / 2)
        call.speculations.caller_is_silent()
        await asyncio.sleep(2 * GOES_ON_S)
        assert call.thrown_away == 0
        call.speculations.caller_speaks()
        await asyncio.sleep(2 * GOES_ON_S)
    assert call.thrown_away == 1
    assert reply.is_given_up


@in_virtual_time
async def test_a_caller_waits_from_the_end_of_the_turn_to_the_first_sound() -> None:
    call = Call()
    reply = call.announce()
    await begin(reply)
    assert call.demand.longest_wait_s == 0.0
    call.turn_is_over(reply)
    await asyncio.sleep(0.5)
    assert call.demand.longest_wait_s == pytest.approx(0.5)
    reply.sounded(0.2)
    assert call.demand.longest_wait_s == 0.0


@pytest.mark.parametrize("source", ["say", "generate_reply"])
@in_virtual_time
async def test_nobody_waits_for_a_line_that_is_there_or_a_reply_that_is_done(
    source: Literal["say", "generate_reply"],
) -> None:
    call = Call()
    reply = call.announce(source)
    reply.handle._mark_scheduled()
    await asyncio.sleep(0.5)
    assert call.demand.longest_wait_s == pytest.approx(0.5 if source == "generate_reply" else 0.0)
    reply.handle._mark_done()
    await asyncio.sleep(0)
    assert call.demand.longest_wait_s == 0.0


@in_virtual_time
async def test_a_box_that_is_busy_puts_off_and_a_caller_who_hangs_up_has_wasted() -> None:
    call = Call(max_load=0.5)
    before = count("speculations", outcome="thrown_away")
    reply = call.announce()
    with call.demand.reply(), call.demand.reply():
        asking = await begin(reply)
        assert not asking.done()
    call.speculations.judged(0.5)
    await asyncio.wait_for(asking, 0.1)
    call.speculations.close()
    assert count("speculations", outcome="thrown_away") == before + 1


@pytest.mark.parametrize("max_load", [0.25, 0.5])
@in_virtual_time
async def test_only_other_callers_are_load(max_load: float) -> None:
    call = Call(max_load=max_load)
    before = call.announce()
    await begin(before)
    with before.computing(), call.demand.reply():
        assert call.demand.computing == 2
        asking = await begin(call.announce())
        assert asking.done() is (max_load > 0.25)
        asking.cancel()
