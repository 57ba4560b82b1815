#include "perf/probe/tap.h"

#include "record/command.h"
#include "record/event.h"
#include "topology/topology.h"

#include <stdio.h>
#include <sys/stat.h>

void tap_init(struct tap *tap, const char *directory, const char *name)
{
    *tap = (struct tap){.directory = directory};
    snprintf(tap->name, sizeof(tap->name), "%s", name);
    if (strcmp(name, RING_NAME_EVENT) == 0)
        tap->kind = TAP_EVENT;
    else
        tap->kind = strcmp(name, RING_NAME_COMMAND) == 0 ? TAP_COMMAND : TAP_INBOUND;
}

/* The cursor is a hint, at most a burst behind: what a tap begins with may be a few records old. */
static uint64_t hint(const struct tap *tap)
{
    return atomic_load_explicit(&tap->ring.file->producer.cursor, memory_order_acquire);
}

int tap_refresh(struct tap *tap, struct error *error)
{
    char path[512];
    struct stat status;
    struct ring ring = {0};
    snprintf(path, sizeof(path), "%s/%s.ring", tap->directory, tap->name);
    if (stat(path, &status) < 0)
        return tap->ring.file ? 0 : error_set(error, ERROR_NOT_YET, path, "no such ring yet");
    if (tap->ring.file && status.st_ino == tap->inode)
        return 0;
    const struct ring_parameters expected = {
        .name = tap->name, .record_hash = tap->kind == TAP_EVENT ? event_layout_hash() : command_layout_hash()};
    int result = ring_attach(&ring, path, false, &expected, error);
    if (result < 0)
        return result;
    ring_detach(&tap->ring);
    tap->ring = ring;
    tap->inode = status.st_ino;
    tap_seek(tap, hint(tap));
    tap->first_seq = tap->observer.next;
    return 1;
}

void tap_seek(struct tap *tap, uint64_t seq)
{
    ring_observer_open(&tap->observer, &tap->ring, seq);
    uint64_t oldest = ring_observer_oldest(&tap->observer);
    if (seq < oldest)
        tap->observer.next = oldest;
    tap->first_seq = tap->observer.next;
}

static uint64_t own_number(const struct tap *tap, const void *record)
{
    const struct command *command = record;
    const struct event *event = record;
    if (tap->kind == TAP_EVENT)
        return event->event_seq;
    return tap->kind == TAP_COMMAND ? command->command_seq : command->inbound_seq;
}

static void check_number(struct tap *tap, const void *record, uint64_t seq)
{
    if (LIKELY(own_number(tap, record) == seq))
        return;
    if (tap->gap_count++ == 0)
        tap->first_gap_seq = seq;
}

uint32_t tap_read(struct tap *tap, void *records, uint32_t max)
{
    uint32_t count = 0;
    while (tap->ring.file && count < max) {
        void *record = (uint8_t *)records + (size_t)count * RECORD_BYTES;
        enum ring_observation seen = ring_observe(&tap->observer, record);
        if (seen == RING_NOTHING)
            break;
        if (UNLIKELY(seen == RING_OVERRUN)) {
            tap->overrun_count++;
            tap->missed_count += ring_observer_skip(&tap->observer);
            continue;
        }
        check_number(tap, record, tap->observer.next - 1);
        count++;
    }
    tap->read_count += count;
    return count;
}

void tap_pass_over(struct tap *tap)
{
    uint64_t next = tap->ring.file ? hint(tap) : 0;
    if (next <= tap->observer.next)
        return;
    tap->passed_count += next - tap->observer.next;
    tap->observer.next = next;
}

bool tap_peek(const struct tap *tap, uint64_t seq, struct record_head *ret)
{
    uint8_t record[RECORD_BYTES];
    struct ring_observer observer;
    if (!tap->ring.file)
        return false;
    ring_observer_open(&observer, &tap->ring, seq);
    if (ring_observe(&observer, record) != RING_OBSERVED)
        return false;
    memcpy(ret, record, sizeof(*ret));
    return true;
}

uint64_t tap_published(const struct tap *tap)
{
    return tap->ring.file ? tap->observer.next - tap->first_seq : 0;
}

void tap_close(struct tap *tap)
{
    ring_detach(&tap->ring);
}
