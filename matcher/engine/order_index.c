#include "order_index.h"

uint32_t index_room_beyond(const struct engine *engine, uint32_t hash)
{
    for (uint32_t away = 0; away < INDEX_BUCKETS_PASSED_MAX; away++) {
        const struct index_bucket *bucket = index_bucket(engine, hash + away);
        if (bucket->used != INDEX_USED_ALL)
            return index_room_in(engine, hash + away);
        if (UNLIKELY(bucket->passed == INDEX_PASSED_MAX))
            return INDEX_SLOT_NONE;
    }
    return INDEX_SLOT_NONE;
}
