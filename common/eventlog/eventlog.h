/*
 * The event log: the engine's events on disk, numbered, each at a place computed from its number, so that who fell
 * behind the ring (a gateway that replays to a client, the persister) reads there and needs no engine.
 *
 * Files of EVENTLOG_FILE_EVENTS records in one directory, "events-%010u.log" by number: record of event s is in file
 * s / EVENTLOG_FILE_EVENTS at EVENTLOG_HEADER_BYTES + (s % EVENTLOG_FILE_EVENTS) * 128. A record is the event with its
 * head replaced by struct eventlog_head. The log is written lazily and can be made again from the journal: a record
 * that does not check is simply not there yet.
 *
 * A file may be trimmed (trim.h): then it holds, one behind the other, only those of its events that are of all time
 * (eventlog_is_kept), and says so in its header. Its other events are gone, or in an archive.
 *
 * One writer (the journaler, as gating consumer "event-log" of the event ring). Any number of readers, which take what
 * lies below the writer's cursor in the ring, or what checks, when there is no ring.
 */
#ifndef RINGSIDE_EVENTLOG_H
#define RINGSIDE_EVENTLOG_H

#include "base/error.h"
#include "record/event.h"
#include "ring/ring.h"

#include <stdbool.h>
#include <stdint.h>

#define EVENTLOG_MAGIC   0x31474f4c44495252u /* "RRIDLOG1" */
#define EVENTLOG_VERSION 1
#ifndef EVENTLOG_FILE_EVENTS /* the simulator, which has few events, has short files */
#define EVENTLOG_FILE_EVENTS (UINT64_C(1) << 20)
#endif
#define EVENTLOG_HEADER_BYTES 4096

struct eventlog_file_header {
    uint64_t magic;
    uint32_t version;
    uint32_t record_bytes;
    uint64_t record_hash; /* event_layout_hash() */
    uint64_t first_seq;   /* of this file's first place */
    uint32_t packed;      /* 0: each event has its place; else trimmed, and one more than the events it holds */
    uint32_t checksum;    /* crc32c of the fields before it */
};

struct eventlog_head {
    uint32_t checksum; /* crc32c of the body, seeded with the low 32 bits of event_seq */
    uint32_t mark;     /* EVENTLOG_MARK, so that a hole is told from a record */
    uint64_t reserved;
};
#define EVENTLOG_MARK 0x31545645u /* "EVT1" */
_Static_assert(sizeof(struct eventlog_head) == RECORD_HEAD_BYTES, "stands where the record's head was");

#define EVENTLOG_FIELDS(X)                                                                                             \
    X(eventlog_file_header, magic, 0, 8)                                                                               \
    X(eventlog_file_header, version, 8, 4)                                                                             \
    X(eventlog_file_header, record_bytes, 12, 4)                                                                       \
    X(eventlog_file_header, record_hash, 16, 8)                                                                        \
    X(eventlog_file_header, first_seq, 24, 8)                                                                          \
    X(eventlog_file_header, packed, 32, 4)                                                                             \
    X(eventlog_file_header, checksum, 36, 4)                                                                           \
    X(eventlog_head, checksum, 0, 4)                                                                                   \
    X(eventlog_head, mark, 4, 4)                                                                                       \
    X(eventlog_head, reserved, 8, 8)

/* ---- writing ---- */

struct eventlog_writer;

/*
 * Opens for appending at the first event that is not whole, or whose cause is after last_command_seq (the journal's
 * end): what follows is cut. *ret_next is that number.
 */
int eventlog_writer_open(struct eventlog_writer **ret_writer, const char *directory, uint64_t last_command_seq,
                         uint64_t *ret_next, struct error *error);

/* The same, told that the events below `synced` have been on the medium (the journal's batches say so): no search
 * there. */
int eventlog_writer_open_from(struct eventlog_writer **ret_writer, const char *directory, uint64_t last_command_seq,
                              uint64_t synced, uint64_t *ret_next, struct error *error);

/*
 * 1 if the log goes on, after the events that opening would keep, with one whose cause is after last_command_seq; 0 if
 * not. *ret_event_seq: its number. Changes nothing.
 */
int eventlog_beyond(const char *directory, uint64_t last_command_seq, uint64_t synced, uint64_t *ret_event_seq,
                    struct error *error);

/*
 * Appends the events of consecutive numbers; readable by others when it returns. Their heads are ignored. ERROR_FULL:
 * no space; those below eventlog_writer_next are in the log, the others may be tried again.
 */
