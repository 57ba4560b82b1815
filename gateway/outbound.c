#include "outbound.h"

#include "base/require.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHUNK_HEAD_BYTES  36
#define CHUNK_DELTA_BYTES (OUTBOUND_CHUNK_BYTES - CHUNK_HEAD_BYTES)
#define DELTA_BYTES_MAX   10

struct outbound_chunk {
    uint64_t first_event_seq; /* of first_message */
    uint32_t first_message;
    uint32_t session; /* 0: nobody's */
    uint32_t ordinal; /* among the session's chunks */
    uint32_t previous;
    uint32_t next;
    uint32_t skip;  /* chunk whose ordinal is this one's with the lowest bit off: finds any in logarithmic steps */
    uint16_t count; /* messages */
    uint16_t used;  /* bytes of deltas */
    uint8_t deltas[CHUNK_DELTA_BYTES];
} __attribute__((packed, aligned(4)));
_Static_assert(sizeof(struct outbound_chunk) == OUTBOUND_CHUNK_BYTES, "a power of two, so none straddles a page");

static struct outbound_session *session_of(const struct outbound *outbound, uint32_t session)
{
    REQUIRE(session >= 1 && session <= outbound->session_count);
    return &outbound->sessions[session - 1];
}

static int pool_map(struct outbound *outbound, const char *path, struct error *error)
{
    int fd = -1;
    if (path && path[0]) {
        fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0)
            return error_system(error, errno, path, "cannot open the index file");
        if (ftruncate(fd, (off_t)outbound->chunk_bytes_total) < 0) {
            int code = error_system(error, errno, path, "cannot size the index file");
            close(fd);
            return code;
        }
    }
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
    void *memory = mmap(NULL, outbound->chunk_bytes_total, PROT_READ | PROT_WRITE, flags, fd, 0);
    int map_errno = errno;
    if (fd >= 0)
        close(fd);
    if (memory == MAP_FAILED)
        return error_system(error, map_errno, fd < 0 ? "memory" : path, "cannot map the message index");
    outbound->chunks = memory;
    return 0;
}

int outbound_open(struct outbound *outbound, uint32_t session_count, size_t pool_bytes, const char *path,
                  struct error *error)
{
    memset(outbound, 0, sizeof(*outbound));
    size_t chunk_count = pool_bytes / OUTBOUND_CHUNK_BYTES;
    if (chunk_count < 2 || chunk_count >= OUTBOUND_NONE || session_count == 0)
        return error_set(error, ERROR_INVALID, "message index", "%zu bytes: from %d to 1 TiB are possible", pool_bytes,
                         2 * OUTBOUND_CHUNK_BYTES);
    outbound->chunk_count = (uint32_t)chunk_count;
    outbound->chunk_bytes_total = chunk_count * OUTBOUND_CHUNK_BYTES;
    outbound->session_count = session_count;
    outbound->sessions = calloc(session_count, sizeof(*outbound->sessions));
    if (!outbound->sessions)
        return error_system(error, ENOMEM, "message index", "no memory for %u sessions", session_count);
    int code = pool_map(outbound, path, error);
    if (code < 0) {
        outbound_close(outbound);
        return code;
    }
    outbound_clear(outbound, 1);
    return 0;
}

void outbound_close(struct outbound *outbound)
{
    if (!outbound)
        return;
    if (outbound->chunks)
        munmap(outbound->chunks, outbound->chunk_bytes_total);
    free(outbound->sessions);
    memset(outbound, 0, sizeof(*outbound));
}

void outbound_clear(struct outbound *outbound, uint64_t day_event_seq)
{
    const struct outbound_session empty = {
        .message_next = 1, .first_indexed = 1, .first_slot = OUTBOUND_NONE, .last_slot = OUTBOUND_NONE};
    for (uint32_t i = 0; i < outbound->session_count; i++)
        outbound->sessions[i] = empty;
    outbound->chunk_turn = 0;
    outbound->taken_count = 0;
    outbound->day_event_seq = day_event_seq;
}

void outbound_begin(struct outbound *outbound, uint32_t session, uint32_t message_next, uint64_t last_event_seq)
{
    struct outbound_session *owner = session_of(outbound, session);
    owner->message_next = message_next;
    owner->first_indexed = message_next;
    owner->last_event_seq = last_event_seq;
}

