/*
 * The real PostgreSQL and Redis that tests/lib/with_stores started, seen as a reader sees them: blocking, through libpq
 * and hiredis. What they hold is compared with a market, row by row and byte by byte.
 */
#ifndef RINGSIDE_TESTS_PERSISTER_STORES_H
#define RINGSIDE_TESTS_PERSISTER_STORES_H

#include "config/config.h"
#include "market.h"

#include <stdbool.h>
#include <stdint.h>

struct stores {
    const char *directory; /* of the servers */
    const char *redis_path;
    char connection[512]; /* to this test's own database */
    char prefix[64];      /* of this test's own keys */
};

/* A database and a prefix named so, and the configuration to use them. */
void stores_open(struct stores *stores, const char *name, struct config *config);

/* deploy/stores VERB of "postgres" or "redis". */
void stores_do(const struct stores *stores, const char *verb, const char *store);

/* First column of the first row, as text; empty: none. Valid until the next call. */
const char *stores_sql(const struct stores *stores, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A file of persister/schema, as one transaction. */
void stores_sql_file(const struct stores *stores, const char *name);

/* Nobody else reads or writes the table until the lock ends. */
void stores_lock_begin(const struct stores *stores, const char *table);
void stores_lock_end(void);

uint64_t stores_sql_number(const struct stores *stores, const char *sql);

/* A Redis command with one %s for the prefix; integer, or text as a number. */
uint64_t stores_redis_number(const struct stores *stores, const char *format);
void stores_redis_text(const struct stores *stores, const char *format, const char *symbol, const char *field,
                       char *text, size_t text_bytes);

/* Differences found (each printed), against all that happened in the market so far. */
uint32_t stores_check_postgres(const struct stores *stores, const struct market *market);
uint32_t stores_check_redis(const struct stores *stores, const struct market *market);

#endif
