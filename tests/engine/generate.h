/*
 * Random commands for the engine: mostly such as a gateway writes, in narrow price ranges so that they meet, and among
 * them every kind of bad one. The same seed gives the same limits and the same commands.
 */
#ifndef RINGSIDE_TESTS_ENGINE_GENERATE_H
#define RINGSIDE_TESTS_ENGINE_GENERATE_H

#include "ringside_engine.h"

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

struct generator {
    struct random random;
    uint32_t sessions, instruments;
    uint32_t user_refs[64];       /* about the next of each session */
    uint32_t bad_percent;         /* of the orders: a field out of range */
    int32_t tick, middle, spread; /* prices: (middle +- spread) ticks */
    uint32_t far_percent;         /* of the prices: anywhere */
    uint32_t quantity_max;
    uint32_t date;
    bool day_open;
    uint32_t step;
};

void generator_init(struct generator *generator, uint64_t seed, struct engine_limits *ret_limits);

/* The next command; the first ones start a day, add instruments and log sessions in. command_seq is left 0. */
void generate(struct generator *generator, struct command *command);

#endif
