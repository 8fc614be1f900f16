"""Writes the table of models that the clients ask for: `python models.py FOLDER`.

Each is `FOLDER/NAME/VERSION/model.onnx`. Together they cover every element type, free dimensions, several inputs and
outputs, texts, images and versions.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8

TYPES = {
    "bool": TensorProto.BOOL,
    "uint8": TensorProto.UINT8,
    "uint16": TensorProto.UINT16,
    "uint32": TensorProto.UINT32,
    "uint64": TensorProto.UINT64,
    "int8": TensorProto.INT8,
    "int16": TensorProto.INT16,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "float16": TensorProto.FLOAT16,
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "string": TensorProto.STRING,
}
"""Every element type that a model can take, by the name of its numpy type."""

Shape = Sequence[str | int]


def value(name: str, dtype: str, shape: Shape) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TYPES[dtype], list(shape))


def model(
    nodes: Iterable[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    weights: dict[str, np.ndarray] | None = None,
) -> onnx.ModelProto:
    constants = [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()]
    graph = helper.make_graph(list(nodes), "conformance", inputs, outputs, constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="conformance")
    made.ir_version = IR_VERSION
    onnx.checker.check_model(made, full_check=True)
    return made


def echo(dtype: str) -> onnx.ModelProto:
    """y = x, any number of rows of 2."""
    node = helper.make_node("Identity", ["x"], ["y"])
    return model([node], [value("x", dtype, ["n", 2])], [value("y", dtype, ["n", 2])])


def mlp(seed: int) -> onnx.ModelProto:
    """4 inputs, 16 relu units, softmax over 3 classes."""
    random = np.random.default_rng(seed)
    weights = {
        "w1": random.normal(size=(4, 16)).astype(np.float32),
        "b1": random.normal(size=16).astype(np.float32),
        "w2": random.normal(size=(16, 3)).astype(np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["m"]),
        helper.make_node("Add", ["m", "b1"], ["a"]),
        helper.make_node("Relu", ["a"], ["h"]),
        helper.make_node("MatMul", ["h", "w2"], ["o"]),
        helper.make_node("Softmax", ["o"], ["p"], axis=-1),
    ]
    return model(nodes, [value("x", "float32", ["n", 4])], [value("p", "float32", ["n", 3])], weights)


def pair() -> onnx.ModelProto:
    """Two inputs of different types; their sum and the number of each row's elements that are positive."""
    nodes = [
        helper.make_node("Cast", ["b"], ["bf"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["a", "bf"], ["sum"]),
        helper.make_node("Greater", ["a", "zero"], ["g"]),
        helper.make_node("Cast", ["g"], ["gi"], to=TensorProto.INT64),
        helper.make_node("ReduceSum", ["gi", "axes"], ["positive"], keepdims=0),
    ]
    inputs = [value("a", "float32", ["n", 3]), value("b", "int64", ["n", 3])]
    outputs = [value("sum", "float32", ["n", 3]), value("positive", "int64", ["n"])]
    return model(nodes, inputs, outputs, {"zero": np.array(0, np.float32), "axes": np.array([1], np.int64)})


def image() -> onnx.ModelProto:
    """Mean of each channel of images of any size."""
    nodes = [
        helper.make_node("Cast", ["image"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["f"], ["mean"], axes=[1, 2], keepdims=0),
    ]
    shape = ["n", "height", "width", 3]
    return model(nodes, [value("image", "uint8", shape)], [value("mean", "float32", ["n", 3])])


def texts() -> onnx.ModelProto:
    """A text and a number in, both out, and the texts as a column."""
    nodes = [
        helper.make_node("Identity", ["text"], ["same"]),
        helper.make_node("Unsqueeze", ["text", "axes"], ["column"]),
        helper.make_node("Identity", ["number"], ["count"]),
    ]
    inputs = [value("text", "string", ["n"]), value("number", "int64", ["n"])]
    outputs = [value("same", "string", ["n"]), value("column", "string", ["n", 1]), value("count", "int64", ["n"])]
    return model(nodes, inputs, outputs, {"axes": np.array([1], np.int64)})


def scalar() -> onnx.ModelProto:
    """One number in, its square out; no dimension at all."""
    node = helper.make_node("Mul", ["x", "x"], ["y"])
    return model([node], [value("x", "float32", [])], [value("y", "float32", [])])


def lengths() -> onnx.ModelProto:
    """Sums over steps: rows and steps are both free."""
    node = helper.make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=0)
    inputs = [value("x", "float32", ["n", "steps", 2])]
    return model([node], inputs, [value("y", "float32", ["n", 2])], {"axes": np.array([1], np.int64)})


def table() -> dict[str, dict[int, onnx.ModelProto]]:
    """Returns the models by name and version."""
    return {
        **{f"echo_{dtype}": {1: echo(dtype)} for dtype in TYPES},
        "mlp": {1: mlp(1), 2: mlp(2), 3: mlp(3)},
        "pair": {1: pair()},
        "image": {1: image()},
        "texts": {1: texts()},
        "scalar": {1: scalar()},
        "lengths": {1: lengths()},
    }


def main(folder: Path) -> None:
    models = table()
    for name, versions in models.items():
        for version, made in versions.items():
            path = folder / name / str(version) / "model.onnx"
            path.parent.mkdir(parents=True, exist_ok=True)
            onnx.save(made, path)
    (folder / "models.config").write_text(config(folder, models))


def config(folder: Path, models: dict[str, dict[int, onnx.ModelProto]]) -> str:
    """Returns the file that a server reads: all versions, and labels for the model that has several."""
    entries = []
    for name, versions in models.items():
        labels = {"stable": min(versions), "canary": max(versions)} if len(versions) > 1 else {}
        lines = "".join(f'    version_labels {{ key: "{key}" value: {version} }}\n' for key, version in labels.items())
        entries.append(
            f'  config {{\n    name: "{name}"\n    base_path: "{folder / name}"\n    model_platform: "onnx"\n'
            f"    model_version_policy {{ all {{}} }}\n{lines}  }}\n"
        )
    return f"# Written by models.py.\nmodel_config_list {{\n{''.join(entries)}}}\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
