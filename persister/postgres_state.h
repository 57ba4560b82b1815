/*
 * The inside of postgres_sink.c, postgres_setup.c and postgres_batch.c; nobody else includes this.
 *
 * postgres_sink.c   life and connection: phases, the socket, results pumped from it
 * postgres_setup.c  what is asked of a new connection: schema, staging tables, mark, instruments
 * postgres_batch.c  a batch as statements and COPY data
 */
#ifndef RINGSIDE_PERSISTER_POSTGRES_STATE_H
#define RINGSIDE_PERSISTER_POSTGRES_STATE_H

#include "catch_up.h"
#include "encode_fields.h"
#include "encode_rows.h"
#include "encode_symbols.h"
#include "hosts.h"
#include "outage.h"
#include "pace.h"
#include "postgres_sink.h"
#include "rest.h"

#include <libpq-fe.h>

#define QUERY_BYTES    16384
#define COPY_BYTES     32768 /* sent at once */
#define STATEMENTS_MAX (2 + ROW_SET_COUNT * (1 + ROW_SET_MERGES_MAX))
#define COPY_SETS_MAX  ROW_SET_COUNT
#define COUNT_ANY      UINT64_MAX

enum postgres_phase {
    POSTGRES_AWAY,
    POSTGRES_RESOLVING,
    POSTGRES_CONNECTING,
    POSTGRES_PREPARING,
    POSTGRES_IDLE,
    POSTGRES_WRITING,
    POSTGRES_COMMITTING,
};

/* What each statement of a query must answer. */
struct statement {
    uint64_t count;   /* rows affected; COUNT_ANY */
    const char *what; /* for the error */
};

/* How a COPY of the batch stands. */
struct copy_state {
    bool is_open;
    bool has_begun;  /* the header is out */
    uint32_t set_at; /* into sets */
    uint32_t set_count;
    enum row_set sets[COPY_SETS_MAX];
    uint32_t cursor;
};

struct postgres_sink {
    const char *store; /* its row of ringside.high_water */
    row_sets sets;     /* what it writes */
    char connection_string[CONFIG_TEXT_BYTES];
    uint32_t batch_events;
    uint64_t batch_interval_ns;
    int epoll_fd;
    uint64_t tag;
    int watched_fd;
    uint32_t watched_events;
    struct outage outage;
    struct catch_up catch_up;
    struct pace pace;
    struct hosts hosts;
    PGconn *connection;
    enum postgres_phase phase;
    uint64_t connect_deadline_ns;
    uint32_t setup_step;
    int schema_version;
    bool is_output_pending; /* libpq holds bytes that the socket did not take */
    bool is_stopping;
    bool is_cut;       /* the batch that gathers can take no more: the next event is of another day */
    uint64_t mark_seq; /* as the store has it */
    uint64_t mark_time_ns;
    uint64_t epoch;
    uint64_t first_seq;   /* of events before this one only what ROW_SETS_KNOWN says is written */
    uint64_t durable_seq; /* known to be on the server's disk */
    uint64_t told_seq;    /* as the table has it */
    uint64_t wal_seq;     /* will be on the disk once the server's log is, up to wal_place; 0: none is waited for */
    uint64_t wal_place;
    uint64_t sealed_ns;                /* when it was last asked without a batch */
    uint64_t rebuild_seq;              /* first_seq for a rebuild; 0: it is none */
    bool is_dry;                       /* the last look for events found none */
    uint32_t day_begun;                /* the last day whose partitions are known to be there */
    uint64_t sent_ns;                  /* when the last batch left */
    struct rest rest;                  /* behind the last batch */
    const struct postgres_sink *first; /* which this one gives way to; NULL: none */
    struct rows *gathering;
    struct rows *writing;
    struct copy_state copy;
    uint32_t statement_count;
    uint32_t statement_at;
    struct statement statements[STATEMENTS_MAX];
    bool has_failed; /* failure says why; the rest of the query's results are only drained */
    bool is_refused;
    bool needs_rebuild; /* what it wants next was trimmed */
    struct error failure;
    char query[QUERY_BYTES];
    uint8_t copy_bytes[COPY_BYTES];
    struct symbol_table symbols;
    struct order_days days;
    uint64_t written_events; /* since open, for the log */
    uint64_t batch_count;
    struct metrics_histogram *batch_ns; /* NULL: not measured */
};

/* Notes a failure of the store: the first one counts. is_refused: trying again at once would not help. */
void postgres_failed(struct postgres_sink *sink, bool is_refused, const char *where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Hands a query to libpq; results come to the phase's handler. */
void postgres_send(struct postgres_sink *sink, const char *query);

/* ---- postgres_setup.c ---- */

void postgres_setup_begin(struct postgres_sink *sink);
void postgres_setup_result(struct postgres_sink *sink, const PGresult *result);
/* After a step's last result: sends the next one. true: prepared. */
bool postgres_setup_next(struct postgres_sink *sink);

/* ---- postgres_batch.c ---- */

/* Sends `writing` up to the last statement before COMMIT. */
void postgres_batch_begin(struct postgres_sink *sink);
/* The same with no rows: tells, and asks, how far the server's disk is. */
void postgres_batch_seal(struct postgres_sink *sink);
void postgres_batch_result(struct postgres_sink *sink, const PGresult *result);
/* A COPY is open: sends some of its rows. 1: more can be sent now; 0: the socket is full, or the COPY is complete. */
int postgres_batch_copy(struct postgres_sink *sink);
/* All statements have answered: sends COMMIT. */
void postgres_batch_commit(struct postgres_sink *sink);
void postgres_commit_result(struct postgres_sink *sink, const PGresult *result);

#endif
