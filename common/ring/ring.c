/*
 * The ring as a file: made, mapped, checked, unmapped. What its producer does besides the hot path is in
 * ring_producer.c, its consumers and observers in ring_consumer.c.
 *
 * Rules
 *   1. A file under its own name is whole: it is made under another name and linked into its place.
 *   2. All memory is there before anybody works on it: no record waits for a page, no store meets a full tmpfs.
 *   3. Whoever attaches trusts nothing that he has not compared, and says which comparison failed.
 */
#include "ring/ring.h"

#include "base/checksum.h"
#include "env/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HUGE_PAGE_BYTES ((size_t)1 << 21)

size_t ring_bytes(uint32_t capacity)
{
    bool power_of_two = capacity != 0 && (capacity & (capacity - 1)) == 0;
    if (!power_of_two || capacity < RING_CAPACITY_MIN || capacity > RING_CAPACITY_MAX)
        return 0;
    return RING_HEADER_BYTES + (size_t)capacity * RING_SLOT_BYTES;
}

/* Everything after the magic, with the checksum itself as 0. */
static uint32_t header_checksum(const struct ring_header *header)
{
    struct ring_header copy;
    memcpy(&copy, header, sizeof(copy));
    copy.checksum = 0;
    return crc32c(0, (const uint8_t *)&copy + sizeof(copy.magic), sizeof(copy) - sizeof(copy.magic));
}

/* Every page, by a look at each, for kernels before 5.14. */
static void touch_pages(const void *mapped, size_t bytes)
{
    const volatile uint8_t *byte = mapped;
    for (size_t offset = 0; offset < bytes; offset += (size_t)sysconf(_SC_PAGESIZE))
        (void)byte[offset];
}

/*
 * Brings every page in. Huge ones are asked for before the first is touched: pages that are there already stay small.
 * Memory that a full tmpfs cannot give is an error here, where the first store to it would be a signal.
 */
static int populate(void *mapped, int fd, size_t bytes, bool writable, const char *path, struct error *error)
{
    if (bytes >= HUGE_PAGE_BYTES)
        (void)madvise(mapped, bytes, MADV_HUGEPAGE); /* where the machine gives them; no harm where it does not */
    if (madvise(mapped, bytes, writable ? MADV_POPULATE_WRITE : MADV_POPULATE_READ) == 0)
        return 0;
    if (errno == EFAULT)
        return error_system(error, ENOSPC, path, "no memory for %zu bytes of ring", bytes);
    if (errno != EINVAL)
        return error_system(error, errno, path, "cannot fault in %zu bytes of ring", bytes);
    int allocated = writable ? posix_fallocate(fd, 0, (off_t)bytes) : 0;
    if (allocated != 0)
        return error_system(error, allocated, path, "no memory for %zu bytes of ring", bytes);
    touch_pages(mapped, bytes);
    return 0;
}

static int map_file(struct ring *ring, int fd, size_t bytes, bool writable, const char *path, struct error *error)
{
    void *mapped = mmap(NULL, bytes, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED)
        return error_system(error, errno, path, "cannot map %zu bytes", bytes);
    int result = populate(mapped, fd, bytes, writable, path, error);
    if (result < 0) {
        munmap(mapped, bytes);
        return result;
    }
    *ring = (struct ring){.file = mapped, .bytes = bytes, .writable = writable};
    return 0;
}

static void fill_header(struct ring_file *file, const struct ring_parameters *parameters)
{
    struct ring_header *header = &file->header;
    header->layout_version = RING_LAYOUT_VERSION;
    header->header_bytes = RING_HEADER_BYTES;
    header->slot_bytes = RING_SLOT_BYTES;
    header->capacity = parameters->capacity;
    header->base_seq = parameters->base_seq;
    header->record_hash = parameters->record_hash;
    header->topology_hash = parameters->topology_hash;
    memcpy(header->run_id, parameters->run_id, sizeof(header->run_id));
    snprintf(header->name, sizeof(header->name), "%s", parameters->name);
    header->created_ns = clock_realtime_ns();
    header->gating_count = parameters->gating_count;
    header->checksum = header_checksum(header);
}

static void fill_lines(struct ring_file *file, const struct ring_parameters *parameters)
{
    atomic_store_explicit(&file->producer.cursor, parameters->base_seq, memory_order_relaxed);
    atomic_store_explicit(&file->producer.blocked_on, RING_NOBODY, memory_order_relaxed);
    for (uint32_t line = 0; line < parameters->gating_count; line++) {
        struct ring_consumer_line *consumer = &file->consumers[line];
        atomic_store_explicit(&consumer->cursor, parameters->base_seq, memory_order_relaxed);
        atomic_store_explicit(&consumer->kind, RING_CONSUMER_GATING, memory_order_relaxed);
        snprintf(consumer->name, sizeof(consumer->name), "%s", parameters->gating_names[line]);
    }
}

static void check_names(const struct ring_parameters *parameters)
{
    REQUIRE(parameters->gating_count <= RING_CONSUMERS_MAX);
    REQUIRE(strlen(parameters->name) < sizeof(((struct ring_header *)0)->name));
    for (uint32_t line = 0; line < parameters->gating_count; line++)
        REQUIRE(strlen(parameters->gating_names[line]) < sizeof(((struct ring_consumer_line *)0)->name));
}

