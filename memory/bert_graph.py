"""The sentence encoder all-MiniLM-L6-v2 as an ONNX graph, written down from its architecture.

Notation: n sentences of t tokens; H = 384 hidden units, A = 12 heads, 6 layers; m ∈ {0, 1} the attention mask.

    x  = LayerNorm(word + token type + position)                             embeddings
    a  = softmax(q kᵀ / √(H/A) + (m − 1) · max) v                            per head; q, k, v linear in x
    x' = LayerNorm(x + linear(a));   x = LayerNorm(x' + linear(gelu(linear(x'))))
    e  = Σ m x / Σ m;   answer e / |e|                                       mean pooling, unit length

Sources: Devlin et al. 2019 (BERT); Wang et al. 2020 (MiniLM); Reimers and Gurevych 2019 (mean pooling).

The weights are not in the graph: each is an external tensor under its name in the checkpoint, handed over when a
session is made.  So the graph has 27 KB, and no framework is needed to write it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["GRAPH_VERSION", "HIDDEN", "build_graph"]

GRAPH_VERSION = 1
"""Raise it with every change of the graph: cached graphs of other versions are not looked at."""
HIDDEN, HEADS, LAYERS, VOCABULARY, POSITIONS = 384, 12, 6, 30_522, 512
OPSET, IR_VERSION = 20, 9
EPSILON = 1e-12


def build_graph() -> bytes:
    """The serialised model: input_ids, attention_mask int64 [n, t] → embedding float32 [n, 384], unit length."""
    return _Graph().build()


class _Graph:
    """The nodes and tensors written so far; each method adds nodes and answers the name of their output."""

    def __init__(self) -> None:
        import onnx

        self.onnx = onnx
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []

    def build(self) -> bytes:
        onnx, helper = self.onnx, self.onnx.helper
        self.constants()
        mask = self.node("Cast", ["attention_mask"], "mask", to=onnx.TensorProto.FLOAT)
        mask_4d = self.node("Unsqueeze", [mask, "axes_1_2"], "mask_4d")
        bias = self.node("Mul", [self.node("Sub", [mask_4d, "one"], "hidden_keys"), "largest"], "mask_bias")
        x = self.embeddings()
        for layer in range(LAYERS):
            x = self.layer(x, bias, f"encoder.layer.{layer}")
        self.pooling(x, mask)
        graph = helper.make_graph(
            self.nodes,
            "all-MiniLM-L6-v2",
            [
                helper.make_tensor_value_info(name, onnx.TensorProto.INT64, ["n", "t"])
                for name in ("input_ids", "attention_mask")
            ],
            [helper.make_tensor_value_info("embedding", onnx.TensorProto.FLOAT, ["n", HIDDEN])],
            self.tensors,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="ratchet"
        )
        data: bytes = model.SerializeToString()
        return data

    # ------------------------------------------------------------------ the model

    def embeddings(self) -> str:
        shape = self.node("Shape", ["input_ids"], "shape")
        length = self.node("Gather", [shape, "index_1"], "length", axis=0)
        positions = self.node("Range", ["index_0", length, "index_1"], "positions")
        word = self.weight("embeddings.word_embeddings.weight", VOCABULARY, HIDDEN)
        place = self.weight("embeddings.position_embeddings.weight", POSITIONS, HIDDEN)
        kind = self.weight("embeddings.token_type_embeddings.weight", 2, HIDDEN)
        words = self.node("Gather", [word, "input_ids"], "words", axis=0)
        kinds = self.node("Gather", [kind, "index_0"], "kinds", axis=0)
        places = self.node("Gather", [place, positions], "places", axis=0)
        total = self.node("Add", [self.node("Add", [words, kinds], "words_kinds"), places], "words_kinds_places")
        return self.layer_norm(total, "embeddings.LayerNorm")

    def layer(self, x: str, bias: str, name: str) -> str:
        attention = f"{name}.attention"
        q, k, v = (
            self.heads(x, f"{attention}.self.{part}", order)
            for part, order in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3]))
        )
        logits = self.node("Div", [self.node("MatMul", [q, k], f"{name}.qk"), "root_head_size"], f"{name}.logits")
        weights = self.node("Softmax", [self.node("Add", [logits, bias], f"{name}.masked")], f"{name}.weights", axis=-1)
        mixed = self.node("MatMul", [weights, v], f"{name}.mixed")
        rows = self.node("Transpose", [mixed], f"{name}.mixed_rows", perm=[0, 2, 1, 3])
        joined = self.node("Reshape", [rows, "joined_shape"], f"{name}.joined")
        attended = self.linear(joined, f"{attention}.output.dense", HIDDEN, HIDDEN)
        x = self.layer_norm(self.node("Add", [attended, x], f"{name}.residual"), f"{attention}.output.LayerNorm")
        inner = self.node("Gelu", [self.linear(x, f"{name}.intermediate.dense", 4 * HIDDEN, HIDDEN)], f"{name}.gelu")
        outer = self.linear(inner, f"{name}.output.dense", HIDDEN, 4 * HIDDEN)
        return self.layer_norm(self.node("Add", [outer, x], f"{name}.residual_2"), f"{name}.output.LayerNorm")

    def pooling(self, x: str, mask: str) -> None:
        mask_3d = self.node("Unsqueeze", [mask, "axis_2"], "mask_3d")
        total = self.node("ReduceSum", [self.node("Mul", [x, mask_3d], "kept"), "axis_1"], "total", keepdims=0)
        count = self.node("ReduceSum", [mask_3d, "axis_1"], "count", keepdims=0)
        self.node("LpNormalization", [self.node("Div", [total, count], "mean")], "embedding", axis=-1, p=2)

    # ------------------------------------------------------------------ the parts

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [output], **attributes))
        return output

    def weight(self, name: str, *shape: int) -> str:
        tensor = self.onnx.TensorProto(name=name, data_type=self.onnx.TensorProto.FLOAT, dims=shape)
        tensor.data_location = self.onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="handed over when a session is made")
        self.tensors.append(tensor)
        return name

    def linear(self, x: str, name: str, size_out: int, size_in: int) -> str:
        transposed = self.node("Transpose", [self.weight(f"{name}.weight", size_out, size_in)], f"{name}.t")
        product = self.node("MatMul", [x, transposed], f"{name}.product")
        return self.node("Add", [product, self.weight(f"{name}.bias", size_out)], f"{name}.out")

    def layer_norm(self, x: str, name: str) -> str:
        inputs = [x, self.weight(f"{name}.weight", HIDDEN), self.weight(f"{name}.bias", HIDDEN)]
        return self.node("LayerNormalization", inputs, f"{name}.out", axis=-1, epsilon=EPSILON)

    def heads(self, x: str, name: str, order: list[int]) -> str:
        split = self.node("Reshape", [self.linear(x, name, HIDDEN, HIDDEN), "heads_shape"], f"{name}.split")
        return self.node("Transpose", [split], f"{name}.heads", perm=order)

    def constants(self) -> None:
        values = {
            "index_0": np.int64(0),
            "index_1": np.int64(1),
            "axis_1": np.array([1]),
            "axis_2": np.array([2]),
            "axes_1_2": np.array([1, 2]),
            "heads_shape": np.array([0, 0, HEADS, HIDDEN // HEADS]),
            "joined_shape": np.array([0, 0, HIDDEN]),
            "one": np.float32(1),
            "largest": np.finfo(np.float32).max,
            "root_head_size": np.float32(np.sqrt(HIDDEN / HEADS)),
        }
        for name, value in values.items():
            self.tensors.append(self.onnx.numpy_helper.from_array(np.asarray(value), name))
