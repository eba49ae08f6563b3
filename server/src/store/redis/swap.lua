-- Puts a value in the place of another, or of none, if that is still there.
-- KEYS: where. ARGV: the new value, and the old one if there was one.
if redis.call('GET', KEYS[1]) ~= (ARGV[2] or false) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
