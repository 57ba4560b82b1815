/*
 * The exchange in one thread: a process for each stage, started, polled, stopped, killed and started again, each with
 * the runner that its main has.
 */
#ifndef RINGSIDE_SIMULATOR_EXCHANGE_H
#define RINGSIDE_SIMULATOR_EXCHANGE_H

#include "config/config.h"
#include "plan.h"
#include "process.h"
#include "stage/runner.h"

#include <stdbool.h>
#include <stdint.h>

#define MEMBERS_MAX PLAN_MEMBERS_MAX

struct member {
    struct process process;
    struct runner runner;
    const struct stage_definition *definition;
    uint32_t gateway;
    bool alive;
    bool stopping; /* was asked to end */
    uint64_t start_ns;
    uint32_t refusals; /* ends by itself since it was last ready */
};

struct exchange {
    struct config config;
    struct member members[MEMBERS_MAX];
    uint32_t count;
    bool faults_excuse; /* the disk has been full, which may end a stage; so may its faults */
    uint32_t cold_start_count;
    uint32_t kill_count;
    uint32_t operator_restarts; /* since all was well */
};

/* Makes the configuration and what it needs in an empty directory. Nothing is started yet. */
void exchange_begin(struct exchange *exchange, const struct plan *plan, const char *directory);
void exchange_end(struct exchange *exchange);

/* Starts those whose time it is; true: somebody was. */
bool exchange_start_due(struct exchange *exchange);

/* One poll of a member that is alive. Returns the work it did. */
int exchange_poll(struct exchange *exchange, struct member *member);

void exchange_kill(struct exchange *exchange, struct member *member, uint64_t away_ns);

/* All at once, with or without what is in memory. */
void exchange_kill_all(struct exchange *exchange, bool power);

bool exchange_all_ready(const struct exchange *exchange);

#endif
