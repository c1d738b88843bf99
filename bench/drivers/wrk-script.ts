/**
 * Writes wrk's Lua script: the requests are read from a file and formatted once, before the load, and sent in
 * turn; a request with serial marks is cut at them, so that sending it costs a concatenation. (Lua takes no more
 * than 65,536 constants, and the bodies may be bytes: so they stand in a file of their own.)
 */
import { type Load, SERIAL_MARK } from './load.ts';

/** Begins the line with the report. */
export const REPORT_MARK = 'bench-report ';

const SCRIPT = `
local mark = "${SERIAL_MARK}"
local requests = {}
local at = 0
local serial = 0

local function cut(text)
  local parts = {}
  local from = 1
  while true do
    local start = string.find(text, mark, from, true)
    if start == nil then
      parts[#parts + 1] = string.sub(text, from)
      return parts
    end
    parts[#parts + 1] = string.sub(text, from, start - 1)
    from = start + #mark
  end
end

init = function()
  local headers = wrk.headers
  headers["Content-Type"] = content_type
  local file = assert(io.open(requests_file, "rb"))
  while true do
    local path = file:read("*l")
    if path == nil then break end
    local bytes = tonumber(file:read("*l"))
    local text = wrk.format("POST", path, headers, file:read(bytes))
    file:read(1)
    local parts = cut(text)
    requests[#requests + 1] = #parts == 1 and text or parts
  end
  file:close()
end

request = function()
  at = at + 1
  if at > #requests then at = 1 end
  local each = requests[at]
  if type(each) == "string" then return each end
  local text = each[1]
  for i = 2, #each do
    text = text .. string.format("%0${SERIAL_MARK.length}d", serial) .. each[i]
    serial = serial + 1
  end
  return text
end

done = function(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '\\n${REPORT_MARK}{"requests":%d,"durationMicros":%d,"p50":%f,"p95":%f,"p99":%f,"p999":%f,"status":%d,"socket":%d}\\n',
    summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(95), latency:percentile(99), latency:percentile(99.9),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
`;

/** @param requestsFile the path of {@link wrkRequests} */
export function wrkScript(load: Load, requestsFile: string): string {
  const contentType = load.contentType ?? 'application/json';
  return `local content_type = ${luaText(contentType)}\nlocal requests_file = ${luaText(requestsFile)}\n${SCRIPT}`;
}

/** Each request as a line with its path, one with the length of its body, and the body. */
export function wrkRequests(load: Load): Buffer {
  const text = load.requests.map(({ path, body }) => `${path}\n${body.length}\n${body}\n`).join('');
  return Buffer.from(text, 'latin1');
}

/** A Lua string literal. */
function luaText(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
