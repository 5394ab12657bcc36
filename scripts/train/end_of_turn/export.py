"""Join the frozen sound network and the trained heads in one ONNX file, with their vocabulary in its metadata.

python -m scripts.train.end_of_turn.export head_1.pt head_2.pt --turn-model smart-turn.onnx --out callbox-turn.onnx
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import torch
from onnx import compose, helper, version_converter
from torch import nn

from scripts.train.end_of_turn.encoder import POSITIONS, WIDTH, shortened
from scripts.train.end_of_turn.features import STATES
from scripts.train.end_of_turn.model import Head, Heads
from serving.turn.inputs import HABITS, VOCABULARY
from serving.turn.words import PIECES, RECENT

SOUNDS = ("states", "pooled", "logit")
CONTEXT = ("words", "pieces", "counts", "asked", "habits", "silence_s")


class Joined(nn.Module):
    """The heads as exported: one silence at a time."""

    def __init__(self, head: nn.Module, *, temperature: float, doubt: float, share: float) -> None:
        """`temperature` divides the log odds; `doubt` is the weight of the heads' verdict without the words, which a recogniser may
        have got wrong; `share` is how much of Smart Turn's own logit is added.
        """
        super().__init__()
        self.head, self.temperature, self.doubt, self.share = head, temperature, doubt, share

    def forward(self, *values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Log odds (batch,) and Smart Turn's own logit (batch,)."""
        batch = dict(zip((*SOUNDS, *CONTEXT), values, strict=True))
        heard = batch["logit"]
        batch |= {"states": batch["states"][:, POSITIONS - STATES :], "silence_s": batch["silence_s"][:, None]}
        wordless = batch | {name: torch.zeros_like(batch[name]) for name in ("words", "pieces", "counts")}
        odds = (1 - self.doubt) * self.head(batch) + self.doubt * self.head(wordless)
        return odds[:, 0] / self.temperature + self.share * heard[:, 0], heard[:, 0] + 0.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "checkpoints", type=Path, nargs="+", help="of heads with the same vocabulary; they are averaged"
    )
    parser.add_argument("--turn-model", type=Path, required=True, help="Smart Turn v3.2's ONNX file")
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--doubt", type=float, default=0.0, help="weight of the heads' verdict without the words")
    parser.add_argument(
        "--smart-turn-share", type=float, default=0.0, help="weight of Smart Turn's logit, which knows real voices"
    )
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    saved = [torch.load(path, weights_only=True) for path in options.checkpoints]
    vocabulary = saved[0]["vocabulary"]
    if any(one["vocabulary"] != vocabulary for one in saved):
        parser.error("These heads know different words: train them on the same shards, with the same --unspoken.")
    heads = [Head(len(vocabulary)) for _ in saved]
    for head, one in zip(heads, saved, strict=True):
        head.load_state_dict(one["head"])
    parts = Joined(
        Heads(heads).eval(), temperature=options.temperature, doubt=options.doubt, share=options.smart_turn_share
    )
    model = joined(parts, options.turn_model, vocabulary)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, options.out)
    print(f"{options.out.name}: {options.out.stat().st_size / 1e6:.2f} MB", flush=True)


def joined(head: Joined, turn_model: Path, vocabulary: Sequence[str]) -> onnx.ModelProto:
    """The whole network."""
    network = shortened(turn_model, SOUNDS)
    opset = {item.domain: item.version for item in network.opset_import}[""]
    upper = version_converter.convert_version(_head_as_onnx(head), opset)
    upper = compose.add_prefix(upper, "head_")
    del network.opset_import[:]
    network.opset_import.extend(upper.opset_import)
    network.ir_version = upper.ir_version = max(network.ir_version, upper.ir_version)
    pairs = [(name, f"head_{name}") for name in SOUNDS]
    whole = compose.merge_models(network, upper, io_map=pairs)
    for old, new in {
        **{f"head_{name}": name for name in CONTEXT},
        "head_log_odds": "log_odds",
        "head_heard": "heard",
    }.items():
        _rename(whole.graph, old, new)
    helper.set_model_props(whole, {VOCABULARY: " ".join(vocabulary)})
    whole.producer_name = "callbox"
    onnx.checker.check_model(whole)
    return whole


def _head_as_onnx(head: Joined) -> onnx.ModelProto:
    integers = {"dtype": torch.int64}
    values = (
        *(torch.zeros(1, POSITIONS, WIDTH), torch.zeros(1, WIDTH), torch.zeros(1, 1)),
        *(
            torch.zeros(1, RECENT, **integers),
            torch.zeros(1, RECENT, PIECES, **integers),
            torch.zeros(1, 3, **integers),
        ),
        *(torch.zeros(1, **integers), torch.zeros(1, HABITS), torch.zeros(1)),
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "head.onnx"
        torch.onnx.export(
            head,
            values,
            path,
            input_names=[*SOUNDS, *CONTEXT],
            output_names=["log_odds", "heard"],
            opset_version=17,
            dynamo=False,
        )
        return onnx.load(path)


def _rename(graph: onnx.GraphProto, old: str, new: str) -> None:
    for value in (*graph.input, *graph.output):
        if value.name == old:
            value.name = new
    for node in graph.node:
        node.input[:] = [new if name == old else name for name in node.input]
        node.output[:] = [new if name == old else name for name in node.output]


if __name__ == "__main__":
    main()
