/*
 * The kernel's queue: one io_uring, or, where that is refused, the same work done at once at submission.
 *
 * Rules
 *   1. Set up for one thread with cooperative task run, so that completions interrupt nobody; older kernels refuse the
 *      flags and get none. Not deferred task run: there a completion does not end a poll of the ring's descriptor
 *      (measured on Linux 6.18: 10.2 ms, the time-out, in place of 0.15 ms).
 *   2. Buffers and files are registered; a request that names neither is served all the same.
 *   3. TASKRUN_FLAG lets queue_reap see from memory that there is something to fetch: no system call when idle.
 */
#include "env/disk_real.h"

#include "base/require.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define NOT_REGISTERED (-1)

struct disk_queue {
    struct io_uring uring;
    bool asynchronous;
    char kind[64];
    bool files_registered;
    int files[DISK_QUEUE_FILES_MAX]; /* by fixed slot; -1: free */
    uint32_t buffer_count;           /* registered ones; 0: none */
    struct disk_buffer buffers[DISK_QUEUE_BUFFERS_MAX];
    uint32_t in_flight;  /* the kernel has them, and they will complete */
    int refused;         /* -errno of a submission that failed: what it left behind would go with the next one */
    uint32_t done_count; /* without io_uring: completions waiting to be reaped */
    struct disk_completion done[DISK_QUEUE_DEPTH];
};

/* ---- setting up ---------------------------------------------------------------------------------------------------
 */

static int set_up_uring(struct disk_queue *queue)
{
    const unsigned wanted[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_CLAMP,
        IORING_SETUP_CLAMP,
    };
    int result = -EINVAL;
    for (uint32_t i = 0; i < ARRAY_COUNT(wanted) && result == -EINVAL; i++) {
        struct io_uring_params parameters = {.flags = wanted[i]};
        result = io_uring_queue_init_params(2 * DISK_QUEUE_DEPTH, &queue->uring, &parameters);
    }
    return result;
}

/* What cannot be registered (a low memory lock limit) is passed each time. */
static void register_all(struct disk_queue *queue, const struct disk_buffer buffers[], uint32_t count)
{
    struct iovec vectors[DISK_QUEUE_BUFFERS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        queue->buffers[i] = buffers[i];
        vectors[i] = (struct iovec){.iov_base = buffers[i].start, .iov_len = buffers[i].bytes};
    }
    if (count > 0 && io_uring_register_buffers(&queue->uring, vectors, count) == 0)
        queue->buffer_count = count;
    queue->files_registered = io_uring_register_files(&queue->uring, queue->files, DISK_QUEUE_FILES_MAX) == 0;
}

static int queue_create(struct disk_queue **ret_queue, const struct disk_buffer buffers[], uint32_t count,
                        struct error *error)
{
    REQUIRE(count <= DISK_QUEUE_BUFFERS_MAX);
    struct disk_queue *queue = calloc(1, sizeof(*queue));
    if (!queue)
        return error_system(error, ENOMEM, "disk queue", "no memory");
    for (uint32_t i = 0; i < DISK_QUEUE_FILES_MAX; i++)
        queue->files[i] = -1;
    int result = set_up_uring(queue);
    queue->asynchronous = result == 0;
    strcpy(queue->kind, "io_uring");
    if (queue->asynchronous)
        register_all(queue, buffers, count);
    else
        strncpy(queue->kind, strerrordesc_np(-result), sizeof(queue->kind) - 1);
    *ret_queue = queue;
    return 0;
}

static const char *queue_kind(const struct disk_queue *queue)
{
    return queue->kind;
}

static bool queue_asynchronous(const struct disk_queue *queue)
{
    return queue->asynchronous;
}

static int fixed_slot(const struct disk_queue *queue, int file)
{
    for (int slot = 0; queue->files_registered && slot < DISK_QUEUE_FILES_MAX; slot++)
        if (queue->files[slot] == file)
            return slot;
    return NOT_REGISTERED;
}

static void queue_adopt(struct disk_queue *queue, int file)
{
    int slot = fixed_slot(queue, -1);
    if (slot != NOT_REGISTERED && io_uring_register_files_update(&queue->uring, (unsigned)slot, &file, 1) == 1)
        queue->files[slot] = file;
}

static void queue_forget(struct disk_queue *queue, int file)
{
    int slot = fixed_slot(queue, file);
    const int none = -1;
    if (slot == NOT_REGISTERED || file < 0)
        return;
    (void)io_uring_register_files_update(&queue->uring, (unsigned)slot, &none, 1);
    queue->files[slot] = none;
}

/* ---- submitting ---------------------------------------------------------------------------------------------------
 */

static int registered_buffer(const struct disk_queue *queue, const struct disk_request *request)
{
    for (uint32_t i = 0; i < queue->buffer_count; i++) {
        const uint8_t *start = queue->buffers[i].start;
        const uint8_t *data = request->data;
        if (data >= start && data + request->bytes <= start + queue->buffers[i].bytes)
            return (int)i;
    }
    return NOT_REGISTERED;
}

static void prepare_write(const struct disk_queue *queue, struct io_uring_sqe *entry, int file,
                          const struct disk_request *request)
{
    int buffer = registered_buffer(queue, request);
    if (buffer != NOT_REGISTERED)
        io_uring_prep_write_fixed(entry, file, request->data, (unsigned)request->bytes, request->offset, buffer);
    else
        io_uring_prep_write(entry, file, request->data, (unsigned)request->bytes, request->offset);
    if (request->action == DISK_WRITE_DURABLE)
        entry->rw_flags = RWF_DSYNC;
}

