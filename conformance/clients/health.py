"""gRPC's own health client, `grpcio-health-checking`: Check and Watch."""

import sys
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

sys.path.insert(0, str(Path(__file__).parent.parent))
from checks import Check, raises, read_place, run  # noqa: E402

place = read_place()
health = health_pb2_grpc.HealthStub(grpc.insecure_channel(place.grpc))
SERVICES = [
    "",
    "tensorflow.serving.PredictionService",
    "tensorflow.serving.ModelService",
    "inference.GRPCInferenceService",
    "grpc.health.v1.Health",
    "PredictionService",
    "ModelService",
]


def serves(service: str) -> Check:
    def check() -> None:
        request = health_pb2.HealthCheckRequest(service=service)
        assert health.Check(request, 10).status == health_pb2.HealthCheckResponse.SERVING
        stream = health.Watch(request, timeout=10)
        assert next(stream).status == health_pb2.HealthCheckResponse.SERVING
        stream.cancel()

    return check


def unknown() -> None:
    request = health_pb2.HealthCheckRequest(service="nobody")
    raises(lambda: health.Check(request, 10), lambda error: error.code() == grpc.StatusCode.NOT_FOUND)
    stream = health.Watch(request, timeout=10)
    assert next(stream).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    stream.cancel()


run({**{f'"{service}" serves': serves(service) for service in SERVICES}, "an unknown service": unknown})
