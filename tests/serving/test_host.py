"""The lives of engines: loaded in order, watched, reloaded."""

import threading

import pytest

from models.errors import ModelMissing
from serving import metrics
from serving.errors import EngineDied, EngineLoadFailed
from serving.host import RELOADS_PER_HOUR, EngineHost, Engines, EngineState
from tests.scripted import ScriptedEngine, ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedTurn, ScriptedVad, Sounds

pytestmark = pytest.mark.unit

STAGES = ["vad", "stt", "turn", "llm", "tts"]


@pytest.fixture
def journal() -> list[str]:
    """What was done to the engines, in order."""
    return []


@pytest.fixture
def engines(journal: list[str]) -> Engines:
    """Five engines with one journal."""
    sounds = Sounds()
    made = Engines(
        vad=ScriptedVad(),
        stt=ScriptedStt(sounds),
        turn=ScriptedTurn(sounds),
        llm=ScriptedLlm(lambda request: []),
        tts=ScriptedTts(sounds),
    )
    for stage in STAGES:
        engine(made, stage).journal = journal
    return made


def engine(engines: Engines, stage: str) -> ScriptedEngine:
    """One of them, typed as the test double that it is."""
    found = getattr(engines, stage)
    assert isinstance(found, ScriptedEngine)
    return found


def test_engines_are_loaded_and_warmed_one_after_the_other_in_the_order_of_the_audio_path(
    engines: Engines, journal: list[str]
) -> None:
    EngineHost(engines).load()
    assert journal == [f"{step} {stage}" for stage in STAGES for step in ("load", "warm_up")]


def test_each_state_is_reported_as_it_comes(engines: Engines) -> None:
    reports: list[tuple[str, EngineState]] = []
    host = EngineHost(engines, lambda stage, state, took_s: reports.append((stage, state)))
    assert set(host.states.values()) == {EngineState.UNLOADED}
    assert not host.is_ready
    host.load()
    assert reports == [
        (stage, state) for stage in STAGES for state in (EngineState.LOADING, EngineState.WARMING, EngineState.READY)
    ]
    assert host.is_ready
    assert host.states == dict.fromkeys(STAGES, EngineState.READY)


def test_without_an_end_of_turn_engine_there_are_four(engines: Engines) -> None:
    host = EngineHost(Engines(engines.vad, engines.stt, None, engines.llm, engines.tts))
    host.load()
    assert list(host.states) == ["vad", "stt", "llm", "tts"]
    assert host.is_ready


@pytest.mark.parametrize(
    ("error", "raised", "message"),
    [
        (ModelMissing("Get it."), ModelMissing, "Get it"),
        (EngineLoadFailed("Broken."), EngineLoadFailed, "Broken"),
        (RuntimeError("out of memory"), EngineLoadFailed, "The llm engine 'llm' could not be loaded: out of memory"),
        (OSError("no such device"), EngineLoadFailed, "The llm engine 'llm' could not be loaded: no such device"),
        (ImportError("No module named x"), EngineLoadFailed, "could not be loaded: No module named x"),
        (ValueError("bad shape"), EngineLoadFailed, "The llm engine 'llm' could not be loaded: bad shape"),
    ],
)
def test_an_engine_that_cannot_be_loaded_stops_the_start_and_closes_the_others(
    engines: Engines, journal: list[str], error: Exception, raised: type[Exception], message: str
) -> None:
    engine(engines, "llm").load_error = error
    host = EngineHost(engines)
    with pytest.raises(raised, match=message):
        host.load()
    assert "load tts" not in journal
    assert journal[-5:] == ["close tts", "close llm", "close turn", "close stt", "close vad"]
    assert not host.is_ready


def test_closing_goes_backwards_and_happens_once(engines: Engines, journal: list[str]) -> None:
    host = EngineHost(engines)
    host.load()
    journal.clear()
    host.close()
    host.close()
    assert journal == [f"close {stage}" for stage in reversed(STAGES)]
    assert host.states == dict.fromkeys(STAGES, EngineState.CLOSED)


def test_examining_engines_that_work_changes_nothing(engines: Engines, journal: list[str]) -> None:
    host = EngineHost(engines)
    host.load()
    journal.clear()
    host.examine()
    assert journal == [f"check {stage}" for stage in STAGES]
    assert host.is_ready


def test_an_engine_that_died_is_loaded_again_and_the_others_are_left_alone(
    engines: Engines, journal: list[str]
) -> None:
    host = EngineHost(engines)
    host.load()
    journal.clear()
    engine(engines, "stt").is_dead = True
    host.examine()
    assert journal == [
        "check vad",
        *("check stt", "close stt", "load stt", "warm_up stt"),
        *("check turn", "check llm", "check tts"),
    ]
    assert host.is_ready


def test_an_engine_that_cannot_be_loaded_again_is_tried_at_the_next_look(engines: Engines) -> None:
    host = EngineHost(engines)
    host.load()
    stt = engine(engines, "stt")
    stt.is_dead, stt.load_error = True, RuntimeError("no memory")
    host.examine()
    assert host.states["stt"] is EngineState.FAILED
    assert not host.is_ready
    stt.load_error = None
    host.examine()
    assert host.is_ready


def test_an_engine_that_dies_again_and_again_stays_down(engines: Engines, journal: list[str]) -> None:
    host = EngineHost(engines)
    host.load()
    journal.clear()
    for _ in range(RELOADS_PER_HOUR + 3):
        engine(engines, "llm").is_dead = True
        host.examine()
    assert journal.count("load llm") == RELOADS_PER_HOUR
    assert host.states["llm"] is EngineState.FAILED


def test_the_budget_is_for_an_hour_and_for_each_engine(
    engines: Engines, journal: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    host, now = EngineHost(engines), [0.0]
    monkeypatch.setattr("serving.host.time.monotonic", lambda: now[0])
    host.load()
    for _ in range(RELOADS_PER_HOUR + 1):
        engine(engines, "llm").is_dead = True
        host.examine()
    engine(engines, "tts").is_dead = True
    host.examine()
    assert (host.states["llm"], host.states["tts"]) == (EngineState.FAILED, EngineState.READY)
    now[0] = 3601.0
    host.examine()
    assert host.is_ready


def test_engines_that_were_never_loaded_or_are_closed_are_not_examined(engines: Engines, journal: list[str]) -> None:
    host = EngineHost(engines)
    host.examine()
    host.load()
    host.close()
    journal.clear()
    host.examine()
    assert journal == []


def test_looks_at_the_same_time_load_an_engine_once(engines: Engines, journal: list[str]) -> None:
    """Every call with a failed engine asks for a check."""
    host = EngineHost(engines)
    host.load()
    journal.clear()
    engine(engines, "stt").is_dead = True
    threads = [threading.Thread(target=host.examine) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.count("load stt") == 1


def test_readiness_and_reloads_are_metrics(engines: Engines) -> None:
    def sample(name: str) -> float | None:
        return metrics.REGISTRY.get_sample_value(name, {"stage": "stt"})

    before = sample("callbox_engine_reloads_total") or 0.0
    host = EngineHost(engines)
    host.load()
    assert sample("callbox_engine_ready") == 1.0
    engine(engines, "stt").is_dead = True
    host.examine()
    assert sample("callbox_engine_reloads_total") == before + 1
    host.close()
    assert sample("callbox_engine_ready") == 0.0


def test_a_dead_engine_says_so() -> None:
    scripted = ScriptedVad()
    scripted.is_dead = True
    with pytest.raises(EngineDied):
        scripted.check()
