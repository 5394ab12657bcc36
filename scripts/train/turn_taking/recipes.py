"""How the end-of-turn model and the interruption model are built from nothing."""

from collections.abc import Sequence

from scripts.train.plan import Plan, Step

END_OF_TURN = "scripts.train.end_of_turn"
INTERRUPTION = "scripts.train.interruption"
AGENT_VOICE = "models/demo/text_to_speech/en_US-demo-low.onnx"
"""The voice of the agent, which comes back as an echo."""
HEADS = {
    "1": ("kal16", "m3", "f2", "klatt2", "rob", "belinda", "max", "grandma"),
    "2": ("awb", "m5", "f4", "klatt4", "paul", "aunty", "victor", "anika"),
    "3": (),
}
"""Seed of each of the interruption model's heads, which are averaged, and the voices held out from its training to monitor it."""
HEAD_EPOCHS = 6
MEASURED = "901"
"""Seed of the events that the finished model is measured on."""


def interruption(plan: Plan) -> list[Step]:
    """The agent's voice, rendered events, features, training, export."""
    count, seeds = ("120" if plan.quick else "1000"), _interruption_shards(quick=plan.quick)
    agent, turn_model = plan.path("data", "agent.npz"), ("--turn-model", str(plan.turn_model))
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
        _interruption_features(plan, [seed for seed in seeds if seed != MEASURED]),
        *(_interruption_head(plan, seed) for seed in HEADS),
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
            (plan.path("model", "interruption.onnx"), plan.path("data", f"{MEASURED}.npz")),
        ),
    ]


def _interruption_features(plan: Plan, seeds: Sequence[str]) -> Step:
    arguments = (
        *("--turn-model", str(plan.turn_model)),
        *("--data", *(plan.path("data", f"{seed}.npz") for seed in seeds)),
        *("--threads", str(plan.threads), "--out", plan.path("features")),
    )
    return Step("features", f"{INTERRUPTION}.features", arguments)


def _interruption_shards(*, quick: bool) -> dict[str, tuple[str, ...]]:
    """Seeds of the rendered events, with each one's own options."""
    plain, foreign, far = (1, 1, 1) if quick else (49, 24, 12)
    return {
        **{str(seed): () for seed in range(401, 401 + plain)},
        **{str(seed): ("--foreign-share", "0.85") for seed in range(501, 501 + foreign)},
        **{str(seed): ("--foreign-share", "0.4", "--far-share", "0.6") for seed in range(601, 601 + far)},
        MEASURED: ("--held-out",),
    }


def _interruption_head(plan: Plan, seed: str) -> Step:
    watched = HEADS[seed] if not plan.quick else ()
    epochs = ("--epochs", "1" if plan.quick else str(HEAD_EPOCHS))
    return Step(
        f"training of head {seed}",
        f"{INTERRUPTION}.train",
        (
            *("--features", plan.path("features"), "--seed", seed, *epochs, *(("--dev", *watched) if watched else ())),
            *("--threads", str(plan.threads), "--out", plan.path(f"head_{seed}.pt")),
        ),
    )


TURN_SHARDS = {
    "41": ("--count", "2000"),
    **dict.fromkeys(("42", "43", "44"), ("--count", "3000")),
    **dict.fromkeys(("45", "46", "47", "48"), ("--count", "2500")),
    "61": ("--count", "3000", "--known"),
}
"""Seed and options of each shard of the end-of-turn model's rendered silences."""
TURN_HEADS = ("1", "2")
"""Seeds of its heads, which are averaged."""


def end_of_turn(plan: Plan) -> list[Step]:
    """Rendered turns with the frozen network's features, the heads, export, evaluation. Training length is in epochs."""
    turn_model = ("--turn-model", str(plan.turn_model))
    recogniser = ("--recogniser", "models/demo/speech_to_text")
    shards = {"41": ("--count", "200")} if plan.quick else TURN_SHARDS
    drawn = {f"train_{seed}": ("--seed", seed, *more) for seed, more in shards.items()}
    drawn["test"] = ("--seed", "91", "--count", "200" if plan.quick else "1500", "--voices", "flite:rms")
    data = [plan.path("data", f"{name}.json") for name in drawn if name != "test"]
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
        *(_turn_head(plan, seed, data) for seed in TURN_HEADS),
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


def _turn_head(plan: Plan, seed: str, data: Sequence[str]) -> Step:
    lengths = ("--epochs", "1", "--unspoken", "500") if plan.quick else ("--epochs", "9")
    return Step(
        f"training of head {seed}",
        f"{END_OF_TURN}.train",
        (
            *("--shards", *data, "--tests", plan.path("data", "test.json"), *lengths, "--seed", seed),
            *("--threads", str(plan.threads), "--out", plan.path(f"head_{seed}.pt")),
        ),
    )
