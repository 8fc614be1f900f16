"""A service of BentoML around ONNX Runtime."""
import os

import bentoml
import numpy
import onnxruntime


# Else it writes a line for every request.
@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Service:
    def __init__(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        path = os.environ["MODEL_PATH"]
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    @bentoml.api
    async def predict(self, x: list) -> dict:
        (y,) = self.session.run(["y"], {"x": numpy.array(x, dtype=numpy.float32)})
        return {"y": y.tolist()}
