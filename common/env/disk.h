/*
 * The disk of the outside: files, and a queue of writes that are waited for without blocking. The real side is the
 * kernel's (disk_files.c, disk_queue.c); tests and the simulator put another in its place with disk_replace before any
 * stage is opened.
 *
 * Rules
 *   1. A write is whole or it failed: short writes are failures. Nothing here tries again.
 *   2. Codes: ERROR_NOT_YET no such file; ERROR_FULL no space (ENOSPC, EDQUOT, EFBIG); ERROR_IO a read, write or sync
 *      failed; ERROR_SYSTEM anything else.
 *   3. Offsets, sizes and buffers of direct files are multiples of DISK_BLOCK_BYTES.
 *   4. A queue belongs to the thread that created it. One call takes a batch; completions come in any order.
 *   5. Fallbacks: files that are asked for as direct are buffered where the file system has no direct access;
 *      a queue does its work at once where io_uring is refused. disk_direct and queue_kind tell; whoever cares logs it.
 */
#ifndef RINGSIDE_ENV_DISK_H
#define RINGSIDE_ENV_DISK_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISK_BLOCK_BYTES       4096u
#define DISK_PATH_BYTES        384
#define DISK_QUEUE_FILES_MAX   16
#define DISK_QUEUE_BUFFERS_MAX 4
#define DISK_QUEUE_DEPTH       16 /* requests in flight at most */

enum disk_open_flag {
    DISK_WRITABLE = 1 << 0,
    DISK_CREATE = 1 << 1, /* the file must not exist */
    DISK_DIRECT = 1 << 2, /* past the page cache, where the file system can */
};

enum disk_action {
    DISK_WRITE,         /* from a registered buffer or any other memory */
    DISK_WRITE_DURABLE, /* complete when it is on the medium */
    DISK_SYNC,          /* fdatasync; fsync of a directory */
    DISK_WRITE_OUT,     /* begins to write what is dirty of `bytes` from offset on, and promises nothing */
    DISK_RESERVE, /* allocates `bytes` from 0 on; -EOPNOTSUPP where the file system cannot, writing allocates too */
};

struct disk_request {
    enum disk_action action;
    int file;
    uint64_t offset;
    uint64_t bytes;
    const void *data; /* must lie still until completion */
    uint64_t tag;     /* comes back with the completion */
};

struct disk_completion {
    uint64_t tag;
    int64_t result; /* bytes written, 0, or -errno */
};

struct disk_buffer {
    void *start;
    size_t bytes;
};

struct disk_queue;

/* Called for each entry of a directory; `.` and `..` are left out. */
typedef void disk_visitor(void *argument, const char *name);

struct disk_side {
    /* Files. Synchronous: for opening, recovery, the event log; never on the journal's path. */
    int (*open)(const char *path, unsigned flags, struct error *error); /* a file, 0 or more */
    int (*open_directory)(const char *path, struct error *error);       /* for DISK_SYNC */
    void (*close)(int file);                                            /* accepts -1 */
    bool (*direct)(int file);
    int (*size)(int file, uint64_t *ret_bytes, struct error *error);
    /* Reads up to `bytes`; less only at the end of the file. Returns 0 and *ret_count. */
    int (*read)(int file, uint64_t offset, void *to, size_t bytes, size_t *ret_count, struct error *error);
    int (*write)(int file, uint64_t offset, const void *from, size_t bytes, struct error *error);
    int (*sync)(int file, struct error *error);
    int (*truncate)(int file, uint64_t bytes, struct error *error);
    int (*reserve)(int file, uint64_t bytes, struct error *error);
    int (*remove)(const char *path, struct error *error); /* 0 also if it is not there */
    int (*rename)(const char *from, const char *to, struct error *error);
    int (*make_directory)(const char *path, struct error *error); /* and those above it; 0 also if it is there */
    /*
     * A file that is held open is left as it is by who would write it anew under another name (and asks held first).
     * hold: 0, or ERROR_NOT_YET: the path names another file by now, or none. Ends with close.
     */
    int (*hold)(int file, const char *path);
    bool (*held)(int file);                                                             /* by somebody else */
    int (*space)(const char *directory, uint64_t *ret_free_bytes, struct error *error); /* left for this process */
    int (*list)(const char *directory, disk_visitor *visitor, void *argument, struct error *error);

    /* Queues. `buffers` are registered where the kernel allows it; they belong to the caller and outlive the queue. */
    int (*queue_create)(struct disk_queue **ret_queue, const struct disk_buffer buffers[], uint32_t count,
                        struct error *error);
    const char *(*queue_kind)(const struct disk_queue *queue); /* "io_uring", or why it is not */
    bool (*queue_asynchronous)(const struct disk_queue *queue);
    void (*queue_adopt)(struct disk_queue *queue, int file);  /* will be used often: registered if there is room */
    void (*queue_forget)(struct disk_queue *queue, int file); /* before it is closed; nothing of it is in flight */
    int (*queue_submit)(struct disk_queue *queue, const struct disk_request requests[], uint32_t count,
                        struct error *error);
    /* The completions that are there, at most max; 0 or more, or negative. Never waits. */
    int (*queue_reap)(struct disk_queue *queue, struct disk_completion completions[], uint32_t max,
                      struct error *error);
    int (*queue_wait)(struct disk_queue *queue, struct error *error); /* until there is a completion to reap */
    int (*queue_descriptor)(const struct disk_queue *queue); /* readable when there is something to reap; -1: none */
    void (*queue_destroy)(struct disk_queue *queue);         /* waits for what is in flight */
};

/* The side in use. */
const struct disk_side *disk(void);

/* Puts another side in use; NULL: the real one. Before anything is opened. */
void disk_replace(const struct disk_side *side);

/* The kernel's, for sides that wrap it. */
const struct disk_side *disk_real(void);

#endif
