#include "postgres_server.h"

#include "base/require.h"
#include "outside.h"
#include "postgres_backend.h"
#include "postgres_truth.h"
#include "postgres_wire.h"
#include "random.h"
#include "stores.h"

#include <stdlib.h>
#include <string.h>

#define STEPS_MAX    4 /* statements and pieces of COPY that a connection gets done at one time */
#define COMMIT_BYTES 300

struct postgres_server postgres;
static struct backend backends[STORE_LINKS_MAX];

static struct backend *backend_of(uint32_t index)
{
    struct store_link *link = store_link_at(index);
    if (!link->used || !link->server_open || link->side != SIDE_POSTGRES)
        return NULL;
    backends[index].link = link;
    return &backends[index];
}

/* ---- life ---------------------------------------------------------------------------------------------------------
 */

/* A new connection, in memory that is there. */
static void backend_clear(struct backend *backend)
{
    backend->in_query = backend->in_block = backend->failed = false;
    backend->moved = -1;
    backend->schema_version = 0;
    backend->staged_count = 0;
    backend->copying = NULL;
    backend->copy_bytes = backend->answer_bytes = 0;
    transaction_clear(&backend->transaction);
}

static void backend_free(struct backend *backend)
{
    transaction_end(&backend->transaction);
    for (uint32_t i = 0; i < STAGED_MAX; i++)
        free(backend->staged[i].cells);
    free(backend->query);
    free(backend->copy);
    memset(backend, 0, sizeof(*backend));
}

void postgres_begin(void)
{
    memset(&postgres, 0, sizeof(postgres));
    postgres.log_end = postgres.log_flushed = 1000;
    for (uint32_t i = 0; i < STORE_LINKS_MAX; i++)
        backend_clear(&backends[i]);
    tables_begin();
    truth_begin();
}

void postgres_end(void)
{
    for (uint32_t i = 0; i < STORE_LINKS_MAX; i++)
        backend_free(&backends[i]);
    tables_end();
    truth_end();
}

static const struct cell *mark_of(int mark)
{
    return table_row(table_of(TABLE_HIGH_WATER), (uint32_t)mark);
}

struct postgres_marks postgres_marks(void)
{
    return (struct postgres_marks){.events_seq = (uint64_t)mark_of(MARK_EVENTS)[MARK_EVENT_SEQ].number,
                                   .orders_seq = (uint64_t)mark_of(MARK_ORDERS)[MARK_EVENT_SEQ].number,
                                   .events_told = postgres.told_seq[MARK_EVENTS],
                                   .orders_told = postgres.told_seq[MARK_ORDERS]};
}

/* ---- transactions -------------------------------------------------------------------------------------------------
 */

static void unlock(const struct backend *backend)
{
    for (int i = 0; i < MARK_COUNT; i++)
        if (postgres.mark_holder[i] == backend)
            postgres.mark_holder[i] = NULL;
    if (postgres.setup_holder == backend)
        postgres.setup_holder = NULL;
}

static void end_transaction(struct backend *backend)
{
    backend->in_block = backend->failed = false;
    backend->moved = -1;
    backend->schema_version = 0;
    for (uint32_t i = 0; i < STAGED_MAX; i++) /* ON COMMIT DELETE ROWS */
        backend->staged[i].count = 0;
    unlock(backend);
}

void backend_rollback(struct backend *backend)
{
    transaction_clear(&backend->transaction);
    end_transaction(backend);
}

