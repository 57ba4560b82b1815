/*
 * One pass over a journal in which everything that can be checked is: each byte by the reader; what the headers say of
 * the records; by replay the checkpoints that were recorded live; and the event log against the replayed events.
 */
#ifndef RINGSIDE_CLI_JOURNAL_CHECK_H
#define RINGSIDE_CLI_JOURNAL_CHECK_H

#include "eventlog/eventlog.h"
#include "journal/journal_layout.h"
#include "journal/journal_read.h"
#include "journal_cli.h"
#include "replayer.h"

#define CHECK_EVENTS 512

struct check {
    /* what to do */
    const struct config *config;
    struct journal_place place;
    bool replays;                 /* turned off if the journal was trimmed and there is no snapshot to go on from */
    const char *events_directory; /* NULL: leave the event log out */

    /* what was found */
    struct journal_position position;
    uint32_t segment_first;
    uint32_t segment_count;
    uint32_t epoch_first;
    uint64_t seq_first;
    uint64_t command_count;
    uint64_t batch_count;
    uint64_t byte_count;       /* of headers and batches that were checked */
    uint64_t checkpoint_count; /* that the journal tells and the replay agrees with */
    uint64_t replay_first_seq; /* the replay's first command: 1, or behind a snapshot */
    bool snapshot_missing;     /* so nothing could be replayed */
    uint64_t event_count;      /* that the replay gave */
    uint64_t event_log_count;  /* of them compared with the log */
    bool event_log_present;
    bool event_log_beyond;   /* it knows of commands that the journal lost; without sync, that can be */
    uint64_t event_log_hole; /* the first event that is not whole though a later one is; 0: none */
    uint64_t event_hash;
    uint64_t state_hash;
    uint64_t live_orders;
    double seconds;

    /* inside */
    struct journal_reader *reader;
    struct replayer replayer;
    struct progress progress;
    struct journal_batch_header before;     /* the batch before; magic 0: none */
    uint64_t time_ns;                       /* of the last command */
    struct journal_checkpoint *checkpoints; /* that the replay gave, in order */
    uint64_t checkpoint_room;
    uint64_t checkpoints_given;
    uint64_t checkpoint_seq; /* of the last one compared */
    struct eventlog_reader *log;
    struct event *logged; /* those from logged_seq on */
    uint64_t logged_seq;
    uint64_t log_whole_from; /* before it the log was trimmed */
    uint32_t logged_count;
    uint64_t log_end; /* the first number that the log does not hold; 0: not met yet */
};

/* 0: whole, with a torn tail perhaps (position.torn_bytes). Negative: error says what and where. */
int check_run(struct check *check, struct error *error);
void check_finish(struct check *check);

#endif
