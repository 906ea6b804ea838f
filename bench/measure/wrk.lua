-- With the method as an argument, GET without, and then a file of tokens, a line each: each
-- request shows the next one.
local tokens = {}
local turn = 0

function init(arguments)
    wrk.method = arguments[1] or wrk.method
    for token in arguments[2] and io.lines(arguments[2]) or function() end do
        tokens[#tokens + 1] = "Bearer " .. token
    end
end

function request()
    if #tokens > 0 then
        turn = turn % #tokens + 1
        wrk.headers["Authorization"] = tokens[turn]
    end
    return wrk.format()
end

-- One line for the program that reads it: requests, microseconds, failures, p50, p99.
function done(summary, latency)
    local e = summary.errors
    print(string.format("RESULT %d %d %d %d %d", summary.requests, summary.duration,
        e.connect + e.read + e.write + e.status + e.timeout,
        latency:percentile(50), latency:percentile(99)))
end
