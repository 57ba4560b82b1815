-- Takes the mark for a persister that begins to write: raises the epoch, so that no earlier one can, and says where the
-- store stands. Where the mark is behind the stream's last id, or not there at all (a Redis that lost its memory, or its
-- mark), the stream knows better: what an entry says was written before it. The hashes may show less than the stream
-- has: up to the event that the key `live` says. Where that is not as every entry leaves it (it is not there, or a
-- persister that knows nothing of it has written since), they show all.
-- KEYS: mark, stream, instruments, live
-- returns: epoch, event_seq, time_ns (0: unknown), event_seq of the hashes, number/symbol pairs
local mark = redis.call('HMGET', KEYS[1], 'event_seq', 'time_ns')
local live = redis.call('HMGET', KEYS[4], 'event_seq', 'stored_seq')
local seq = mark[1] or '0'
local time_ns = mark[2] or '0'
if redis.call('EXISTS', KEYS[2]) == 1 then
    local info = redis.call('XINFO', 'STREAM', KEYS[2])
    for i = 1, #info, 2 do
        if info[i] == 'last-generated-id' then
            local id = string.match(info[i + 1], '^(%d+)-')
            if tonumber(id) > tonumber(seq) then
                seq = id
                time_ns = '0'
            end
        end
    end
end
redis.call('HSET', KEYS[1], 'event_seq', seq, 'time_ns', time_ns)
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
local live_seq = live[1]
if not live_seq or live[2] ~= seq then
    live_seq = seq
    redis.call('HSET', KEYS[4], 'event_seq', seq, 'time_ns', time_ns, 'stored_seq', seq)
end
return {tostring(epoch), seq, time_ns, live_seq, redis.call('HGETALL', KEYS[3])}
