/*
 * Which entries of the stream are too old: from time to time it is noted how far the stream was, and what was written
 * before a note that is older than the limit may go. Kept in memory alone: after a start the first note is new, so
 * entries from before it stay for one more limit.
 */
#ifndef RINGSIDE_PERSISTER_STREAM_AGE_H
#define RINGSIDE_PERSISTER_STREAM_AGE_H

#include <stdint.h>

#define STREAM_NOTES_COUNT 64

struct stream_note {
    uint64_t at_ns;
    uint64_t event_seq;
};

struct stream_age {
    uint64_t limit_ns; /* 0: none is ever too old */
    uint32_t first, count;
    struct stream_note notes[STREAM_NOTES_COUNT];
};

/*
 * An entry up to event_seq is written now: notes it, if the last note is old enough. Returns the event before which
 * entries are too old, once for each; 0: none since.
 */
static inline uint64_t stream_age_note(struct stream_age *age, uint64_t now_ns, uint64_t event_seq)
{
    uint64_t old_seq = 0;
    if (age->limit_ns == 0)
        return 0;
    const struct stream_note *newest = &age->notes[(age->first + age->count - 1) % STREAM_NOTES_COUNT];
    if (age->count < STREAM_NOTES_COUNT &&
        (age->count == 0 || now_ns - newest->at_ns >= age->limit_ns / (STREAM_NOTES_COUNT / 2)))
        age->notes[(age->first + age->count++) % STREAM_NOTES_COUNT] =
            (struct stream_note){.at_ns = now_ns, .event_seq = event_seq};
    while (age->count > 0 && now_ns - age->notes[age->first].at_ns >= age->limit_ns) {
        old_seq = age->notes[age->first].event_seq;
        age->first = (age->first + 1) % STREAM_NOTES_COUNT;
        age->count--;
    }
    return old_seq;
}

#endif
