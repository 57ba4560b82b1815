#include "snapshot_writer.h"

#include "base/checksum.h"
#include "record/command.h"
#include "snapshot_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int snapshot_writer_open(struct snapshot_writer *writer, const char *directory, struct error *error)
{
    *writer = (struct snapshot_writer){.file = -1};
    snprintf(writer->directory, sizeof(writer->directory), "%s", directory);
    return disk()->make_directory(directory, error);
}

/* ---- copying ------------------------------------------------------------------------------------------------------
 */

static int fit(struct snapshot_writer *writer, size_t bytes, struct error *error)
{
    if (bytes <= writer->image_room)
        return 0;
    if (writer->image)
        munmap(writer->image, writer->image_room);
    writer->image_room = 0;
    void *image = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    writer->image = image == MAP_FAILED ? NULL : image;
    if (!writer->image)
        return error_system(error, errno, writer->directory, "no memory for a snapshot of %zu bytes", bytes);
    (void)madvise(image, bytes, MADV_HUGEPAGE);
    writer->image_room = bytes;
    return 0;
}

static void copy(struct snapshot_writer *writer, const struct engine *engine, const uint8_t instance[16],
                 uint64_t now_realtime_ns, size_t image_bytes)
{
    struct snapshot_header header = {
        .magic = SNAPSHOT_MAGIC,
        .version = SNAPSHOT_VERSION,
        .header_bytes = SNAPSHOT_HEADER_BYTES,
        .command_seq_next = engine_command_seq_next(engine),
        .event_seq_next = engine_event_seq_next(engine),
        .event_hash = engine_event_hash(engine),
        .state_hash = engine_state_hash(engine),
        .live_order_count = engine_live_orders(engine),
        .record_hash = command_layout_hash(),
        .image_bytes = image_bytes,
        .created_ns = now_realtime_ns,
    };
    memcpy(header.instance, instance, sizeof(header.instance));
    header.checksum = crc32c(0, &header, offsetof(struct snapshot_header, checksum));
    REQUIRE(writer->image != NULL);
    memcpy(writer->image, &header, sizeof(header));
    REQUIRE(engine_snapshot(engine, writer->image + SNAPSHOT_HEADER_BYTES, image_bytes) == image_bytes);
    writer->bytes = SNAPSHOT_HEADER_BYTES + image_bytes;
    writer->written = 0;
    writer->command_seq_next = header.command_seq_next;
    writer->event_seq_next = header.event_seq_next;
}

int snapshot_writer_begin(struct snapshot_writer *writer, const struct engine *engine, const uint8_t instance[16],
                          uint64_t now_realtime_ns, struct error *error)
{
    char path[DISK_PATH_BYTES];
    REQUIRE(!snapshot_writer_busy(writer) && !engine_more(engine));
    size_t image_bytes = engine_snapshot_bytes(engine);
    int result = fit(writer, SNAPSHOT_HEADER_BYTES + image_bytes, error);
    if (result < 0)
        return result;
    copy(writer, engine, instance, now_realtime_ns, image_bytes);
    snapshot_undone_path(writer->directory, writer->command_seq_next, path);
    result = disk()->remove(path, error);
    if (result == 0)
        result = disk()->open(path, DISK_WRITABLE | DISK_CREATE, error);
    if (result < 0)
        return result;
    writer->file = result;
    return 0;
}

/* ---- writing ------------------------------------------------------------------------------------------------------
 */

static void drop(struct snapshot_writer *writer)
{
    char path[DISK_PATH_BYTES];
    snapshot_undone_path(writer->directory, writer->command_seq_next, path);
    disk()->close(writer->file);
    writer->file = -1;
    (void)disk()->remove(path, NULL); /* pruned later otherwise */
}

int snapshot_writer_step(struct snapshot_writer *writer, struct error *error)
{
    size_t left = writer->bytes - writer->written;
    size_t part = left < SNAPSHOT_STEP_BYTES ? left : SNAPSHOT_STEP_BYTES;
    int result = 0;
    if (part > 0)
        result = disk()->write(writer->file, writer->written, writer->image + writer->written, part, error);
    if (result == 0)
        result = disk()->sync(writer->file, error);
    if (result < 0) {
        drop(writer);
        return result;
    }
    writer->written += part;
    return writer->written == writer->bytes;
}

int snapshot_writer_publish(struct snapshot_writer *writer, struct error *error)
{
    char from[DISK_PATH_BYTES];
    char to[DISK_PATH_BYTES];
    REQUIRE(snapshot_writer_busy(writer) && writer->written == writer->bytes);
    snapshot_undone_path(writer->directory, writer->command_seq_next, from);
    snapshot_path(writer->directory, writer->command_seq_next, to);
    int result = disk()->rename(from, to, error);
    if (result < 0) {
        drop(writer);
        return result;
    }
    disk()->close(writer->file);
    writer->file = -1;
    int directory = disk()->open_directory(writer->directory, error);
    if (directory < 0)
        return directory;
    result = disk()->sync(directory, error);
    disk()->close(directory);
    return result;
}

void snapshot_writer_close(struct snapshot_writer *writer)
{
    if (*writer->directory && snapshot_writer_busy(writer))
        drop(writer);
    if (writer->image)
        munmap(writer->image, writer->image_room);
    *writer = (struct snapshot_writer){.file = -1};
}
