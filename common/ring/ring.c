#include "ring/ring.h"

#include "base/checksum.h"
#include "env/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HUGE_PAGE_BYTES (2u * MIB)

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

static int map_file(struct ring *ring, int fd, size_t bytes, bool writable, const char *path, struct error *error)
{
    int protection = PROT_READ | (writable ? PROT_WRITE : 0);
    void *mapped = mmap(NULL, bytes, protection, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (mapped == MAP_FAILED)
        return error_system(error, errno, path, "cannot map %zu bytes", bytes);
    if (bytes >= HUGE_PAGE_BYTES)
        (void)madvise(mapped, bytes, MADV_HUGEPAGE); /* where the machine gives them; no harm where it does not */
    ring->file = mapped;
    ring->bytes = bytes;
    ring->writable = writable;
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

int ring_create(struct ring *ring, const char *path, const struct ring_parameters *parameters, struct error *error)
{
    size_t bytes = ring_bytes(parameters->capacity);
    if (bytes == 0)
        return error_set(error, ERROR_INVALID, path, "%u slots: not a power of two from %u to %u", parameters->capacity,
                         RING_CAPACITY_MIN, RING_CAPACITY_MAX);
    REQUIRE(parameters->gating_count <= RING_CONSUMERS_MAX);
    char temporary[512];
    snprintf(temporary, sizeof(temporary), "%s.new", path);
    (void)unlink(temporary); /* a half-made one of a creator that died; the role's lock makes us the only one */
    int fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
    if (fd < 0)
        return error_system(error, errno, temporary, "cannot create the ring");
    int result = 0;
    int allocated = posix_fallocate(fd, 0, (off_t)bytes);
    if (allocated != 0)
        result = error_system(error, allocated, temporary, "no memory for %zu bytes of ring", bytes);
    if (result == 0)
        result = map_file(ring, fd, bytes, true, temporary, error);
    close(fd);
    if (result < 0) {
        (void)unlink(temporary);
        return result;
    }
    /* A slot of zeros would read as "record 2^64 - 1 complete" for sequence -1 only, hence never as a record. */
    fill_header(ring->file, parameters);
    fill_lines(ring->file, parameters);
    atomic_store_explicit(&ring->file->header.magic, RING_MAGIC, memory_order_release);
    if (link(temporary, path) < 0) {
        result = error_system(error, errno, path, "cannot put the ring in its place");
        ring_detach(ring);
    }
    (void)unlink(temporary);
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

/* ---- whose line it is -------------------------------------------------------------------------------------------- */

/* Field 22 of /proc/self/stat: with the pid it names a process for good. 0 if it cannot be read. */
static uint64_t process_start_time(void)
{
    char text[1024];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t length = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    const char *at = strrchr(text, ')'); /* the name may hold spaces and brackets */
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

/* ---- producer ---------------------------------------------------------------------------------------------------- */

static uint64_t slot_word(const struct ring_file *file, uint64_t seq)
{
    return atomic_load_explicit(&file->slots[seq & (file->header.capacity - 1)].word, memory_order_acquire);
}

/* One more than the highest sequence that is complete anywhere in the ring, for a hint that is more than a round old.
 */
static uint64_t highest_complete(const struct ring_file *file)
{
    uint64_t highest = file->header.base_seq;
    for (uint64_t slot = 0; slot < file->header.capacity; slot++) {
        uint64_t word = slot_word(file, slot);
        if (!(word & RING_WRITING) && word > highest)
            highest = word;
    }
    return highest;
}

/* The hint may lag behind the slots, by a burst as a rule; it can never be ahead of them. */
static int find_end(const struct ring_file *file, uint64_t *ret_next, struct error *error)
{
    uint64_t hint = atomic_load_explicit(&file->producer.cursor, memory_order_acquire);
    uint64_t base = file->header.base_seq;
    if (hint < base)
        return error_set(error, ERROR_CORRUPT, file->header.name, "cursor %lu before the first sequence %lu", hint,
                         base);
    if (hint > base && (slot_word(file, hint - 1) & ~RING_WRITING) < hint)
        return error_set(error, ERROR_CORRUPT, file->header.name,
                         "record %lu is not there, though the cursor is past it", hint - 1);
    uint64_t next = hint;
    while (next - hint < file->header.capacity && slot_word(file, next) == next + 1)
        next++;
    /* A later round in the slot where the walk ended: the walk began in the past. */
    if ((slot_word(file, next) & ~RING_WRITING) > next + 1)
        next = highest_complete(file);
    *ret_next = next;
    return 0;
}

int ring_producer_open(struct ring_producer *producer, struct ring *ring, uint32_t doorbell, struct error *error)
{
    REQUIRE(ring->writable);
    uint64_t next = 0;
    int result = find_end(ring->file, &next, error);
    if (result < 0)
        return result;
    struct ring_producer_line *line = &ring->file->producer;
    atomic_store_explicit(&line->pid, (uint32_t)getpid(), memory_order_relaxed);
    atomic_store_explicit(&line->start_time, process_start_time(), memory_order_relaxed);
    atomic_store_explicit(&line->doorbell, doorbell, memory_order_relaxed);
    atomic_store_explicit(&line->blocked_since_ns, 0, memory_order_relaxed);
    atomic_store_explicit(&line->blocked_on, RING_NOBODY, memory_order_relaxed);
    atomic_fetch_add_explicit(&line->epoch, 1, memory_order_release);
    producer->file = ring->file;
    producer->mask = ring->file->header.capacity - 1;
    producer->next = next;
    producer->limit = next;
    ring_producer_refresh(producer);
    ring_flush(producer);
    return 0;
}

static uint64_t slowest_gating(const struct ring_file *file, uint32_t *ret_line)
{
    uint64_t slowest = UINT64_MAX;
    for (uint32_t line = 0; line < file->header.gating_count; line++) {
        uint64_t cursor = atomic_load_explicit(&file->consumers[line].cursor, memory_order_acquire);
        if (cursor < slowest) {
            slowest = cursor;
            *ret_line = line;
        }
    }
    return slowest;
}

static void note_blocked(struct ring_producer_line *line, uint32_t on)
{
    if (atomic_load_explicit(&line->blocked_on, memory_order_relaxed) != on)
        atomic_store_explicit(&line->blocked_on, on, memory_order_relaxed);
    if (atomic_load_explicit(&line->blocked_since_ns, memory_order_relaxed) != 0)
        return;
    atomic_store_explicit(&line->blocked_since_ns, clock_monotonic_ns(), memory_order_relaxed);
    uint64_t stalls = atomic_load_explicit(&line->stall_count, memory_order_relaxed);
    atomic_store_explicit(&line->stall_count, stalls + 1, memory_order_relaxed);
}

static void note_free(struct ring_producer_line *line)
{
    uint64_t since = atomic_load_explicit(&line->blocked_since_ns, memory_order_relaxed);
    if (since == 0)
        return;
    uint64_t total = atomic_load_explicit(&line->blocked_ns_total, memory_order_relaxed);
    atomic_store_explicit(&line->blocked_ns_total, total + clock_monotonic_ns() - since, memory_order_relaxed);
    atomic_store_explicit(&line->blocked_since_ns, 0, memory_order_relaxed);
    atomic_store_explicit(&line->blocked_on, RING_NOBODY, memory_order_relaxed);
}

void ring_producer_refresh(struct ring_producer *producer)
{
    struct ring_file *file = producer->file;
    uint32_t line = RING_NOBODY;
    uint64_t slowest = slowest_gating(file, &line);
    /* Without gating consumers nobody holds the producer. */
    producer->limit = slowest == UINT64_MAX ? UINT64_MAX : slowest + file->header.capacity;
    REQUIRE(producer->limit >= producer->next);
    if (producer->limit == producer->next)
        note_blocked(&file->producer, line);
    else
        note_free(&file->producer);
}

void ring_producer_beat(struct ring_producer *producer, uint64_t now_ns)
{
    atomic_store_explicit(&producer->file->producer.heartbeat_ns, now_ns, memory_order_relaxed);
}

/* ---- gating consumer --------------------------------------------------------------------------------------------- */

static int find_line(const struct ring_file *file, const char *name, uint32_t *ret_line, struct error *error)
{
    for (uint32_t line = 0; line < file->header.gating_count; line++) {
        if (strncmp(file->consumers[line].name, name, sizeof(file->consumers[line].name)) == 0) {
            *ret_line = line;
            return 0;
        }
    }
    return error_set(error, ERROR_INVALID, file->header.name, "the ring has no gating consumer \"%s\"", name);
}

int ring_consumer_open(struct ring_consumer *consumer, struct ring *ring, const char *name, uint32_t doorbell,
                       struct error *error)
{
    REQUIRE(ring->writable);
    uint32_t number = 0;
    int result = find_line(ring->file, name, &number, error);
    if (result < 0)
        return result;
    struct ring_consumer_line *line = &ring->file->consumers[number];
    uint64_t cursor = atomic_load_explicit(&line->cursor, memory_order_acquire);
    if (cursor < ring->file->header.base_seq)
        return error_set(error, ERROR_CORRUPT, ring->file->header.name,
                         "cursor %lu of \"%s\" before the first sequence", cursor, name);
    atomic_store_explicit(&line->pid, (uint32_t)getpid(), memory_order_relaxed);
    atomic_store_explicit(&line->start_time, process_start_time(), memory_order_relaxed);
    atomic_store_explicit(&line->doorbell, doorbell, memory_order_relaxed);
    atomic_fetch_add_explicit(&line->epoch, 1, memory_order_release);
    *consumer = (struct ring_consumer){
        .file = ring->file,
        .mask = ring->file->header.capacity - 1,
        .next = cursor,
        .limit = cursor,
        .line = number,
    };
    return 0;
}

int ring_consumer_add_barrier(struct ring_consumer *consumer, const char *behind, struct error *error)
{
    REQUIRE(consumer->barrier_count < RING_BARRIERS_MAX);
    uint32_t line = 0;
    int result = find_line(consumer->file, behind, &line, error);
    if (result < 0)
        return result;
    consumer->barriers[consumer->barrier_count++] = &consumer->file->consumers[line].cursor;
    return 0;
}

void ring_consumer_refresh(struct ring_consumer *consumer)
{
    uint64_t limit = UINT64_MAX;
    for (uint32_t barrier = 0; barrier < consumer->barrier_count; barrier++) {
        uint64_t cursor = atomic_load_explicit(consumer->barriers[barrier], memory_order_acquire);
        if (cursor < limit)
            limit = cursor;
    }
    consumer->limit = limit;
}

void ring_consumer_beat(struct ring_consumer *consumer, uint64_t now_ns)
{
    atomic_store_explicit(&consumer->file->consumers[consumer->line].heartbeat_ns, now_ns, memory_order_relaxed);
}

/* ---- observer ---------------------------------------------------------------------------------------------------- */

void ring_observer_open(struct ring_observer *observer, const struct ring *ring, uint64_t seq)
{
    observer->file = ring->file;
    observer->mask = ring->file->header.capacity - 1;
    observer->next = seq;
}

uint64_t ring_observer_oldest(const struct ring_observer *observer)
{
    uint64_t base = observer->file->header.base_seq;
    uint64_t hint = atomic_load_explicit(&observer->file->producer.cursor, memory_order_acquire);
    uint64_t kept = observer->file->header.capacity - observer->file->header.capacity / 4;
    return hint - base > kept ? hint - kept : base;
}
