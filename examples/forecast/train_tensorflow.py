"""Trains the network of train.ts with TensorFlow: python train_tensorflow.py (see requirements-tensorflow.txt).

Reads REGATTA_PARAMS and REGATTA_OUTPUT as train.ts does, prints the same JSON lines, and leaves model.onnx and, for
TensorFlow Serving, saved_model/.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf
import tf2onnx

from contract import (
    OPSET,
    STEPS,
    Params,
    check_onnx,
    name_ends,
    print_epoch,
    read_output,
    read_params,
    read_windows,
    write_answers,
)


def to_model(params: Params) -> keras.Model:
    def glorot() -> keras.initializers.Initializer:
        return keras.initializers.RandomUniform(-params.cell_limit, params.cell_limit)

    return keras.Sequential(
        [
            keras.Input((STEPS, 1)),
            keras.layers.SimpleRNN(
                params.hidden,
                activation="relu",
                return_sequences=True,
                kernel_initializer=glorot(),
                recurrent_initializer=glorot(),
            ),
            keras.layers.Dense(1),
        ]
    )


def train(model: keras.Model, params: Params, x: tf.Tensor, y: tf.Tensor) -> None:
    # Epsilon of TensorFlow 1 and of train.ts; Keras 3 has 1e-7.
    optimizer = keras.optimizers.Adam(params.learning_rate, epsilon=1e-8)

    def to_loss() -> tf.Tensor:
        return tf.reduce_sum(tf.square(model(x) - y))

    @tf.function
    def step() -> tf.Tensor:
        """Takes one step and returns the loss before it."""
        with tf.GradientTape() as tape:
            loss = to_loss()
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
        return loss

    for epoch in range(params.epochs):
        loss = float(step())
        if epoch > 0:
            print_epoch(epoch, loss)
    print_epoch(params.epochs, float(to_loss()))


params = read_params()
output = read_output()
x, y = read_windows()
keras.utils.set_random_seed(params.seed)
model = to_model(params)
start = dict(
    zip(("input", "recurrent", "bias", "dense", "denseBias"), (w.numpy() for w in model.trainable_variables), strict=True)
)
train(model, params, tf.constant(x), tf.constant(y))


@tf.function(input_signature=[tf.TensorSpec([None, STEPS, 1], tf.float32, name="x")])
def predict(x: tf.Tensor) -> dict[str, tf.Tensor]:
    return {"y": model(x)}


# Keras 3 breaks tf2onnx's from_keras; a function converts.
tf2onnx.convert.from_function(
    predict, input_signature=predict.input_signature, opset=OPSET, output_path=str(output / "model.onnx")
)
name_ends(output / "model.onnx")
tf.saved_model.save(model, str(output / "saved_model"), signatures={"serving_default": predict})

answers = predict(tf.constant(x))["y"].numpy()
check_onnx(output / "model.onnx", x, answers)
write_answers(x, answers, start)
