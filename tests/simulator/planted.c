#include "planted.h"

#include "catch_up.h"
#include "deploy/cli/journal/events_limit.h"
#include "disk_side.h"
#include "eventlog/trim.h"
#include "journal.h"
#include "journal/journal_codec.h"
#include "journal/tail.h"
#include "outbound.h"
#include "postgres_state.h"
#include "process.h"
#include "resume.h"
#include "ring/ring.h"
#include "run/run.h"
#include "stores.h"
#include "topology/topology.h"

#include <string.h>

enum planted planted;

const char *planted_name(enum planted bug)
{
    static const char *const names[] = {"none",
#define X(NAME, name, what) name,
                                        PLANTED_BUGS(X)
#undef X
    };
    return bug < PLANTED_COUNT ? names[bug] : "?";
}

const char *planted_what(enum planted bug)
{
    static const char *const whats[] = {"nothing is wrong",
#define X(NAME, name, what) what,
                                        PLANTED_BUGS(X)
#undef X
    };
    return bug < PLANTED_COUNT ? whats[bug] : "?";
}

enum planted planted_find(const char *name)
{
    for (enum planted bug = PLANTED_NONE + 1; bug < PLANTED_COUNT; bug++)
        if (strcmp(planted_name(bug), name) == 0)
            return bug;
    return PLANTED_NONE;
}

void planted_begin(void)
{
    disk_bugs = (struct disk_bugs){
        .durable_is_not = planted == PLANTED_NO_DSYNC,
        .sync_does_nothing = planted == PLANTED_NO_FSYNC,
        .directory_sync_does_nothing = planted == PLANTED_NO_DIRECTORY_SYNC,
    };
    store_bugs = (struct store_bugs){
        .mark_apart = planted == PLANTED_MARK_APART,
        .mark_anyhow = planted == PLANTED_MARK_ANYHOW,
        .flushed_is_no = planted == PLANTED_ANSWERED_IS_DURABLE,
        .live_is_assumed = planted == PLANTED_LIVE_ASSUMED,
        .watch_is_none = planted == PLANTED_NO_WATCH,
    };
}

/* ---- journaler and journal ----------------------------------------------------------------------------------------
 */

int __real_journal_submit(struct journal *journal, uint64_t now_ns, struct error *error);
int __wrap_journal_submit(struct journal *journal, uint64_t now_ns, struct error *error);
int __wrap_journal_submit(struct journal *journal, uint64_t now_ns, struct error *error)
{
    int result = __real_journal_submit(journal, now_ns, error);
    if (planted == PLANTED_ACK_BEFORE_SYNC && result > 0)
        journal->acknowledged_seq = journal->batches[journal->filling].first_seq;
    return result;
}

int __real_journal_complete(struct journal *journal, const struct disk_completion *completion, uint64_t now_ns,
                            struct error *error);
int __wrap_journal_complete(struct journal *journal, const struct disk_completion *completion, uint64_t now_ns,
                            struct error *error);
int __wrap_journal_complete(struct journal *journal, const struct disk_completion *completion, uint64_t now_ns,
                            struct error *error)
{
    struct disk_completion seen = *completion;
    if (planted == PLANTED_SHORT_WRITE_IGNORED && seen.tag == TAG_BATCH)
        seen.result = (int64_t)journal->in_flight_bytes;
    return __real_journal_complete(journal, &seen, now_ns, error);
}

const char *__real_journal_batch_damaged(const struct journal_batch_header *header);
const char *__wrap_journal_batch_damaged(const struct journal_batch_header *header);
const char *__wrap_journal_batch_damaged(const struct journal_batch_header *header)
{
    return planted == PLANTED_NO_PAYLOAD_CHECK ? NULL : __real_journal_batch_damaged(header);
}

int __real_journal_end_find(struct journal_end *ret, const char *directory, struct error *error);
int __wrap_journal_end_find(struct journal_end *ret, const char *directory, struct error *error);
int __wrap_journal_end_find(struct journal_end *ret, const char *directory, struct error *error)
{
    int result = __real_journal_end_find(ret, directory, error);
    if (planted == PLANTED_JOURNAL_END_LATE && result == 0 && ret->position.segment != 0)
        ret->position.command_seq_next++;
    return result;
}

int __real_journal_reader_open(struct journal_reader **ret_reader, const char *directory, uint64_t from_seq,
                               struct error *error);
