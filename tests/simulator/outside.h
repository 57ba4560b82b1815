/*
 * What the simulator puts in place of the outside's small things: the clocks, the log, the hashing of passwords, the
 * size of an engine. And its own: the trace, and how a simulation ends when a promise is found broken.
 */
#ifndef RINGSIDE_SIMULATOR_OUTSIDE_H
#define RINGSIDE_SIMULATOR_OUTSIDE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#define OUTSIDE_PASSWORD      "secret"
#define OUTSIDE_PASSWORD_HASH "$6$rounds=1000$simulated$right"

struct engine;

struct outside {
    uint64_t now_ns;     /* CLOCK_MONOTONIC */
    int64_t realtime_ns; /* CLOCK_REALTIME less now_ns; may be set back */
    bool tracing;
    uint32_t checkpoint_commands; /* of engines that are made */
    struct engine *engine;        /* the one made last within a process: the live one */
    char violation[1024];         /* what was found; empty: nothing */
    bool noticed;                 /* ended early, and rightly so */
    char last_error[512];         /* the last line that a stage logged as an error */
    jmp_buf found;                /* where `violation` goes on */
};

extern struct outside outside;

/* A line of the trace; cheap when nobody wants it. */
void trace_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define TRACE(...) (outside.tracing ? trace_line(__VA_ARGS__) : (void)0)

/* What a broken device leads to was noticed and said: ends the simulation without a verdict on the rest. */
_Noreturn void noticed(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A promise is broken: ends the simulation. */
_Noreturn void violation(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