static void prepare(struct disk_queue *queue, const struct disk_request *request)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&queue->uring);
    REQUIRE(entry);
    int slot = fixed_slot(queue, request->file);
    int file = slot == NOT_REGISTERED ? request->file : slot;
    switch (request->action) {
    case DISK_WRITE:
    case DISK_WRITE_DURABLE:
        prepare_write(queue, entry, file, request);
        break;
    case DISK_SYNC:
        io_uring_prep_fsync(entry, file, IORING_FSYNC_DATASYNC);
        break;
    case DISK_WRITE_OUT:
        io_uring_prep_sync_file_range(entry, file, (unsigned)request->bytes, request->offset, SYNC_FILE_RANGE_WRITE);
        break;
    case DISK_RESERVE:
        io_uring_prep_fallocate(entry, file, 0, 0, (off_t)request->bytes);
        break;
    }
    if (slot != NOT_REGISTERED)
        entry->flags |= IOSQE_FIXED_FILE;
    entry->user_data = request->tag;
}

static int64_t do_at_once(const struct disk_request *request)
{
    int64_t result = 0;
    struct iovec vector = {.iov_base = (void *)(uintptr_t)request->data, .iov_len = request->bytes};
    switch (request->action) {
    case DISK_WRITE:
        result = pwritev2(request->file, &vector, 1, (off_t)request->offset, 0);
        break;
    case DISK_WRITE_DURABLE:
        result = pwritev2(request->file, &vector, 1, (off_t)request->offset, RWF_DSYNC);
        break;
    case DISK_SYNC:
        result = fdatasync(request->file);
        break;
    case DISK_WRITE_OUT: /* the kernel begins by itself some time */
        break;
    case DISK_RESERVE:
        result = fallocate(request->file, 0, 0, (off_t)request->bytes);
        break;
    }
    return result < 0 ? -errno : result;
}

static int queue_submit(struct disk_queue *queue, const struct disk_request requests[], uint32_t count,
                        struct error *error)
{
    REQUIRE(queue->in_flight + count <= DISK_QUEUE_DEPTH);
    if (queue->refused < 0)
        return disk_error(error, -queue->refused, "io_uring", "cannot submit, as before");
    queue->in_flight += count;
    for (uint32_t i = 0; i < count; i++) {
        if (queue->asynchronous)
            prepare(queue, &requests[i]);
        else
            queue->done[queue->done_count++] =
                (struct disk_completion){.tag = requests[i].tag, .result = do_at_once(&requests[i])};
    }
    if (!queue->asynchronous)
        return 0;
    int result;
    do {
        result = io_uring_submit(&queue->uring);
    } while (result == -EINTR);
    if (result >= 0)
        return 0;
    queue->refused = result;
    queue->in_flight -= io_uring_sq_ready(&queue->uring); /* nobody will ever complete them */
    return disk_error(error, -result, "io_uring", "cannot submit");
}

/* ---- reaping ------------------------------------------------------------------------------------------------------
 */

static int reap_done(struct disk_queue *queue, struct disk_completion completions[], uint32_t max)
{
    uint32_t count = queue->done_count < max ? queue->done_count : max;
    memcpy(completions, queue->done, count * sizeof(*completions));
    memmove(queue->done, queue->done + count, (queue->done_count - count) * sizeof(*completions));
    queue->done_count -= count;
    queue->in_flight -= count;
    return (int)count;
}

static int queue_reap(struct disk_queue *queue, struct disk_completion completions[], uint32_t max, struct error *error)
{
    if (queue->in_flight == 0)
        return 0;
    if (!queue->asynchronous)
        return reap_done(queue, completions, max);
    uint32_t count = 0;
    while (count < max) {
        struct io_uring_cqe *entry = NULL;
        int result = io_uring_peek_cqe(&queue->uring, &entry);
        if (result == -EAGAIN || result == -EINTR)
            break;
        if (result < 0)
            return disk_error(error, -result, "io_uring", "cannot fetch completions");
        completions[count++] = (struct disk_completion){.tag = entry->user_data, .result = entry->res};
        io_uring_cqe_seen(&queue->uring, entry);
        queue->in_flight--;
    }
    return (int)count;
}

static int queue_wait(struct disk_queue *queue, struct error *error)
{
    if (queue->in_flight == 0 || !queue->asynchronous)
        return 0;
    struct io_uring_cqe *entry;
    int result;
    do {
        result = io_uring_wait_cqe(&queue->uring, &entry);
    } while (result == -EINTR);
    return result == 0 ? 0 : disk_error(error, -result, "io_uring", "cannot wait for a completion");
}

static int queue_descriptor(const struct disk_queue *queue)
{
    return queue->asynchronous ? queue->uring.ring_fd : -1;
}

static void queue_destroy(struct disk_queue *queue)
{
    if (!queue)
        return;
    struct disk_completion completions[DISK_QUEUE_DEPTH];
    while (queue->in_flight > 0 && queue_wait(queue, NULL) == 0)
        if (queue_reap(queue, completions, DISK_QUEUE_DEPTH, NULL) < 0)
            break;
    if (queue->asynchronous)
        io_uring_queue_exit(&queue->uring);
    free(queue);
}

void disk_queue_fill(struct disk_side *side)
{
    side->queue_create = queue_create;
    side->queue_kind = queue_kind;
    side->queue_asynchronous = queue_asynchronous;
    side->queue_adopt = queue_adopt;
    side->queue_forget = queue_forget;
    side->queue_submit = queue_submit;
    side->queue_reap = queue_reap;
    side->queue_wait = queue_wait;
    side->queue_descriptor = queue_descriptor;
    side->queue_destroy = queue_destroy;
}