int __wrap_journal_reader_open(struct journal_reader **ret_reader, const char *directory, uint64_t from_seq,
                               struct error *error);
int __wrap_journal_reader_open(struct journal_reader **ret_reader, const char *directory, uint64_t from_seq,
                               struct error *error)
{
    bool replays = from_seq > 1 && process_current && strcmp(process_current->name, "matcher") == 0;
    if (planted == PLANTED_SNAPSHOT_OFF_BY_ONE && replays)
        from_seq++;
    return __real_journal_reader_open(ret_reader, directory, from_seq, error);
}

/* ---- places in rings ----------------------------------------------------------------------------------------------
 */

int __real_ring_consumer_open(struct ring_consumer *consumer, struct ring *ring, const char *name, uint32_t doorbell,
                              struct error *error);
int __wrap_ring_consumer_open(struct ring_consumer *consumer, struct ring *ring, const char *name, uint32_t doorbell,
                              struct error *error);
int __wrap_ring_consumer_open(struct ring_consumer *consumer, struct ring *ring, const char *name, uint32_t doorbell,
                              struct error *error)
{
    int result = __real_ring_consumer_open(consumer, ring, name, doorbell, error);
    if (planted == PLANTED_CURSOR_FROM_MEMORY && result == 0 && strcmp(name, LINE_SEQUENCER) == 0)
        consumer->next = atomic_load(&ring->file->producer.cursor);
    return result;
}

int __real_ring_consumer_add_barrier(struct ring_consumer *consumer, const char *behind, struct error *error);
int __wrap_ring_consumer_add_barrier(struct ring_consumer *consumer, const char *behind, struct error *error);
int __wrap_ring_consumer_add_barrier(struct ring_consumer *consumer, const char *behind, struct error *error)
{
    int result = __real_ring_consumer_add_barrier(consumer, behind, error);
    if (planted == PLANTED_NO_BARRIER && result == 0)
        consumer->barriers[0] = &consumer->file->producer.cursor;
    return result;
}

int __real_ring_producer_open(struct ring_producer *producer, struct ring *ring, uint32_t doorbell,
                              struct error *error);
int __wrap_ring_producer_open(struct ring_producer *producer, struct ring *ring, uint32_t doorbell,
                              struct error *error);
int __wrap_ring_producer_open(struct ring_producer *producer, struct ring *ring, uint32_t doorbell, struct error *error)
{
    int result = __real_ring_producer_open(producer, ring, doorbell, error);
    bool late = planted == PLANTED_EVENT_SKIPPED && strcmp(ring->file->header.name, RING_NAME_EVENT) == 0;
    if (late && result == 0 && producer->next > ring->file->header.base_seq)
        producer->next++;
    return result;
}

/* ---- sequencer ----------------------------------------------------------------------------------------------------
 */

int __real_resume_place(struct ring_consumer *consumer, uint64_t inbound_seq_last, const char *ring_name,
                        struct error *error);
int __wrap_resume_place(struct ring_consumer *consumer, uint64_t inbound_seq_last, const char *ring_name,
                        struct error *error);
int __wrap_resume_place(struct ring_consumer *consumer, uint64_t inbound_seq_last, const char *ring_name,
                        struct error *error)
{
    bool skips = planted == PLANTED_RESUME_BY_CURSOR || planted == PLANTED_CURSOR_FROM_MEMORY;
    return __real_resume_place(consumer, skips ? 0 : inbound_seq_last, ring_name, error);
}

int __real_resume_scan(struct resume *ret, const struct ring *command_ring, uint64_t next, struct error *error);
int __wrap_resume_scan(struct resume *ret, const struct ring *command_ring, uint64_t next, struct error *error);
int __wrap_resume_scan(struct resume *ret, const struct ring *command_ring, uint64_t next, struct error *error)
{
    int result = __real_resume_scan(ret, command_ring, next, error);
    if (planted == PLANTED_TIME_FROM_MEMORY)
        ret->time_ns = 0;
    return result;
}

/* ---- gateway ------------------------------------------------------------------------------------------------------
 */

void __real_outbound_seek(const struct outbound *outbound, struct outbound_cursor *cursor, uint32_t session,
                          uint32_t message_no);
void __wrap_outbound_seek(const struct outbound *outbound, struct outbound_cursor *cursor, uint32_t session,
                          uint32_t message_no);
