"""How each demo model is built from nothing: the commands in their order, and what they make."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

SPEECH_TO_TEXT = "models.demo.speech_to_text.training"
TEXT_TO_SPEECH = "models.demo.text_to_speech.training"
LANGUAGE_MODEL = "models.demo.language_model.training"
END_OF_TURN = "models.demo.end_of_turn.training"
INTERRUPTION = "models.demo.interruption.training"
AGENT_VOICE = "models/demo/text_to_speech/en_US-demo-low.onnx"
"""Heard back as an echo."""
HEADS = {
    "1": ("6", "kal16", "m3", "f2", "klatt2", "rob", "belinda", "max", "grandma"),
    "2": ("5", "awb", "m5", "f4", "klatt4", "paul", "aunty", "victor", "anika"),
}
"""Seeds of the interruption model's heads, whose verdicts are averaged: epochs, then voices that a head is watched on, not
trained."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command: `python -m MODULE ARGUMENTS`."""

    title: str
    module: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a recipe is to do."""

    folder: Path
    """Where it works and leaves what it makes."""
    turn_model: Path
    """Smart Turn's ONNX file."""
    minutes: float | None
    """Of training; None: as long as the shipped model had."""
    threads: int
    quick: bool
    """Tiny data and a minute of training: shows that everything runs, makes a useless model."""

    def path(self, *parts: str) -> str:
        """A path below the folder, as an argument."""
        return str(self.folder.joinpath(*parts))

    def length(self, minutes: float) -> str:
        """Minutes of a training, as an argument; `minutes` are the shipped model's."""
        return f"{self.minutes if self.minutes is not None else 1.0 if self.quick else minutes:g}"

    def training(self, minutes: float) -> tuple[str, ...]:
        """Arguments that the speech models' training commands have in common."""
        return ("--minutes", self.length(minutes), "--threads", str(self.threads))


@dataclass(frozen=True, slots=True)
class Recipe:
    """A demo model: what has to be installed, what is done, where its files are found afterwards."""

    title: str
    debian: tuple[str, ...]
    """Packages that it needs."""
    steps: Callable[[Plan], list[Step]]
    products: Mapping[str, str]
    """Name in the manifest -> folder below the plan's."""


def speech_to_text(plan: Plan) -> list[Step]:
    """Tokenizer, rendered voices, features, training, export, evaluation."""
    shards = _training_shards(quick=plan.quick)
    tests = {"test_seen": ("91", ()), "test_heldout": ("92", ("--voices", "rms"))}
    test_files = tuple(plan.path("data", f"{name}.json") for name in tests)
    tokenizer, turn_model = ("--tokenizer", plan.path("tokenizer.json")), ("--turn-model", str(plan.turn_model))
    passes, test_count = ("1", "40") if plan.quick else ("2", "400")
    return [
        Step("tokenizer", f"{SPEECH_TO_TEXT}.tokenizer", ("--out", plan.path("tokenizer.json"))),
        *(
            _render(plan, name, engine, seed=seed, count=count, more=())
            for name, (engine, seed, count) in shards.items()
        ),
        *(_render(plan, name, "flite", seed=seed, count=test_count, more=more) for name, (seed, more) in tests.items()),
        Step(
            "features",
            f"{SPEECH_TO_TEXT}.features",
            (
                *turn_model,
                *("--data", *(plan.path("data", f"{name}.json") for name in shards)),
                *("--passes", passes, "--out", plan.path("features")),
            ),
        ),
        Step(
            "training",
            f"{SPEECH_TO_TEXT}.train",
            (
                *turn_model,
                *tokenizer,
                *("--features", plan.path("features"), "--tests", *test_files),
                *plan.training(95),
                *("--out", plan.path("checkpoint.pt")),
            ),
        ),
        Step(
            "export",
            f"{SPEECH_TO_TEXT}.export",
            (plan.path("checkpoint.pt"), *tokenizer, "--hf", plan.path("hf"), "--ct2", plan.path("ct2")),
        ),
        Step("evaluation", f"{SPEECH_TO_TEXT}.evaluate", (plan.path("ct2"), *test_files, "--count", test_count)),
    ]


