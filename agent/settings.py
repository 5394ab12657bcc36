"""One frozen tree of settings. Each layer overrides the one before: code defaults, profile, configs/site.yaml, environment.

A profile states only what differs from the defaults. An unknown key is an error that names the file and the key.
"""

import os
from pathlib import Path
from typing import Any, Literal, get_args

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from agent.errors import ConfigError
from agent.replies.speculation_policy import SpeculationLimits
from agent.turns.barge_in import OverlapOptions
from agent.turns.endpointing import EndpointingOptions
from agent.yaml_files import explain, merge, read_mapping
from models.manifest import Stage
from serving.registry import find
from serving.vad.gate import GateOptions

ROOT = Path(__file__).resolve().parent.parent
PROFILES = ROOT / "configs" / "profiles"
SITE = ROOT / "configs" / "site.yaml"
SITE_VARIABLE = "CALLBOX_SITE"
"""Environment variable with the path of a file to read instead of configs/site.yaml."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class EngineChoice(_Section):
    """The engine that runs a stage, and its model."""

    engine: str
    """A name in serving/registry.py."""
    model: str
    """A name in models/manifest.yaml."""
    options: dict[str, Any] = {}
    """The engine's own options; the keys are the fields of its options class."""

    def load(self, stage: Stage, **defaults: Any) -> tuple[type[Any], Any]:
        """Import the engine's class and validate its options, which override `defaults`.

        Raises ConfigError naming the option, or EngineLoadFailed for an unknown engine.
        """
        engine_class, options_class = find(stage, self.engine).load()
        try:
            return engine_class, TypeAdapter(options_class).validate_python({**defaults, **self.options})
        except ValidationError as error:
            issues = "; ".join(f"{'.'.join(map(str, issue['loc']))}: {issue['msg']}" for issue in error.errors())
            raise ConfigError(f"engines.{stage}.options: {issues}") from None


class EngineChoices(_Section):
    """The engine of each stage."""

    vad: EngineChoice = EngineChoice(engine="silero", model="silero-vad")
    stt: EngineChoice
    turn: EngineChoice | None = EngineChoice(engine="smart-turn", model="smart-turn")
    llm: EngineChoice
    tts: EngineChoice
    interruption: EngineChoice | None = None
    """Tells barge-in from backchannel by sound. Without it, recognised words and the VAD decide."""


EchoCancelling = Literal["auto", "always", "never"]


class TurnTaking(_Section):
    """When the agent answers, stops talking and prepares replies early. Delays are measured from the caller's last sound."""

    detection: Literal["engine", "livekit-v1-mini", "vad"] = "engine"
    """What detects the end of a turn: `engine` is engines.turn, `livekit-v1-mini` the model inside LiveKit's wheel, and `vad`
    silence alone."""
    gate: GateOptions = GateOptions()
    """When sound counts as speech. With an end-of-turn model, LiveKit rejects a min_silence_ms below 250."""
    endpointing: EndpointingOptions = EndpointingOptions()
    """How much silence ends a turn."""
    interruption_min_speech_s: float = Field(default=1.4, gt=0)
    """Seconds of any sound over the agent's voice after which it pauses. Recognised words stop it sooner."""
    interruption_min_words: int = Field(default=0, ge=0)
    """Recognised words needed to interrupt the agent; 0: sound alone is enough."""
    overlap: OverlapOptions = OverlapOptions()
    """When engines.interruption, together with the words so far, stops the agent."""
    false_interruption_timeout_s: float = Field(default=1.0, gt=0)
    """After an interruption that brings no words for this long, the agent resumes."""
    cancel_echo: EchoCancelling = "auto"
    """For which callers to remove the agent's own voice when it comes back over the line: `auto` telephone callers only (a
    browser does it itself), `always` all, `never` none. Where it is on, the agent hears nothing for the first 1.5 s of its
    first reply; after that, a line without echo is left untouched."""
    preemptive_max_speech_s: float = Field(default=20.0, gt=0)
    """No reply is prepared before the end of a turn longer than this."""
    speculation: SpeculationLimits = SpeculationLimits()
    """How much may be computed for a reply before its turn is over."""


