#include "view/run_view.h"

#include "env/clock.h"
#include "ring/owner.h"
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
 * Whether the role's lock is held. To try it would be surest, but a stage that starts at that instant would find it
 * taken and give up; so the lock beside it is asked for (common/run), which takes nothing and sees processes of other
 * PID namespaces.
 */
static bool is_locked(int file)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(file, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* Who holds it, by what he wrote into it; 0 if there is no such process that began at that moment: it is of another
 * PID namespace, or has yet to write. */
static pid_t holder_of(int file)
{
    char text[64];
    ssize_t length = pread(file, text, sizeof(text) - 1, 0);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    char *rest = NULL;
    long pid = strtol(text, &rest, 10);
    uint64_t start_time = strtoull(rest, NULL, 10);
    return pid > 0 && start_time != 0 && owner_start_time_of((pid_t)pid) == start_time ? (pid_t)pid : 0;
}

/*
 * For who may not open the lock: /proc/locks tells, of this PID namespace alone. It is the last resort, for reading it
 * waits until all cores have let go of the kernel's list of locks, some 10 ms, and all who lock files wait meanwhile.
 */
static bool lock_is_listed(const struct stat *lock, pid_t *ret_pid)
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

static void read_lock(struct process_view *view, const char *path)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        view->held = is_locked(file);
        view->pid = view->held ? holder_of(file) : 0;
        close(file);
    } else if (errno == EACCES && stat(path, &status) == 0) {
        view->held = lock_is_listed(&status, &view->pid);
    }
}

static bool lies_in(const char *directory, const char *name)
{
    char path[RUN_PATH_BYTES + 64];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return access(path, F_OK) == 0;
}

static void read_process(struct process_view *view, const char *directory, enum process_kind kind, uint32_t gateway)
{
    char path[RUN_PATH_BYTES + 64];
    memset(view, 0, sizeof(*view));
    if (kind == PROCESS_GATEWAY)
        snprintf(view->name, sizeof(view->name), "%s-%u", topology_process_name(kind), gateway);
    else
        snprintf(view->name, sizeof(view->name), "%s", topology_process_name(kind));
    snprintf(path, sizeof(path), "%s/%s.lock", directory, view->name);
    read_lock(view, path);
}

static void read_processes(struct run_view *view, const struct config *config)
{
    const char *directory = config->exchange_rings_directory;
    for (enum process_kind kind = PROCESS_JOURNALER; kind < PROCESS_GATEWAY; kind++)
        read_process(&view->processes[view->process_count++], directory, kind, 0);
    for (uint32_t gateway = 1; gateway <= config->exchange_gateways; gateway++)
        read_process(&view->processes[view->process_count++], directory, PROCESS_GATEWAY, gateway);
    if (lies_in(directory, "admin.lock")) /* an exchange runs without it; where it ran it is missed */
        read_process(&view->processes[view->process_count++], directory, PROCESS_ADMIN, 0);
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
    view->heartbeat_ns = load(&line->heartbeat_ns);
    view->status = load(&line->status);
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

static void read_producer(struct ring_view *view, const struct ring_producer_line *line)
{
    uint64_t now_ns = clock_monotonic_ns();
    uint64_t since_ns = load(&line->blocked_since_ns);
    view->stall_count = load(&line->stall_count);
    view->blocked_ns_total = load(&line->blocked_ns_total);
    view->blocked_ns = since_ns != 0 && now_ns > since_ns ? now_ns - since_ns : 0;
    view->blocked_on =
        view->blocked_ns > 0 ? atomic_load_explicit(&line->blocked_on, memory_order_relaxed) : RING_NOBODY;
    view->heartbeat_ns = load(&line->heartbeat_ns);
    view->pid = atomic_load_explicit(&line->pid, memory_order_relaxed);
    view->epoch = atomic_load_explicit(&line->epoch, memory_order_relaxed);
}

static void read_attached(struct ring_view *view, const struct ring_file *file)
{
    view->present = true;
    view->capacity_slots = file->header.capacity;
    view->base_seq = file->header.base_seq;
    view->next_seq = next_seq_of(file);
    read_producer(view, &file->producer);
    view->line_count = file->header.gating_count;
    for (uint32_t i = 0; i < view->line_count; i++) {
        read_line(&view->lines[i], &file->consumers[i], view->next_seq);
        if (view->lines[i].behind_records > view->fill_records)
            view->fill_records = view->lines[i].behind_records;
    }
}

/* Keeps the ring mapped as long as its file is the one at the path. */
static int follow_ring(struct ring *ring, uint64_t *inode, const char *path, const char *name, struct error *error)
{
    struct stat status;
    struct ring_parameters any = {.name = name};
    bool there = stat(path, &status) == 0;
    if (ring->file && there && status.st_ino == *inode)
        return 0;
    ring_detach(ring);
    *inode = there ? status.st_ino : 0;
    return ring_attach(ring, path, false, &any, error);
}

static void read_ring(struct run_viewer *viewer, struct run_view *view, const char *name)
{
    char path[RUN_PATH_BYTES + 64];
    struct error error = {0};
    struct ring *ring = &viewer->rings[view->ring_count];
    uint64_t *inode = &viewer->inodes[view->ring_count];
    struct ring_view *seen = &view->rings[view->ring_count++];
    snprintf(seen->name, sizeof(seen->name), "%s", name);
    snprintf(path, sizeof(path), "%s/%s.ring", viewer->config->exchange_rings_directory, name);
    if (follow_ring(ring, inode, path, name, &error) < 0)
        memcpy(seen->why, error.what, sizeof(seen->why));
    else
        read_attached(seen, ring->file);
}

static void read_rings(struct run_viewer *viewer, struct run_view *view)
{
    for (uint32_t gateway = 1; gateway <= viewer->config->exchange_gateways; gateway++) {
        char name[32];
        snprintf(name, sizeof(name), "inbound-%u", gateway);
        read_ring(viewer, view, name);
    }
    if (lies_in(viewer->config->exchange_rings_directory, RING_NAME_ADMIN ".ring"))
        read_ring(viewer, view, RING_NAME_ADMIN);
    read_ring(viewer, view, RING_NAME_COMMAND);
    read_ring(viewer, view, RING_NAME_EVENT);
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

void run_viewer_init(struct run_viewer *viewer, const struct config *config)
{
    memset(viewer, 0, sizeof(*viewer));
    viewer->config = config;
}

void run_viewer_read(struct run_viewer *viewer, struct run_view *view)
{
    memset(view, 0, sizeof(*view));
    view->read_ns = clock_monotonic_ns();
    read_run_file(view, viewer->config);
    read_processes(view, viewer->config);
    read_rings(viewer, view);
}

void run_viewer_finish(struct run_viewer *viewer)
{
    for (uint32_t i = 0; i < RUN_VIEW_RINGS_MAX; i++)
        ring_detach(&viewer->rings[i]);
}

void run_view_read(struct run_view *view, const struct config *config)
{
    struct run_viewer viewer;
    run_viewer_init(&viewer, config);
    run_viewer_read(&viewer, view);
    run_viewer_finish(&viewer);
}

bool run_view_complete(const struct run_view *view)
{
    return view->present && view->alive_count == view->process_count;
}

void run_view_id(const struct run_view *view, char text[33])
{
    for (size_t i = 0; i < sizeof(view->run_id); i++)
        snprintf(text + 2 * i, 3, "%02x", view->run_id[i]);
}

const char *run_view_blocker(const struct ring_view *ring)
{
    return ring->blocked_ns > 0 && ring->blocked_on < ring->line_count ? ring->lines[ring->blocked_on].name : NULL;
}
