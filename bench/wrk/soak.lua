-- Mixed requests for bench/soak: each one of the paths after "--", at random. Counts what was asked and what came
-- back, and prints both as one line of JSON marked by "RESULT ".

local threads = {}

function setup(thread) table.insert(threads, thread) end

function init(args)
  paths, asked, statuses = {}, {}, {}
  for _, path in ipairs(args) do
    table.insert(paths, { path = path, request = wrk.format("GET", path) })
    asked[path] = 0
  end
  math.randomseed(os.time())
end

function request()
  local chosen = paths[math.random(#paths)]
  asked[chosen.path] = asked[chosen.path] + 1
  return chosen.request
end

function response(status)
  local name = tostring(status)
  statuses[name] = (statuses[name] or 0) + 1
end

local function total(name)
  local sums = {}
  for _, thread in ipairs(threads) do
    for key, count in pairs(thread:get(name)) do sums[key] = (sums[key] or 0) + count end
  end
  return sums
end

local function object(counts)
  local fields = {}
  for key, count in pairs(counts) do table.insert(fields, string.format('"%s": %d', key, count)) end
  return "{" .. table.concat(fields, ", ") .. "}"
end

function done(summary)
  local errors = { connect = summary.errors.connect, read = summary.errors.read, write = summary.errors.write,
    timeout = summary.errors.timeout }
  io.write(string.format('RESULT {"requests": %d, "seconds": %.6f, "asked": %s, "statuses": %s, "errors": %s}\n',
    summary.requests, summary.duration / 1e6, object(total("asked")), object(total("statuses")), object(errors)))
end