def _training_shards(*, quick: bool) -> dict[str, tuple[str, str, str]]:
    """Name -> engine, seed, utterances."""
    flite, espeak = ("200", "100") if quick else ("3500", "6000")
    shards = {f"flite_{i}": ("flite", f"2{i}", flite) for i in range(1, 2 if quick else 6)}
    return shards | {f"espeak_{i}": ("espeak", f"3{i}", espeak) for i in range(1, 2 if quick else 3)}


def _render(plan: Plan, name: str, engine: str, *, seed: str, count: str, more: tuple[str, ...]) -> Step:
    arguments = ("--seed", seed, "--count", count, "--engine", engine, *more, "--out", plan.path("data", name))
    return Step(f"voices {name}", f"{SPEECH_TO_TEXT}.synthesize", arguments)


def text_to_speech(plan: Plan) -> list[Step]:
    """Teacher's parameters, training, export, evaluation."""
    count, spoken = ("600", "10") if plan.quick else ("13000", "100")
    data, voice = ("--data", plan.path("data")), plan.path("voice", "en_US-demo-low")
    checkpoint = plan.path("checkpoint.pt")
    return [
        Step("data", f"{TEXT_TO_SPEECH}.dataset", ("--count", count, "--out", plan.path("data"))),
        Step("training", f"{TEXT_TO_SPEECH}.train", (*data, *plan.training(60), "--out", checkpoint)),
        Step("export", f"{TEXT_TO_SPEECH}.export", (checkpoint, *data, "--out", voice)),
        Step(
            "evaluation",
            f"{TEXT_TO_SPEECH}.evaluate",
            (f"{voice}.onnx", "--count", spoken, "--out", plan.path("evaluation")),
        ),
    ]


def language_model(plan: Plan) -> list[Step]:
    """Tokenizer, training (first with copying drills, then without), export, evaluation."""
    common = ("--tokenizer", plan.path("tokenizer.json"), "--threads", str(plan.threads), "--seed", "3")
    first, second = plan.path("checkpoint_drills.pt"), plan.path("checkpoint.pt")
    model = ("--model", plan.path("model", "llama-demo-ct2"), "--threads", str(plan.threads))
    figures = ("--turns", "4", "--facts", "2", "--notes", "2", "--calls", "2") if plan.quick else ()
    return [
        Step("tokenizer", f"{LANGUAGE_MODEL}.tokenizer", ("--out", plan.path("tokenizer.json"))),
        Step(
            "training with copying drills",
            f"{LANGUAGE_MODEL}.train",
            (plan.length(38), *common, "--lr", "4e-3", "--drills", "10", "--out", first),
        ),
        Step(
            "training",
            f"{LANGUAGE_MODEL}.train",
            (plan.length(135), *common, "--lr", "3.5e-3", "--resume", first, "--out", second),
        ),
        Step(
            "export",
            f"{LANGUAGE_MODEL}.export",
            (second, plan.path("model"), "--tokenizer", plan.path("tokenizer.json")),
        ),
        Step("evaluation", f"{LANGUAGE_MODEL}.evaluate", (*model, *figures, "--show", "0", "--speed")),
    ]


def interruption(plan: Plan) -> list[Step]:
    """The agent's voice, rendered events, features, training, export."""
    count, shards = ("120", 1) if plan.quick else ("1000", 49)
    agent, turn_model = plan.path("data", "agent.npz"), ("--turn-model", str(plan.turn_model))
    seeds: dict[str, tuple[str, ...]] = {f"{number}": () for number in range(401, 401 + shards)}
    seeds["901"] = ("--held-out",)
    return [
        Step(
            "the agent's voice",
            f"{INTERRUPTION}.agent_talk",
            ("--voice", AGENT_VOICE, "--count", "20" if plan.quick else "300", "--out", agent),
        ),
        *(
            Step(
                f"events {seed}",
                f"{INTERRUPTION}.events",
                ("--seed", seed, "--count", count, "--agent", agent, *more, "--out", plan.path("data", f"{seed}.npz")),
            )
            for seed, more in seeds.items()
        ),
        Step(
            "features",
            f"{INTERRUPTION}.features",
            (
                *turn_model,
                *("--data", *(plan.path("data", f"{seed}.npz") for seed in seeds if seed != "901")),
                *("--threads", str(plan.threads), "--out", plan.path("features")),
            ),
        ),
        *(
            Step(
                f"training of head {seed}",
                f"{INTERRUPTION}.train",
                (
                    *("--features", plan.path("features"), "--seed", seed, "--epochs", "1" if plan.quick else epochs),
                    *(() if plan.quick else ("--dev", *watched)),
                    *("--threads", str(plan.threads)),
                    *("--out", plan.path(f"head_{seed}.pt")),
                ),
            )
            for seed, (epochs, *watched) in HEADS.items()
        ),
        Step(
            "export",
            f"{INTERRUPTION}.export",
            (
                *(plan.path(f"head_{seed}.pt") for seed in HEADS),
                *(*turn_model, "--out", plan.path("model", "interruption.onnx")),
            ),
        ),
        Step(
            "evaluation",
            f"{INTERRUPTION}.evaluate",
            (plan.path("model", "interruption.onnx"), plan.path("data", "901.npz")),
        ),
    ]


