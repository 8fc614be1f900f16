"""Triton's own Python client, `tritonclient`, over HTTP and gRPC: JSON and binary tensors, compression, repository."""

import queue
import sys
from pathlib import Path

import numpy as np
import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

sys.path.insert(0, str(Path(__file__).parent.parent))
from cases import Oracle, assert_same, requests  # noqa: E402
from checks import Check, raises, read_place, run  # noqa: E402

place = read_place()
oracle = Oracle(place.models)
http = tritonclient.http.InferenceServerClient(place.http)
grpc = tritonclient.grpc.InferenceServerClient(place.grpc)
BOTH = {"http": (http, tritonclient.http), "grpc": (grpc, tritonclient.grpc)}


def infers(wire: str, name: str, inputs: dict[str, np.ndarray], *, binary: bool, version: int | None = None) -> Check:
    client, kind = BOTH[wire]

    def check() -> None:
        used = version or oracle.latest(name)
        wanted = oracle.outputs(name, used, inputs)
        tensors = []
        for key, array in inputs.items():
            tensor = kind.InferInput(key, list(array.shape), np_to_triton_dtype(array.dtype))
            if wire == "http":
                tensor.set_data_from_numpy(array, binary_data=binary)
            else:
                tensor.set_data_from_numpy(array)
            tensors.append(tensor)
        options = {"binary_data": binary} if wire == "http" else {}
        outputs = [kind.InferRequestedOutput(key, **options) for key in wanted]
        answer = client.infer(
            name, tensors, model_version=str(version or ""), outputs=outputs, request_id="mine", **compression(wire)
        )
        head = answer.get_response()
        found_id, found_version = (
            (head["id"], head["model_version"]) if wire == "http" else (head.id, head.model_version)
        )
        assert (found_id, found_version) == ("mine", str(used))
        for key, array in wanted.items():
            found = answer.as_numpy(key)
            if array.dtype.kind == "O":
                decode = np.vectorize(lambda item: item.decode() if isinstance(item, bytes) else item, otypes=[object])
                found = decode(found)
            assert_same(found, array, key)

    return check


def compression(wire: str) -> dict[str, str]:
    if wire == "http":
        return {"request_compression_algorithm": "gzip", "response_compression_algorithm": "deflate"}
    return {"compression_algorithm": "gzip"}


def streams(names: list[str]) -> Check:
    """`ModelStreamInfer`: many requests on one stream, answered in their order, each with its own error."""

    def check() -> None:
        client = tritonclient.grpc.InferenceServerClient(place.grpc)
        answers: queue.Queue[tuple[object, InferenceServerException | None]] = queue.Queue()
        client.start_stream(lambda result, error: answers.put((result, error)))
        asked = [(name, inputs) for name in names for inputs in requests()[name]] * 3
        try:
            for at, (name, inputs) in enumerate(asked):
                tensors = []
                for key, array in inputs.items():
                    tensor = tritonclient.grpc.InferInput(key, list(array.shape), np_to_triton_dtype(array.dtype))
                    tensor.set_data_from_numpy(array)
                    tensors.append(tensor)
                client.async_stream_infer("nobody" if at % 5 == 2 else name, tensors, request_id=str(at))
            for at, (name, inputs) in enumerate(asked):
                result, error = answers.get(timeout=60)
                if at % 5 == 2:
                    assert error is not None and "nobody" in error.message(), error
                    continue
                assert error is None, error
                assert result.get_response().id == str(at), result.get_response().id
                for key, array in oracle.outputs(name, oracle.latest(name), inputs).items():
                    if array.dtype.kind != "O":
                        assert_same(result.as_numpy(key), array, key)
        finally:
            client.stop_stream()
            client.close()

    return check


def describes(wire: str, name: str) -> Check:
    client, _ = BOTH[wire]

    def check() -> None:
        assert client.is_model_ready(name)
        found = client.get_model_metadata(name, **({"as_json": True} if wire == "grpc" else {}))
        inputs = requests()[name][0]
        assert {item["name"] for item in found["inputs"]} == set(inputs)
        assert found["platform"] == "onnx_onnxv1"
        for item in found["inputs"]:
            assert item["datatype"] == np_to_triton_dtype(inputs[item["name"]].dtype), item

    return check


def is_alive(wire: str) -> Check:
    client, _ = BOTH[wire]

    def check() -> None:
        assert client.is_server_live()
        assert client.is_server_ready()
        found = client.get_server_metadata(**({"as_json": True} if wire == "grpc" else {}))
        assert "binary_tensor_data" in found["extensions"], found

    return check


