/*
 * Random commands for the engine: mostly such as a gateway writes, in narrow price ranges so that they meet, and among
 * them every kind of bad one. The same seed gives the same limits and the same commands. What the commands are mostly
 * about (a profile) is chosen by the seed, so that the depths of each subject are reached.
 */
#ifndef RINGSIDE_TESTS_ENGINE_GENERATE_H
#define RINGSIDE_TESTS_ENGINE_GENERATE_H

#include "ringside_engine.h"

#define GENERATOR_SESSIONS_MAX    8
#define GENERATOR_INSTRUMENTS_MAX 8
#define GENERATOR_RECENT_MAX      64

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t word = random->state;
    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return word ^ word >> 31;
}

/* 0 .. bound - 1 */
static inline uint32_t random_below(struct random *random, uint32_t bound)
{
    return (uint32_t)(random_next(random) % bound);
}

static inline bool random_chance(struct random *random, uint32_t percent)
{
    return random_below(random, 100) < percent;
}

/* One of the letters of a text. */
static inline uint8_t random_letter(struct random *random, const char *letters)
{
    uint32_t count = 0;
    while (letters[count] != '\0')
        count++;
    return (uint8_t)letters[random_below(random, count)];
}

/* What a stream is mostly about. Percent of the orders, if it does not say otherwise. */
struct profile {
    const char *name;
    uint8_t stop, trailing, peg, cross; /* at most one of them */
    uint8_t immediate, market, expires, hidden, minimum, reserve, post_only, self_match, channel;
    uint8_t bad;                  /* commands with a value that cannot be; 0: all pass command_invalid */
    uint8_t state_permille;       /* of the commands: MARKET_STATE */
    uint8_t back_to_open_percent; /* of the commands while the first instrument is not in state O */
    uint8_t rare_permille;        /* of the commands: what gateways and operators do besides */
    uint8_t spread;               /* prices: so many ticks to each side of the middle; 0: any of a few */
};

struct generator {
    struct random random;
    const struct profile *profile;
    uint32_t sessions, instruments;
    uint32_t user_refs[64]; /* about the next of each session */
    struct {
        uint32_t session, user_ref;
        uint8_t user_ref_index;
    } recent[GENERATOR_RECENT_MAX]; /* orders that may be live */
    uint32_t recent_count;
    uint8_t states[GENERATOR_INSTRUMENTS_MAX]; /* by number; 0: not there */
    int32_t tick, middle, spread;              /* prices: (middle +- spread) ticks */
    uint32_t far_percent;                      /* of the prices: anywhere */
    uint32_t quantity_max;
    uint32_t days; /* that have begun */
    bool day_open;
    uint64_t time_ns;
    uint32_t step;
};

/* Some limits are tight; whoever wants none to be reached widens them. */
void generator_init(struct generator *generator, uint64_t seed, struct engine_limits *ret_limits);

/* The next command; the first ones start a day, add instruments and log sessions in. command_seq is left 0. */
void generate(struct generator *generator, struct command *command);

/* generate_orders.c: a request of a session, kind by chance. */
void generate_request(struct generator *generator, struct command *command);
int32_t generate_price(struct generator *generator);
uint32_t generate_lot(uint32_t instrument);

/* generate_bad.c: one field of a request gets a value that is wrong, or at an edge. */
void generate_bad(struct random *random, struct command *command);

#endif
