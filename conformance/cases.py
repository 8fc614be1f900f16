"""What is asked of each model, and what ONNX Runtime itself answers."""

import os
from functools import cache
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime

LIMITS = {"float16": 1e4, "float32": 1e30, "float64": 1e300}
TEXTS = ["", "plain", "\u00e9\u4e2d\U0001f642", "two\nlines", '"quoted"', "a" * 1000]


def integers(dtype: str) -> np.ndarray:
    """The ends of the type's range and some between."""
    info = np.iinfo(dtype)
    return np.array([[info.min, info.max], [0, 1], [info.max - 1, info.max // 3]], dtype)


def echoed(dtype: str) -> np.ndarray:
    if dtype == "bool":
        return np.array([[True, False], [False, True]])
    if dtype == "string":
        return np.array(TEXTS, dtype=object).reshape(3, 2)
    if dtype in LIMITS:
        return np.array([[0.1, -0.0], [LIMITS[dtype], 1 / 3]], dtype)
    return integers(dtype)


DTYPES = "bool uint8 uint16 uint32 uint64 int8 int16 int32 int64 float16 float32 float64 string".split()


@cache
def requests() -> dict[str, list[dict[str, np.ndarray]]]:
    """Returns the requests by model: each is a tensor for every input."""
    random = np.random.default_rng(7)
    f32 = lambda *shape: random.normal(size=shape).astype(np.float32)  # noqa: E731
    return {
        **{f"echo_{dtype}": [{"x": echoed(dtype)}] for dtype in DTYPES},
        "mlp": [{"x": f32(1, 4)}, {"x": f32(5, 4)}, {"x": f32(300, 4)}],
        "pair": [{"a": f32(2, 3), "b": random.integers(-(2**40), 2**40, (2, 3))}],
        "image": [
            {"image": random.integers(0, 256, (2, 8, 6, 3), dtype=np.uint8)},
            {"image": random.integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)},
        ],
        "texts": [{"text": np.array(TEXTS, dtype=object), "number": np.arange(len(TEXTS))}],
        "scalar": [{"x": np.array(1.5, np.float32)}],
        "lengths": [{"x": f32(2, 3, 2)}, {"x": f32(1, 50, 2)}],
    }


class Oracle:
    """ONNX Runtime on the same files."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.session = cache(self._open)

    def versions(self, name: str) -> list[int]:
        return sorted(int(path.name) for path in (self.folder / name).iterdir())

    def latest(self, name: str) -> int:
        return self.versions(name)[-1]

    def _open(self, name: str, version: int) -> onnxruntime.InferenceSession:
        path = self.folder / name / str(version) / "model.onnx"
        return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def outputs(self, name: str, version: int, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        session = self.session(name, version)
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, inputs), strict=True))


def assert_same(found: np.ndarray, wanted: np.ndarray, what: str = "") -> None:
    """Floats to 1e-5 of each other (a batch may be summed in another order), everything else exactly."""
    found = np.asarray(found)
    assert found.shape == wanted.shape, f"{what}: shape {found.shape}, expected {wanted.shape}"
    if wanted.dtype.kind == "f":
        np.testing.assert_allclose(found.astype(np.float64), wanted.astype(np.float64), rtol=1e-5, err_msg=what)
    else:
        assert (found == wanted).all(), f"{what}: {found!r}, expected {wanted!r}"