void __wrap_outbound_seek(const struct outbound *outbound, struct outbound_cursor *cursor, uint32_t session,
                          uint32_t message_no)
{
    bool late = planted == PLANTED_REPLAY_OFF_BY_ONE && message_no < outbound_message_next(outbound, session);
    __real_outbound_seek(outbound, cursor, session, message_no + late);
}

int __real_run_join(struct run *run, struct error *error);
int __wrap_run_join(struct run *run, struct error *error);
int __wrap_run_join(struct run *run, struct error *error)
{
    int result = __real_run_join(run, error);
    if (planted == PLANTED_ANSWER_OF_ANY_RUN && result == 0 && run->kind == PROCESS_GATEWAY)
        run->base.command_seq_next = 0;
    if (planted == PLANTED_OPERATOR_OF_ANY_RUN && result == 0 && run->kind == PROCESS_ADMIN)
        run->base.command_seq_next = 0;
    return result;
}

bool __real_event_follower_skipped(const struct event_follower *follower);
bool __wrap_event_follower_skipped(const struct event_follower *follower);
bool __wrap_event_follower_skipped(const struct event_follower *follower)
{
    bool is_gateway = process_current && strcmp(process_current->name, "gateway") == 0;
    return !(planted == PLANTED_TORN_DAY && is_gateway) && __real_event_follower_skipped(follower);
}

/* ---- persister ----------------------------------------------------------------------------------------------------
 */

/* What each of its writers has sent a COMMIT for, in this life of it. */
static struct {
    const struct catch_up *of;
    uint64_t seq;
} assumed[2];

void __real_postgres_batch_commit(struct postgres_sink *sink);
void __wrap_postgres_batch_commit(struct postgres_sink *sink);
void __wrap_postgres_batch_commit(struct postgres_sink *sink)
{
    bool is_orders = strcmp(sink->store, "orders") == 0;
    assumed[is_orders].of = &sink->catch_up;
    if (rows_event_count(sink->writing) > 0)
        assumed[is_orders].seq = rows_last_seq(sink->writing);
    __real_postgres_batch_commit(sink);
}

void __real_catch_up_begin(struct catch_up *catch_up, uint64_t mark_seq, uint64_t mark_time_ns, uint64_t skip_below);
void __wrap_catch_up_begin(struct catch_up *catch_up, uint64_t mark_seq, uint64_t mark_time_ns, uint64_t skip_below);
void __wrap_catch_up_begin(struct catch_up *catch_up, uint64_t mark_seq, uint64_t mark_time_ns, uint64_t skip_below)
{
    for (int i = 0; planted == PLANTED_COMMIT_ASSUMED && i < 2; i++)
        if (assumed[i].of == catch_up && assumed[i].seq > mark_seq) {
            mark_seq = assumed[i].seq;
            mark_time_ns = 0;
        }
    if (planted == PLANTED_MARK_FROM_MEMORY && strcmp(catch_up->store, "Redis") == 0) {
        uint64_t known_seq = catch_up->follower.next - catch_up->given_back;
        if (catch_up->is_open && known_seq > mark_seq + 1) {
            mark_seq = known_seq - 1;
            mark_time_ns = 0;
        }
    }
    __real_catch_up_begin(catch_up, mark_seq, mark_time_ns, skip_below);
}

/* Who remembers the mark does not ask for what lies below it. */
void __real_catch_up_again(struct catch_up *catch_up, uint64_t from_seq);
void __wrap_catch_up_again(struct catch_up *catch_up, uint64_t from_seq);
void __wrap_catch_up_again(struct catch_up *catch_up, uint64_t from_seq)
{
    if (planted != PLANTED_MARK_FROM_MEMORY)
        __real_catch_up_again(catch_up, from_seq);
}

/* ---- trimming -----------------------------------------------------------------------------------------------------
 */

int __real_events_limit_find(struct events_limit *ret, const struct config *config, struct error *error);
int __wrap_events_limit_find(struct events_limit *ret, const struct config *config, struct error *error);
int __wrap_events_limit_find(struct events_limit *ret, const struct config *config, struct error *error)
{
    int result = __real_events_limit_find(ret, config, error);
    if (planted == PLANTED_TRIM_PAST_MARK && result == 0)
        result = eventlog_day_started(config->events_directory, &ret->needed_seq, error);
    return result;
}
