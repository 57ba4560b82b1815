/*
 * LOBSTER files: a message file (time, type, order id, size, price, direction) and an orderbook file with, for each
 * message, the best levels after it (ask price, ask size, bid price, bid size, and so on outwards).
 */
#ifndef RINGSIDE_LOAD_LOBSTER_FILE_H
#define RINGSIDE_LOAD_LOBSTER_FILE_H

#include <stdint.h>
#include <stdio.h>

#define LOBSTER_LEVELS_MAX 200

enum lobster_type {
    LOBSTER_ENTER = 1,
    LOBSTER_CUT = 2,
    LOBSTER_DELETE = 3,
    LOBSTER_EXECUTE = 4,
    LOBSTER_EXECUTE_HIDDEN = 5,
    LOBSTER_CROSS = 6,
    LOBSTER_HALT = 7,
};

enum { LOBSTER_ASK, LOBSTER_BID, LOBSTER_SIDES };

struct lobster_event {
    int64_t type; /* enum lobster_type */
    int64_t id;
    int64_t quantity;
    int64_t price_ticks; /* dollars x 10000, as on the wire */
    int side;            /* LOBSTER_ASK or LOBSTER_BID: of the resting order */
};

struct lobster_level {
    int64_t price_ticks;
    int64_t quantity;
};

/* The visible levels of each side, best first. A side with fewer levels than the file shows is known whole. */
struct lobster_row {
    struct lobster_level levels[LOBSTER_SIDES][LOBSTER_LEVELS_MAX];
    uint32_t count[LOBSTER_SIDES];
    uint32_t shown; /* levels a side that the file has room for */
};

struct lobster_file {
    FILE *messages;
    FILE *answers;
    char *line;
    size_t line_room;
    uint64_t line_number;
};

/* -1, with the reason said on stderr. */
int lobster_open(struct lobster_file *file, const char *messages, const char *answers);
void lobster_close(struct lobster_file *file);

/* The next line of both files: 1, 0 at the end of both, or -1 with the reason said on stderr. */
int lobster_next(struct lobster_file *file, struct lobster_event *event, struct lobster_row *row);

#endif
