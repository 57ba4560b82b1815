/* The command line of `ringside load`, with what the configuration adds to it. */
#ifndef RINGSIDE_LOAD_OPTIONS_H
#define RINGSIDE_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define LOAD_OK     0
#define LOAD_FAILED 1
#define LOAD_USAGE  2
#define LOAD_GO     (-1)

#define LOAD_ADDRESSES_MAX   8
#define LOAD_ADDRESS_BYTES   300
#define LOAD_INSTRUMENTS_MAX 4096
#define LOAD_SESSIONS_MAX    10000
#define LOAD_TEXT_BYTES      32

struct load_instrument {
    char symbol[8];       /* space-padded */
    int32_t tick_ticks;   /* prices are multiples of it */
    int32_t middle_ticks; /* where prices begin */
    uint32_t lot;
};

struct load_options {
    char addresses[LOAD_ADDRESSES_MAX][LOAD_ADDRESS_BYTES];
    uint32_t address_count;
    uint64_t rate;    /* requests a second; 0: as fast as answers come */
    uint64_t orders;  /* new orders in all; 0: no limit */
    double seconds;   /* 0: no limit */
    double warm_up_s; /* of them, not in the latencies */
    uint32_t sessions;
    uint32_t window; /* requests without an answer, all sessions together; 0: no limit */
    uint32_t live;   /* live orders, all sessions together */
    uint64_t seed;
    double patience_s;
    bool resume;
    bool keep_rest;
    bool shared;
    bool spin;
    bool json;
    struct rs_tls *tls; /* owned; NULL: without */
    char user_prefix[8];
    char password[12];
    char durability[LOAD_TEXT_BYTES];    /* "" if not known */
    char yardstick[256];                 /* a directory; "" for none */
    char lobster[512];                   /* a message file; "" for none */
    char answers[512];                   /* its book file */
    struct load_instrument *instruments; /* owned */
    uint32_t instrument_count;
};

/* LOAD_GO, or the exit code: what there was to say has been said. */
int load_options_read(struct load_options *options, int argc, char **argv);
void load_options_finish(struct load_options *options);

/* The name of the n-th user, from 0: the prefix and n + 1 with zeros up to six characters. */
void load_user(const struct load_options *options, uint32_t n, char user[16]);

/* The addresses with commas, beginning with that of the n-th session. */
void load_address_list(const struct load_options *options, uint32_t n, char *list, uint32_t list_bytes);

#endif
