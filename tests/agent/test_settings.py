"""Settings: layers, and errors that name the file and the key."""

from pathlib import Path

import pytest
import yaml

from agent.errors import ConfigError
from agent.settings import PROFILES, EngineChoice, Keys, Settings, load_keys, load_settings

pytestmark = pytest.mark.unit

PROFILE = {
    "engines": {
        "stt": {"engine": "faster-whisper", "model": "demo-stt"},
        "llm": {"engine": "ctranslate2", "model": "demo-llm", "options": {"threads": 2}},
        "tts": {"engine": "piper", "model": "demo-voice"},
    }
}


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("agent.settings.ROOT", tmp_path)  # where .env would be
    for name in ("CALLBOX_SITE", "CALLBOX_ADDRESS", "LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The path of a site file that does not exist yet."""
    return tmp_path / "site.yaml"


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    """A folder of profiles with `small` and `large` in it."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    for name in ("small", "large"):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(PROFILE))
    return folder


def write(path: Path, content: object) -> Path:
    """Write YAML."""
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_profile_states_only_differences(profiles: Path, site: Path) -> None:
    settings = load_settings("small", profiles=profiles, site=site)
    assert settings.profile == "small"
    assert settings.engines.llm.options == {"threads": 2}
    assert settings.engines.vad.engine == "silero"
    assert settings.turns.endpointing.min_delay_s == 0.3
    assert settings.network.is_loopback


@pytest.mark.parametrize("name", sorted(path.stem for path in PROFILES.glob("*.yaml")))
def test_every_shipped_profile_is_valid(name: str, site: Path) -> None:
    assert load_settings(name, site=site).title


@pytest.mark.parametrize("name", sorted(path.stem for path in PROFILES.glob("*.yaml")))
def test_smart_turn_judges_sound_once_a_pause_and_no_other_model_does(name: str, site: Path) -> None:
    settings = load_settings(name, site=site)
    endpointing = settings.turns.endpointing
    assert settings.engines.turn is not None
    is_smart_turn = settings.engines.turn.engine == "smart-turn"
    assert (endpointing.judge_every_s > endpointing.max_delay_s) == is_smart_turn
    assert endpointing.judges_words != is_smart_turn


def test_a_missing_profile_is_answered_with_the_existing_ones(profiles: Path, site: Path) -> None:
    with pytest.raises(ConfigError, match=r"no profile 'huge'\. Choose one of: large, small\."):
        load_settings("huge", profiles=profiles, site=site)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"turn": {}}, "turn"),
        ({"turns": {"min_delay": 0.2}}, "turns.min_delay"),
        ({"turns": {"endpointing": {"min_delay": 0.2}}}, "turns.endpointing.min_delay"),
        ({"engines": {"stt": {"threads": 2}}}, "engines.stt.threads"),
        ({"turns": {"gate": {"min_silence": 2}}}, "turns.gate.min_silence"),
        ({"network": {"webport": 1}}, "network.webport"),
    ],
)
def test_an_unknown_key_is_named_with_the_site_file(
    profiles: Path, site: Path, content: dict[str, object], key: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings("small", profiles=profiles, site=write(site, content))
    assert str(caught.value) == f"{site}: {key}: unknown key"


def test_an_unknown_key_is_named_with_the_profile(profiles: Path, site: Path) -> None:
    profile = write(profiles / "small.yaml", {**PROFILE, "turns": {"min_delay": 0.2}})
    with pytest.raises(ConfigError) as caught:
        load_settings("small", profiles=profiles, site=write(site, {"title": "here"}))
    assert str(caught.value) == f"{profile}: turns.min_delay: unknown key"


@pytest.mark.parametrize(
    ("content", "key", "reason"),
    [
        (
            {"turns": {"endpointing": {"threshold_at_1s": 1.5}}},
            "turns.endpointing",
            "threshold_at_1s must be between 0 and 1",
        ),
        ({"turns": {"endpointing": {"min_delay_s": "soon"}}}, "turns.endpointing.min_delay_s", "valid number"),
        ({"turns": {"false_interruption_timeout_s": 0}}, "turns.false_interruption_timeout_s", "greater than 0"),
        ({"turns": {"detection": "magic"}}, "turns.detection", "'engine', 'livekit-v1-mini' or 'vad'"),
        ({"capacity": {"max_calls": 0}}, "capacity.max_calls", "greater than 0"),
        ({"network": {"web_port": 70000}}, "network.web_port", "less than 65536"),
        ({"engines": {"stt": None}}, "engines.stt", "valid dictionary"),
    ],
)
def test_a_bad_value_is_named_with_its_reason(
    profiles: Path, site: Path, content: dict[str, object], key: str, reason: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings("small", profiles=profiles, site=write(site, content))
    message = str(caught.value)
    assert message.startswith(f"{site}: {key}: ")
    assert reason in message


def test_every_mistake_is_named_in_its_own_file(profiles: Path, site: Path) -> None:
    profile = write(profiles / "small.yaml", {**PROFILE, "capacity": {"max_calls": -1}})
    with pytest.raises(ConfigError) as caught:
        load_settings("small", profiles=profiles, site=write(site, {"colour": "blue"}))
    assert {line.split(": ")[0] for line in str(caught.value).splitlines()} == {str(profile), str(site)}


def test_a_missing_key_is_named_with_the_profile(profiles: Path, site: Path) -> None:
    profile = write(profiles / "small.yaml", {"engines": {"stt": PROFILE["engines"]["stt"]}})
    with pytest.raises(ConfigError) as caught:
        load_settings("small", profiles=profiles, site=site)
    lines = str(caught.value).splitlines()
    assert f"{profile}: engines.llm: Field required" in lines
    assert f"{profile}: engines.tts: Field required" in lines


@pytest.mark.parametrize("content", ["- a\n- b\n", "just text"])
def test_a_file_that_is_not_a_mapping_is_refused(profiles: Path, site: Path, content: str) -> None:
    site.write_text(content)
    with pytest.raises(ConfigError, match=f"{site}: must be a mapping of settings"):
        load_settings("small", profiles=profiles, site=site)


def test_broken_yaml_is_refused_by_name_and_line(profiles: Path, site: Path) -> None:
    site.write_text("turns:\n  false_interruption_timeout_s: [0.1\n")
    with pytest.raises(ConfigError, match=rf"{site} is not valid YAML(.|\n)*line"):
        load_settings("small", profiles=profiles, site=site)


def test_a_file_that_is_not_text_is_refused_by_name(profiles: Path, site: Path) -> None:
    site.write_bytes(b"\xff\xfe\x00title")
    with pytest.raises(ConfigError, match=f"{site} is not valid YAML"):
        load_settings("small", profiles=profiles, site=site)


def test_an_empty_site_file_changes_nothing(profiles: Path, site: Path) -> None:
    site.write_text("# nothing yet\n")
    assert load_settings("small", profiles=profiles, site=site).engines.stt.model == "demo-stt"


def test_the_site_file_wins_over_the_profile_key_by_key(profiles: Path, site: Path) -> None:
    write(profiles / "small.yaml", {**PROFILE, "turns": {"endpointing": {"min_delay_s": 0.4, "max_delay_s": 2.0}}})
    changes = {"turns": {"endpointing": {"min_delay_s": 0.6}}, "engines": {"llm": {"options": {"max_batch": 4}}}}
    settings = load_settings("small", profiles=profiles, site=write(site, changes))
    assert (settings.turns.endpointing.min_delay_s, settings.turns.endpointing.max_delay_s) == (0.6, 2.0)
    assert settings.engines.llm.model == "demo-llm"
    assert settings.engines.llm.options == {"threads": 2, "max_batch": 4}


def test_the_environment_names_another_site_file(profiles: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLBOX_SITE", str(write(site, {"title": "from there"})))
    assert load_settings("small", profiles=profiles).title == "from there"


def test_the_environment_names_the_address_and_wins_over_the_site_file(
    profiles: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(site, {"network": {"address": "192.0.2.8"}})
    assert load_settings("small", profiles=profiles, site=site).network.address == "192.0.2.8"
    monkeypatch.setenv("CALLBOX_ADDRESS", "192.0.2.7")
    network = load_settings("small", profiles=profiles, site=site).network
    assert (network.address, network.is_loopback) == ("192.0.2.7", False)


def test_the_env_file_names_the_address_too(profiles: Path, site: Path, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CALLBOX_ADDRESS=192.0.2.9\n")
    assert load_settings("small", profiles=profiles, site=site).network.address == "192.0.2.9"


def test_settings_do_not_change(profiles: Path, site: Path) -> None:
    settings = load_settings("small", profiles=profiles, site=site)
    with pytest.raises(ValueError, match="frozen"):
        settings.turns.interruption_min_words = 1
    assert isinstance(settings, Settings)


def test_keys_come_from_the_file(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("LIVEKIT_URL=ws://127.0.0.1:7880\nLIVEKIT_API_KEY=one\nLIVEKIT_API_SECRET=two\n")
    assert load_keys(env) == Keys(livekit_url="ws://127.0.0.1:7880", api_key="one", api_secret="two")


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = tmp_path / ".env"
    env.write_text("LIVEKIT_URL=ws://127.0.0.1:7880\nLIVEKIT_API_KEY=one\nLIVEKIT_API_SECRET=two\n")
    monkeypatch.setenv("LIVEKIT_API_KEY", "another")
    assert load_keys(env).api_key == "another"


def test_missing_keys_are_named_with_the_file_that_should_hold_them(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("LIVEKIT_API_KEY=one\nLIVEKIT_API_SECRET=\n")
    with pytest.raises(ConfigError) as caught:
        load_keys(env)
    assert str(caught.value).startswith("LIVEKIT_URL, LIVEKIT_API_SECRET not set.")
    assert str(env) in str(caught.value)


def test_a_secret_is_not_shown() -> None:
    keys = Keys(livekit_url="ws://127.0.0.1:7880", api_key="one", api_secret="hush")
    assert "hush" not in repr(keys)


def test_the_chosen_engines_are_those_that_will_be_loaded(site: Path) -> None:
    demo = load_settings("demo", site=site)
    assert list(demo.chosen_engines) == ["vad", "stt", "turn", "llm", "tts", "interruption"]
    assert set(demo.model_names) >= {"silero-vad", "callbox-turn", "callbox-interruption"}
    by_silence = demo.model_copy(update={"turns": demo.turns.model_copy(update={"detection": "vad"})})
    assert "turn" not in by_silence.chosen_engines
    assert "interruption" not in load_settings("cpu", site=site).chosen_engines


def test_an_engines_unknown_option_is_named() -> None:
    choice = EngineChoice(engine="piper", model="demo-voice", options={"speed": 2})
    with pytest.raises(ConfigError, match=r"engines\.tts\.options: speed: Unexpected keyword argument"):
        choice.load("tts")
