-- Sends requests that were written to files beforehand, one file per thread, so that the load costs
-- as little of the shared cores as it can. Each request stands behind its length in six digits.
-- Arguments: the folder of the files, and `record` to keep the bodies of the answers there.

local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init(args)
  file = assert(io.open(args[1] .. "/requests-" .. number, "rb"))
  file:setvbuf("full", 1048576)
  consumed = 0
  exhausted = false
  if args[2] == "record" then
    local answers = assert(io.open(args[1] .. "/answers-" .. number, "wb"))
    answers:setvbuf("no")
    -- wrk parses answers only where this function exists, at a price.
    response = function(status, headers, body)
      answers:write(status, " ", body, "\n")
    end
  end
end

function request()
  local length = file:read(6)
  if not length then
    exhausted = true
    wrk.thread:stop()
    return last
  end
  consumed = consumed + 1
  last = file:read(tonumber(length))
  return last
end

function done(summary, latency)
  local consumed, exhausted = {}, false
  for index, thread in ipairs(threads) do
    consumed[index] = thread:get("consumed")
    exhausted = exhausted or thread:get("exhausted")
  end
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"refused":%d,"broken":%d,"p50":%d,"p99":%d,' ..
    '"exhausted":%s,"consumed":[%s]}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), tostring(exhausted),
    table.concat(consumed, ",")))
end
