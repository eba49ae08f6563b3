-- Adds entries to the audit log, in order, and forgets old ones.
-- KEYS: the log, by time, and the number of the last entry. ARGV: from when on entries are kept,
-- then the time and the text of each.
for at = 2, #ARGV, 2 do
  local number = redis.call('INCR', KEYS[2])
  redis.call('ZADD', KEYS[1], ARGV[at], string.format('%016d', number) .. ARGV[at + 1])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1])
return redis.status_reply('OK')
