-- Posts one body, read from a file, and prints one line of JSON. Arguments: the file, then name and value of headers.
function init(args)
  local file = assert(io.open(args[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  file:close()
  for at = 2, #args, 2 do
    wrk.headers[args[at]] = args[at + 1]
  end
end

-- Units: summary.duration and latencies are microseconds.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"errors":%d,"perSecond":%f,"p50Ms":%f,"p99Ms":%f}\n',
    summary.requests - errors.status,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    (summary.requests - errors.status) / summary.duration * 1e6,
    latency:percentile(50) / 1000,
    latency:percentile(99) / 1000
  ))
end
