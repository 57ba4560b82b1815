/* A LOBSTER file being played: what its players (lobster_player.c), the comparison (lobster_compare.c) and the play
 * itself (lobster.c) share. */
#ifndef RINGSIDE_LOAD_LOBSTER_PLAY_H
#define RINGSIDE_LOAD_LOBSTER_PLAY_H

#include "client/ringside_client.h"
#include "lobster_book.h"
#include "options.h"

enum { OWNER, TAKER, PLAYERS };

struct lobster_counts {
    uint64_t events;
    uint64_t levels_compared;
    uint64_t levels_adopted;
    uint64_t levels_seeded;
    uint64_t differences; /* events after which the book was not the answer's */
    uint64_t executions;
    uint64_t executions_checked; /* of ids that are known */
    uint64_t executions_wrong;
    uint64_t unnamed; /* cuts and executions of ids that were never entered */
};

struct player {
    struct lobster *lobster;
    struct rs_client *client;
    uint32_t user_ref_next; /* 0 until the exchange has told it */
    uint32_t *order_of;     /* index in the book, of the order entered with user_ref_first + i */
    uint32_t user_ref_first;
    uint32_t order_count;
    uint32_t order_room;
    uint64_t answers; /* account queries answered */
};

struct lobster {
    const struct load_options *options;
    struct lobster_book book;
    struct player players[PLAYERS];
    struct lobster_counts counts;
    char symbol[8];
    /* the execution that is being played */
    int64_t taker_left; /* shares without a fill yet */
    int64_t hit_id;     /* id of the order that the last execution hit; LOBSTER_SYNTHETIC: unnamed */
    uint64_t hits;      /* resting orders hit */
    char why[256];      /* the first thing that went wrong */
    uint64_t failures;
};

/* Keeps the first thing that went wrong. */
void lobster_failed(struct lobster *lobster, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For the clients' on_message; the context is the player. */
void lobster_message(void *context, uint64_t sequence, const uint8_t *message, size_t bytes);

/* Waits until everything that this player has sent, and what it caused, has come back. */
void lobster_settle(struct player *player);

void lobster_enter(struct lobster *lobster, int who, const struct lobster_order *order, uint32_t quantity);
void lobster_enter_passive(struct lobster *lobster, int64_t id, int side, int64_t price_ticks, int64_t quantity);

/* Takes so many shares off an order; all that is left if it has no more. */
void lobster_cut(struct lobster *lobster, const struct lobster_order *order, int64_t quantity);

/* Holds the book against the row, given the row before it; adopts what comes into view from beyond. */
void lobster_compare(struct lobster *lobster, const struct lobster_row *row, const struct lobster_row *row_before);

#endif
