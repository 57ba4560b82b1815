/*
 * What belongs to a backup, opened: from here on it stays as it is, whatever is trimmed, pruned or made meanwhile.
 *
 *   1. The journal's segments up to the end that is known now, the last one up to the batch that ends there: behind it
 *      may lie what is being written at this moment.
 *   2. The event log up to the first event whose cause is beyond that end.
 *   3. The snapshots that know of nothing beyond either.
 *   4. The configuration, the accounts and the members' settings. No private key of TLS: those have a keeper of their
 * own.
 */
#include "backup_cli.h"
#include "eventlog/eventlog.h"
#include "journal/journal_read.h"
#include "journal/segments.h"
#include "journal/tail.h"
#include "matcher/snapshot_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES       10
#define READ_EVENTS 256

struct collect {
    struct backup_set *set;
    const struct config *config;
    struct journal_position end;
    uint64_t events_synced; /* events below this are in the log for sure */
};

/* Opens DIRECTORY/NAME and adds its first `limit` bytes, or all. ERROR_NOT_YET: it is gone. */
static int add_file(struct collect *collect, enum backup_kind kind, const char *directory, const char *name,
                    uint64_t limit, bool hold, struct error *error)
{
    char path[DISK_PATH_BYTES];
    uint64_t bytes = 0;
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    int file = disk()->open(path, 0, error);
    if (file < 0)
        return file;
    int result = hold ? disk()->hold(file, path) : 0;
    if (result == 0)
        result = disk()->size(file, &bytes, error);
    if (result == 0)
        return backup_set_add(collect->set, kind, name, file, bytes < limit ? bytes : limit, error);
    disk()->close(file);
    return result;
}

/* ---- the journal --------------------------------------------------------------------------------------------------
 */

/* Where the last batch ends that is durable, and what it says of the event log. */
static int find_end(struct collect *collect, const char *directory, uint64_t durable_end, struct error *error)
{
    struct journal_reader *reader = NULL;
    const struct journal_batch_header *header = NULL;
    uint64_t from = durable_end > 1 ? durable_end - 1 : 1;
    int result = 0;
    if (durable_end == 0) { /* nobody writes: the last command of all */
        struct journal_end end;
        result = journal_end_find(&end, directory, error);
        from = end.position.command_seq_next > 1 ? end.position.command_seq_next - 1 : 1;
    }
    if (result == 0)
        result = journal_reader_open(&reader, directory, from, error);
    if (result < 0)
        return result;
    do {
        result = journal_reader_batch(reader, durable_end, &header, error);
        if (result > 0)
            collect->events_synced = header->events_synced;
    } while (result > 0);
    journal_reader_position(reader, &collect->end);
    journal_reader_close(reader);
    if (result == 0 && collect->end.command_seq_next <= 1)
        result = error_set(error, ERROR_NOT_YET, directory, "the journal holds no command yet");
    return result;
}

/* All segments from the oldest on. ERROR_NOT_YET: one was trimmed away meanwhile. */
static int add_segments(struct collect *collect, const struct journal_segments *segments, struct error *error)
{
    int result = 0;
    for (uint32_t i = 0; i < segments->count && result == 0; i++) {
        char path[DISK_PATH_BYTES];
        uint32_t number = segments->numbers[i];
        if (number > collect->end.segment)
            break;
        journal_segment_path(collect->config->journal_directory, number, path);
        uint64_t limit = number == collect->end.segment ? collect->end.segment_offset : UINT64_MAX;
        result = add_file(collect, BACKUP_JOURNAL, collect->config->journal_directory, strrchr(path, '/') + 1, limit,
                          true, error);
    }
    return result;
}

static int add_journal(struct collect *collect, struct error *error)
{
    int result = ERROR_NOT_YET;
    for (int tries = 0; tries < TRIES && result == ERROR_NOT_YET; tries++) {
        struct journal_segments segments;
        backup_set_finish(collect->set);
        result = journal_segments_list(&segments, collect->config->journal_directory, error);
        if (result < 0)
            break;
        result = add_segments(collect, &segments, error);
        journal_segments_finish(&segments);
    }
    collect->set->command_seq_end = collect->end.command_seq_next;
    return result;
}

/* ---- the event log ------------------------------------------------------------------------------------------------
 */

