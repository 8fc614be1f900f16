"""A model of KServe's Python server around ONNX Runtime."""
import os

import onnxruntime
from kserve import InferOutput, InferResponse, Model, ModelServer
from kserve.utils.utils import generate_uuid


class OnnxModel(Model):
    def load(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        path = os.environ["MODEL_PATH"]
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.ready = True

    async def predict(self, payload, headers=None, response_headers=None):
        (y,) = self.session.run(["y"], {"x": payload.inputs[0].as_numpy()})
        output = InferOutput("y", list(y.shape), "FP32")
        output.set_data_from_numpy(y, binary_data=payload.from_grpc or bool(payload.request_outputs))
        return InferResponse(
            payload.id or generate_uuid(),
            self.name,
            [output],
            use_binary_outputs=payload.use_binary_outputs,
            requested_outputs=payload.request_outputs,
        )



if __name__ == "__main__":
    model = OnnxModel(os.environ["MODEL_NAME"])
    model.load()
    ModelServer().start([model])
