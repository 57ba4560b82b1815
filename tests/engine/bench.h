/*
 * The engine and the reference model side by side: the same commands to both, everything that can be seen of them
 * compared after each one.
 */
#ifndef RINGSIDE_TESTS_ENGINE_BENCH_H
#define RINGSIDE_TESTS_ENGINE_BENCH_H

#include "model.h"

struct bench {
    struct engine_limits limits;
    void *memory;
    size_t memory_bytes;
    struct engine *engine;
    struct model *model;
    struct event events[MODEL_EVENTS_MAX]; /* the engine's, of the last command */
    uint32_t event_count;
    uint32_t different; /* the first event that is not the same; event_count or more: none */
    bool misled;        /* a record has come that nobody could have written: what is told may be none either */
    bool full;          /* more was said than there is room for: the run ends here, undecided */
    char why[512];      /* what is not the same */
};

/* `limits` must not be reached by what will be applied; bench_widen makes them so. */
struct bench *bench_open(const struct engine_limits *limits);
void bench_close(struct bench *bench);

/* Limits that a run of MODEL_ORDERS_MAX commands does not reach, but for those that the model knows. */
void bench_widen(struct engine_limits *limits);

/* Both begin anew, empty. */
void bench_begin(struct bench *bench);

/* False, with the reason in `why`, if the two are not the same after it. command_seq is filled in. Not once full. */
bool bench_apply(struct bench *bench, struct command *command);

/* show.c: records for the eye. Every field that the kind has and that is not zero. */
void show_command(const struct command *command);
void show_event(const struct event *event);

/* Names the first field that differs, and both values. */
void show_difference(char *text, size_t bytes, const struct event *engine, const struct event *model);

#endif
