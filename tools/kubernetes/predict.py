"""Asks a model server as TensorFlow Serving's own Python client does: predict.py ADDRESS VALUE…; prints the answers."""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(sys.argv[1]))
request = predict_pb2.PredictRequest()
request.model_spec.name = "model"
values = np.array([[float(value)] for value in sys.argv[2:]], dtype=np.float32)
request.inputs["x"].CopyFrom(tf.make_tensor_proto(values))
answer = stub.Predict(request, timeout=30)
print(tf.make_ndarray(answer.outputs["y"]).tolist())
