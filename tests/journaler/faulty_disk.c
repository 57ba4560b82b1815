#include "faulty_disk.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct faulty_disk faulty_disk;

/* The requests of one submission that have been failed on purpose; they complete at the next reaping. */
static struct disk_completion refused[DISK_QUEUE_DEPTH];
static uint32_t refused_count;

static bool fails_now(void)
{
    faulty_disk.operation_count++;
    if (faulty_disk.operation_count != faulty_disk.fail_at || faulty_disk.fault == FAULT_FULL)
        return false;
    faulty_disk.failed = true;
    return true;
}

static int refuse(struct error *error, const char *what)
{
    return error_set(error, ERROR_IO, "faulty disk", "%s: failed on purpose", what);
}

static int file_open(const char *path, unsigned flags, struct error *error)
{
    if (flags & DISK_CREATE) {
        if (faulty_disk.fault == FAULT_FULL)
            return error_set(error, ERROR_FULL, path, "full on purpose");
        if (fails_now())
            return refuse(error, "create");
    }
    return disk_real()->open(path, flags, error);
}

static int file_write(int file, uint64_t offset, const void *from, size_t bytes, struct error *error)
{
    return fails_now() ? refuse(error, "write") : disk_real()->write(file, offset, from, bytes, error);
}

static int file_sync(int file, struct error *error)
{
    return fails_now() ? refuse(error, "sync") : disk_real()->sync(file, error);
}

static int file_truncate(int file, uint64_t bytes, struct error *error)
{
    return fails_now() ? refuse(error, "truncate") : disk_real()->truncate(file, bytes, error);
}

static int file_reserve(int file, uint64_t bytes, struct error *error)
{
    if (faulty_disk.fault == FAULT_FULL)
        return error_set(error, ERROR_FULL, "faulty disk", "full on purpose");
    return fails_now() ? refuse(error, "reserve") : disk_real()->reserve(file, bytes, error);
}

static int file_remove(const char *path, struct error *error)
{
    return fails_now() ? refuse(error, "remove") : disk_real()->remove(path, error);
}

static int64_t refused_result(const struct disk_request *request)
{
    bool writes = request->action == DISK_WRITE || request->action == DISK_WRITE_DURABLE;
    return faulty_disk.fault == FAULT_SHORT && writes ? (int64_t)DISK_BLOCK_BYTES : -EIO;
}

static int submit(struct disk_queue *queue, const struct disk_request requests[], uint32_t count, struct error *error)
{
    for (uint32_t i = 0; i < count; i++) {
        bool full = faulty_disk.fault == FAULT_FULL && requests[i].action == DISK_RESERVE;
        if (full || fails_now()) {
            refused[refused_count++] = (struct disk_completion){
                .tag = requests[i].tag, .result = full ? -ENOSPC : refused_result(&requests[i])};
            continue;
        }
        int result = disk_real()->queue_submit(queue, &requests[i], 1, error);
        if (result < 0)
            return result;
    }
    return 0;
}

static int reap(struct disk_queue *queue, struct disk_completion completions[], uint32_t max, struct error *error)
{
    if (faulty_disk.hold_completions)
        return 0;
    uint32_t count = refused_count < max ? refused_count : max;
    memcpy(completions, refused, count * sizeof(*completions));
    refused_count = 0;
    int more = disk_real()->queue_reap(queue, completions + count, max - count, error);
    return more < 0 ? more : (int)count + more;
}

/* io_uring needs a descriptor; none is to be had. */
static int queue_create(struct disk_queue **ret_queue, const struct disk_buffer buffers[], uint32_t count,
                        struct error *error)
{
    struct rlimit before, none;
    int free_descriptor = dup(STDERR_FILENO);
    close(free_descriptor);
    getrlimit(RLIMIT_NOFILE, &before);
    none = (struct rlimit){.rlim_cur = (rlim_t)free_descriptor, .rlim_max = before.rlim_max};
    if (faulty_disk.refuse_uring)
        setrlimit(RLIMIT_NOFILE, &none);
    int result = disk_real()->queue_create(ret_queue, buffers, count, error);
    setrlimit(RLIMIT_NOFILE, &before);
    return result;
}

static int space(const char *directory, uint64_t *ret_free_bytes, struct error *error)
{
    if (faulty_disk.free_bytes == 0)
        return disk_real()->space(directory, ret_free_bytes, error);
    *ret_free_bytes = faulty_disk.free_bytes;
    return 0;
}

void faulty_disk_install(void)
{
    static struct disk_side side;
    side = *disk_real();
    side.open = file_open;
    side.write = file_write;
    side.sync = file_sync;
    side.truncate = file_truncate;
    side.reserve = file_reserve;
    side.remove = file_remove;
    side.space = space;
    side.queue_create = queue_create;
    side.queue_submit = submit;
    side.queue_reap = reap;
    faulty_disk = (struct faulty_disk){0};
    refused_count = 0;
    disk_replace(&side);
}
