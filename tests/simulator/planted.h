/*
 * Bugs planted on purpose, to see that the simulator finds them. They exist here only: calls from one file of the
 * stages to another are wrapped at link time, or the simulated disk or store does less than it is asked for. So the
 * code that is tested without one is the product's.
 */
#ifndef RINGSIDE_SIMULATOR_PLANTED_H
#define RINGSIDE_SIMULATOR_PLANTED_H

#include <stdbool.h>
#include <stddef.h>

/* NAME, name, what is wrong */
#define PLANTED_BUGS(X)                                                                                                \
    X(ACK_BEFORE_SYNC, "ack-before-sync", "the journaler acknowledges a batch when it is submitted")                   \
    X(NO_DSYNC, "no-dsync", "batches are written without waiting for the medium")                                      \
    X(NO_DIRECTORY_SYNC, "no-directory-sync", "names of new segments are not synced")                                  \
    X(NO_FSYNC, "no-fsync", "files that are made or recovered are not synced")                                         \
    X(NO_BARRIER, "no-barrier", "the matcher follows the sequencer, not the journaler")                                \
    X(CURSOR_FROM_MEMORY, "cursor-from-memory", "a restarted sequencer thinks that it has taken all there is")         \
    X(RESUME_BY_CURSOR, "resume-by-cursor", "a restarted sequencer trusts its cursor, not what it published")          \
    X(TIME_FROM_MEMORY, "time-from-memory", "a restarted sequencer does not look at the last command's time")          \
    X(NO_PAYLOAD_CHECK, "no-payload-check", "a batch's payload checksum is not compared")                              \
    X(SHORT_WRITE_IGNORED, "short-write-ignored", "a short or failed write counts as done")                            \
    X(EVENT_SKIPPED, "event-skipped", "a restarted matcher goes on one event too late")                                \
    X(JOURNAL_END_LATE, "journal-end-late", "a recovered journal is said to end one command too late")                 \
    X(REPLAY_OFF_BY_ONE, "replay-off-by-one", "a replay to a client begins one message too late")                      \
    X(ANSWER_OF_ANY_RUN, "answer-of-any-run", "an answer of an earlier run is taken for one of this run")              \
    X(SNAPSHOT_OFF_BY_ONE, "snapshot-off-by-one", "a replay behind a snapshot begins one command too late")            \
    X(MARK_APART, "mark-apart", "PostgreSQL's mark is moved in a transaction of its own, before the rows")             \
    X(MARK_ANYHOW, "mark-anyhow", "PostgreSQL's mark is moved without a look at where it is and whose")                \
    X(COMMIT_ASSUMED, "commit-assumed", "a COMMIT that was sent counts as done, whatever the answer")                  \
    X(ANSWERED_IS_DURABLE, "answered-is-durable", "what PostgreSQL has answered counts as on its disk")                \
    X(MARK_FROM_MEMORY, "mark-from-memory", "after Redis was away, the mark is what the persister remembers of it")    \
    X(LIVE_ASSUMED, "live-assumed", "Redis' hashes are taken to show all that its stream has")                         \
    X(NO_WATCH, "no-watch", "Redis runs a transaction though its mark is another")                                     \
    X(TORN_DAY, "torn-day", "a gateway takes up messages of a day of which the first events were trimmed")             \
    X(OPERATOR_OF_ANY_RUN, "operator-of-any-run", "what an operator asked for in an earlier run answers one of this")  \
    X(TRIM_PAST_MARK, "trim-past-mark", "events are trimmed that a store does not have for good")

enum planted {
    PLANTED_NONE,
#define X(NAME, name, what) PLANTED_##NAME,
    PLANTED_BUGS(X)
#undef X
        PLANTED_COUNT,
};

/* The one that is in; PLANTED_NONE: none. */
extern enum planted planted;

const char *planted_name(enum planted bug);
const char *planted_what(enum planted bug);

/* The bug of that name; PLANTED_NONE if there is none. */
enum planted planted_find(const char *name);

/* Puts it into the simulated disk, if it belongs there. At the beginning of a simulation. */
void planted_begin(void);

#endif
