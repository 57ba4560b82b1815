/* A connection as the simulated PostgreSQL has it; for postgres_server.c and postgres_statements.c alone. */
#ifndef RINGSIDE_SIMULATOR_POSTGRES_BACKEND_H
#define RINGSIDE_SIMULATOR_POSTGRES_BACKEND_H

#include "postgres_tables.h"
#include "store_link.h"

#include <stdbool.h>

#define STAGED_MAX   8
#define ANSWER_BYTES 8192

/* The rows of high_water, in their order, and its columns. */
enum mark_row { MARK_EVENTS, MARK_ORDERS, MARK_COUNT };
enum mark_column { MARK_STORE, MARK_EVENT_SEQ, MARK_TIME, MARK_EPOCH, MARK_FIRST_SEQ, MARK_DURABLE_SEQ };

struct backend {
    struct store_link *link;
    uint64_t moved_seq;
    int64_t moved_epoch;
    struct transaction transaction;
    struct table staged[STAGED_MAX];
    char *query;
    size_t query_bytes, query_at, query_room;
    const struct table *copying; /* what the COPY that is open goes to; NULL: none is */
    uint8_t *copy;
    size_t copy_bytes, copy_room;
    size_t answer_bytes;
    int moved;               /* enum mark_row that the transaction moves; -1: none */
    uint32_t schema_version; /* that the transaction makes; 0: none */
    uint32_t staged_count;
    enum table_name copying_name; /* TABLE_COUNT: it is staged */
    uint32_t copy_column_count;
    uint32_t copy_columns[TABLE_COLUMNS_MAX];
    char answer[ANSWER_BYTES];
    bool in_query;
    bool in_block; /* between BEGIN and COMMIT */
    bool failed;   /* in a block: nothing is run until its end */
};

struct postgres_server {
    uint64_t log_end;     /* of what is written */
    uint64_t log_flushed; /* of what is on the disk */
    uint32_t schema_version;
    const struct backend *mark_holder[MARK_COUNT]; /* whose transaction has the row locked */
    const struct backend *setup_holder;
    uint64_t told_seq[MARK_COUNT]; /* the highest that the persister took for durable */
};
extern struct postgres_server postgres;

void backend_rollback(struct backend *backend);
void backend_commit(struct backend *backend);
/* Sends what was put together. */
void backend_answer(struct backend *backend, char type);
void answer_text(struct backend *backend, const char *text);
/* An error ends the query, and the transaction's usefulness. */
void backend_fail(struct backend *backend, const char *state, const char *message);

/* Runs the next statement of the query. false: it waits for somebody's lock. */
bool statement_run(struct backend *backend);
/* The rows of the COPY are all there. */
void statement_copied(struct backend *backend);

#endif
