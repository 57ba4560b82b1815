#include "disk_side.h"

#include "base/require.h"
#include "base/units.h"
#include "outside.h"
#include "random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HANDLES_MAX  256
#define HANDLE_FIRST 10000
#define QUEUES_MAX   16
#define PENDING_MAX  256
#define HALF         500000

struct disk_faults disk_faults;
struct disk_bugs disk_bugs;
uint64_t disk_fault_count;
uint64_t disk_damage_count;

struct handle {
    bool open;
    bool direct;
    bool holds;
    int file; /* -1: a directory */
    char directory[DISK_PATH_BYTES];
    const struct process *owner;
};

struct disk_queue {
    bool open;
    const struct process *owner;
};

enum outcome { OUTCOME_DONE, OUTCOME_FAILS, OUTCOME_SHORT, OUTCOME_LOST, OUTCOME_MISDIRECTED };

struct pending {
    struct disk_queue *queue; /* NULL: of a dead process */
    struct disk_request request;
    struct handle handle; /* as it was */
    uint8_t *data;        /* as it was */
    uint64_t due_ns;
    uint64_t names_mark;
    enum outcome outcome;
    bool done;
    int64_t result;
};

static struct handle handles[HANDLES_MAX];
static struct disk_queue queues[QUEUES_MAX];
static struct pending pendings[PENDING_MAX];
static uint32_t pending_count;

/* ---- faults -------------------------------------------------------------------------------------------------------
 */

static bool fails(const char *what, struct error *error, int *ret_code)
{
    process_kill_point(what);
    outside.now_ns += 1 + random_below(2 * (uint64_t)NS_PER_US);
    if (!process_current || !random_chance(disk_faults.fail))
        return false;
    disk_fault_count++;
    TRACE("disk: %s fails", what);
    *ret_code = error_set(error, ERROR_IO, "simulated disk", "%s: %s", what, strerrordesc_np(EIO));
    return true;
}

static enum outcome draw_outcome(const struct disk_request *request)
{
    enum outcome outcome = OUTCOME_DONE;
    if (random_chance(disk_faults.fail))
        outcome = OUTCOME_FAILS;
    else if (request->action == DISK_WRITE_DURABLE || request->action == DISK_WRITE) {
        if (random_chance(disk_faults.shorten))
            outcome = OUTCOME_SHORT;
        else if (random_chance(disk_faults.lose))
            outcome = OUTCOME_LOST;
        else if (random_chance(disk_faults.misdirect))
            outcome = OUTCOME_MISDIRECTED;
    }
    disk_fault_count += outcome != OUTCOME_DONE;
    disk_damage_count += outcome == OUTCOME_LOST || outcome == OUTCOME_MISDIRECTED;
    return outcome;
}

/* ---- files --------------------------------------------------------------------------------------------------------
 */

static struct handle *handle_of(int file)
{
    REQUIRE(file >= HANDLE_FIRST && file < HANDLE_FIRST + HANDLES_MAX && handles[file - HANDLE_FIRST].open);
    return &handles[file - HANDLE_FIRST];
}

static int handle_new(int file, bool direct, const char *directory)
{
    for (int i = 0; i < HANDLES_MAX; i++) {
        if (handles[i].open)
            continue;
        handles[i] = (struct handle){.open = true, .direct = direct, .file = file, .owner = process_current};
        snprintf(handles[i].directory, DISK_PATH_BYTES, "%s", directory);
        return HANDLE_FIRST + i;
    }
    violation("more than %d files are open on the simulated disk", HANDLES_MAX);
}

static int side_open(const char *path, unsigned flags, struct error *error)
{
    int code = 0;
    if ((flags & DISK_CREATE) && fails("create", error, &code))
        return code;
    process_kill_point("disk: open");
    int file = disk_name_find(path);
    if (file < 0 && !(flags & DISK_CREATE))
        return error_set(error, ERROR_NOT_YET, path, "is not there");
    if (file >= 0 && (flags & DISK_CREATE))
        return error_system(error, EEXIST, path, "cannot open the file");
    if (file < 0)
        file = disk_name_create(path);
    process_kill_point("disk: opened");
    return handle_new(file, (flags & DISK_DIRECT) != 0, "");
}

