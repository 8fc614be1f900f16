"""What both Python trainers share: regatta's params and output folder, the windows, and the check of the ONNX model."""

import argparse
import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnx
import onnxruntime

STEPS = 100
HORIZON = 1
"""Operator set of the ONNX files; that of train.ts."""
OPSET = 17


@dataclass(frozen=True)
class Params:
    """What the training command is told, as JSON in REGATTA_PARAMS."""

    hidden: int = 100
    learning_rate: float = 0.001
    epochs: int = 1000
    seed: int = 1

    @property
    def cell_limit(self) -> float:
        """Glorot-uniform bound of a basic cell's kernel, which joins input and recurrent weights."""
        return (6 / (1 + self.hidden + self.hidden)) ** 0.5


def read_params() -> Params:
    return Params(**json.loads(os.environ.get("REGATTA_PARAMS", "{}")))


def read_output() -> Path:
    """Returns the folder that the model goes into."""
    output = Path(os.environ.get("REGATTA_OUTPUT", "model"))
    output.mkdir(parents=True, exist_ok=True)
    return output


def read_windows() -> tuple[np.ndarray, np.ndarray]:
    """Returns inputs and targets, float32 [68, 100, 1]; a target is the input shifted by the horizon."""
    with (Path(__file__).parent / "data" / "series.csv").open() as file:
        values = np.array([float(row["value"]) for row in csv.DictReader(file)], dtype=np.float32)
    length = (len(values) - HORIZON) // STEPS * STEPS
    x = values[:length].reshape(-1, STEPS, 1)
    y = values[HORIZON : HORIZON + length].reshape(-1, STEPS, 1)
    return x, y


def print_epoch(epoch: int, loss: float) -> None:
    """Reports the sum of squared errors after so many epochs as one JSON line."""
    count = read_windows()[1].size
    print(json.dumps({"epoch": epoch, "loss": loss, "mse": loss / count}), flush=True)


def name_ends(path: Path) -> None:
    """Names the model's input x and output y, both [n, 100, 1], whatever the exporter called them."""
    model = onnx.load(path)
    renamed = {model.graph.input[0].name: "x", model.graph.output[0].name: "y"}
    for node in model.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    for end in (*model.graph.input, *model.graph.output):
        end.name = renamed[end.name]
        for dimension, size in zip(end.type.tensor_type.shape.dim, ("n", STEPS, 1), strict=True):
            dimension.Clear()
            setattr(dimension, "dim_param" if size == "n" else "dim_value", size)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def check_onnx(path: Path, x: np.ndarray, wanted: np.ndarray) -> None:
    """Fails unless ONNX Runtime answers as the framework did, to 1e-4 of each answer (or of 1 where it is smaller)."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for rows in (1, len(x)):
        (found,) = session.run(["y"], {"x": x[:rows]})
        error = np.max(np.abs(found - wanted[:rows]) / np.maximum(1, np.abs(wanted[:rows])))
        if not error <= 1e-4:
            raise SystemExit(f"The ONNX model answers otherwise than the framework: off by {error:.2e}, at most 1e-4 wanted")


def write_answers(x: np.ndarray, answers: np.ndarray, start: dict[str, np.ndarray]) -> None:
    """Writes the framework's answers and its first weights as JSON where `--answers FILE` asks for them (for tests)."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--answers", type=Path)
    path = parser.parse_args().answers
    if path is not None:
        content = {"x": x, "y": answers, **start}
        path.write_text(json.dumps({name: np.asarray(values).ravel().tolist() for name, values in content.items()}))
