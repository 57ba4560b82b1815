/* What statements of the simulated PostgreSQL do; for postgres_statements.c and postgres_does.c alone. */
#ifndef RINGSIDE_SIMULATOR_POSTGRES_STATEMENTS_H
#define RINGSIDE_SIMULATOR_POSTGRES_STATEMENTS_H

#include "postgres_backend.h"

#define WORDS_MAX 8

/* What a % of a pattern stands for. */
struct word {
    const char *at;
    size_t bytes;
};

enum outcome { OUTCOME_DONE, OUTCOME_WAITS };

typedef enum outcome statement_does(struct backend *backend, const struct word words[WORDS_MAX]);

statement_does does_set, does_begin, does_commit, does_lock, does_ask_schema, does_ask_version;
statement_does does_take, does_move, does_seal, does_ask_instruments, does_ask_order_days;
statement_does does_begin_day, does_begin_order_day;

/* Answers that are a tag alone, or a tag and a count; -1: a key is there twice. */
enum outcome answer_tag(struct backend *backend, const char *tag);
enum outcome answer_count(struct backend *backend, const char *tag, int64_t count);

/* 2026-11-24, and of a table's name 2026_11_24, as days since 1970. */
int64_t statement_day(struct word text);
/* Whether there is such a partition, as the transaction sees it. */
bool statement_has_day(const struct backend *backend, enum table_name name, int64_t day);
/* A query that is a file of the schema: that version, as of the end of the block. */
bool statement_is_migration(const struct backend *backend, uint32_t *ret_version);

#endif