/* Takes a chunk from the session that has it; it is that session's oldest, since all are taken in turn. */
static void chunk_evict(struct outbound *outbound, uint32_t slot)
{
    const struct outbound_chunk *chunk = &outbound->chunks[slot];
    struct outbound_session *owner = session_of(outbound, chunk->session);
    REQUIRE(owner->first_slot == slot && owner->first_ordinal == chunk->ordinal);
    outbound->evicted_count++;
    owner->first_indexed = chunk->first_message + chunk->count;
    owner->first_ordinal++;
    owner->first_slot = chunk->next;
    if (owner->first_slot == OUTBOUND_NONE)
        owner->last_slot = OUTBOUND_NONE;
}

/* The slot of the chunk with this ordinal, from a chunk at or after it; the ordinal is still there. */
static uint32_t chunk_back(const struct outbound *outbound, const struct outbound_session *owner, uint32_t slot,
                           uint32_t ordinal)
{
    while (outbound->chunks[slot].ordinal != ordinal) {
        const struct outbound_chunk *chunk = &outbound->chunks[slot];
        uint32_t skipped = chunk->ordinal & (chunk->ordinal - 1);
        slot = skipped >= ordinal && skipped >= owner->first_ordinal ? chunk->skip : chunk->previous;
    }
    return slot;
}

static void chunk_begin(struct outbound *outbound, uint32_t session, uint32_t message_no, uint64_t event_seq)
{
    uint32_t slot = outbound->chunk_turn;
    outbound->chunk_turn = slot + 1 == outbound->chunk_count ? 0 : slot + 1;
    if (outbound->taken_count++ >= outbound->chunk_count)
        chunk_evict(outbound, slot);

    struct outbound_session *owner = session_of(outbound, session);
    struct outbound_chunk *chunk = &outbound->chunks[slot];
    chunk->first_event_seq = event_seq;
    chunk->first_message = message_no;
    chunk->session = session;
    chunk->ordinal = owner->ordinal_next++;
    chunk->previous = owner->last_slot;
    chunk->next = OUTBOUND_NONE;
    chunk->skip = OUTBOUND_NONE;
    chunk->count = 1;
    chunk->used = 0;
    uint32_t skipped = chunk->ordinal & (chunk->ordinal - 1);
    if (owner->last_slot == OUTBOUND_NONE) {
        owner->first_slot = slot;
        owner->first_ordinal = chunk->ordinal;
        owner->first_indexed = message_no;
    } else {
        outbound->chunks[owner->last_slot].next = slot;
        if (skipped >= owner->first_ordinal && skipped < chunk->ordinal)
            chunk->skip = chunk_back(outbound, owner, owner->last_slot, skipped);
    }
    owner->last_slot = slot;
}

static uint32_t delta_put(uint8_t *bytes, uint64_t delta)
{
    uint32_t count = 0;
    while (delta >= 0x80) {
        bytes[count++] = (uint8_t)(delta | 0x80);
        delta >>= 7;
    }
    bytes[count++] = (uint8_t)delta;
    return count;
}

