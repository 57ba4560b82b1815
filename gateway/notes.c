#include "notes.h"

#include "base/checksum.h"
#include "base/require.h"
#include "record/event.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOTES_MAGIC   0x313045544f4e4952u /* "RINOTE01" */
#define NOTES_VERSION 1

/* Notes of another shape are of no use. */
struct notes_shape {
    uint32_t version;
    uint32_t definitions; /* crc32c of what drop copies are */
    uint64_t every;
    uint64_t note_bytes;
    uint32_t stream_count;
    uint32_t instrument_max;
    uint64_t reserved0[3];
};

struct notes_file {
    _Atomic uint64_t magic; /* stored last */
    struct notes_shape shape;
};
_Static_assert(sizeof(struct notes_file) == 64, "no padding");

/* ---- the parts of a note ---- */

static struct note *note_at(const struct notes *notes, uint32_t place)
{
    void *first = notes->file + 1; /* each a multiple of 64 bytes behind it */
    return (void *)((uint8_t *)first + place * notes->note_bytes);
}

static struct note_stream *streams_of(const struct note *note)
{
    return (struct note_stream *)(note + 1);
}

static struct instrument_place *instruments_of(const struct notes *notes, const struct note *note)
{
    return (struct instrument_place *)(streams_of(note) + notes->noted.outbound->session_count);
}

static struct copied_session *copied_of(const struct notes *notes, const struct note *note)
{
    return (struct copied_session *)(instruments_of(notes, note) + notes->noted.instruments->count_max);
}

static size_t copied_bytes(const struct copies *copies)
{
    return copies->count == 0 ? 0 : ((size_t)copies->sessions_max + 1) * sizeof(struct copied_session);
}

static size_t note_bytes(const struct noted *noted)
{
    size_t bytes = sizeof(struct note) + noted->outbound->session_count * sizeof(struct note_stream) +
                   noted->instruments->count_max * sizeof(struct instrument_place) + copied_bytes(noted->copies);
    return (bytes + 63) / 64 * 64;
}

/* ---- the file ---- */

/* A gateway that is started again may have other members' settings: its streams of copies are others then. */
static uint32_t definitions_of(const struct copies *copies)
{
    uint32_t sum = crc32c(0, &copies->count, sizeof(copies->count));
    for (uint32_t i = 0; i < copies->count; i++) {
        const struct copy *copy = &copies->all[i];
        sum = crc32c(sum, copy->user, sizeof(copy->user));
        for (uint32_t j = 0; j < copy->name_count; j++) {
            const struct member_name *name = &copies->names[copy->name_first + j];
            uint8_t is_firm = name->is_firm;
            sum = crc32c(sum, name->name, sizeof(name->name));
            sum = crc32c(sum, &is_firm, sizeof(is_firm));
        }
    }
    return crc32c(sum, &copies->with_orders, sizeof(copies->with_orders));
}

static struct notes_shape shape_of(const struct notes *notes)
{
    struct notes_shape shape = {.version = NOTES_VERSION,
                                .definitions = definitions_of(notes->noted.copies),
                                .every = notes->every,
                                .note_bytes = notes->note_bytes,
                                .stream_count = notes->noted.outbound->session_count,
                                .instrument_max = notes->noted.instruments->count_max};
    return shape;
}

static bool is_whole(const char *path, size_t bytes)
{
    struct stat status;
    return stat(path, &status) == 0 && (size_t)status.st_size == bytes;
}

