"""Named checks, counted: each is a function that raises where the server is wrong."""

import argparse
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where a server listens and what it serves."""

    http: str
    """`HOST:PORT`."""
    grpc: str
    models: str
    """Folder of the models."""
    only: str | None
    """The one model that is there, where it is not the whole table (a gateway has one deployment)."""


Check = Callable[[], None]


def read_place() -> Place:
    parser = argparse.ArgumentParser()
    for name in ("http", "grpc", "models"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--only")
    return Place(**vars(parser.parse_args()))


def run(checks: dict[str, Check]) -> None:
    """Runs all, prints a line for each, and ends the process with 1 where one failed."""
    failed = 0
    for name, check in checks.items():
        try:
            check()
            print(f"✔ {name}", flush=True)
        except Exception:  # noqa: BLE001 every failure of a client is what this looks for
            failed += 1
            print(f"✖ {name}\n{traceback.format_exc()}", flush=True)
    print(f"{len(checks) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not checks else 0)


def raises(call: Callable[[], object], matches: Callable[[Exception], bool]) -> None:
    """Asserts that a call fails as expected."""
    try:
        found = call()
    except Exception as error:  # noqa: BLE001 `matches` decides
        assert matches(error), f"another error: {error!r}"
        return
    raise AssertionError(f"no error, but {found!r}")
