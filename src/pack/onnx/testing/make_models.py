"""Makes the models of this folder, as users of TensorFlow export them: python make_models.py

Needs the packages of examples/forecast/requirements-tensorflow.txt. All weights come from seeds, but names that the
exporters count up differ from one run to the next.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import keras
import tensorflow as tf
import tf2onnx

FOLDER = Path(__file__).parent
OPSET = 17
layers = keras.layers


def to_rnn(units: int, **settings: object) -> keras.layers.SimpleRNN:
    return layers.SimpleRNN(units, **{"bias_initializer": "random_normal", **settings})


def to_model(*parts: keras.layers.Layer, steps: int | None = 6, batch: int | None = None) -> keras.Model:
    return keras.Sequential([keras.Input((steps, 2), batch_size=batch), *parts])


def write(name: str, model: keras.Model) -> None:
    """Exports what a model computes as a function."""

    @tf.function(input_signature=[tf.TensorSpec(x.shape, tf.float32, name=f"x{i or ''}") for i, x in enumerate(model.inputs)])
    def predict(*x: tf.Tensor) -> dict[str, tf.Tensor]:
        answers = model(x if len(x) > 1 else x[0])
        return {f"y{i or ''}": y for i, y in enumerate(answers if isinstance(answers, list) else [answers])}

    path = str(FOLDER / f"{name}.onnx")
    tf2onnx.convert.from_function(predict, input_signature=predict.input_signature, opset=OPSET, output_path=path)


def write_saved_model(name: str, model: keras.Model) -> None:
    @tf.function(input_signature=[tf.TensorSpec(model.inputs[0].shape, tf.float32, name="x")])
    def predict(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": model(x)}

    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(model, folder, signatures={"serving_default": predict})
        command = [sys.executable, "-m", "tf2onnx.convert", "--saved-model", folder, "--opset", str(OPSET)]
        subprocess.run([*command, "--output", str(FOLDER / f"{name}.onnx")], check=True)


class LeakyCell(keras.Layer):
    """A cell that no operator of ONNX has: the state follows tanh slowly."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.state_size = units
        self.inner = keras.layers.SimpleRNNCell(units)

    def build(self, shape: tuple[int, ...]) -> None:
        self.inner.build(shape)

    def call(self, x: tf.Tensor, states: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        y, _ = self.inner(x, states)
        y = 0.75 * states[0] + 0.25 * y
        return y, [y]


def to_open_length() -> keras.Model:
    """Any number of steps; gives the state after each step and after the last one."""
    x = keras.Input((None, 2))
    return keras.Model(x, list(to_rnn(3, return_sequences=True, return_state=True)(x)))


def to_given_state() -> keras.Model:
    """Begins with a state that the caller passes."""
    x, state = keras.Input((6, 2)), keras.Input((3,))
    return keras.Model([x, state], to_rnn(3)(x, initial_state=state))


keras.utils.set_random_seed(1)
sequence = to_model(to_rnn(3, activation="relu", return_sequences=True), layers.Dense(1))
write("function", sequence)
write_saved_model("saved-model", sequence)
sequence.export(str(FOLDER / "keras-export.onnx"), format="onnx", verbose=False)
write("last-state", to_model(to_rnn(3), layers.Dense(1)))
write("open-length", to_open_length())
write("one-row", to_model(to_rnn(3, return_sequences=True), batch=1))
write(
    "two-layers",
    to_model(
        layers.Dense(4),
        to_rnn(3, activation="sigmoid", use_bias=False, return_sequences=True, go_backwards=True),
        to_rnn(2, activation="relu"),
    ),
)
write("chaotic", to_model(to_rnn(8, recurrent_initializer=keras.initializers.RandomNormal(stddev=4)), steps=None))
write("masked", to_model(layers.Masking(), to_rnn(3)))
write("leaky", to_model(layers.RNN(LeakyCell(3))))
write("given-state", to_given_state())
write("gru", to_model(layers.GRU(3, bias_initializer="random_normal", return_sequences=True), layers.Dense(1)))
write("gru-reset-first", to_model(layers.GRU(3, reset_after=False)))
write("gru-last", to_model(layers.GRU(3, bias_initializer="random_normal"), steps=None))