static int side_open_directory(const char *path, struct error *error)
{
    (void)error;
    return handle_new(-1, false, path);
}

static void side_close(int file)
{
    if (file >= 0)
        handle_of(file)->open = false;
}

static bool side_direct(int file)
{
    return handle_of(file)->direct;
}

static int side_size(int file, uint64_t *ret_bytes, struct error *error)
{
    (void)error;
    *ret_bytes = disk_file_of(handle_of(file)->file)->bytes;
    return 0;
}

static int side_read(int file, uint64_t offset, void *to, size_t bytes, size_t *ret_count, struct error *error)
{
    (void)error;
    const struct disk_file *from = disk_file_of(handle_of(file)->file);
    process_kill_point("disk: read");
    size_t count = offset >= from->bytes ? 0 : from->bytes - offset < bytes ? from->bytes - offset : bytes;
    if (count > 0)
        memcpy(to, from->now + offset, count);
    *ret_count = count;
    return 0;
}

static int side_write(int file, uint64_t offset, const void *from, size_t bytes, struct error *error)
{
    int code = 0;
    if (fails("write", error, &code))
        return code;
    struct disk_file *to = disk_file_of(handle_of(file)->file);
    if (!disk_file_grow(to, offset + bytes))
        return error_set(error, ERROR_FULL, "simulated disk", "no space");
    disk_file_write(to, offset, from, bytes, false);
    process_kill_point("disk: written");
    return 0;
}

static int side_sync(int file, struct error *error)
{
    const struct handle *handle = handle_of(file);
    int code = 0;
    bool failed = fails("sync", error, &code);
    if (handle->file < 0) {
        if (!failed && !disk_bugs.directory_sync_does_nothing)
            disk_names_sync(handle->directory, disk_names_mark());
    } else if (!disk_bugs.sync_does_nothing) {
        disk_file_sync_begin(disk_file_of(handle->file));
        disk_file_sync_end(disk_file_of(handle->file), failed);
    }
    process_kill_point("disk: synced");
    return code;
}

static int side_truncate(int file, uint64_t bytes, struct error *error)
{
    int code = 0;
    if (fails("truncate", error, &code))
        return code;
    disk_file_truncate(disk_file_of(handle_of(file)->file), bytes);
    process_kill_point("disk: truncated");
    return 0;
}

static int side_reserve(int file, uint64_t bytes, struct error *error)
{
    int code = 0;
    if (fails("reserve", error, &code))
        return code;
    if (!disk_file_grow(disk_file_of(handle_of(file)->file), bytes))
        return error_set(error, ERROR_FULL, "simulated disk", "no space");
    return 0;
}

static int side_remove(const char *path, struct error *error)
{
    int code = 0;
    if (fails("remove", error, &code))
        return code;
    if (disk_name_find(path) >= 0)
        disk_name_remove(path);
    process_kill_point("disk: removed");
    return 0;
}

static int side_rename(const char *from, const char *to, struct error *error)
{
    int code = 0;
    if (fails("rename", error, &code))
        return code;
    if (disk_name_find(from) < 0)
        return error_system(error, ENOENT, from, "cannot rename to %s", to);
    disk_name_rename(from, to);
    process_kill_point("disk: renamed");
    return 0;
}

static int side_hold(int file, const char *path)
{
    struct handle *handle = handle_of(file);
    handle->holds = true;
    return disk_name_find(path) == handle->file ? 0 : ERROR_NOT_YET;
}

static bool side_held(int file)
{
    const struct handle *own = handle_of(file);
    for (int i = 0; i < HANDLES_MAX; i++)
        if (&handles[i] != own && handles[i].open && handles[i].holds && handles[i].file == own->file)
            return true;
    return false;
}

