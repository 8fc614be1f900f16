"""An API of LitServe around ONNX Runtime."""
import os

import litserve
import numpy
import onnxruntime


class OnnxApi(litserve.LitAPI):
    def setup(self, device):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        path = os.environ["MODEL_PATH"]
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def decode_request(self, request):
        return numpy.array(request["x"], dtype=numpy.float32)

    def predict(self, x):
        (y,) = self.session.run(["y"], {"x": x})
        return y

    def encode_response(self, output):
        return {"y": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(OnnxApi(), accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        num_api_servers=1,
        generate_client_file=False,
        log_level="warning",
        access_log=False,
    )
