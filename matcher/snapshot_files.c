#include "snapshot_files.h"

#include "base/checksum.h"
#include "record/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define NAME_PREFIX "snapshot-"
#define NAME_ENDING ".image"
#define NAME_UNDONE ".image.new"

void snapshot_path(const char *directory, uint64_t command_seq_next, char path[DISK_PATH_BYTES])
{
    snprintf(path, DISK_PATH_BYTES, "%.330s/" NAME_PREFIX "%020llu" NAME_ENDING, directory,
             (unsigned long long)command_seq_next);
}

void snapshot_undone_path(const char *directory, uint64_t command_seq_next, char path[DISK_PATH_BYTES])
{
    snprintf(path, DISK_PATH_BYTES, "%.330s/" NAME_PREFIX "%020llu" NAME_UNDONE, directory,
             (unsigned long long)command_seq_next);
}

/* ---- listing ------------------------------------------------------------------------------------------------------
 */

/* Keeps the newest, in order. */
static void note_seq(struct snapshot_list *list, uint64_t seq)
{
    uint32_t place = 0;
    while (place < list->count && list->seqs[place] > seq)
        place++;
    if (place == SNAPSHOTS_MAX)
        return;
    uint32_t moved = (list->count < SNAPSHOTS_MAX ? list->count : SNAPSHOTS_MAX - 1) - place;
    memmove(&list->seqs[place + 1], &list->seqs[place], moved * sizeof(list->seqs[0]));
    list->seqs[place] = seq;
    list->count += list->count < SNAPSHOTS_MAX;
}

/* 0: not the name of a snapshot. */
static uint64_t seq_of(const char *name, const char *ending)
{
    if (strncmp(name, NAME_PREFIX, strlen(NAME_PREFIX)) != 0)
        return 0;
    char *end;
    unsigned long long seq = strtoull(name + strlen(NAME_PREFIX), &end, 10);
    return strcmp(end, ending) == 0 ? seq : 0;
}

static void note_name(void *argument, const char *name)
{
    uint64_t seq = seq_of(name, NAME_ENDING);
    if (seq != 0)
        note_seq(argument, seq);
}

int snapshot_list_read(struct snapshot_list *ret, const char *directory, struct error *error)
{
    struct snapshot_list list = {0};
    int result = disk()->list(directory, note_name, &list, error);
    if (result < 0 && result != ERROR_NOT_YET)
        return result;
    *ret = list;
    return 0;
}

/* ---- reading ------------------------------------------------------------------------------------------------------
 */

static const char *header_damaged(const struct snapshot_header *header, size_t count)
{
    if (count < sizeof(*header))
        return "the file ends in the header";
    if (header->magic != SNAPSHOT_MAGIC)
        return "the header has another magic";
    if (header->checksum != crc32c(0, header, offsetof(struct snapshot_header, checksum)))
        return "the checksum of the header is wrong";
    return NULL;
}

static const char *header_of_others(const struct snapshot_header *header, uint64_t command_seq_next)
{
    if (header->version != SNAPSHOT_VERSION || header->header_bytes != SNAPSHOT_HEADER_BYTES)
        return "it is of another version of the layout";
    if (!command_layout_readable(header->record_hash))
        return "it is of another version of the commands";
    if (header->command_seq_next != command_seq_next)
        return "its name is not its number";
    return NULL;
}

static int header_read(struct snapshot_header *ret, int file, const char *path, uint64_t command_seq_next,
                       struct error *error)
{
    size_t count = 0;
    int result = disk()->read(file, 0, ret, sizeof(*ret), &count, error);
    if (result < 0)
        return result;
    const char *why = header_damaged(ret, count);
    if (why)
        return error_set(error, ERROR_CORRUPT, path, "%s", why);
    why = header_of_others(ret, command_seq_next);
    return why ? error_set(error, ERROR_MISMATCH, path, "%s", why) : 0;
}

int snapshot_header_read(struct snapshot_header *ret, const char *directory, uint64_t command_seq_next,
                         struct error *error)
{
    char path[DISK_PATH_BYTES];
    snapshot_path(directory, command_seq_next, path);
    int file = disk()->open(path, 0, error);
    if (file < 0)
        return file;
    struct snapshot_header header;
    int result = header_read(&header, file, path, command_seq_next, error);
    disk()->close(file);
    if (result == 0)
        *ret = header;
    return result;
}