static int side_make_directory(const char *path, struct error *error)
{
    (void)path; /* they are there, and stay */
    (void)error;
    return 0;
}

static int side_list(const char *directory, disk_visitor *visitor, void *argument, struct error *error)
{
    (void)error;
    disk_name_list(directory, visitor, argument);
    return 0;
}

/* ---- requests -----------------------------------------------------------------------------------------------------
 */

static bool writes(const struct disk_request *request)
{
    return request->action == DISK_WRITE || request->action == DISK_WRITE_DURABLE;
}

static int64_t do_write(const struct pending *pending, uint64_t bytes)
{
    const struct disk_request *request = &pending->request;
    struct disk_file *file = disk_file_of(pending->handle.file);
    uint64_t offset = request->offset;
    if (pending->outcome == OUTCOME_MISDIRECTED)
        offset = random_below(file->bytes / DISK_BLOCK_BYTES + 1) * DISK_BLOCK_BYTES;
    if (!disk_file_grow(file, offset + bytes))
        return -ENOSPC;
    bool durable = request->action == DISK_WRITE_DURABLE && !disk_bugs.durable_is_not;
    disk_file_write(file, offset, pending->data, bytes, durable);
    return (int64_t)bytes;
}

static int64_t do_sync(const struct pending *pending)
{
    bool failed = pending->outcome == OUTCOME_FAILS;
    if (pending->handle.file >= 0)
        disk_file_sync_end(disk_file_of(pending->handle.file), failed);
    else if (!failed && !disk_bugs.directory_sync_does_nothing)
        disk_names_sync(pending->handle.directory, pending->names_mark);
    return failed ? -EIO : 0;
}

/* A write that fails may have left any of its sectors behind. */
static int64_t fail_write(const struct pending *pending)
{
    struct disk_file *file = disk_file_of(pending->handle.file);
    const struct disk_request *request = &pending->request;
    for (uint64_t at = 0; at < request->bytes; at += SECTOR_BYTES)
        if (random_chance(HALF) && request->offset + at + SECTOR_BYTES <= file->bytes)
            disk_file_write(file, request->offset + at, pending->data + at, SECTOR_BYTES, random_chance(HALF));
    return -EIO;
}

static int64_t do_request(const struct pending *pending)
{
    const struct disk_request *request = &pending->request;
    if (pending->outcome != OUTCOME_DONE)
        TRACE("disk: request of tag %llu has outcome %d", (unsigned long long)request->tag, pending->outcome);
    if (request->action == DISK_SYNC)
        return do_sync(pending);
    if (pending->outcome == OUTCOME_FAILS)
        return writes(request) ? fail_write(pending) : -EIO;
    if (request->action == DISK_WRITE_OUT)
        return 0;
    if (request->action == DISK_RESERVE)
        return disk_file_grow(disk_file_of(pending->handle.file), request->bytes) ? 0 : -ENOSPC;
    if (pending->outcome == OUTCOME_LOST)
        return (int64_t)request->bytes;
    if (request->bytes == 0)
        return 0;
    if (pending->outcome == OUTCOME_SHORT)
        return do_write(pending, random_below(request->bytes / DISK_BLOCK_BYTES) * DISK_BLOCK_BYTES);
    return do_write(pending, request->bytes);
}

static void complete(struct pending *pending)
{
    /* A buffer that changes under way may be on the medium in either form. */
    if (pending->queue && pending->data && memcmp(pending->data, pending->request.data, pending->request.bytes) != 0)
        violation("the buffer of a write in flight was changed (tag %llu)", (unsigned long long)pending->request.tag);
    pending->result = do_request(pending);
    pending->done = true;
}

static void pending_remove(uint32_t index)
{
    free(pendings[index].data);
    pendings[index] = pendings[--pending_count];
}

