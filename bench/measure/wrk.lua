-- With the method as an argument; GET without.
function init(arguments)
    wrk.method = arguments[1] or wrk.method
end

-- One line for the program that reads it: requests, microseconds, failures, p50, p99.
function done(summary, latency)
    local e = summary.errors
    print(string.format("RESULT %d %d %d %d %d", summary.requests, summary.duration,
        e.connect + e.read + e.write + e.status + e.timeout,
        latency:percentile(50), latency:percentile(99)))
end