TURN_SHARDS = {
    "41": ("--count", "2000"),
    **dict.fromkeys(("42", "43", "44"), ("--count", "3000")),
    **dict.fromkeys(("45", "46", "47", "48"), ("--count", "2500")),
    "61": ("--count", "3000", "--known"),
}
"""Of the end-of-turn model's rendered silences: seed and the rest."""
TURN_HEADS = ("1", "2")
"""Seeds of its heads, whose verdicts are averaged."""


def end_of_turn(plan: Plan) -> list[Step]:
    """Rendered turns with the frozen network's view of them, the heads, export, evaluation. Its length is in epochs."""
    turn_model = ("--turn-model", str(plan.turn_model))
    recogniser = ("--recogniser", "models/demo/speech_to_text")
    shards = {"41": ("--count", "200")} if plan.quick else TURN_SHARDS
    drawn = {f"train_{seed}": ("--seed", seed, *more) for seed, more in shards.items()}
    drawn["test"] = ("--seed", "91", "--count", "200" if plan.quick else "1500", "--voices", "flite:rms")
    lengths = ("--epochs", "1", "--unspoken", "500") if plan.quick else ("--epochs", "9")
    heads, file = [plan.path(f"head_{seed}.pt") for seed in TURN_HEADS], plan.path("model", "callbox-turn.onnx")
    return [
        *(
            Step(
                f"turns {name}",
                f"{END_OF_TURN}.features",
                (*turn_model, *recogniser, *more, "--out", plan.path("data", name)),
            )
            for name, more in drawn.items()
        ),
        *(
            Step(
                f"training of head {seed}",
                f"{END_OF_TURN}.train",
                (
                    *("--shards", *(plan.path("data", f"{name}.json") for name in drawn if name != "test")),
                    *("--tests", plan.path("data", "test.json"), *lengths, "--seed", seed),
                    *("--threads", str(plan.threads), "--out", head),
                ),
            )
            for seed, head in zip(TURN_HEADS, heads, strict=True)
        ),
        Step(
            "export",
            f"{END_OF_TURN}.export",
            (*heads, *turn_model, "--doubt", "0.25", "--smart-turn-share", "0.1", "--out", file),
        ),
        Step(
            "evaluation",
            f"{END_OF_TURN}.evaluate",
            (file, *turn_model, *recogniser, "--count", "40" if plan.quick else "500"),
        ),
    ]


RECIPES = {
    "stt": Recipe("speech to text", ("flite", "espeak-ng"), speech_to_text, {"demo-stt": "ct2"}),
    "tts": Recipe(
        "text to speech",
        ("flite", "flite1-dev", "espeak-ng", "wamerican", "gcc"),
        text_to_speech,
        {"demo-voice": "voice"},
    ),
    "llm": Recipe(
        "language model", (), language_model, {"demo-llm": "model/llama-demo-ct2", "demo-llm-hf": "model/llama-demo"}
    ),
    "interruption": Recipe("interruptions", ("flite", "espeak-ng"), interruption, {"callbox-interruption": "model"}),
    "turn": Recipe(
        "end of turn",
        ("flite", "espeak-ng", "wamerican", "festival", "festvox-kdlpc16k"),
        end_of_turn,
        {"callbox-turn": "model"},
    ),
}
"""In the order in which they are built."""
