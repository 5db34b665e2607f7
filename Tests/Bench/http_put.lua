-- PUTs of 96 bytes to 10,000 documents, for wrk.
local body = '"' .. string.rep("x", 94) .. '"'

function request()
  return wrk.format("PUT", string.format("/bench/%010d", math.random(0, 9999)), nil, body)
end