void disk_side_advance(void)
{
    for (uint32_t i = 0; i < pending_count;) {
        if (!pendings[i].done && pendings[i].due_ns <= outside.now_ns)
            complete(&pendings[i]);
        if (pendings[i].done && !pendings[i].queue)
            pending_remove(i);
        else
            i++;
    }
}

uint64_t disk_side_due_ns(void)
{
    uint64_t due_ns = UINT64_MAX;
    for (uint32_t i = 0; i < pending_count; i++)
        if (!pendings[i].done && pendings[i].due_ns < due_ns)
            due_ns = pendings[i].due_ns;
    return due_ns;
}

/* ---- queues -------------------------------------------------------------------------------------------------------
 */

static int queue_create(struct disk_queue **ret_queue, const struct disk_buffer buffers[], uint32_t count,
                        struct error *error)
{
    (void)buffers;
    (void)count;
    (void)error;
    for (uint32_t i = 0; i < QUEUES_MAX; i++) {
        if (queues[i].open)
            continue;
        queues[i] = (struct disk_queue){.open = true, .owner = process_current};
        *ret_queue = &queues[i];
        return 0;
    }
    violation("more than %d queues of the simulated disk", QUEUES_MAX);
}

static const char *queue_kind(const struct disk_queue *queue)
{
    (void)queue;
    return "simulated";
}

static bool queue_asynchronous(const struct disk_queue *queue)
{
    (void)queue;
    return true;
}

static void queue_ignore_file(struct disk_queue *queue, int file)
{
    (void)queue;
    (void)file;
}

static void submit_one(struct disk_queue *queue, const struct disk_request *request)
{
    REQUIRE(pending_count < PENDING_MAX);
    struct pending *pending = &pendings[pending_count++];
    *pending = (struct pending){
        .queue = queue, .request = *request, .handle = *handle_of(request->file), .names_mark = disk_names_mark()};
    if (writes(request)) {
        pending->data = process_outer_realloc(NULL, request->bytes);
        memcpy(pending->data, request->data, request->bytes);
    }
    if (request->action == DISK_SYNC && pending->handle.file >= 0)
        disk_file_sync_begin(disk_file_of(pending->handle.file));
    pending->outcome = draw_outcome(request);
    pending->due_ns = outside.now_ns + random_skewed(disk_faults.latency_ns);
}

static int queue_submit(struct disk_queue *queue, const struct disk_request requests[], uint32_t count,
                        struct error *error)
{
    (void)error;
    for (uint32_t i = 0; i < count; i++) {
        process_kill_point("disk: submit");
        submit_one(queue, &requests[i]);
    }
    process_kill_point("disk: submitted");
    return 0;
}

static int queue_reap(struct disk_queue *queue, struct disk_completion completions[], uint32_t max, struct error *error)
{
    (void)error;
    uint32_t count = 0;
    disk_side_advance();
    for (uint32_t i = 0; i < pending_count && count < max;) {
        if (pendings[i].queue != queue || !pendings[i].done) {
            i++;
            continue;
        }
        completions[count++] = (struct disk_completion){.tag = pendings[i].request.tag, .result = pendings[i].result};
        pending_remove(i);
    }
    return (int)count;
}

static int queue_wait(struct disk_queue *queue, struct error *error)
{
    (void)error;
    uint64_t due_ns = UINT64_MAX;
    for (uint32_t i = 0; i < pending_count; i++)
        if (pendings[i].queue == queue && pendings[i].due_ns < due_ns)
            due_ns = pendings[i].due_ns;
    if (due_ns != UINT64_MAX && due_ns > outside.now_ns)
        outside.now_ns = due_ns;
    disk_side_advance();
    return 0;
}

static int side_space(const char *directory, uint64_t *ret_free_bytes, struct error *error)
{
    (void)directory;
    (void)error;
    *ret_free_bytes = disk_free_bytes();
    return 0;
}

