-- Forgets some of the records that are over; says how many.
-- KEYS: indexes by time, whose members are the rest of a record's key, a zero byte, and the rest of
-- the key of a set that the record is in. ARGV: the latest time, how many at most, and for each
-- index what the keys of such records and of such sets begin with.
local left = tonumber(ARGV[2])
for number, index in ipairs(KEYS) do
  local due = redis.call('ZRANGEBYSCORE', index, '-inf', ARGV[1], 'LIMIT', 0, left)
  left = left - #due
  for _, member in ipairs(due) do
    local zero = string.find(member, '\0', 1, true)
    local record, set = string.sub(member, 1, zero - 1), string.sub(member, zero + 1)
    redis.call('DEL', ARGV[2 * number + 1] .. record)
    redis.call('SREM', ARGV[2 * number + 2] .. set, record)
    redis.call('ZREM', index, member)
  end
end
return tonumber(ARGV[2]) - left
