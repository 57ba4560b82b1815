-- Says whether the mark is where the writer thinks, under the writer's epoch. If not, the mark is touched: the writer
-- watches it (WATCH), so the transaction that follows in the same pipeline does not run. The events themselves do not
-- come by here, since a script pays for each byte that it is given. The text of this is sent along each time: a server
-- that has forgotten its scripts would answer EVALSHA with an error, and run the transaction behind it all the same.
-- KEYS: mark   ARGV: epoch, event_seq expected   returns 1 or 0
local mark = redis.call('HMGET', KEYS[1], 'epoch', 'event_seq')
if mark[1] == ARGV[1] and mark[2] == ARGV[2] then
    return 1
end
redis.call('HSET', KEYS[1], 'epoch', mark[1] or '0')
return 0
