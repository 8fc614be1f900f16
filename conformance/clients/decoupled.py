"""`tritonclient` and a decoupled model behind the gateway: as many answers to a request as it has, or none."""

import queue
import sys
from pathlib import Path

import numpy as np
import tritonclient.grpc
from tritonclient.utils import InferenceServerException

sys.path.insert(0, str(Path(__file__).parent.parent))
from checks import read_place, run  # noqa: E402

place = read_place()


class Stream:
    """One stream of a client of its own."""

    def __init__(self, **headers: str) -> None:
        self.client = tritonclient.grpc.InferenceServerClient(place.grpc)
        self.seen: queue.Queue[tuple[object, InferenceServerException | None]] = queue.Queue()
        self.client.start_stream(lambda result, error: self.seen.put((result, error)), headers=headers)

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.stop_stream()
        self.client.close()

    def ask(self, count: int, request_id: str, *, final: bool = False) -> None:
        tensor = tritonclient.grpc.InferInput("x", [1, 1], "FP32")
        tensor.set_data_from_numpy(np.array([[count]], np.float32))
        self.client.async_stream_infer("m", [tensor], request_id=request_id, enable_empty_final_response=final)

    def take(self) -> object:
        result, error = self.seen.get(timeout=60)
        if error is not None:
            raise error
        return result


def is_final(result: object) -> bool:
    parameter = result.get_response().parameters.get("triton_final_response")
    return parameter is not None and parameter.bool_param


def many_answers() -> None:
    with Stream() as stream:
        stream.ask(500, "mine", final=True)
        for at in range(500):
            result = stream.take()
            assert result.get_response().id == "mine"
            assert result.as_numpy("y").tolist() == [[at]], at
            assert result.get_response().parameters["x-regatta-prediction"].string_param
        assert is_final(stream.take())


def several_requests() -> None:
    """Each has all of its answers, in their order."""
    wanted = {f"{count}": count for count in (3, 0, 40, 1)}
    with Stream() as stream:
        for request_id, count in wanted.items():
            stream.ask(count, request_id, final=True)
        found: dict[str, list[float]] = {request_id: [] for request_id in wanted}
        finals = 0
        while finals < len(wanted):
            result = stream.take()
            if is_final(result):
                finals += 1
            else:
                found[result.get_response().id].append(float(result.as_numpy("y")[0, 0]))
        assert found == {request_id: list(range(count)) for request_id, count in wanted.items()}, found


def errors() -> None:
    """An error belongs to its request, and the stream goes on."""
    with Stream() as stream:
        stream.ask(-1, "wrong")
        stream.ask(1, "right")
        _, error = stream.seen.get(timeout=60)
        assert error is not None and "Cannot count to -1" in error.message(), error
        assert stream.take().get_response().id == "right"


def errors_by_status() -> None:
    """With Triton's header an error ends the stream as its status."""
    with Stream(triton_grpc_error="true") as stream:
        stream.ask(-1, "wrong")
        _, error = stream.seen.get(timeout=60)
        assert error is not None and "INVALID_ARGUMENT" in str(error.status()), error


run(
    {
        "many answers to one request": many_answers,
        "answers to several requests": several_requests,
        "an error": errors,
        "an error as a status": errors_by_status,
    }
)
