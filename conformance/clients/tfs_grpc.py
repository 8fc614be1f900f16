"""TensorFlow Serving's own Python client: `tensorflow-serving-api`, every RPC."""

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)
from tensorflow_serving.config import model_server_config_pb2

sys.path.insert(0, str(Path(__file__).parent.parent))
from cases import Oracle, assert_same, requests  # noqa: E402
from checks import Check, raises, read_place, run  # noqa: E402

MAX_BYTES = 64 << 20
place = read_place()
oracle = Oracle(place.models)
channel = grpc.insecure_channel(
    place.grpc,
    options=[("grpc.max_receive_message_length", MAX_BYTES), ("grpc.max_send_message_length", MAX_BYTES)],
)
prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
management = model_service_pb2_grpc.ModelServiceStub(channel)
TIMEOUT = 30


def to_request(name: str, inputs: dict[str, np.ndarray]) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    for key, array in inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(array))
    return request


def to_typed_request(name: str, inputs: dict[str, np.ndarray]) -> predict_pb2.PredictRequest:
    """The same request with its numbers in typed fields."""
    request = to_request(name, inputs)
    for key, array in inputs.items():
        if array.dtype.name in TYPED:
            request.inputs[key].tensor_content = b""
            field = getattr(request.inputs[key], TYPED[array.dtype.name])
            del field[:]
            field.extend(array.view(np.uint16).flatten().tolist() if array.dtype == np.float16 else array.flatten().tolist())
    return request


TYPED = {
    "float32": "float_val",
    "float64": "double_val",
    "float16": "half_val",
    "bool": "bool_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "int64": "int64_val",
    **{name: "int_val" for name in ("int8", "int16", "int32", "uint8", "uint16")},
}


def assert_answer(answer: predict_pb2.PredictResponse, name: str, version: int, inputs: dict[str, np.ndarray]) -> None:
    wanted = oracle.outputs(name, version, inputs)
    assert set(answer.outputs) == set(wanted), list(answer.outputs)
    spec = answer.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == (name, version, "serving_default"), spec
    for key, array in wanted.items():
        found = tf.make_ndarray(answer.outputs[key])
        if array.dtype.kind == "O":
            found = np.vectorize(bytes.decode, otypes=[object])(found)
        assert_same(found, array, key)


def predicts(name: str, inputs: dict[str, np.ndarray]) -> Check:
    def check() -> None:
        version = oracle.latest(name)
        assert_answer(prediction.Predict(to_request(name, inputs), TIMEOUT), name, version, inputs)
        assert_answer(prediction.Predict(to_typed_request(name, inputs), TIMEOUT), name, version, inputs)

    return check


def fails(call, code: grpc.StatusCode, text: str = "") -> Check:  # noqa: ANN001 a bound stub call
    def matches(error: Exception) -> bool:
        return isinstance(error, grpc.RpcError) and error.code() == code and text in error.details()

    return lambda: raises(call, matches)


def versions_and_labels() -> None:
    inputs = requests()["mlp"][1]
    by_version = to_request("mlp", inputs)
    by_version.model_spec.version.value = 2
    assert_answer(prediction.Predict(by_version, TIMEOUT), "mlp", 2, inputs)
    by_label = to_request("mlp", inputs)
    by_label.model_spec.version_label = "stable"
    assert_answer(prediction.Predict(by_label, TIMEOUT), "mlp", 1, inputs)


def wanted_outputs() -> None:
    inputs = requests()["pair"][0]
    request = to_request("pair", inputs)
    request.output_filter.append("positive")
    answer = prediction.Predict(request, TIMEOUT)
    assert list(answer.outputs) == ["positive"]
    request.output_filter[:] = ["z"]
    fails(lambda: prediction.Predict(request, TIMEOUT), grpc.StatusCode.INVALID_ARGUMENT, "z")()