class Conversation(_Section):
    """What the agent says, and how the caller's words reach the model."""

    language: str = "en"
    prompt: str = "front_desk.md"
    """A file in configs/prompts."""
    clinic: str = "clinic.yaml"
    """A file in configs."""
    plain_user_text: bool = False
    """Whether the caller's text reaches the model in lower case and without punctuation, as the demo model was trained."""
    tenant: str = ""
    """Name of this clinic where several share one language model. Tenants share nothing in its prompt cache."""
    max_reply_tokens: int = Field(default=192, gt=0)
    """Most tokens the model may generate for one reply."""
    max_tool_steps: int = Field(default=4, gt=0)
    """Most rounds of tool calls before the model must answer in words."""


class Capacity(_Section):
    """How much the box takes on."""

    max_calls: int = Field(default=4, gt=0)
    """Calls at the same time; further callers are turned away."""


class Network(_Section):
    """Addresses and ports. Only this machine can connect unless `address` says otherwise."""

    address: str = "127.0.0.1"
    """Address at which callers' browsers reach the box."""
    web_port: int = Field(default=8080, gt=0, lt=65536)
    ops_port: int = Field(default=8081, gt=0, lt=65536)
    """Health, metrics and the demo clinic's book; always on loopback."""
    livekit_port: int = Field(default=7880, gt=0, lt=65536)
    rtc_tcp_port: int = Field(default=7881, gt=0, lt=65536)
    rtc_udp_port: int = Field(default=7882, gt=0, lt=65536)
    room_sample_rate: int = 24_000
    """Sample rate of the agent's voice in the room, in Hz."""
    tls_cert: Path | None = None
    """PEM certificate chain for `address`. With tls_key, the page is served over HTTPS; browsers require HTTPS before they
    give the microphone to a page from another machine."""
    tls_key: Path | None = None
    """PEM private key for tls_cert."""

    @property
    def web_scheme(self) -> str:
        """`https` with a certificate, else `http`."""
        return "https" if self.tls_cert else "http"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return self.address in ("127.0.0.1", "localhost", "::1")


class Settings(_Section):
    """Everything an operator can choose."""

    profile: str
    title: str = ""
    """One-line description of the profile, shown at startup."""
    engines: EngineChoices
    turns: TurnTaking = TurnTaking()
    conversation: Conversation = Conversation()
    capacity: Capacity = Capacity()
    network: Network = Network()
    agent_name: str = "callbox"

    @property
    def chosen_engines(self) -> dict[Stage, EngineChoice]:
        """The engines to load, in loading order; without engines.turn when something else detects the end of a turn."""
        chosen = {stage: getattr(self.engines, stage) for stage in get_args(Stage)}
        if self.turns.detection != "engine":
            del chosen["turn"]
        return {stage: choice for stage, choice in chosen.items() if choice is not None}

    @property
    def model_names(self) -> tuple[str, ...]:
        """The models of the chosen engines, without duplicates."""
        return tuple(dict.fromkeys(choice.model for choice in self.chosen_engines.values()))


class Keys(_Section):
    """LiveKit's URL, and the credentials that Callbox's processes share."""

    livekit_url: str
    api_key: str
    api_secret: str = Field(repr=False)


def load_settings(profile: str, *, profiles: Path = PROFILES, site: Path | None = None) -> Settings:
    """Load the settings of `profile`. Raises ConfigError naming the file and the key."""
    site = site or Path(os.environ.get(SITE_VARIABLE, SITE))
    files = [profiles / f"{profile}.yaml"]
    if not files[0].exists():
        known = ", ".join(sorted(path.stem for path in profiles.glob("*.yaml")))
        raise ConfigError(f"There is no profile '{profile}'. Choose one of: {known}.")
    if site.exists():
        files.append(site)
    layers = {path: read_mapping(path) for path in files}
    merged: dict[str, Any] = {"profile": profile}
    for layer in (*layers.values(), {"network": _environment_network()}):
        merged = merge(merged, layer)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise ConfigError("\n".join(explain(issue, layers) for issue in error.errors())) from None


def load_keys(env_file: Path = ROOT / ".env") -> Keys:
    """Load LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET from the environment, else from .env.

    Raises ConfigError naming those that are missing.
    """
    found = {**dotenv_values(env_file), **os.environ}
    names = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
    missing = [name for name in names if not found.get(name)]
    if missing:
        raise ConfigError(f"{', '.join(missing)} not set. `make run` writes them to {env_file} on first start.")
    url, key, secret = (str(found[name]) for name in names)
    return Keys(livekit_url=url, api_key=key, api_secret=secret)


def _environment_network() -> dict[str, Any]:
    address = os.environ.get("CALLBOX_ADDRESS") or dotenv_values(ROOT / ".env").get("CALLBOX_ADDRESS")
    return {"address": address} if address else {}
