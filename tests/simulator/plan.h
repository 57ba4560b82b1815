/* What a seed stands for: the sizes of an exchange, its clients, and what goes wrong how often. */
#ifndef RINGSIDE_SIMULATOR_PLAN_H
#define RINGSIDE_SIMULATOR_PLAN_H

#include "client.h"
#include "config/config.h"
#include "disk_side.h"
#include "stores.h"

#include <stdbool.h>
#include <stdint.h>

#define PLAN_CLIENTS_MAX 8
#define PLAN_MEMBERS_MAX 10

/* Chances are in a million, a step. */
struct plan {
    uint64_t seed;
    uint32_t steps; /* with faults; then all is let come to rest */
    uint32_t days;  /* trading days, each of so many steps */
    uint32_t gateways;
    uint32_t clients;
    uint32_t requests; /* of a client */
    uint32_t stream_room;
    uint64_t step_ns;
    uint32_t weights[PLAN_MEMBERS_MAX]; /* how often each stage is polled, beside the others */
    enum config_durability durability;
    uint32_t inbound_slots, command_slots, event_slots;
    uint64_t segment_bytes, batch_bytes;
    uint32_t checkpoint_commands;
    uint64_t postgres_events, postgres_ms; /* a batch; from one to the next */
    uint64_t redis_events, redis_ms;       /* an entry; from one to the next */
    uint64_t stream_entries, stream_age_s;
    uint32_t snapshot_commands; /* from one snapshot to the next; 0: nobody takes any */

    uint32_t kill;      /* a stage, between two polls */
    uint32_t kill_at;   /* a stage, at a marked point of a poll */
    uint32_t interlude; /* others have their turn inside a poll */
    uint32_t stop;      /* a stage is asked to end */
    uint32_t kill_all;  /* every stage at once; rings stay */
    uint32_t power_cut; /* rings go, the disk keeps what it must */
    uint32_t disk_full; /* begins; it ends after a while */
    uint32_t time_set_back;
    uint32_t trim;   /* the file of an older segment becomes free to be used anew */
    bool trims;      /* somebody trims journal and event log while the others work */
    bool archives;   /* to an archive */
    uint32_t meddle; /* an operator asks for something */
    bool damages;    /* the disk lies: what matters is that it is noticed */
    uint32_t flip;
    struct disk_faults disk;
    struct client_manners manners;
    struct store_manners stores;
};

/* The plan of a seed; the same for ever, as long as this code is. */
void plan_make(struct plan *plan, uint64_t seed);

/* One line, for people. */
void plan_describe(const struct plan *plan, char *text, size_t text_bytes);

#endif
