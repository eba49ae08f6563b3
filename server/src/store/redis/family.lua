-- A family and its user, read at one moment.
-- KEYS: the family. ARGV: what the key of a user begins with.
local row = redis.call('GET', KEYS[1])
if not row then
  return { false, false }
end
local user = cjson.decode(string.sub(row, 17)).user_id
return { row, redis.call('GET', ARGV[1] .. user) }