static int queue_descriptor(const struct disk_queue *queue)
{
    (void)queue;
    return -1;
}

static void queue_destroy(struct disk_queue *queue)
{
    if (queue)
        queue->open = false;
    for (uint32_t i = 0; i < pending_count; i++)
        if (pendings[i].queue == queue)
            pendings[i].queue = NULL;
}

/* ---- beginnings and ends ------------------------------------------------------------------------------------------
 */

static const struct disk_side side = {
    .open = side_open,
    .open_directory = side_open_directory,
    .close = side_close,
    .direct = side_direct,
    .size = side_size,
    .read = side_read,
    .write = side_write,
    .sync = side_sync,
    .truncate = side_truncate,
    .reserve = side_reserve,
    .remove = side_remove,
    .rename = side_rename,
    .make_directory = side_make_directory,
    .hold = side_hold,
    .held = side_held,
    .space = side_space,
    .list = side_list,
    .queue_create = queue_create,
    .queue_kind = queue_kind,
    .queue_asynchronous = queue_asynchronous,
    .queue_adopt = queue_ignore_file,
    .queue_forget = queue_ignore_file,
    .queue_submit = queue_submit,
    .queue_reap = queue_reap,
    .queue_wait = queue_wait,
    .queue_descriptor = queue_descriptor,
    .queue_destroy = queue_destroy,
};

void disk_side_begin(void)
{
    disk_model_begin();
    while (pending_count > 0)
        pending_remove(0);
    memset(handles, 0, sizeof(handles));
    memset(queues, 0, sizeof(queues));
    disk_faults = (struct disk_faults){.latency_ns = 50 * (uint64_t)NS_PER_US};
    disk_fault_count = disk_damage_count = 0;
    disk_replace(&side);
}

/* What a dead process had in flight: it lands, a first part of it does, or nothing. Its order is as it was. */
static void orphan(struct pending *pending)
{
    pending->queue = NULL;
    if (pending->done || !writes(&pending->request))
        return;
    uint64_t kind = random_below(4);
    if (kind == 0)
        pending->request.bytes = 0;
    else if (kind == 1)
        pending->request.bytes = random_below(pending->request.bytes / DISK_BLOCK_BYTES + 1) * DISK_BLOCK_BYTES;
    if (kind != 3)
        pending->request.action = DISK_WRITE;
    pending->due_ns += random_skewed(disk_faults.latency_ns);
}

void disk_side_forget(const struct process *process)
{
    for (uint32_t i = 0; i < HANDLES_MAX; i++)
        if (handles[i].open && handles[i].owner == process)
            handles[i].open = false;
    for (uint32_t i = 0; i < pending_count; i++)
        if (pendings[i].queue && pendings[i].queue->owner == process)
            orphan(&pendings[i]);
    for (uint32_t i = 0; i < QUEUES_MAX; i++)
        if (queues[i].open && queues[i].owner == process)
            queues[i].open = false;
}

static void tear(const struct pending *pending)
{
    struct disk_file *file = disk_file_of(pending->handle.file);
    const struct disk_request *request = &pending->request;
    if (!disk_file_grow(file, request->offset + request->bytes))
        return;
    for (uint64_t at = 0; at < request->bytes; at += SECTOR_BYTES)
        if (random_chance(HALF))
            disk_file_write(file, request->offset + at, pending->data + at, SECTOR_BYTES, random_chance(HALF));
}

void disk_side_power_cut(void)
{
    while (pending_count > 0) {
        if (!pendings[0].done && writes(&pendings[0].request) && random_chance(HALF))
            tear(&pendings[0]);
        pending_remove(0);
    }
    memset(handles, 0, sizeof(handles));
    memset(queues, 0, sizeof(queues));
    disk_model_power_cut();
}

void disk_side_flip(const char *part)
{
    if (!disk_model_flip(part))
        return;
    disk_fault_count++;
    disk_damage_count++;
}