/* All of its memory is taken now: later there might be none, and no way to say so. */
static int file_make(const char *path, size_t bytes, struct error *error)
{
    (void)unlink(path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_system(error, errno, path, "cannot make the file of notes");
    int failure = posix_fallocate(fd, 0, (off_t)bytes);
    close(fd);
    if (failure == 0)
        return 0;
    (void)unlink(path);
    return error_system(error, failure, path, "no room for %zu bytes of notes", bytes);
}

static int file_map(struct notes *notes, const char *path, struct error *error)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return error_system(error, errno, path, "cannot open the file of notes");
    void *memory = mmap(NULL, notes->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    int failure = errno;
    close(fd);
    if (memory == MAP_FAILED)
        return error_system(error, failure, path, "cannot map the file of notes");
    notes->file = memory;
    return 0;
}

static void find_newest(struct notes *notes)
{
    notes->count = 0;
    for (uint32_t place = 0; place < NOTES_COUNT; place++) {
        uint64_t number = atomic_load_explicit(&note_at(notes, place)->event_seq, memory_order_relaxed) / notes->every;
        notes->count = number > notes->count ? number : notes->count;
    }
}

int notes_open(struct notes *notes, const char *path, uint64_t every, const struct noted *noted, struct error *error)
{
    *notes = (struct notes){.every = every, .noted = *noted, .note_bytes = note_bytes(noted)};
    notes->bytes = sizeof(struct notes_file) + NOTES_COUNT * notes->note_bytes;
    struct notes_shape shape = shape_of(notes);
    if (is_whole(path, notes->bytes)) {
        int code = file_map(notes, path, error);
        if (code < 0)
            return code;
        REQUIRE(notes->file);
        if (notes->file->magic == NOTES_MAGIC && memcmp(&notes->file->shape, &shape, sizeof(shape)) == 0) {
            find_newest(notes);
            return 0;
        }
        notes_close(notes);
    }
    int code = file_make(path, notes->bytes, error);
    if (code == 0)
        code = file_map(notes, path, error);
    if (code < 0)
        return code;
    REQUIRE(notes->file);
    notes->file->shape = shape;
    atomic_store_explicit(&notes->file->magic, NOTES_MAGIC, memory_order_release);
    return 0;
}

void notes_close(struct notes *notes)
{
    if (notes->file)
        munmap(notes->file, notes->bytes);
    notes->file = NULL;
}

/* ---- writing ---- */

static void write_streams(const struct outbound *outbound, struct note_stream *streams)
{
    for (uint32_t i = 0; i < outbound->session_count; i++) {
        const struct outbound_session *session = &outbound->sessions[i];
        streams[i] =
            (struct note_stream){.last_event_seq = session->last_event_seq, .message_next = session->message_next};
    }
}

static uint32_t write_instruments(const struct instruments *instruments, struct instrument_place *to)
{
    uint32_t count = 0;
    for (uint32_t place = 0; place <= instruments->place_mask; place++) {
        if (instruments->places[place].symbol != 0)
            to[count++] = instruments->places[place];
    }
    return count;
}

/* What two events that are not the same do not share: body, number included. */
static uint32_t sum_of(const struct event *event)
{
    return crc32c(0, (const uint8_t *)event + RECORD_HEAD_BYTES, RECORD_BYTES - RECORD_HEAD_BYTES);
}

void notes_write(struct notes *notes, const struct event *last)
{
    const struct noted *noted = &notes->noted;
    uint64_t event_seq = last->event_seq + 1;
    uint64_t number = event_seq / notes->every;
    uint32_t place = (uint32_t)__builtin_ctzll(number | UINT64_C(1) << (NOTES_COUNT - 1));
    struct note *note = note_at(notes, place);
    atomic_store_explicit(&note->event_seq, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    note->day_event_seq = noted->outbound->day_event_seq;
    note->midnight_ns = *noted->midnight_ns;
    note->date = *noted->date;
    note->day_open = *noted->day_open;
    note->last_sum = sum_of(last);
    note->last_time_ns = last->time_ns;
    write_streams(noted->outbound, streams_of(note));
    note->instrument_count = write_instruments(noted->instruments, instruments_of(notes, note));
    if (noted->copies->count != 0)
        memcpy(copied_of(notes, note), noted->copies->sessions, copied_bytes(noted->copies));
    atomic_store_explicit(&note->event_seq, event_seq, memory_order_release);
    notes->count = number;
}

/* ---- reading ---- */

void notes_check(struct notes *notes, notes_reader *reader, void *argument)
{
    for (uint32_t place = 0; notes->file && place < NOTES_COUNT; place++) {
        struct note *note = note_at(notes, place);
        uint64_t event_seq = atomic_load_explicit(&note->event_seq, memory_order_acquire);
        if (event_seq == 0)
            continue;
        const struct event *last = reader(argument, event_seq - 1);
        if (!last || last->event_seq != event_seq - 1 || last->time_ns != note->last_time_ns ||
            sum_of(last) != note->last_sum)
            atomic_store_explicit(&note->event_seq, 0, memory_order_relaxed);
    }
    if (notes->file)
        find_newest(notes);
}

static void restore(const struct notes *notes, const struct note *note)
{
    const struct noted *noted = &notes->noted;
    const struct note_stream *streams = streams_of(note);
    outbound_clear(noted->outbound, note->day_event_seq);
    for (uint32_t i = 0; i < noted->outbound->session_count; i++)
        outbound_begin(noted->outbound, i + 1, streams[i].message_next, streams[i].last_event_seq);
    const struct instrument_place *instruments = instruments_of(notes, note);
    for (uint32_t i = 0; i < note->instrument_count; i++)
        (void)instruments_add(noted->instruments, (const char *)&instruments[i].symbol, instruments[i].instrument,
                              instruments[i].reference_ticks, NULL); /* there were no more than there may be */
    if (noted->copies->count != 0)
        memcpy(noted->copies->sessions, copied_of(notes, note), copied_bytes(noted->copies));
    *noted->midnight_ns = note->midnight_ns;
    *noted->date = note->date;
    *noted->day_open = note->day_open != 0;
}

uint64_t notes_restore(struct notes *notes, uint64_t event_end)
{
    const struct note *best = NULL;
    uint64_t best_seq = 0;
    for (uint32_t place = 0; notes->file && place < NOTES_COUNT; place++) {
        const struct note *note = note_at(notes, place);
        uint64_t event_seq = atomic_load_explicit(&note->event_seq, memory_order_acquire);
        if (event_seq > best_seq && event_seq + notes->every <= event_end) {
            best = note;
            best_seq = event_seq;
        }
    }
    if (!best)
        return 1;
    restore(notes, best);
    return best_seq;
}

uint64_t notes_before(const struct notes *notes, uint32_t stream, uint32_t message_no, uint32_t *ret_message_no)
{
    uint64_t best_seq = 0;
    for (uint32_t place = 0; notes->file && place < NOTES_COUNT; place++) {
        const struct note *note = note_at(notes, place);
        uint64_t event_seq = atomic_load_explicit(&note->event_seq, memory_order_relaxed);
        uint32_t message_next = streams_of(note)[stream - 1].message_next;
        if (event_seq <= best_seq || note->day_event_seq != notes->noted.outbound->day_event_seq ||
            message_next > message_no)
            continue;
        best_seq = event_seq;
        *ret_message_no = message_next;
    }
    return best_seq;
}