int eventlog_writer_append(struct eventlog_writer *writer, const struct event *const events[], uint32_t count,
                           struct error *error);

/* The number that the next event gets. */
uint64_t eventlog_writer_next(const struct eventlog_writer *writer);

/*
 * Syncing, by whoever has a queue to do it in: begin gives the oldest file that is not synced and the directory, both
 * to be synced and then told to `done`. 1: there is something to sync. 0: all is. The two files are the writer's.
 */
int eventlog_writer_sync_begin(struct eventlog_writer *writer, int files[2], struct error *error);
void eventlog_writer_sync_done(struct eventlog_writer *writer);

/*
 * What was appended since the last call, once it is EVENTLOG_WRITE_OUT_BYTES or more, for somebody to begin writing it
 * (DISK_WRITE_OUT), so that a sync finds little. false: less. The file stays open until the next append at least.
 */
#define EVENTLOG_WRITE_OUT_BYTES (UINT64_C(256) << 10)
struct eventlog_range {
    int file;
    uint64_t offset;
    uint64_t bytes;
};
bool eventlog_writer_take_written(struct eventlog_writer *writer, struct eventlog_range *ret_range);

/* Events below this number are on the medium. */
uint64_t eventlog_writer_synced(const struct eventlog_writer *writer);

/* Files that are full and not synced yet. */
uint64_t eventlog_writer_files_behind(const struct eventlog_writer *writer);

/* Does the same at once, waiting: when closing. */
int eventlog_writer_sync(struct eventlog_writer *writer, struct error *error);
void eventlog_writer_close(struct eventlog_writer *writer);

/* ---- reading ---- */

struct eventlog_reader;

int eventlog_reader_open(struct eventlog_reader **ret_reader, const char *directory, struct error *error);

/* Where trimmed files may be whole; empty or NULL: nowhere. */
void eventlog_reader_archive(struct eventlog_reader *reader, const char *archive);

/* Of trimmed files that end below this number, what they still hold will do: numbers then rise with gaps. */
void eventlog_reader_skip(struct eventlog_reader *reader, uint64_t below);

/* Whether what was read last came from a trimmed file. */
bool eventlog_reader_skipped(const struct eventlog_reader *reader);

/* The number behind the file that was read last: if that is a trimmed one, nothing is left up to there. */
uint64_t eventlog_reader_file_end(const struct eventlog_reader *reader);

/*
 * Reads up to max events from number seq on. Returns how many are there and whole (0: none yet), or an error;
 * ERROR_GONE: that file was trimmed. What is wanted next has the number after the last one's.
 */
int eventlog_reader_read(struct eventlog_reader *reader, uint64_t seq, struct event *events, uint32_t max,
                         struct error *error);
void eventlog_reader_close(struct eventlog_reader *reader);

/* ---- following: the ring while it can, the log when it must ---- */

struct event_follower {
    struct ring_observer observer;
    struct eventlog_reader *log;
    const struct ring *ring; /* NULL: the log alone */
    uint64_t next;           /* number of the event wanted next */
    bool from_log;           /* reading the log until the ring has it */
    bool skipped;            /* what was given last came from a trimmed file */
    uint64_t overrun_count;  /* times it had to go to the log */
};

/* Follows from event `next` on. `ring` may be NULL and given later by event_follower_join. */
int event_follower_open(struct event_follower *follower, const struct ring *ring, const char *log_directory,
                        uint64_t next, struct error *error);
void event_follower_join(struct event_follower *follower, const struct ring *ring);

/* What was trimmed: eventlog_reader_archive, eventlog_reader_skip and eventlog_reader_skipped. */
void event_follower_archive(struct event_follower *follower, const char *archive, uint64_t skip_below);
bool event_follower_skipped(const struct event_follower *follower);

/*
 * Copies the next events in order, at most max; returns how many (0: none now), or a negative error. An event and its
 * continuation are always given together, so max must be 2 or more.
 */
int event_follower_next(struct event_follower *follower, struct event *events, uint32_t max, struct error *error);

/* Events below this number are in the log for sure; 0: there is no ring to tell. */
uint64_t event_follower_logged(const struct event_follower *follower);

/* How many events the follower is behind the producer's hint. */
uint64_t event_follower_lag(const struct event_follower *follower);
void event_follower_close(struct event_follower *follower);

#endif
