-- Appends a batch, once: only if the mark is where the writer thinks and the epoch is the writer's. Best prices, last
-- trades and names first, since they may be written twice; then the entry, whose id (the last event's number) Redis
-- itself refuses to take twice; then the mark.
-- KEYS: stream, mark, then a hash for each group of fields
-- ARGV: epoch, event_seq expected, first, last, time_ns of the last, entries to keep, payload,
--       then for each of those hashes: how many strings, field, value, ...
-- returns 1, or 0 if the mark is another
local mark = redis.call('HMGET', KEYS[2], 'epoch', 'event_seq')
if mark[1] ~= ARGV[1] or mark[2] ~= ARGV[2] then
    return 0
end
local at = 8
for i = 3, #KEYS do
    local last = at + tonumber(ARGV[at])
    redis.call('HSET', KEYS[i], unpack(ARGV, at + 1, last))
    at = last + 1
end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[6], ARGV[4] .. '-0', 'first', ARGV[3], 'last', ARGV[4], 'p', ARGV[7])
redis.call('HSET', KEYS[2], 'event_seq', ARGV[4], 'time_ns', ARGV[5])
return 1
