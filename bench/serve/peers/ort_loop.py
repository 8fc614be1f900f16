"""Calls ONNX Runtime for some seconds, and prints what a call costs."""
import json
import sys
import time

import numpy
import onnxruntime

path, shape, data, seconds = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
feeds = {"x": numpy.fromfile(data, dtype=numpy.float32).reshape(json.loads(shape))}
for _ in range(5):
    session.run(["y"], feeds)
times = []
cpu = time.process_time()
now = time.perf_counter()
end = now + float(seconds)
while now < end:
    session.run(["y"], feeds)
    then = time.perf_counter()
    times.append((then - now) * 1000)
    now = then
cpu = time.process_time() - cpu
times.sort()
at = lambda share: times[min(len(times) - 1, int(len(times) * share))]
print(json.dumps({"calls": len(times), "cpuS": cpu, "p50Ms": at(0.5), "p99Ms": at(0.99)}))
