/*
 * A stream entry on its way: the events as they are added, then the whole request as three pieces to be written.
 *
 *   head: WATCH, EVAL guard, MULTI, XADD up to the payload     payload: the events
 *   tail: HSET and PUBLISH for each hash (or none), XTRIM if something is too old, HSET of the mark, EXEC
 *
 * The payload is never copied: it is encoded once, where it is sent from.
 */
#ifndef RINGSIDE_PERSISTER_REDIS_ENTRY_H
#define RINGSIDE_PERSISTER_REDIS_ENTRY_H

#include "base/error.h"
#include "encode_live.h"
#include "encode_payload.h"
#include "redis_request.h"

#include <stdbool.h>
#include <sys/uio.h>

#define REDIS_PREFIX_BYTES_MAX 64
#define REDIS_KEY_BYTES        (REDIS_PREFIX_BYTES_MAX + 32)
#define REDIS_ENTRY_PIECES     3

/* What the request says besides the events. */
struct redis_entry_mark {
    const char *guard; /* the text of guard.lua */
    const char *prefix;
    uint64_t epoch;
    uint64_t expected_seq; /* the mark before this entry */
    uint64_t entries_max;
    uint64_t old_seq; /* entries before this event are too old; 0: none */
};

struct redis_entry {
    uint8_t *payload;
    size_t payload_bytes;
    struct redis_request text; /* head, then tail */
    size_t head_bytes;
    size_t written_bytes;   /* of all pieces */
    uint32_t command_count; /* each of which is answered */
    bool brings_live;       /* to the hashes */
    uint32_t count;
    uint64_t first_seq;
    uint64_t last_seq;
    uint64_t last_time_ns;
};

int redis_entry_init(struct redis_entry *entry, uint32_t event_count_max, uint32_t change_count_max,
                     struct error *error);
void redis_entry_finish(struct redis_entry *entry);
void redis_entry_clear(struct redis_entry *entry);

void redis_entry_add(struct redis_entry *entry, const struct event *event, const struct symbol_table *symbols);

/* No more events: makes head and tail, with what was left of the live state; NULL: the hashes stay as they are. */
void redis_entry_seal(struct redis_entry *entry, const struct redis_entry_mark *mark, const struct live *live,
                      const struct symbol_table *symbols);

/* What is still to be written, in at most REDIS_ENTRY_PIECES pieces; 0: all is. */
int redis_entry_pieces(const struct redis_entry *entry, struct iovec pieces[REDIS_ENTRY_PIECES]);

/* Key names: events, mark, live, instruments, sessions, top:SYMBOL, last:SYMBOL behind the prefix. */
void redis_key(char key[REDIS_KEY_BYTES], const char *prefix, const char *name, const char *symbol);

#endif
