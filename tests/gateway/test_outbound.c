/*
 * The message index against a plain array of everything that was ever appended.
 *
 * Goal: every message that is indexed is found with its event, from any start, also while older ones are being given
 * up; what is given up is the oldest; memory never exceeds the pool. Method: random sessions and gaps, from a seed that
 * is printed; a pool that holds all, and one that goes round many times.
 */
#include "outbound.h"

#include "base/require.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SESSIONS 37u
#define MESSAGES 60000u

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            printf("not ok: %s:%d: %s (seed %llu)\n", __FILE__, __LINE__, #condition, (unsigned long long)first_seed); \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static uint64_t first_seed;
static uint64_t seed;

static uint64_t next_random(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

/* What was appended, by session. */
struct model {
    uint64_t *events[SESSIONS + 1];
    uint32_t count[SESSIONS + 1];
    uint64_t event_seq;
};

static void model_init(struct model *model)
{
    memset(model, 0, sizeof(*model));
    for (uint32_t s = 1; s <= SESSIONS; s++)
        model->events[s] = calloc(MESSAGES + 1, sizeof(uint64_t));
    model->event_seq = 1;
}

static void model_finish(struct model *model)
{
    for (uint32_t s = 1; s <= SESSIONS; s++)
        free(model->events[s]);
}

/* Gaps: none now and then (a trade with oneself), small mostly, beyond one, two and five bytes of LEB128 sometimes. */
static uint64_t gap(void)
{
    switch (next_random(20)) {
    case 0:
        return 0;
    case 1:
        return next_random(40000);
    case 2:
        return next_random(1000) == 0 ? next_random(UINT64_C(1) << 40) : 200;
    default:
        return next_random(4);
    }
}

static void append(struct outbound *outbound, struct model *model)
{
    uint32_t session = 1 + (uint32_t)next_random(next_random(2) ? SESSIONS : 3);
    model->event_seq += gap();
    model->events[session][++model->count[session]] = model->event_seq;
    CHECK(outbound_append(outbound, session, model->count[session], model->event_seq) == NULL);
    CHECK(outbound_message_next(outbound, session) == model->count[session] + 1);
}

/* Everything from `from` on, as a client that logs in with that number is told it. */
static void read_from(const struct outbound *outbound, const struct model *model, uint32_t session, uint32_t from)
{
    struct outbound_cursor cursor;
    outbound_seek(outbound, &cursor, session, from);
    for (uint32_t message_no = from; message_no <= model->count[session]; message_no++) {
        uint64_t event_seq = 0;
        enum outbound_found found = outbound_cursor_next(outbound, &cursor, &event_seq);
        if (found == OUTBOUND_EVICTED) {
            CHECK(message_no < outbound->sessions[session - 1].first_indexed);
            CHECK(cursor.event_seq <= model->events[session][message_no]);
            outbound_cursor_found(&cursor, model->events[session][message_no]);
            continue;
        }
        CHECK(found == OUTBOUND_FOUND);
        CHECK(event_seq == model->events[session][message_no]);
        CHECK(cursor.message_no == message_no + 1);
    }
    uint64_t untouched = 42;
    CHECK(outbound_cursor_next(outbound, &cursor, &untouched) == OUTBOUND_END && untouched == 42);
}

static void read_some(const struct outbound *outbound, const struct model *model)
{
    for (uint32_t s = 1; s <= SESSIONS; s++)
        read_from(outbound, model, s, 1 + (uint32_t)next_random(model->count[s] + 1));
}

/* A cursor that moves on while messages are appended and old chunks are taken away from under it. */
static void read_while_appending(struct outbound *outbound, struct model *model)
{
    struct outbound_cursor cursor;
    uint32_t session = 2;
    outbound_seek(outbound, &cursor, session, 1);
    for (uint32_t step = 0; step < 20000; step++) {
        append(outbound, model);
        uint32_t message_no = cursor.message_no;
        uint64_t event_seq = 0;
        switch (next_random(3) == 0 ? outbound_cursor_next(outbound, &cursor, &event_seq) : OUTBOUND_END) {
        case OUTBOUND_FOUND:
            CHECK(event_seq == model->events[session][message_no]);
            break;
        case OUTBOUND_EVICTED:
            CHECK(cursor.event_seq <= model->events[session][message_no]);
            outbound_cursor_found(&cursor, model->events[session][message_no]);
            break;
        case OUTBOUND_END:
            break;
        }
    }
}

static void run(size_t pool_bytes, const char *path, bool evicts)
{
    struct outbound outbound;
    struct model model;
    struct error error;
    model_init(&model);
    CHECK(outbound_open(&outbound, SESSIONS, pool_bytes, path, &error) == 0);
    CHECK((size_t)outbound.chunk_count * OUTBOUND_CHUNK_BYTES <= pool_bytes);
    for (uint32_t i = 0; i < MESSAGES / 2; i++) {
        append(&outbound, &model);
        if (next_random(2000) == 0)
            read_some(&outbound, &model);
    }
    read_while_appending(&outbound, &model);
    read_some(&outbound, &model);
    CHECK((outbound.evicted_count > 0) == evicts);
    if (!evicts) {
        for (uint32_t s = 1; s <= SESSIONS; s++)
            CHECK(outbound.sessions[s - 1].first_indexed == 1);
    }
    outbound_clear(&outbound, model.event_seq + 1);
    CHECK(outbound_message_next(&outbound, 1) == 1);
    CHECK(outbound_append(&outbound, 1, 1, model.event_seq + 5) == NULL);
    outbound_close(&outbound);
    model_finish(&model);
}

static void refuses_what_breaks_a_rule(void)
{
    struct outbound outbound;
    struct error error;
    CHECK(outbound_open(&outbound, 2, 100, NULL, &error) == ERROR_INVALID);
    CHECK(outbound_open(&outbound, 2, 65536, "/nowhere/at/all", &error) == ERROR_SYSTEM);
    CHECK(outbound_open(&outbound, 2, 65536, NULL, &error) == 0);
    CHECK(outbound_append(&outbound, 3, 1, 1) != NULL);
    CHECK(outbound_append(&outbound, 0, 1, 1) != NULL);
    CHECK(outbound_append(&outbound, 1, 2, 1) != NULL);
    CHECK(outbound_append(&outbound, 1, 1, 10) == NULL);
    CHECK(outbound_append(&outbound, 1, 2, 9) != NULL);
    CHECK(outbound_append(&outbound, 1, 2, 10) == NULL);
    outbound_close(&outbound);
    outbound_close(NULL);
}

/* The price of a message: one byte and its share of a chunk's head where sessions are busy. */
static void is_as_small_as_it_says(void)
{
    struct outbound outbound;
    struct error error;
    CHECK(outbound_open(&outbound, 100, (size_t)64 << 20, NULL, &error) == 0);
    for (uint32_t i = 0; i < 1000000; i++)
        CHECK(outbound_append(&outbound, 1 + i % 100, 1 + i / 100, 1 + i) == NULL);
    double bytes = (double)outbound.taken_count * OUTBOUND_CHUNK_BYTES / 1e6;
    CHECK(bytes < 1.3);
    outbound_close(&outbound);
}

int main(int argc, char **argv)
{
    first_seed = seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 88172645463325252u;
    char path[] = "/tmp/ringside-index-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    refuses_what_breaks_a_rule();
    run((size_t)64 << 20, NULL, false);
    run((size_t)16 * OUTBOUND_CHUNK_BYTES, NULL, true);
    run((size_t)200 * OUTBOUND_CHUNK_BYTES, path, true);
    is_as_small_as_it_says();
    unlink(path);
    printf("ok\n");
    return 0;
}