/* A file of zeros, mapped. A slot of zeros is no record: it would be complete for sequence 2^64 - 1 only. */
static int make_file(struct ring *ring, const char *path, size_t bytes, struct error *error)
{
    (void)unlink(path); /* a half-made one of a creator that died; the role's lock makes us the only one */
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
    if (fd < 0)
        return error_system(error, errno, path, "cannot create the ring");
    int result = ftruncate(fd, (off_t)bytes) < 0 ? error_system(error, errno, path, "cannot make it %zu bytes", bytes)
                                                 : map_file(ring, fd, bytes, true, path, error);
    close(fd);
    if (result < 0)
        (void)unlink(path);
    return result;
}

int ring_create(struct ring *ring, const char *path, const struct ring_parameters *parameters, struct error *error)
{
    size_t bytes = ring_bytes(parameters->capacity);
    if (bytes == 0)
        return error_set(error, ERROR_INVALID, path, "%u slots: not a power of two from %u to %u", parameters->capacity,
                         RING_CAPACITY_MIN, RING_CAPACITY_MAX);
    check_names(parameters);
    char temporary[512];
    if ((size_t)snprintf(temporary, sizeof(temporary), "%s.new", path) >= sizeof(temporary))
        return error_set(error, ERROR_INVALID, path, "longer than %zu bytes", sizeof(temporary) - sizeof(".new"));
    struct ring made = {0};
    int result = make_file(&made, temporary, bytes, error);
    if (result < 0)
        return result;
    REQUIRE(made.file);
    fill_header(made.file, parameters);
    fill_lines(made.file, parameters);
    RING_HOOK("create: before magic");
    atomic_store_explicit(&made.file->header.magic, RING_MAGIC, memory_order_release);
    RING_HOOK("create: before link");
    if (link(temporary, path) < 0)
        result = error_system(error, errno, path, "cannot put the ring in its place");
    RING_HOOK("create: before unlink");
    (void)unlink(temporary);
    if (result < 0)
        ring_detach(&made);
    else
        *ring = made;
    return result;
}

static bool run_id_given(const uint8_t run_id[16])
{
    static const uint8_t none[16];
    return memcmp(run_id, none, sizeof(none)) != 0;
}

static int check_header(const struct ring_header *header, size_t bytes, const char *path, struct error *error)
{
    if (header->layout_version != RING_LAYOUT_VERSION)
        return error_set(error, ERROR_MISMATCH, path, "ring layout version %u, this program has %u",
                         header->layout_version, RING_LAYOUT_VERSION);
    if (header->checksum != header_checksum(header))
        return error_set(error, ERROR_CORRUPT, path, "the header's checksum does not match");
    if (header->header_bytes != RING_HEADER_BYTES || header->slot_bytes != RING_SLOT_BYTES)
        return error_set(error, ERROR_MISMATCH, path, "header of %u and slots of %u bytes, this program has %u and %u",
                         header->header_bytes, header->slot_bytes, RING_HEADER_BYTES, RING_SLOT_BYTES);
    if (ring_bytes(header->capacity) != bytes)
        return error_set(error, ERROR_CORRUPT, path, "%u slots do not make a file of %zu bytes", header->capacity,
                         bytes);
    if (header->gating_count > RING_CONSUMERS_MAX)
        return error_set(error, ERROR_CORRUPT, path, "%u gating consumers", header->gating_count);
    return 0;
}

static int check_expected(const struct ring_header *header, const struct ring_parameters *expected, const char *path,
                          struct error *error)
{
    if (expected->name && strncmp(header->name, expected->name, sizeof(header->name)) != 0)
        return error_set(error, ERROR_MISMATCH, path, "it is the ring \"%.32s\", not \"%s\"", header->name,
                         expected->name);
    if (expected->record_hash && header->record_hash != expected->record_hash)
        return error_set(error, ERROR_MISMATCH, path, "its records have another layout than this program's");
    if (expected->topology_hash && header->topology_hash != expected->topology_hash)
        return error_set(error, ERROR_MISMATCH, path, "it was made for another topology (number of gateways?)");
    if (run_id_given(expected->run_id) && memcmp(header->run_id, expected->run_id, sizeof(header->run_id)) != 0)
        return error_set(error, ERROR_MISMATCH, path, "it belongs to another run");
    return 0;
}

int ring_attach(struct ring *ring, const char *path, bool writable, const struct ring_parameters *expected,
                struct error *error)
{
    int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? error_set(error, ERROR_NOT_YET, path, "no such ring yet")
                               : error_system(error, errno, path, "cannot open the ring");
    struct stat status;
    struct ring mapped = {0};
    int result = fstat(fd, &status) < 0 ? error_system(error, errno, path, "cannot look at the ring") : 0;
    if (result == 0 && (size_t)status.st_size < RING_HEADER_BYTES)
        result = error_set(error, ERROR_NOT_YET, path, "the ring is still being made");
    if (result == 0)
        result = map_file(&mapped, fd, (size_t)status.st_size, writable, path, error);
    close(fd);
    if (result < 0)
        return result;
    REQUIRE(mapped.file);
    const struct ring_header *header = &mapped.file->header;
    uint64_t magic = atomic_load_explicit(&header->magic, memory_order_acquire);
    if (magic == 0)
        result = error_set(error, ERROR_NOT_YET, path, "the ring is still being made");
    else if (magic != RING_MAGIC)
        result = error_set(error, ERROR_MISMATCH, path, "not a ring");
    if (result == 0)
        result = check_header(header, mapped.bytes, path, error);
    if (result == 0)
        result = check_expected(header, expected, path, error);
    if (result < 0)
        ring_detach(&mapped);
    else
        *ring = mapped;
    return result;
}

void ring_detach(struct ring *ring)
{
    if (ring && ring->file)
        munmap(ring->file, ring->bytes);
    if (ring)
        *ring = (struct ring){0};
}
