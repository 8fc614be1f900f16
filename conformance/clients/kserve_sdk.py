"""KServe's own Python SDK, `kserve`: its V1 and V2 clients over REST and its V2 client over gRPC."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from cases import Oracle, assert_same, requests  # noqa: E402
from checks import Check, read_place, run  # noqa: E402

place = read_place()
# The SDK reads the command line of whoever imports it.
del sys.argv[1:]
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig  # noqa: E402

oracle = Oracle(place.models)
URL = f"http://{place.http}"
V2 = {
    "bool": "BOOL",
    "object": "BYTES",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
    **{f"{sign}int{bits}": f"{sign.upper()}INT{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}


def rest(protocol: str) -> InferenceRESTClient:
    return InferenceRESTClient(RESTConfig(protocol=protocol))


def waits(make: Coroutine) -> Check:  # type: ignore[type-arg]
    return lambda: asyncio.run(make)


async def v1(name: str, inputs: dict[str, np.ndarray]) -> None:
    client = rest("v1")
    assert await client.is_model_ready(URL, name)
    [array] = inputs.values()
    answer = await client.infer(URL, {"instances": array.tolist()}, model_name=name)
    [wanted] = oracle.outputs(name, oracle.latest(name), inputs).values()
    assert_same(np.array(answer["predictions"], wanted.dtype), wanted)


def to_request(name: str, inputs: dict[str, np.ndarray], *, binary: bool) -> InferRequest:
    tensors = []
    for key, array in inputs.items():
        tensor = InferInput(key, list(array.shape), V2[array.dtype.name])
        tensor.set_data_from_numpy(array, binary_data=binary)
        tensors.append(tensor)
    return InferRequest(name, tensors, request_id="mine")


def assert_answer(answer, name: str, inputs: dict[str, np.ndarray]) -> None:  # noqa: ANN001 the SDK's InferResponse
    assert answer.id == "mine"
    found = {output.name: output.as_numpy() for output in answer.outputs}
    for key, wanted in oracle.outputs(name, oracle.latest(name), inputs).items():
        assert_same(to_texts(found[key]) if wanted.dtype.kind == "O" else found[key], wanted, key)


def to_texts(array: np.ndarray) -> np.ndarray:
    decode = np.vectorize(lambda item: item.decode() if isinstance(item, bytes) else item, otypes=[object])
    return decode(array)


async def v2_rest(name: str, inputs: dict[str, np.ndarray], *, binary: bool) -> None:
    client = rest("v2")
    assert await client.is_server_live(URL)
    assert await client.is_server_ready(URL)
    assert await client.is_model_ready(URL, name)
    answer = await client.infer(URL, to_request(name, inputs, binary=binary), model_name=name)
    assert_answer(answer, name, inputs)


async def v2_grpc(name: str, inputs: dict[str, np.ndarray]) -> None:
    client = InferenceGRPCClient(place.grpc)
    assert await client.is_server_live()
    assert await client.is_server_ready()
    assert await client.is_model_ready(name)
    for binary in (True, False):
        if binary or inputs_fit_contents(inputs):
            assert_answer(await client.infer(to_request(name, inputs, binary=binary)), name, inputs)


def inputs_fit_contents(inputs: dict[str, np.ndarray]) -> bool:
    """The protocol has no typed field for halves."""
    return all(array.dtype != np.float16 for array in inputs.values())


def all_checks(names: list[str]) -> dict[str, Check]:
    checks: dict[str, Check] = {}
    for name in names:
        inputs = requests()[name][0]
        if name in ("mlp", "echo_float64", "lengths"):
            checks[f"V1 {name}"] = waits(v1(name, inputs))
        checks[f"V2 REST, binary, {name}"] = waits(v2_rest(name, inputs, binary=True))
        if inputs_fit_contents(inputs):
            checks[f"V2 REST, JSON, {name}"] = waits(v2_rest(name, inputs, binary=False))
        checks[f"V2 gRPC {name}"] = waits(v2_grpc(name, inputs))
    return checks


run(all_checks([place.only] if place.only else list(requests())))
