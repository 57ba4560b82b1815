/*
 * The dashboard's model: samples of a run in, rates and alarms out. Pure: it looks at no file, ring or clock, so that
 * tests can show it any run there might be.
 *
 * Rules
 *   1. A sample is what was read at one moment (sample.h); the model keeps the one before and makes rates of the two.
 *   2. An alarm is raised when its cause is seen and is over when it is not; both are told in the log, once. It names
 *      who is the cause, not who suffers: a stage that waits for another is not said to be slow.
 *   3. A figure that nobody told is NAN or 0 with `known` false, and shown as "-".
 */
#ifndef RINGSIDE_DASH_MODEL_H
#define RINGSIDE_DASH_MODEL_H

#include "view/run_view.h"

#include <stdbool.h>
#include <stdint.h>

#define DASH_STAGES_MAX  TOPOLOGY_PROCESSES_MAX
#define DASH_ALARMS_MAX  32
#define DASH_LOG_MAX     128
#define DASH_HISTORY_MAX 60
#define DASH_TEXT_BYTES  128
#define DASH_STORES_MAX  3

enum dash_hop {
    DASH_HOP_SEQUENCED, /* received -> sequenced */
    DASH_HOP_SYNCED,    /* a batch of the journal */
    DASH_HOP_MATCHED,   /* sequenced -> matched */
    DASH_HOP_TOLD,      /* event -> socket */
    DASH_HOP_STORED,    /* a batch of the stores */
    DASH_HOP_WAY,       /* the whole way, as far as it is known */
    DASH_HOP_COUNT,
};

/* Of the time since the sample before. */
struct hop_sample {
    uint64_t count; /* 0: nothing is known */
    uint64_t p50_ns;
    uint64_t p99_ns;
};

struct stage_sample {
    char state; /* of /proc: R, S, D, T ...; 0: not known */
    uint64_t cpu_ns;
    uint64_t resident_bytes;
    bool measured; /* the stage's own metrics were there: */
    uint64_t beat_ns;
    uint64_t records;
    uint64_t batches;
};

struct store_sample {
    char name[24];
    bool configured;
    bool refused; /* it answers, but does not take what it must */
    bool up;
    uint64_t lag_records;
    uint64_t lag_ns;
};

struct dash_sample {
    uint64_t realtime_ns;
    struct run_view run;
    struct stage_sample stages[DASH_STAGES_MAX]; /* of run.processes */
    struct hop_sample hops[DASH_HOP_COUNT];
    struct store_sample stores[DASH_STORES_MAX];
    uint32_t store_count;
    double batch_records[RUN_VIEW_RINGS_MAX]; /* median of each of run.rings; 0: not known */
    uint64_t live_orders;
    bool live_orders_known;
    bool space_low; /* new orders are refused */
};

/* One process on the screen. */
struct dash_stage {
    char name[24];
    char ring[32]; /* the one that it fills, or reads if it fills none; "" */
    bool alive;
    bool bad; /* an alarm is about it */
    const char *state;
    int pid;
    double cpu; /* cores; NAN: not known */
    uint64_t resident_bytes;
    double records_per_s;
    double batch; /* records of one; 0: not known */
    double fill;  /* of the ring that it reads, by what it has not read yet: 0..1; NAN */
    double stalls_per_s;
    uint64_t stalls;
    uint64_t behind; /* records */
    enum dash_hop hop;
};

enum dash_alarm_kind {
    ALARM_GONE,
    ALARM_STOPPED,
    ALARM_SILENT,
    ALARM_STUCK,
    ALARM_FULL,
    ALARM_STORE_AWAY,
    ALARM_STORE_REFUSES,
    ALARM_SPACE,
};

struct dash_alarm {
    enum dash_alarm_kind kind;
    char name[32]; /* whom it is about */
    char text[DASH_TEXT_BYTES];
    uint64_t since_ns; /* realtime */
    bool seen;         /* in this sample */
};

struct dash_log_line {
    uint64_t realtime_ns;
    bool bad; /* raised; otherwise over, or news */
    char text[DASH_TEXT_BYTES];
};

struct dash_model {
    struct dash_sample now, before;
    bool ready; /* there were two samples of one run */
    uint32_t sample_count;
    uint64_t still_since_ns[RUN_VIEW_RINGS_MAX][RING_CONSUMERS_MAX]; /* a line with work to do has not moved since */
    double seconds;                                                  /* between the two */
    struct dash_stage stages[DASH_STAGES_MAX];
    uint32_t stage_count;
    double commands_per_s, events_per_s;
    uint64_t journal_lag, event_log_lag;
    double history[DASH_HISTORY_MAX]; /* commands/s, the oldest first */
    uint32_t history_count;
    struct dash_alarm alarms[DASH_ALARMS_MAX];
    uint32_t alarm_count;
    struct dash_log_line log[DASH_LOG_MAX];
    uint32_t log_count; /* ever; line i is at i % DASH_LOG_MAX */
};

void model_take(struct dash_model *model, const struct dash_sample *sample);

/* The alarm about it, or NULL. */
const struct dash_alarm *model_alarm(const struct dash_model *model, enum dash_alarm_kind kind, const char *name);

#endif
