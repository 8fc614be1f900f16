"""Triton's server with its Python backend around ONNX Runtime."""
import os

import numpy
import onnxruntime
from pytriton.decorators import batch
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL_PATH"], options, providers=["CPUExecutionProvider"])


@batch
def infer(x):
    return session.run(["y"], {"x": x})


def spec(name, value):
    return Tensor(name=name, dtype=numpy.float32, shape=tuple(value.shape[1:]))


config = TritonConfig(
    http_address="127.0.0.1",
    http_port=int(os.environ["HTTP_PORT"]),
    grpc_address="127.0.0.1",
    grpc_port=int(os.environ["GRPC_PORT"]),
    metrics_port=int(os.environ["METRICS_PORT"]),
    log_verbose=0,
)
with Triton(config=config) as triton:
    triton.bind(
        model_name=os.environ["MODEL_NAME"],
        infer_func=infer,
        inputs=[spec("x", session.get_inputs()[0])],
        outputs=[spec("y", session.get_outputs()[0])],
        config=ModelConfig(max_batch_size=64),
    )
    triton.serve()