def refuses(wire: str) -> Check:
    client, kind = BOTH[wire]

    def check() -> None:
        tensor = kind.InferInput("x", [1, 4], "FP32")
        tensor.set_data_from_numpy(np.zeros((1, 4), np.float32))
        wrong = kind.InferInput("x", [1, 5], "FP32")
        wrong.set_data_from_numpy(np.zeros((1, 5), np.float32))
        other = kind.InferInput("z", [1, 4], "FP32")
        other.set_data_from_numpy(np.zeros((1, 4), np.float32))
        codes = {"http": ("404", "400"), "grpc": ("StatusCode.NOT_FOUND", "StatusCode.INVALID_ARGUMENT")}[wire]
        for name, inputs, code in (
            ("nobody", [tensor], codes[0]),
            ("mlp", [wrong], codes[1]),
            ("mlp", [other], codes[1]),
            ("mlp", [], codes[1]),
        ):
            raises(lambda: client.infer(name, inputs), lambda error: is_error(error, code))  # noqa: B023 called at once

    return check


def is_error(error: Exception, code: str) -> bool:
    return isinstance(error, InferenceServerException) and code in str(error.status()) and bool(error.message())


def raw_request() -> None:
    """Binary tensor extension, "Raw Binary Request": the body is the only input, without any JSON."""
    import urllib.request

    inputs = np.arange(4, dtype=np.float32)
    request = urllib.request.Request(
        f"http://{place.http}/v2/models/mlp/infer", inputs.tobytes(), {"Inference-Header-Content-Length": "0"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        length = int(answer.headers["Inference-Header-Content-Length"])
        found = np.frombuffer(answer.read()[length:], np.float32).reshape(1, 3)
    wanted = oracle.outputs("mlp", oracle.latest("mlp"), {"x": inputs.reshape(1, 4)})
    assert_same(found, wanted["p"])


def unload_and_load(wire: str) -> Check:
    client, _ = BOTH[wire]

    def check() -> None:
        client.unload_model("lengths")
        assert not client.is_model_ready("lengths")
        client.load_model("lengths")
        assert client.is_model_ready("lengths")
        infers(wire, "lengths", requests()["lengths"][0], binary=True)()

    return check


def index(wire: str) -> Check:
    client, _ = BOTH[wire]

    def check() -> None:
        found = client.get_model_repository_index(**({"as_json": True} if wire == "grpc" else {}))
        items = found["models"] if wire == "grpc" else found
        assert {("mlp", "1"), ("mlp", "2"), ("mlp", "3")} <= {(item["name"], item["version"]) for item in items}
        assert all(item["state"] == "READY" for item in items), items

    return check


def statistics(wire: str) -> Check:
    client, _ = BOTH[wire]

    def counted() -> int:
        found = client.get_inference_statistics("pair", **({"as_json": True} if wire == "grpc" else {}))
        [item] = found["model_stats"]
        return int(item["inference_stats"]["success"]["count"])

    def check() -> None:
        infers(wire, "pair", requests()["pair"][0], binary=True)()
        before = counted()
        infers(wire, "pair", requests()["pair"][0], binary=True)()
        assert counted() == before + 1

    return check


def always(names: list[str]) -> dict[str, Check]:
    checks: dict[str, Check] = {"raw binary request": raw_request, "grpc: a stream": streams(names)}
    for wire in BOTH:
        checks[f"{wire}: the server"] = is_alive(wire)
        checks[f"{wire}: errors"] = refuses(wire)
        for name in names:
            checks[f"{wire}: metadata of {name}"] = describes(wire, name)
            for at, inputs in enumerate(requests()[name]):
                checks[f"{wire}: infer {name} {at}, binary"] = infers(wire, name, inputs, binary=True)
                # JSON has no halves in the protocol.
                if wire == "http" and name != "echo_float16":
                    checks[f"http: infer {name} {at}, JSON"] = infers(wire, name, inputs, binary=False)
    return checks


def when_whole() -> dict[str, Check]:
    checks: dict[str, Check] = {}
    for wire in BOTH:
        checks[f"{wire}: a version"] = infers(wire, "mlp", requests()["mlp"][0], binary=True, version=1)
        checks[f"{wire}: repository index"] = index(wire)
        checks[f"{wire}: unload and load"] = unload_and_load(wire)
        checks[f"{wire}: statistics"] = statistics(wire)
    return checks


names = [place.only] if place.only else list(requests())
run({**always(names), **({} if place.only else when_whole())})
