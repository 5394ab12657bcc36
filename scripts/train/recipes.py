"""How each demo model is built from nothing: the commands in order, and what they produce."""

from collections.abc import Sequence

from scripts.train.plan import Plan, Recipe, Step
from scripts.train.turn_taking.foreign import FESTIVAL_PACKAGES
from scripts.train.turn_taking.recipes import end_of_turn, interruption

SPEECH_TO_TEXT = "scripts.train.speech_to_text"
TEXT_TO_SPEECH = "scripts.train.text_to_speech"
LANGUAGE_MODEL = "scripts.train.language_model"


def speech_to_text(plan: Plan) -> list[Step]:
    """Tokenizer, rendered voices, features, training, export, evaluation."""
    shards = _training_shards(quick=plan.quick)
    tests = {"test_seen": ("91", ()), "test_heldout": ("92", ("--voices", "rms"))}
    test_files = tuple(plan.path("data", f"{name}.json") for name in tests)
    passes, test_count = ("1", "40") if plan.quick else ("2", "400")
    data = ("--data", *(plan.path("data", f"{name}.json") for name in shards))
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
            ("--turn-model", str(plan.turn_model), *data, "--passes", passes, "--out", plan.path("features")),
        ),
        _train_whisper(plan, test_files),
        Step(
            "export",
            f"{SPEECH_TO_TEXT}.export",
            (
                *(plan.path("checkpoint.pt"), "--tokenizer", plan.path("tokenizer.json")),
                *("--hf", plan.path("hf"), "--ct2", plan.path("ct2")),
            ),
        ),
        Step("evaluation", f"{SPEECH_TO_TEXT}.evaluate", (plan.path("ct2"), *test_files, "--count", test_count)),
    ]


def _train_whisper(plan: Plan, test_files: Sequence[str]) -> Step:
    arguments = (
        *("--turn-model", str(plan.turn_model), "--tokenizer", plan.path("tokenizer.json")),
        *("--features", plan.path("features"), "--tests", *test_files),
        *(*plan.training(95), "--out", plan.path("checkpoint.pt")),
    )
    return Step("training", f"{SPEECH_TO_TEXT}.train", arguments)


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
    "interruption": Recipe(
        "interruptions",
        ("flite", "espeak-ng", "festival", *FESTIVAL_PACKAGES),
        interruption,
        {"callbox-interruption": "model"},
    ),
    "turn": Recipe(
        "end of turn",
        ("flite", "espeak-ng", "wamerican", "festival", "festvox-kdlpc16k"),
        end_of_turn,
        {"callbox-turn": "model"},
    ),
}
"""In build order."""