void backend_commit(struct backend *backend)
{
    struct postgres_marks marks = postgres_marks();
    uint64_t from[] = {marks.events_seq, marks.orders_seq};
    uint64_t to[] = {marks.events_seq, marks.orders_seq};
    if (backend->schema_version > 0)
        postgres.schema_version = backend->schema_version;
    if (backend->moved >= 0 && backend->moved_epoch != mark_of(backend->moved)[MARK_EPOCH].number)
        violation("PostgreSQL: a mark is moved under epoch %lld, but another writer has taken it",
                  (long long)backend->moved_epoch);
    if (backend->moved >= 0)
        to[backend->moved] = backend->moved_seq;
    if (!transaction_is_empty(&backend->transaction)) {
        for (int part = 0; part < MARK_COUNT; part++)
            truth_before_commit((enum truth_part)part, from[part], to[part], &backend->transaction);
        postgres.log_end += 1 + random_below(COMMIT_BYTES);
        transaction_commit(&backend->transaction, postgres.log_end);
        for (int part = 0; part < MARK_COUNT; part++)
            truth_after_commit((enum truth_part)part, to[part]);
        TRACE("PostgreSQL commits: events %llu, orders %llu", (unsigned long long)to[0], (unsigned long long)to[1]);
    }
    end_transaction(backend);
}

/* ---- answers ------------------------------------------------------------------------------------------------------
 */

static void answer(struct backend *backend, char type, const char *payload, size_t bytes)
{
    uint8_t head[WIRE_HEAD_BYTES];
    wire_head(head, type, bytes);
    store_link_answer(backend->link, head, sizeof(head));
    store_link_answer(backend->link, payload, bytes);
}

void backend_answer(struct backend *backend, char type)
{
    answer(backend, type, backend->answer, backend->answer_bytes);
    backend->answer_bytes = 0;
}

void backend_fail(struct backend *backend, const char *state, const char *message)
{
    TRACE("PostgreSQL: error %s: %s", state, message);
    backend->answer_bytes = 0;
    answer_text(backend, state);
    answer_text(backend, message);
    backend_answer(backend, 'E');
    if (backend->in_block) {
        transaction_clear(&backend->transaction);
        backend->failed = true;
    } else {
        backend_rollback(backend);
    }
    backend->query_at = backend->query_bytes; /* the rest of the query is not run */
    backend->copying = NULL;
}

/* ---- work ---------------------------------------------------------------------------------------------------------
 */

static void begin_query(struct backend *backend, const uint8_t *text, size_t bytes)
{
    REQUIRE(bytes > 0 && text[bytes - 1] == '\0');
    if (bytes > backend->query_room) {
        backend->query_room = 2 * bytes;
        backend->query = process_outer_realloc(backend->query, backend->query_room);
    }
    memcpy(backend->query, text, bytes);
    backend->query_bytes = bytes - 1;
    backend->query_at = 0;
    backend->in_query = true;
}

static void end_query(struct backend *backend)
{
    if (!backend->in_block)
        backend_commit(backend); /* what was not in a block is a transaction of its own */
    backend->in_query = false;
    backend_answer(backend, 'Z');
}

/* Of a COPY that has failed, the rows that were on their way are thrown away. */
static void take_rows(struct backend *backend, const uint8_t *bytes, size_t count)
{
    if (backend->copy_bytes + count > backend->copy_room) {
        backend->copy_room = 2 * (backend->copy_bytes + count);
        backend->copy = process_outer_realloc(backend->copy, backend->copy_room);
    }
    memcpy(backend->copy + backend->copy_bytes, bytes, count);
    backend->copy_bytes += count;
}

static void take_message(struct backend *backend, char type, const uint8_t *payload, size_t bytes)
{
    switch (type) {
    case 'S':
        backend_answer(backend, 'Z');
        break;
    case 'Q':
        begin_query(backend, payload, bytes);
        break;
    case 'd':
        if (backend->copying)
            take_rows(backend, payload, bytes);
        break;
    case 'c':
        if (backend->copying)
            statement_copied(backend);
        break;
    default:
        violation("PostgreSQL gets a message '%c'", type);
    }
}

/* One thing. false: there is nothing to do now. */
static bool work(struct backend *backend)
{
    struct store_stream *stream = &backend->link->to_server;
    if (backend->in_query && !backend->copying) {
        if (backend->query_at < backend->query_bytes)
            return statement_run(backend);
        end_query(backend);
        return true;
    }
    const uint8_t *at = stream->bytes + stream->head;
    size_t whole = wire_whole(at, stream->arrived - stream->head);
    if (whole == 0)
        return false;
    stream->head += whole;
    take_message(backend, (char)at[0], at + WIRE_HEAD_BYTES, whole - WIRE_HEAD_BYTES);
    return true;
}

