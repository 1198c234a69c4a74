-- One workload for wrk, from arguments of the form name=value after "--":
--   path=/echo  body_bytes=1024 (makes it a POST)  pipeline=16  close=1 (a new connection for each request)
-- and one line of JSON at the end, marked by "RESULT ".
--
-- wrk calls a global `request` for every request. There is none: wrk.format() is asked once, so that Lua
-- costs the load generator nothing while it measures.

local function parse(args)
  local options = { path = "/", body_bytes = 0, pipeline = 1, close = 0 }
  for _, arg in ipairs(args) do
    local name, value = arg:match("^([%w_]+)=(.*)$")
    options[name] = tonumber(value) or value
  end
  return options
end

function init(args)
  local options = parse(args)
  if options.close == 1 then wrk.headers["Connection"] = "close" end
  if options.body_bytes > 0 then
    wrk.method = "POST"
    wrk.body = string.rep("a", options.body_bytes)
  end
  local one = wrk.format(nil, options.path)
  wrk.format = function() return string.rep(one, options.pipeline) end
end

local line = 'RESULT {"requests": %d, "seconds": %.6f, "p50_us": %d, "p99_us": %d, "errors": '
  .. '{"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}}\n'

function done(summary, latency)
  local errors = summary.errors
  io.write(line:format(summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
