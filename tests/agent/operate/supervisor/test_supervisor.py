import asyncio
import os
import signal
from dataclasses import replace

import pytest

from tests.agent.operate.supervisor.conftest import Nursery, tell, until, until_gone

pytestmark = pytest.mark.unit


async def test_starts_in_the_order_of_needs_and_announces_once(nursery: Nursery) -> None:
    specs = [nursery.spec("web", needs=("worker",)), nursery.spec("worker", needs=("server",)), nursery.spec("server")]
    running = asyncio.create_task(nursery.supervisor(specs).run())
    await until(lambda: "All is ready" in nursery.screen.getvalue())
    assert nursery.saw("server") == []
    assert nursery.saw("worker") == ["server"]
    assert nursery.saw("web") == ["server", "worker"]
    tell(signal.SIGTERM)
    assert await running == 0
    assert nursery.screen.getvalue().count("HERE") == 1


async def test_shows_what_the_processes_write_under_their_names(nursery: Nursery) -> None:
    running = asyncio.create_task(nursery.supervisor([nursery.spec("worker")]).run())
    await until(lambda: "worker │ worker speaks" in nursery.screen.getvalue())
    tell(signal.SIGINT)
    assert await running == 0


async def test_restarts_what_is_killed_and_leaves_the_others_alone(nursery: Nursery) -> None:
    specs = [nursery.spec("server"), nursery.spec("worker", needs=("server",))]
    running = asyncio.create_task(nursery.supervisor(specs).run())
    await until(lambda: "All is ready" in nursery.screen.getvalue())
    os.kill(nursery.lives("worker")[0][0], signal.SIGKILL)
    await until(lambda: nursery.screen.getvalue().count("worker │ ready") == 2)
    assert "restart 1 of 2): it was killed by SIGKILL" in nursery.screen.getvalue()
    tell(signal.SIGTERM)
    assert await running == 0
    assert len(nursery.lives("worker")) == 2
    assert len(nursery.lives("server")) == 1


async def test_what_a_dead_process_left_in_its_group_is_gone_before_the_restart(nursery: Nursery) -> None:
    spec = nursery.spec("worker")
    left = replace(
        spec, command=("bash", "-c", f"sleep 600 & echo $! >> {nursery.folder}/left; {' '.join(spec.command)}")
    )
    running = asyncio.create_task(nursery.supervisor([left]).run())
    await until(lambda: "All is ready" in nursery.screen.getvalue())
    shell = os.getpgid(nursery.lives("worker")[0][0])
    os.kill(shell, signal.SIGKILL)
    await until(lambda: len(nursery.lives("worker")) == 2)
    until_gone([*nursery.lives("worker")[0], int((nursery.folder / "left").read_text().split()[0])])
    tell(signal.SIGTERM)
    assert await running == 0


async def test_gives_up_when_the_budget_is_spent_and_stops_the_rest(nursery: Nursery) -> None:
    specs = [nursery.spec("server"), nursery.spec("worker", "--status", "7")]
    status = await asyncio.wait_for(nursery.supervisor(specs, max_restarts=2).run(), 60)
    assert status == 1
    assert len(nursery.lives("worker")) == 3
    assert "worker ended with status 7, after 2 restarts within 5 minutes." in nursery.screen.getvalue()
    until_gone(nursery.lives("server")[0])


async def test_a_process_that_ends_before_it_was_ever_ready_is_not_tried_again(nursery: Nursery) -> None:
    specs = [nursery.spec("server"), nursery.spec("worker", "--status", "3", "--never-ready")]
    status = await asyncio.wait_for(nursery.supervisor(specs).run(), 60)
    assert status == 1
    assert len(nursery.lives("worker")) == 1
    assert "worker ended with status 3 before it was ready." in nursery.screen.getvalue()


async def test_a_process_that_never_gets_ready_is_stopped_and_tried_again(nursery: Nursery) -> None:
    spec = nursery.spec("worker", "--never-ready", ready_timeout_s=2.0)
    status = await asyncio.wait_for(nursery.supervisor([spec], max_restarts=1).run(), 60)
    assert status == 1
    assert "worker was not ready within 2 s, after 1 restarts" in nursery.screen.getvalue()
    until_gone([pid for life in nursery.lives("worker") for pid in life])


async def test_a_program_that_is_not_there_is_named(nursery: Nursery) -> None:
    spec = replace(nursery.spec("worker"), command=("/nowhere/livekit-server",))
    assert await nursery.supervisor([spec]).run() == 1
    assert "worker cannot be started: /nowhere/livekit-server: No such file or directory" in nursery.screen.getvalue()


async def test_stopping_reaches_grandchildren_and_those_that_ignore_it(nursery: Nursery) -> None:
    spec = nursery.spec("worker", "--grandchild", "--ignore-term")
    running = asyncio.create_task(nursery.supervisor([spec], stop_grace_s=0.3).run())
    await until(lambda: "All is ready" in nursery.screen.getvalue())
    tell(signal.SIGTERM)
    assert await running == 0
    assert len(nursery.lives("worker")[0]) == 2
    until_gone(nursery.lives("worker")[0])


async def test_a_second_signal_kills_at_once(nursery: Nursery) -> None:
    specs = [nursery.spec("server", "--ignore-term"), nursery.spec("worker", "--ignore-term")]
    running = asyncio.create_task(nursery.supervisor(specs, stop_grace_s=3600).run())
    await until(lambda: "All is ready" in nursery.screen.getvalue())
    tell(signal.SIGINT)
    await until(lambda: "Stopping" in nursery.screen.getvalue())
    tell(signal.SIGINT)
    assert await asyncio.wait_for(running, 60) == 0
    until_gone([nursery.lives(name)[0][0] for name in ("server", "worker")])