/* Goes from the events that are in the log for sure to the first that is not there or beyond the journal's end. */
static int find_event_end(struct collect *collect, struct error *error)
{
    static struct event events[READ_EVENTS];
    struct eventlog_reader *reader = NULL;
    uint64_t next = collect->events_synced > 1 ? collect->events_synced : 1;
    int result = eventlog_reader_open(&reader, collect->config->events_directory, error);
    bool beyond = false;
    while (result >= 0 && !beyond) {
        result = eventlog_reader_read(reader, next, events, READ_EVENTS, error);
        int kept = 0;
        while (kept < result && events[kept].command_seq < collect->end.command_seq_next)
            kept++;
        beyond = result <= 0 || kept < result;
        next += result > 0 ? (uint64_t)kept : 0;
    }
    eventlog_reader_close(reader);
    collect->set->event_seq_end = next;
    return result < 0 && result != ERROR_NOT_YET ? result : 0;
}

struct event_files {
    struct collect *collect;
    struct error *error;
    int result;
};

static void add_event_file(void *argument, const char *name)
{
    struct event_files *files = argument;
    static const char prefix[] = "events-";
    char *end = NULL;
    if (files->result < 0 || strncmp(name, prefix, sizeof(prefix) - 1) != 0)
        return;
    uint64_t number = strtoull(name + sizeof(prefix) - 1, &end, 10);
    if (strcmp(end, ".log") != 0)
        return;
    const struct collect *collect = files->collect;
    uint64_t last = collect->set->event_seq_end / EVENTLOG_FILE_EVENTS;
    uint64_t limit = EVENTLOG_HEADER_BYTES + collect->set->event_seq_end % EVENTLOG_FILE_EVENTS * RECORD_BYTES;
    if (number > last)
        return;
    int result = add_file(files->collect, BACKUP_EVENTS, collect->config->events_directory, name,
                          number == last ? limit : UINT64_MAX, false, files->error);
    files->result = result == ERROR_NOT_YET ? 0 : result;
}

static int add_events(struct collect *collect, struct error *error)
{
    struct event_files files = {.collect = collect, .error = error};
    int result = find_event_end(collect, error);
    if (result == 0)
        result = disk()->list(collect->config->events_directory, add_event_file, &files, error);
    return result == ERROR_NOT_YET ? 0 : result < 0 ? result : files.result;
}

/* ---- snapshots and configuration ----------------------------------------------------------------------------------
 */

/* One that is pruned or not whole is left out: `backup verify` and the next start read them in full. */
static int add_snapshots(struct collect *collect, struct error *error)
{
    const char *directory = collect->config->snapshots_directory;
    struct snapshot_list list;
    int result = snapshot_list_read(&list, directory, error);
    for (uint32_t i = 0; i < list.count && result == 0; i++) {
        struct snapshot_header header;
        char path[DISK_PATH_BYTES];
        snapshot_path(directory, list.seqs[i], path);
        if (snapshot_header_read(&header, directory, list.seqs[i], NULL) < 0 ||
            memcmp(header.instance, collect->end.instance, sizeof(header.instance)) != 0 ||
            header.command_seq_next > collect->set->command_seq_end ||
            header.event_seq_next > collect->set->event_seq_end)
            continue;
        result = add_file(collect, BACKUP_SNAPSHOTS, directory, strrchr(path, '/') + 1, UINT64_MAX, false, error);
        collect->set->snapshot_count += result == 0;
        result = result == ERROR_NOT_YET ? 0 : result;
    }
    return result;
}

static int add_setting(struct collect *collect, const char *path, const char *name, struct error *error)
{
    uint64_t bytes = 0;
    if (!*path)
        return 0;
    int file = disk()->open(path, 0, error);
    if (file == ERROR_NOT_YET)
        return 0;
    int result = file < 0 ? file : disk()->size(file, &bytes, error);
    return result < 0 ? result : backup_set_add(collect->set, BACKUP_ETC, name, file, bytes, error);
}

static int add_settings(struct collect *collect, struct error *error)
{
    int result = add_setting(collect, collect->config->path, "ringside.conf", error);
    if (result == 0)
        result = add_setting(collect, collect->config->gateway_accounts, "accounts", error);
    if (result == 0)
        result = add_setting(collect, collect->config->gateway_members, "members", error);
    return result;
}

int backup_collect(struct backup_set *set, const struct config *config, const struct journal_place *place,
                   struct error *error)
{
    struct collect collect = {.set = set, .config = config};
    int result = find_end(&collect, config->journal_directory, place->durable_end, error);
    if (result == 0)
        result = add_journal(&collect, error);
    if (result == 0)
        result = add_events(&collect, error);
    if (result == 0)
        result = add_snapshots(&collect, error);
    return result < 0 ? result : add_settings(&collect, error);
}