static uint32_t delta_get(const uint8_t *bytes, uint64_t *ret_delta)
{
    uint64_t delta = 0;
    uint32_t count = 0;
    uint32_t shift = 0;
    uint8_t byte;
    do {
        byte = bytes[count++];
        delta |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    *ret_delta = delta;
    return count;
}

const char *outbound_append(struct outbound *outbound, uint32_t session, uint32_t message_no, uint64_t event_seq)
{
    if (UNLIKELY(session == 0 || session > outbound->session_count))
        return "the session's number is above engine.sessions_max";
    struct outbound_session *owner = session_of(outbound, session);
    if (UNLIKELY(message_no != owner->message_next))
        return "a session's messages are numbered without gaps";
    if (UNLIKELY(event_seq < owner->last_event_seq))
        return "a session's messages are in the order of their events";

    struct outbound_chunk *chunk = owner->last_slot == OUTBOUND_NONE ? NULL : &outbound->chunks[owner->last_slot];
    if (LIKELY(chunk && chunk->used <= CHUNK_DELTA_BYTES - DELTA_BYTES_MAX)) {
        chunk->used =
            (uint16_t)(chunk->used + delta_put(chunk->deltas + chunk->used, event_seq - owner->last_event_seq));
        chunk->count++;
    } else {
        chunk_begin(outbound, session, message_no, event_seq);
    }
    owner->last_event_seq = event_seq;
    owner->message_next = message_no + 1;
    return NULL;
}

uint32_t outbound_message_next(const struct outbound *outbound, uint32_t session)
{
    return session_of(outbound, session)->message_next;
}

/* The chunk that holds message_no, which is indexed: backwards from the newest, in logarithmic steps. */
static uint32_t chunk_find(const struct outbound *outbound, const struct outbound_session *owner, uint32_t message_no)
{
    uint32_t slot = owner->last_slot;
    while (outbound->chunks[slot].first_message > message_no) {
        const struct outbound_chunk *chunk = &outbound->chunks[slot];
        bool far = chunk->skip != OUTBOUND_NONE && (chunk->ordinal & (chunk->ordinal - 1)) >= owner->first_ordinal &&
                   outbound->chunks[chunk->skip].first_message + outbound->chunks[chunk->skip].count > message_no;
        slot = far ? chunk->skip : chunk->previous;
    }
    return slot;
}

/* Puts the cursor into the chunk of its message_no, which is indexed, going through the deltas before it. */
static void cursor_enter(const struct outbound *outbound, struct outbound_cursor *cursor)
{
    const struct outbound_session *owner = session_of(outbound, cursor->session);
    cursor->slot = chunk_find(outbound, owner, cursor->message_no);
    const struct outbound_chunk *chunk = &outbound->chunks[cursor->slot];
    cursor->ordinal = chunk->ordinal;
    cursor->used = 0;
    cursor->count = 0;
    uint32_t before = cursor->message_no - chunk->first_message;
    uint64_t event_seq = chunk->first_event_seq;
    for (uint32_t i = 1; i < before; i++) {
        uint64_t delta;
        cursor->used = (uint16_t)(cursor->used + delta_get(chunk->deltas + cursor->used, &delta));
        event_seq += delta;
    }
    cursor->count = (uint16_t)before;
    if (before > 0)
        cursor->event_seq = event_seq;
}

void outbound_seek(const struct outbound *outbound, struct outbound_cursor *cursor, uint32_t session,
                   uint32_t message_no)
{
    const struct outbound_session *owner = session_of(outbound, session);
    REQUIRE(message_no >= 1 && message_no <= owner->message_next);
    *cursor = (struct outbound_cursor){
        .event_seq = outbound->day_event_seq, .session = session, .message_no = message_no, .slot = OUTBOUND_NONE};
}

enum outbound_found outbound_cursor_next(const struct outbound *outbound, struct outbound_cursor *cursor,
                                         uint64_t *ret_event_seq)
{
    const struct outbound_session *owner = session_of(outbound, cursor->session);
    if (cursor->message_no >= owner->message_next)
        return OUTBOUND_END;
    if (cursor->message_no < owner->first_indexed) {
        cursor->slot = OUTBOUND_NONE;
        return OUTBOUND_EVICTED;
    }
    if (cursor->slot == OUTBOUND_NONE || cursor->ordinal < owner->first_ordinal)
        cursor_enter(outbound, cursor);
    const struct outbound_chunk *chunk = &outbound->chunks[cursor->slot];
    if (cursor->count == chunk->count) {
        cursor->slot = chunk->next;
        chunk = &outbound->chunks[cursor->slot];
        cursor->ordinal = chunk->ordinal;
        cursor->used = 0;
        cursor->count = 0;
    }
    if (cursor->count == 0) {
        cursor->event_seq = chunk->first_event_seq;
    } else {
        uint64_t delta;
        cursor->used = (uint16_t)(cursor->used + delta_get(chunk->deltas + cursor->used, &delta));
        cursor->event_seq += delta;
    }
    cursor->count++;
    cursor->message_no++;
    *ret_event_seq = cursor->event_seq;
    return OUTBOUND_FOUND;
}

void outbound_cursor_found(struct outbound_cursor *cursor, uint64_t event_seq)
{
    cursor->event_seq = event_seq;
    cursor->message_no++;
}
