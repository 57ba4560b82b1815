#include "run_view.h"

#include "ring/ring.h"
#include "run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* ---- processes ----------------------------------------------------------------------------------------------------
 */

/*
 * Whether a lock is held, from /proc/locks: to try the lock would be surer, but a stage that starts at that instant
 * would find it taken and give up.
 */
static bool lock_holder(const struct stat *lock, pid_t *ret_pid)
{
    char line[256];
    char file[64];
    bool found = false;
    FILE *locks = fopen("/proc/locks", "re");
    if (!locks)
        return false;
    snprintf(file, sizeof(file), "%02x:%02x:%lu", major(lock->st_dev), minor(lock->st_dev),
             (unsigned long)lock->st_ino);
    while (!found && fgets(line, sizeof(line), locks)) {
        /* "1: FLOCK  ADVISORY  WRITE 1234 00:19:5678 0 EOF"; one who waits has an arrow for its second word */
        const char *words[6] = {0};
        char *rest = NULL;
        for (size_t i = 0; i < 6; i++)
            words[i] = strtok_r(i == 0 ? line : NULL, " ", &rest);
        found =
            words[5] && strcmp(words[1], "FLOCK") == 0 && strcmp(words[3], "WRITE") == 0 && strcmp(words[5], file) == 0;
        if (found)
            *ret_pid = (pid_t)strtol(words[4], NULL, 10); /* 0 or -1: of another pid namespace */
    }
    fclose(locks);
    return found;
}

static void read_process(struct process_view *view, const char *directory, enum process_kind kind, uint32_t gateway)
{
    char path[RUN_PATH_BYTES + 64];
    struct stat status;
    memset(view, 0, sizeof(*view));
    if (kind == PROCESS_GATEWAY)
        snprintf(view->name, sizeof(view->name), "%s-%u", topology_process_name(kind), gateway);
    else
        snprintf(view->name, sizeof(view->name), "%s", topology_process_name(kind));
    snprintf(path, sizeof(path), "%s/%s.lock", directory, view->name);
    view->held = stat(path, &status) == 0 && lock_holder(&status, &view->pid);
}

static void read_processes(struct run_view *view, const struct config *config)
{
    const char *directory = config->exchange_rings_directory;
    for (enum process_kind kind = PROCESS_JOURNALER; kind < PROCESS_GATEWAY; kind++)
        read_process(&view->processes[view->process_count++], directory, kind, 0);
    for (uint32_t gateway = 1; gateway <= config->exchange_gateways; gateway++)
        read_process(&view->processes[view->process_count++], directory, PROCESS_GATEWAY, gateway);
    for (uint32_t i = 0; i < view->process_count; i++)
        view->alive_count += view->processes[i].held;
}

/* ---- rings --------------------------------------------------------------------------------------------------------
 */

static uint64_t load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

static void read_line(struct line_view *view, const struct ring_consumer_line *line, uint64_t next_seq)
{
    snprintf(view->name, sizeof(view->name), "%.23s", line->name);
    view->cursor_seq = load(&line->cursor);
    view->behind_records = next_seq > view->cursor_seq ? next_seq - view->cursor_seq : 0;
    view->stall_count = load(&line->stall_count);
    view->pid = atomic_load_explicit(&line->pid, memory_order_relaxed);
    view->epoch = atomic_load_explicit(&line->epoch, memory_order_relaxed);
}

/* The producer's cursor is a hint, at most a burst behind; the slots tell the rest. */
static uint64_t next_seq_of(const struct ring_file *file)
{
    uint64_t next = load(&file->producer.cursor);
    uint64_t mask = file->header.capacity - 1;
    for (uint64_t step = 0; step < file->header.capacity; step++, next++)
        if (load(&file->slots[next & mask].word) != next + 1)
            break;
    return next;
}

static void read_ring(struct ring_view *view, const char *directory, const char *name)
{
    char path[RUN_PATH_BYTES + 64];
    struct ring ring = {0};
    struct ring_parameters any = {.name = name};
    struct error error = {0};
    memset(view, 0, sizeof(*view));
    snprintf(view->name, sizeof(view->name), "%s", name);
    snprintf(path, sizeof(path), "%s/%s.ring", directory, name);
    if (ring_attach(&ring, path, false, &any, &error) < 0) {
        memcpy(view->why, error.what, sizeof(view->why));
        return;
    }
    const struct ring_file *file = ring.file;
    view->present = true;
    view->capacity_slots = file->header.capacity;
    view->base_seq = file->header.base_seq;
    view->next_seq = next_seq_of(file);
    view->stall_count = load(&file->producer.stall_count);
    view->blocked_ns_total = load(&file->producer.blocked_ns_total);
    view->pid = atomic_load_explicit(&file->producer.pid, memory_order_relaxed);
    view->epoch = atomic_load_explicit(&file->producer.epoch, memory_order_relaxed);
    view->line_count = file->header.gating_count;
    for (uint32_t i = 0; i < view->line_count; i++) {
        read_line(&view->lines[i], &file->consumers[i], view->next_seq);
        if (view->lines[i].behind_records > view->fill_records)
            view->fill_records = view->lines[i].behind_records;
    }
    ring_detach(&ring);
}

static void read_rings(struct run_view *view, const struct config *config)
{
    const char *directory = config->exchange_rings_directory;
    for (uint32_t gateway = 1; gateway <= config->exchange_gateways; gateway++) {
        char name[32];
        snprintf(name, sizeof(name), "inbound-%u", gateway);
        read_ring(&view->rings[view->ring_count++], directory, name);
    }
    read_ring(&view->rings[view->ring_count++], directory, RING_NAME_COMMAND);
    read_ring(&view->rings[view->ring_count++], directory, RING_NAME_EVENT);
}

/* ---- the run ------------------------------------------------------------------------------------------------------
 */

static void read_run_file(struct run_view *view, const struct config *config)
{
    char path[RUN_PATH_BYTES + 64];
    struct run_file file;
    snprintf(path, sizeof(path), "%s/run", config->exchange_rings_directory);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t bytes = pread(fd, &file, sizeof(file), 0);
    close(fd);
    if (bytes != (ssize_t)sizeof(file) || file.magic != RUN_MAGIC || file.version != RUN_VERSION)
        return;
    view->present = true;
    memcpy(view->run_id, file.run_id, sizeof(view->run_id));
    view->epoch = file.base.epoch;
    view->created_ns = file.created_ns;
    view->command_seq_next = file.base.command_seq_next;
}

void run_view_read(struct run_view *view, const struct config *config)
{
    memset(view, 0, sizeof(*view));
    read_run_file(view, config);
    read_processes(view, config);
    read_rings(view, config);
}
