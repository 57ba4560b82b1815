/*
 * Order-flow channels other than 0: a short chain of each session that has any. At most 255 links, and forgotten as a
 * whole when a day starts.
 */
#include "requests.h"

uint32_t *channel_user_ref(struct engine *engine, struct session *session, uint8_t index, bool make)
{
    for (uint32_t at = session->channel_first; at != 0; at = engine->channels[at].next) {
        if (engine->channels[at].index == index)
            return &engine->channels[at].user_ref_last;
    }
    if (!make || engine->channel_count == engine->limits.channels_max)
        return NULL;
    uint32_t at = ++engine->channel_count;
    engine->channels[at] = (struct channel){.next = session->channel_first, .index = index};
    session->channel_first = at;
    return &engine->channels[at].user_ref_last;
}
