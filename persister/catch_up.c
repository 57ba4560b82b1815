#include "catch_up.h"

#include "base/require.h"
#include "base/units.h"
#include "log/log.h"

#include <stdatomic.h>
#include <string.h>

#define STALL_NS (10ull * NS_PER_SECOND)

void catch_up_init(struct catch_up *catch_up, const char *store, const char *log_directory, const char *archive)
{
    memset(catch_up, 0, sizeof(*catch_up));
    catch_up->store = store;
    catch_up->log_directory = log_directory;
    catch_up->archive = archive;
}

void catch_up_join(struct catch_up *catch_up, const struct ring *ring)
{
    catch_up->ring = ring;
}

void catch_up_join_log(struct catch_up *catch_up)
{
    catch_up->is_alone = true;
}

static void follower_close(struct catch_up *catch_up)
{
    if (catch_up->is_open)
        event_follower_close(&catch_up->follower);
    catch_up->is_open = false;
}

void catch_up_begin(struct catch_up *catch_up, uint64_t mark_seq, uint64_t mark_time_ns, uint64_t skip_below)
{
    follower_close(catch_up);
    catch_up->mark_seq = mark_seq;
    catch_up->mark_time_ns = mark_time_ns;
    catch_up->again_from = mark_seq;
    catch_up->skip_below = skip_below;
    catch_up->is_checked = mark_seq == 0 || mark_time_ns == 0;
    catch_up->stalled_ns = 0;
    catch_up->is_stall_told = false;
    catch_up->given_back = 0;
}

void catch_up_again(struct catch_up *catch_up, uint64_t from_seq)
{
    REQUIRE(!catch_up->is_open && from_seq <= catch_up->mark_seq);
    catch_up->again_from = from_seq;
}

/* The event at the mark must be the one that the store has. */
static int check_mark(struct catch_up *catch_up, const struct event *event, struct error *error)
{
    if (event->event_seq == catch_up->mark_seq && event->time_ns == catch_up->mark_time_ns) {
        catch_up->is_checked = true;
        return 0;
    }
    return error_set(error, ERROR_MISMATCH, catch_up->store,
                     "it holds event %llu of time %llu ns, this exchange has one of time %llu ns there: the store "
                     "belongs to another journal; give this one an empty store, or that journal back",
                     (unsigned long long)catch_up->mark_seq, (unsigned long long)catch_up->mark_time_ns,
                     (unsigned long long)event->time_ns);
}

/* Says what does not come, once it has not for a while. */
static void note_stall(struct catch_up *catch_up, uint64_t now_ns)
{
    uint64_t published = atomic_load_explicit(&catch_up->ring->file->producer.cursor, memory_order_relaxed);
    uint64_t wanted = catch_up->follower.next;
    bool is_ahead = !catch_up->is_checked && wanted >= published;
    if (!is_ahead && wanted >= published) {
        catch_up->stalled_ns = 0;
        return;
    }
    if (catch_up->stalled_ns == 0)
        catch_up->stalled_ns = now_ns;
    if (catch_up->is_stall_told || now_ns - catch_up->stalled_ns < STALL_NS)
        return;
    catch_up->is_stall_told = true;
    if (is_ahead)
        log_failure(
            "%s holds event %llu, the exchange has come to %llu only: it waits; if the journal was thrown away, "
            "give it an empty store",
            catch_up->store, (unsigned long long)catch_up->mark_seq, (unsigned long long)published - 1);
    else
        log_failure("event %llu, which %s needs next, is neither in the event ring nor in %s: it waits",
                    (unsigned long long)wanted, catch_up->store, catch_up->log_directory);
}

static int follower_ready(struct catch_up *catch_up, struct error *error)
{
    if (catch_up->is_open)
        return 0;
    bool is_again = catch_up->again_from < catch_up->mark_seq;
    uint64_t first = catch_up->mark_seq + (catch_up->is_checked ? 1 : 0);
    if (is_again)
        first = catch_up->again_from + 1;
    int result = event_follower_open(&catch_up->follower, catch_up->ring, catch_up->log_directory, first, error);
    if (result < 0)
        return result;
    event_follower_archive(&catch_up->follower, catch_up->archive, catch_up->skip_below);
    catch_up->is_open = true;
    return result;
}

/* What was given back, or as much of it as fits. An event and its continuation are of one time, so both were. */
static int take_again(struct catch_up *catch_up, uint32_t max, const struct event **ret_events)
{
    uint32_t count = catch_up->given_back;
    *ret_events = catch_up->chunk + catch_up->chunk_count - count;
    if (count > max)
        count = (*ret_events)[max - 1].flags & EVENT_CONTINUED ? max - 1 : max;
    catch_up->given_back -= count;
    return (int)count;
}

void catch_up_give_back(struct catch_up *catch_up, uint32_t count)
{
    REQUIRE(catch_up->given_back + count <= catch_up->chunk_count);
    catch_up->given_back += count;
}

/* A chunk while the event at the mark has not been seen; how many of it are given, or the error that it is another. */
static int check_chunk(struct catch_up *catch_up, int count, const struct event **ret_events, struct error *error)
{
    int at = 0;
    while (at < count && catch_up->chunk[at].event_seq < catch_up->mark_seq)
        at++;
    if (at == count)
        return count;
    if (catch_up->chunk[at].event_seq > catch_up->mark_seq) { /* it was trimmed: nothing to compare */
        catch_up->is_checked = true;
        return count;
    }
    int result = check_mark(catch_up, &catch_up->chunk[at], error);
    if (result < 0)
        return result;
    if (catch_up->again_from < catch_up->mark_seq)
        return count;
    *ret_events = catch_up->chunk + 1;
    return count - 1;
}

int catch_up_next(struct catch_up *catch_up, uint64_t now_ns, uint32_t max, const struct event **ret_events,
                  struct error *error)
{
    REQUIRE(max >= 2);
    if (catch_up->given_back > 0)
        return take_again(catch_up, max, ret_events);
    if (!catch_up->ring && !catch_up->is_alone)
        return 0;
    int result = follower_ready(catch_up, error);
    if (result < 0)
        return result == ERROR_NOT_YET ? 0 : result;
    uint32_t wanted = max < CATCH_UP_CHUNK ? max : CATCH_UP_CHUNK;
    int count = event_follower_next(&catch_up->follower, catch_up->chunk, wanted, error);
    if (count <= 0) {
        if (count == 0 && catch_up->ring)
            note_stall(catch_up, now_ns);
        return count;
    }
    catch_up->stalled_ns = 0;
    catch_up->chunk_count = (uint32_t)count;
    *ret_events = catch_up->chunk;
    return catch_up->is_checked ? count : check_chunk(catch_up, count, ret_events, error);
}

uint64_t catch_up_published(const struct catch_up *catch_up)
{
    if (!catch_up->ring)
        return 0;
    return atomic_load_explicit(&catch_up->ring->file->producer.cursor, memory_order_relaxed) - 1;
}

uint64_t catch_up_behind(const struct catch_up *catch_up, uint64_t seq)
{
    if (!catch_up->ring)
        return 0;
    uint64_t published = atomic_load_explicit(&catch_up->ring->file->producer.cursor, memory_order_relaxed);
    return published > seq + 1 ? published - seq - 1 : 0;
}

uint64_t catch_up_lag(const struct catch_up *catch_up)
{
    if (catch_up->is_open)
        return event_follower_lag(&catch_up->follower) + catch_up->given_back;
    return catch_up_behind(catch_up, catch_up->mark_seq);
}

void catch_up_finish(struct catch_up *catch_up)
{
    follower_close(catch_up);
    catch_up->ring = NULL;
}
