-- Performs the commands of a step if nothing that the step has read has changed since.
-- KEYS: what was read, then what is written. ARGV: how many keys were read, the stamp of each (empty
-- if there was none), then each command as its length and its words.
local read = tonumber(ARGV[1])
for at = 1, read do
  if redis.call('GETRANGE', KEYS[at], 0, 15) ~= ARGV[at + 1] then
    return 0
  end
end

local at = read + 2
while at <= #ARGV do
  local words = tonumber(ARGV[at])
  redis.call(unpack(ARGV, at + 1, at + words))
  at = at + words + 1
end
return 1