def one_element_fills() -> None:
    """A typed field with one element stands for all of them (tensor.proto)."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "mlp"
    tensor = request.inputs["x"]
    tensor.dtype = tf.float32.as_datatype_enum
    tensor.tensor_shape.CopyFrom(tf.TensorShape([2, 4]).as_proto())
    tensor.float_val.append(0.5)
    version = oracle.latest("mlp")
    assert_answer(prediction.Predict(request, TIMEOUT), "mlp", version, {"x": np.full((2, 4), 0.5, np.float32)})


def large_message() -> None:
    inputs = {"x": np.random.default_rng(1).normal(size=(600_000, 4)).astype(np.float32)}
    assert_answer(prediction.Predict(to_request("mlp", inputs), TIMEOUT), "mlp", oracle.latest("mlp"), inputs)


def metadata() -> None:
    request = get_model_metadata_pb2.GetModelMetadataRequest()
    request.model_spec.name = "mlp"
    fails(lambda: prediction.GetModelMetadata(request, TIMEOUT), grpc.StatusCode.INVALID_ARGUMENT, "at least one")()
    request.metadata_field.append("signature_def")
    answer = prediction.GetModelMetadata(request, TIMEOUT)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    signature = signatures.signature_def["serving_default"]
    assert signature.inputs["x"].dtype == tf.float32.as_datatype_enum
    assert [dim.size for dim in signature.inputs["x"].tensor_shape.dim] == [-1, 4]
    assert signature.method_name == "tensorflow/serving/predict"


def status() -> None:
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "mlp"
    answer = management.GetModelStatus(request, TIMEOUT)
    found = {item.version: item.state for item in answer.model_version_status}
    assert found == {version: 30 for version in oracle.versions("mlp")}, found


def classify_and_regress() -> None:
    example = tf.train.Example()
    for make, call in (
        (classification_pb2.ClassificationRequest, prediction.Classify),
        (regression_pb2.RegressionRequest, prediction.Regress),
    ):
        request = make()
        request.model_spec.name = "mlp"
        request.input.example_list.examples.append(example)
        raises(lambda: call(request, TIMEOUT), is_refusal)  # noqa: B023 called at once
    multi = inference_pb2.MultiInferenceRequest()
    task = multi.tasks.add()
    task.model_spec.name = "mlp"
    task.method_name = "tensorflow/serving/classify"
    multi.input.example_list.examples.append(example)
    raises(lambda: prediction.MultiInference(multi, TIMEOUT), is_refusal)


def is_refusal(error: Exception) -> bool:
    codes = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION)
    return isinstance(error, grpc.RpcError) and error.code() in codes


def reload() -> None:
    """The configuration is declarative: a model that is absent goes, and comes back with the next one."""
    text = (Path(place.models) / "models.config").read_text()
    whole = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    less = model_server_config_pb2.ModelServerConfig()
    less.CopyFrom(whole)
    kept = [config for config in whole.model_config_list.config if config.name != "scalar"]
    del less.model_config_list.config[:]
    less.model_config_list.config.extend(kept)
    asked = to_request("scalar", requests()["scalar"][0])
    for config, works in ((less, False), (whole, True)):
        request = model_management_pb2.ReloadConfigRequest(config=config)
        answer = management.HandleReloadConfigRequest(request, TIMEOUT)
        assert answer.status.error_code == 0, answer
        if works:
            prediction.Predict(asked, TIMEOUT)
        else:
            fails(lambda: prediction.Predict(asked, TIMEOUT), grpc.StatusCode.NOT_FOUND)()


def errors() -> dict[str, Check]:
    inputs = requests()["mlp"][0]
    request = to_request("mlp", inputs)
    # Its bytes alone take longer than a small request and its answer.
    large = to_request("mlp", {"x": np.zeros((600_000, 4), np.float32)})

    def changed(change) -> predict_pb2.PredictRequest:  # noqa: ANN001 mutates a copy
        copy = predict_pb2.PredictRequest()
        copy.CopyFrom(request)
        change(copy)
        return copy

    def predict(change):  # noqa: ANN001, ANN202
        return lambda: prediction.Predict(changed(change), TIMEOUT)

    code = grpc.StatusCode
    return {
        "no model spec": fails(predict(lambda it: it.ClearField("model_spec")), code.INVALID_ARGUMENT, "ModelSpec"),
        "unknown model": fails(predict(lambda it: setattr(it.model_spec, "name", "z")), code.NOT_FOUND, "z"),
        "unknown version": fails(predict(lambda it: setattr(it.model_spec.version, "value", 9)), code.NOT_FOUND),
        "unknown signature": fails(
            predict(lambda it: setattr(it.model_spec, "signature_name", "z")), code.FAILED_PRECONDITION, '"z"'
        ),
        "missing input": fails(predict(lambda it: it.inputs.clear()), code.INVALID_ARGUMENT, "x"),
        "wrong type": fails(
            predict(lambda it: it.inputs["x"].CopyFrom(tf.make_tensor_proto([[1, 2, 3, 4]]))), code.INVALID_ARGUMENT
        ),
        "wrong shape": fails(
            predict(lambda it: it.inputs["x"].CopyFrom(tf.make_tensor_proto([[1.0]]))), code.INVALID_ARGUMENT
        ),
        "too little time": fails(lambda: prediction.Predict(large, 1e-3), code.DEADLINE_EXCEEDED),
    }


def always(names: list[str]) -> dict[str, Check]:
    checks = {f"Predict {name} {i}": predicts(name, it) for name in names for i, it in enumerate(requests()[name])}
    return {
        **checks,
        "one element fills the tensor": one_element_fills,
        "9.6 MB of tensor": large_message,
        "GetModelMetadata": metadata,
        "GetModelStatus": status,
        "Classify, Regress and MultiInference are refused": classify_and_regress,
        **errors(),
    }


names = [place.only] if place.only else list(requests())
whole = {"version and label": versions_and_labels, "output_filter": wanted_outputs, "HandleReloadConfigRequest": reload}
run({**always(names), **({} if place.only else whole)})
