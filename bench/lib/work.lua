-- What a client sends, and what wrk saw, as one line of JSON.
--
-- wrk -s work.lua URL -- PIPELINED FIELDS CLOSE
--   PIPELINED  requests written at once on a connection (1: wait for each response)
--   FIELDS     header fields of a request (1: Host alone; 20: browser and mesh)
--   CLOSE      1: a new connection for each request
--
-- The request is made once. There is no request() and no response() here: with either, wrk would
-- call Lua for every request, and that would be measured.

-- What a browser sends, and what the proxies of a service mesh add.
local usual = {
  { "User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36" },
  { "Accept", "*/*" },
  { "Accept-Language", "en-GB,en;q=0.9,de;q=0.8" },
  { "Accept-Encoding", "gzip, deflate, br, zstd" },
  { "Cache-Control", "max-age=0" },
  { "Cookie", "session=2f9a7c51d0e84b3c9d6fb1f0a8e7c3d4; theme=dark; consent=necessary" },
  { "Priority", "u=0, i" },
  { "Sec-CH-UA", '"Chromium";v="140", "Not=A?Brand";v="24"' },
  { "Sec-CH-UA-Platform", '"Linux"' },
  { "Sec-Fetch-Dest", "document" },
  { "Sec-Fetch-Mode", "navigate" },
  { "Sec-Fetch-Site", "none" },
  { "Upgrade-Insecure-Requests", "1" },
  { "X-Forwarded-For", "203.0.113.7, 10.42.0.19" },
  { "X-Forwarded-Proto", "https" },
  { "X-Request-Id", "5b0ff0f4-6c9a-4c5e-9d3b-7a2b1e8c4f60" },
  { "X-Envoy-Attempt-Count", "1" },
  { "Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" },
  { "Tracestate", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7" },
}

function init(args)
  local pipelined, fields, close = tonumber(args[1]), tonumber(args[2]), args[3] == "1"
  local head = { "GET " .. wrk.path .. " HTTP/1.1", "Host: " .. wrk.host .. ":" .. wrk.port }
  for number = 1, fields - 1 do
    head[#head + 1] = usual[number][1] .. ": " .. usual[number][2]
  end
  if close then
    head[#head + 1] = "Connection: close"
  end
  local requests = (table.concat(head, "\r\n") .. "\r\n\r\n"):rep(pipelined)
  -- wrk calls this once, after init.
  wrk.format = function() return requests end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "duration_us": %d, "p50_us": %d, "p99_us": %d, "max_us": %d, '
      .. '"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
