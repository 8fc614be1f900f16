"""FastAPI and ONNX Runtime, as people write it by hand."""
import os

import numpy
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL_PATH"], options, providers=["CPUExecutionProvider"])

Rows = float
for _ in session.get_inputs()[0].shape:
    Rows = list[Rows]


class Request(BaseModel):
    x: Rows


app = FastAPI()


@app.post("/predict")
async def predict(request: Request):
    (y,) = session.run(["y"], {"x": numpy.array(request.x, dtype=numpy.float32)})
    return {"y": y.tolist()}