static bool differs(const struct snapshot_header *header, const struct engine *engine)
{
    return header->command_seq_next != engine_command_seq_next(engine) ||
           header->event_seq_next != engine_event_seq_next(engine) || header->event_hash != engine_event_hash(engine) ||
           header->state_hash != engine_state_hash(engine) || header->live_order_count != engine_live_orders(engine);
}

static int image_load(struct books *books, const struct snapshot_header *header, int file, const char *path,
                      struct error *error)
{
    size_t count = 0;
    size_t bytes = header->image_bytes;
    void *image = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (image == MAP_FAILED)
        return error_system(error, errno, path, "no memory for an image of %zu bytes", bytes);
    (void)madvise(image, bytes, MADV_HUGEPAGE);
    int result = disk()->read(file, SNAPSHOT_HEADER_BYTES, image, bytes, &count, error);
    if (result == 0 && count < bytes)
        result = error_set(error, ERROR_CORRUPT, path, "the file ends in the image");
    if (result == 0) {
        const char *why = engine_restore(books->memory.start, &books->limits, image, bytes, &books->engine);
        if (why)
            result = error_set(error, ERROR_MISMATCH, path, "%s", why);
        else if (differs(header, books->engine))
            result =
                error_set(error, ERROR_CORRUPT, path, "the books of the image are not those that the header names");
    }
    munmap(image, bytes);
    return result;
}

int snapshot_load(struct books *books, struct snapshot_header *ret, const char *directory, uint64_t command_seq_next,
                  const uint8_t instance[16], struct error *error)
{
    char path[DISK_PATH_BYTES];
    uint64_t bytes = 0;
    struct snapshot_header header;
    snapshot_path(directory, command_seq_next, path);
    int file = disk()->open(path, 0, error);
    if (file < 0)
        return file;
    int result = header_read(&header, file, path, command_seq_next, error);
    if (result == 0)
        result = disk()->size(file, &bytes, error);
    if (result == 0 && memcmp(header.instance, instance, sizeof(header.instance)) != 0)
        result = error_set(error, ERROR_MISMATCH, path, "it is of another journal");
    if (result == 0 && (header.image_bytes == 0 || bytes < SNAPSHOT_HEADER_BYTES + header.image_bytes))
        result = error_set(error, ERROR_CORRUPT, path, "the file ends in the image");
    if (result == 0)
        result = image_load(books, &header, file, path, error);
    disk()->close(file);
    if (result == 0)
        *ret = header;
    return result;
}

/* ---- taking away --------------------------------------------------------------------------------------------------
 */

static void note_undone(void *argument, const char *name)
{
    uint64_t seq = seq_of(name, NAME_UNDONE);
    if (seq != 0)
        note_seq(argument, seq);
}

/* Whether a loss of power leaves it of use. */
static bool is_lasting(const char *directory, uint64_t seq, const struct snapshot_kept *kept)
{
    struct snapshot_header header;
    return snapshot_header_read(&header, directory, seq, NULL) == 0 &&
           memcmp(header.instance, kept->instance, sizeof(header.instance)) == 0 &&
           header.event_seq_next <= kept->events_synced;
}

int snapshot_prune(const char *directory, const struct snapshot_kept *kept, struct error *error)
{
    char path[DISK_PATH_BYTES];
    struct snapshot_list list;
    struct snapshot_list undone = {0};
    uint32_t lasting_count = 0;
    int removed = 0;
    int result = snapshot_list_read(&list, directory, error);
    if (result == 0)
        result = disk()->list(directory, note_undone, &undone, error);
    for (uint32_t i = 0; result == 0 && i < list.count; i++) {
        if (lasting_count < kept->count) {
            lasting_count += is_lasting(directory, list.seqs[i], kept);
            continue;
        }
        snapshot_path(directory, list.seqs[i], path);
        result = disk()->remove(path, error);
        removed++;
    }
    for (uint32_t i = 0; result == 0 && i < undone.count; i++, removed++) {
        snapshot_undone_path(directory, undone.seqs[i], path);
        result = disk()->remove(path, error);
    }
    return result < 0 ? result : removed;
}