static void end_backend(struct backend *backend)
{
    backend_rollback(backend);
    store_link_drop(backend->link);
    backend_clear(backend);
}

void postgres_move(bool whole)
{
    store_links_move(SIDE_POSTGRES, whole);
    for (uint32_t i = 0; i < STORE_LINKS_MAX; i++) {
        struct backend *backend = backend_of(i);
        if (!backend)
            continue;
        uint64_t steps = whole ? UINT64_MAX : random_below(STEPS_MAX + 1);
        bool busy = true;
        while (busy && steps-- > 0)
            busy = work(backend);
        if (!busy && store_link_over(backend->link) && !(backend->in_query && !backend->copying))
            end_backend(backend);
    }
    if (random_below(16) == 0)
        postgres.log_flushed = random_between(postgres.log_flushed, postgres.log_end);
    if (whole)
        postgres.log_flushed = postgres.log_end;
}

/* ---- what goes wrong ----------------------------------------------------------------------------------------------
 */

/* What it had heard it may still do, before it notices that nobody listens. */
static void break_off(struct backend *backend)
{
    for (uint64_t steps = random_below(2) == 0 ? 0 : random_below(64); steps > 0 && work(backend); steps--)
        continue;
    end_backend(backend);
}

void postgres_drop_one(void)
{
    struct backend *backend = backend_of((uint32_t)random_below(STORE_LINKS_MAX));
    if (!backend)
        return;
    store_fault_count++;
    TRACE("a connection to PostgreSQL breaks");
    break_off(backend);
}

void postgres_steal(void)
{
    static struct transaction transaction;
    uint32_t mark = (uint32_t)random_below(MARK_COUNT);
    if (postgres.mark_holder[mark])
        return;
    store_fault_count++;
    TRACE("another persister takes the mark of the %s", mark == MARK_EVENTS ? "events" : "orders");
    transaction_change(&transaction, TABLE_HIGH_WATER, mark)[MARK_EPOCH].number++;
    transaction_commit(&transaction, ++postgres.log_end);
    transaction_end(&transaction);
}

static void check_told(void)
{
    struct postgres_marks marks = postgres_marks();
    struct store_marks told = stores_told();
    uint64_t lower = marks.events_seq < marks.orders_seq ? marks.events_seq : marks.orders_seq;
    if (marks.events_told > marks.events_seq || marks.orders_told > marks.orders_seq)
        violation("PostgreSQL has lost events that were told to be on its disk: it has %llu and %llu, told were %llu "
                  "and %llu",
                  (unsigned long long)marks.events_seq, (unsigned long long)marks.orders_seq,
                  (unsigned long long)marks.events_told, (unsigned long long)marks.orders_told);
    if (told.postgres_seq > lower)
        violation("who trims the log was told that PostgreSQL has %llu for good, but it has %llu",
                  (unsigned long long)told.postgres_seq, (unsigned long long)lower);
}

void postgres_stop(bool crashes)
{
    store_fault_count++;
    TRACE("PostgreSQL %s", crashes ? "crashes" : "is stopped");
    for (uint32_t i = 0; i < STORE_LINKS_MAX; i++) {
        struct backend *backend = backend_of(i);
        if (backend && crashes)
            end_backend(backend);
        else if (backend)
            break_off(backend);
    }
    if (!crashes) {
        postgres.log_flushed = postgres.log_end;
        return;
    }
    uint64_t kept = random_below(2) ? postgres.log_flushed : random_between(postgres.log_flushed, postgres.log_end);
    uint32_t lost = tables_undo(kept);
    postgres.log_end = postgres.log_flushed = kept;
    struct postgres_marks marks = postgres_marks();
    TRACE("PostgreSQL loses %u commits, has events %llu and %llu", lost, (unsigned long long)marks.events_seq,
          (unsigned long long)marks.orders_seq);
    truth_rewind(marks.events_seq, marks.orders_seq);
    check_told();
}
