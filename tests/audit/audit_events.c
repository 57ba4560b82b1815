/* Goes through the event log by docs/journal.md: event s is where its number says. */
#include "audit.h"

#include "base/checksum.h"
#include "eventlog/eventlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct event_walk {
    char directory[300];
    struct mapped file;
    uint64_t next;
};

struct event_walk *event_walk_open(const char *directory)
{
    struct event_walk *walk = calloc(1, sizeof(*walk));
    if (!walk)
        give_up("no memory");
    snprintf(walk->directory, sizeof(walk->directory), "%s", directory);
    walk->next = 1;
    return walk;
}

static bool open_file(struct event_walk *walk)
{
    char path[400];
    uint64_t number = walk->next / EVENTLOG_FILE_EVENTS;
    unmap_file(&walk->file);
    snprintf(path, sizeof(path), "%s/events-%010llu.log", walk->directory, (unsigned long long)number);
    walk->file = map_file(path);
    const struct eventlog_file_header *header = (const void *)walk->file.bytes;
    if (walk->file.count < EVENTLOG_HEADER_BYTES)
        return false;
    if (header->magic != EVENTLOG_MAGIC || header->first_seq != number * EVENTLOG_FILE_EVENTS)
        wrong("%s has a wrong header", path);
    return true;
}

const struct event *event_walk_next(struct event_walk *walk)
{
    uint64_t place = walk->next % EVENTLOG_FILE_EVENTS;
    if ((place == 0 || walk->next == 1) && !open_file(walk))
        return NULL;
    uint64_t offset = EVENTLOG_HEADER_BYTES + place * RECORD_BYTES;
    if (offset + RECORD_BYTES > walk->file.count)
        return NULL;
    const struct event *event = (const void *)(walk->file.bytes + offset);
    struct eventlog_head head;
    memcpy(&head, event, sizeof(head));
    uint32_t checksum = crc32c((uint32_t)walk->next, (const uint8_t *)event + RECORD_HEAD_BYTES, RECORD_BODY_BYTES);
    if (head.mark != EVENTLOG_MARK || head.checksum != checksum || event->event_seq != walk->next)
        return NULL;
    walk->next++;
    return event;
}

void event_walk_close(struct event_walk *walk)
{
    unmap_file(&walk->file);
    free(walk);
}
