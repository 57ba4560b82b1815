/*
 * What an exchange at rest has kept, compared order by order: the journal's commands, the event log, the users'
 * ledgers, PostgreSQL and Redis. The parts of ringside-audit; audit.c puts them together.
 *
 * The readers here are written from docs/journal.md, docs/records.md, docs/protocol.md and docs/stores.md and share no
 * line with those of the stages; of the product they use the structs, the checksum and the configuration. The engine is
 * the real one: applied to the journal it must say what the event log holds.
 */
#ifndef RINGSIDE_AUDIT_AUDIT_H
#define RINGSIDE_AUDIT_AUDIT_H

#include "config/config.h"
#include "record/command.h"
#include "record/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIT_SESSIONS_MAX    4096
#define AUDIT_INSTRUMENTS_MAX 4096

/* Says what is wrong, on stderr, as one line; the exit code will be 1. After some of them the program gives up. */
void wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
uint64_t wrong_count(void);

/* Ends the program with 2: it cannot go on. */
void give_up(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* A file mapped for reading; bytes 0: there is none. */
struct mapped {
    const uint8_t *bytes;
    uint64_t count;
};
struct mapped map_file(const char *path);
void unmap_file(struct mapped *file);

/* Room for so many things of so many bytes, zeroed, taken when it is touched. */
void *room_for(uint64_t count, size_t bytes);

/* ---- the journal (audit_journal.c) ---- */

struct journal_walk;
struct journal_walk *journal_walk_open(const char *directory);
bool journal_walk_next(struct journal_walk *walk, struct command *command);
uint32_t journal_walk_epochs(const struct journal_walk *walk);
void journal_walk_close(struct journal_walk *walk);

/* ---- the event log (audit_events.c) ---- */

struct event_walk;
struct event_walk *event_walk_open(const char *directory);
const struct event *event_walk_next(struct event_walk *walk); /* NULL: its end */
void event_walk_close(struct event_walk *walk);

/* ---- the ledgers (audit_ledger.c) ---- */

struct ledger;
struct ledger *ledger_open(const char *directory, const char *user); /* NULL: this user has none */
void ledger_command(struct ledger *ledger, const struct command *command, bool taken, const char *symbol);
void ledger_message(struct ledger *ledger, uint32_t message_no, const uint8_t *message, size_t bytes);
void ledger_end(struct ledger *ledger);
uint64_t ledger_told(const struct ledger *ledger);
uint64_t ledger_asked(const struct ledger *ledger);

/* The OUCH message of an event to the taker or to the maker; 0: of a kind that this program does not know. */
size_t message_of(const struct event *event, bool maker, uint64_t midnight_ns, uint8_t message[128]);

/* ---- what the events say (audit_orders.c) ---- */

struct order_row {
    uint64_t order_ref, previous_order_ref;
    uint64_t entered_ns, updated_ns, entered_seq, event_seq;
    uint64_t value_ticks;
    uint32_t session, user_ref, instrument;
    uint32_t quantity, executed, canceled, leaves;
    int32_t price_ticks;
    char symbol[SYMBOL_BYTES];
    char firm[FIRM_BYTES];
    char client_order_id[CLIENT_ORDER_ID_BYTES];
    uint8_t side, time_in_force, display, capacity, reason;
    uint8_t state; /* l, f, c, r, d: the first letter of its name */
};

void orders_event(const struct event *event);
uint64_t orders_count(void);                           /* order_refs run from 1 to this one */
const struct order_row *orders_at(uint64_t order_ref); /* NULL: no such order */

/* The symbol of an instrument, SYMBOL_BYTES of it; the session's user. */
const char *symbol_at(uint32_t instrument);

/* ---- the stores (audit_postgres.c, audit_redis.c): both go through the event log once more ---- */

void postgres_compare(const struct config *config, uint64_t event_count);
void redis_compare(const struct config *config, uint64_t event_count);

#endif
