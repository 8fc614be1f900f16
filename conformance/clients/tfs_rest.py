"""TensorFlow Serving's REST API and KServe V1, asked as any HTTP client asks: `requests`-like, on the standard library."""

import base64
import json
import math
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from cases import Oracle, assert_same, requests  # noqa: E402
from checks import Check, read_place, run  # noqa: E402

place = read_place()
oracle = Oracle(place.models)


def ask(path: str, body: object = None) -> tuple[int, object]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{place.http}{path}", data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def column(array: np.ndarray) -> object:
    return array.tolist()


def rows(inputs: dict[str, np.ndarray]) -> list[object]:
    """Row form: one input goes bare, several as an object each."""
    if len(inputs) == 1:
        return column(next(iter(inputs.values())))
    count = len(next(iter(inputs.values())))
    columns = {name: array.tolist() for name, array in inputs.items()}
    return [{name: values[index] for name, values in columns.items()} for index in range(count)]


def to_array(value: object, like: np.ndarray) -> np.ndarray:
    return np.array(value, dtype=like.dtype if like.dtype.kind != "O" else object)


def predicts(name: str, version: int, inputs: dict[str, np.ndarray], path: str) -> Check:
    def check() -> None:
        wanted = oracle.outputs(name, version, inputs)
        given = {key: column(array) for key, array in inputs.items()}
        single = next(iter(given.values())) if len(given) == 1 else given
        status, answer = ask(path, {"inputs": single})
        assert status == 200, answer
        outputs = answer["outputs"] if len(wanted) > 1 else {next(iter(wanted)): answer["outputs"]}
        for key, array in wanted.items():
            assert_same(to_array(outputs[key], array), array, key)
        if next(iter(inputs.values())).ndim == 0:
            return
        status, answer = ask(path, {"signature_name": "serving_default", "instances": rows(inputs)})
        assert status == 200, answer
        for key, array in wanted.items():
            found = [item[key] for item in answer["predictions"]] if len(wanted) > 1 else answer["predictions"]
            assert_same(to_array(found, array), array, key)

    return check


def describes(name: str) -> Check:
    def check() -> None:
        status, answer = ask(f"/v1/models/{name}")
        assert status == 200, answer
        states = {item["version"]: item["state"] for item in answer["model_version_status"]}
        assert states == {str(version): "AVAILABLE" for version in oracle.versions(name)}, states
        assert (answer["name"], answer["ready"]) == (name, True)
        status, answer = ask(f"/v1/models/{name}/metadata")
        assert status == 200, answer
        signature = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
        assert set(signature["inputs"]) == set(requests()[name][0])

    return check


def fails(path: str, body: object, status: int, text: str) -> Check:
    def check() -> None:
        found, answer = ask(path, body)
        assert found == status, (found, answer)
        assert text in answer["error"], answer

    return check


def special_numbers() -> None:
    request = urllib.request.Request(
        f"http://{place.http}/v1/models/echo_float32:predict", b'{"instances": [[NaN, -Infinity]]}'
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        [[nan, infinity]] = json.load(answer)["predictions"]
    assert math.isnan(nan) and infinity == -math.inf


def big_integers() -> None:
    wanted = [[2**63 - 1, -(2**53) - 1]]
    assert ask("/v1/models/echo_int64:predict", {"instances": wanted}) == (200, {"predictions": wanted})


def base64_texts() -> None:
    encoded = {"b64": base64.b64encode("\u00e9".encode()).decode()}
    status, answer = ask("/v1/models/echo_string:predict", {"instances": [[encoded, "plain"]]})
    assert (status, answer) == (200, {"predictions": [["\u00e9", "plain"]]}), answer


def lists_models() -> None:
    status, answer = ask("/v1/models")
    assert status == 200 and "mlp" in answer["models"], answer


def when_whole() -> dict[str, Check]:
    """Checks of a server that has the whole table."""
    mlp = requests()["mlp"][1]
    body = {"instances": rows(mlp)}
    return {
        "NaN and Infinity": special_numbers,
        "int64 beyond 2^53": big_integers,
        "b64": base64_texts,
        "list of models": lists_models,
        "no version in the path: the highest": predicts("mlp", 3, mlp, "/v1/models/mlp:predict"),
        "version in the path": predicts("mlp", 1, mlp, "/v1/models/mlp/versions/1:predict"),
        "label in the path": predicts("mlp", 1, mlp, "/v1/models/mlp/labels/stable:predict"),
        "another label in the path": predicts("mlp", 3, mlp, "/v1/models/mlp/labels/canary:predict"),
        "capitals in the path": predicts("mlp", 3, mlp, "/V1/Models/mlp:Predict"),
        "unknown version": fails("/v1/models/mlp/versions/9:predict", body, 404, "Servable not found for request"),
        "unknown label": fails("/v1/models/mlp/labels/z:predict", body, 400, "Unrecognized servable version label: z"),
    }


def always(names: list[str]) -> dict[str, Check]:
    mlp = {"instances": rows(requests()["mlp"][1])}
    path = "/v1/models/mlp:predict"
    checks: dict[str, Check] = {
        "unknown model": fails("/v1/models/nobody:predict", mlp, 404, "nobody"),
        "unknown signature": fails(path, {**mlp, "signature_name": "z"}, 400, 'Serving signature name: "z" not found'),
        "no instances": fails(path, {}, 400, "Missing 'inputs' or 'instances' key"),
        "empty instances": fails(path, {"instances": []}, 400, "instances"),
        "wrong type": fails(path, {"instances": [["a"] * 4]}, 400, "not of expected type"),
        "wrong shape": fails(path, {"instances": [[1.0]]}, 400, ""),
    }
    for name in names:
        checks[f"status and metadata of {name}"] = describes(name)
        for index, inputs in enumerate(requests()[name]):
            version = oracle.latest(name)
            checks[f"predict {name} {index}"] = predicts(name, version, inputs, f"/v1/models/{name}:predict")
    return checks


# JSON has no form for bytes that are no text, and none is asked of halves that JSON would round.
names = [place.only] if place.only else list(requests())
run({**always(names), **({} if place.only else when_whole())})
