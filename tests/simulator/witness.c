#include "witness.h"

#include "base/require.h"
#include "eventlog/eventlog.h"
#include "eventlog/trim.h"
#include "journal/journal_layout.h"
#include "journal/journal_read.h"
#include "outside.h"
#include "record/command.h"
#include "ring/ring.h"
#include "ringside_engine.h"
#include "session_encode.h"
#include "topology/topology.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_BYTES (RECORD_BYTES - RECORD_HEAD_BYTES)

struct stream {
    char user[USER_BYTES];
    uint8_t *bytes;
    uint64_t byte_count, byte_room;
    uint64_t *ends; /* end of message n, from 1, at n - 1 */
    uint32_t count, room;
};

static struct {
    const struct config *config;
    bool disk_failed;
    bool disk_lied;
    uint64_t logged_command_seq; /* highest in the event log, when last looked at */
    struct command *commands;
    uint64_t command_count, command_room;
    struct event *events;
    uint64_t event_count, event_room;
    uint64_t encoded_count; /* events that have been made into messages */
    void *memory;
    struct engine *engine;
    struct stream streams[WITNESS_USERS_MAX + 1]; /* by session number */
    uint64_t midnight_ns;
    struct ring command_ring;
    struct ring event_ring;
    uint8_t run_id[16];                               /* of the run that the numbers below are about */
    uint64_t inbound_last[TOPOLOGY_GATEWAYS_MAX + 2]; /* inbound_seq of each gateway's last command; operators' last */
    uint64_t cursor_seen;                             /* the journaler's, when last looked at */
    uint64_t event_seen;                              /* next event to look at in the ring */
} witness;

static void *grow(void *array, uint64_t count, uint64_t *room, size_t bytes)
{
    if (count < *room)
        return array;
    *room = *room ? 2 * *room : 256;
    void *larger = realloc(array, *room * bytes);
    REQUIRE(larger);
    return larger;
}

/* ---- beginning and end --------------------------------------------------------------------------------------------
 */

void witness_begin(const struct config *config)
{
    const struct engine_limits limits = {
        .orders_max = (uint32_t)config->engine_orders_max,
        .instruments_max = (uint32_t)config->engine_instruments_max,
        .sessions_max = (uint32_t)config->engine_sessions_max,
        .levels_max = (uint32_t)config->engine_levels_max,
        .report_tops = 1,
    };
    REQUIRE(config->engine_sessions_max <= WITNESS_USERS_MAX);
    memset(&witness, 0, sizeof(witness));
    witness.config = config;
    size_t bytes = (engine_bytes(&limits) + 4095) & ~(size_t)4095;
    witness.memory = aligned_alloc(4096, bytes);
    REQUIRE(witness.memory);
    memset(witness.memory, 0, bytes);
    witness.engine = engine_create(witness.memory, &limits);
    REQUIRE(witness.engine);
}

void witness_excuse(bool failed, bool lied)
{
    witness.disk_failed = failed;
    witness.disk_lied = lied;
}

void witness_end(void)
{
    witness_forget_rings();
    free(witness.commands);
    free(witness.events);
    free(witness.memory);
    for (uint32_t i = 0; i <= WITNESS_USERS_MAX; i++) {
        free(witness.streams[i].bytes);
        free(witness.streams[i].ends);
    }
    memset(&witness, 0, sizeof(witness));
}

/* ---- messages -----------------------------------------------------------------------------------------------------
 */

static void message_add(uint32_t session, uint32_t message_no, enum session_side side, const struct event *event,
                        const struct event *options)
{
    REQUIRE(session >= 1 && session <= WITNESS_USERS_MAX);
    struct stream *stream = &witness.streams[session];
    if (message_no != stream->count + 1)
        violation("event %llu is message %u of session %u, which has had %u", (unsigned long long)event->event_seq,
                  message_no, session, stream->count);
    if (stream->byte_room < stream->byte_count + SESSION_PACKET_BYTES_MAX) {
        stream->byte_room = 2 * stream->byte_room + 4096;
        stream->bytes = realloc(stream->bytes, stream->byte_room);
        REQUIRE(stream->bytes);
    }
    uint64_t room = stream->room;
    stream->ends = grow(stream->ends, stream->count, &room, sizeof(*stream->ends));
    stream->room = (uint32_t)room;
    stream->byte_count += session_encode(stream->bytes + stream->byte_count, event, options, side, witness.midnight_ns);
    stream->ends[stream->count++] = stream->byte_count;
}

static void messages_of(const struct event *event, const struct event *options)
{
    const struct event_trade *trade = &event->trade;
    bool is_trade = event->kind == EVENT_EXECUTED || event->kind == EVENT_BROKEN;
    bool has_maker = is_trade && trade->maker_message_no != 0;
    bool maker_first =
        has_maker && trade->maker_session == event->session && trade->maker_message_no < event->message_no;
    if (event->kind == EVENT_DAY_STARTED) {
        witness.midnight_ns = event->day.midnight_ns;
        for (uint32_t i = 0; i <= WITNESS_USERS_MAX; i++) /* messages are numbered anew */
            witness.streams[i].byte_count = witness.streams[i].count = 0;
    }
    if (event->kind == EVENT_LOGIN_ACCEPTED) {
        REQUIRE(event->session >= 1 && event->session <= WITNESS_USERS_MAX);
        memcpy(witness.streams[event->session].user, event->login.user, USER_BYTES);
    }
    if (maker_first)
        message_add(trade->maker_session, trade->maker_message_no, SESSION_MAKER, event, NULL);
    if (event->message_no != 0)
        message_add(event->session, event->message_no, SESSION_TAKER, event, options);
    if (has_maker && !maker_first)
        message_add(trade->maker_session, trade->maker_message_no, SESSION_MAKER, event, NULL);
}

static void encode_new(void)
{
    while (witness.encoded_count < witness.event_count) {
        const struct event *event = &witness.events[witness.encoded_count];
        bool continued = (event->flags & EVENT_CONTINUED) != 0;
        if (continued && witness.encoded_count + 1 == witness.event_count)
            break;
        messages_of(event, continued ? event + 1 : NULL);
        witness.encoded_count += continued ? 2 : 1;
    }
}

static const struct stream *stream_of(const char user[USER_BYTES])
{
    for (uint32_t i = 1; i <= WITNESS_USERS_MAX; i++)
        if (memcmp(witness.streams[i].user, user, USER_BYTES) == 0)
            return &witness.streams[i];
    return NULL;
}

uint32_t witness_message_count(const char user[USER_BYTES])
{
    const struct stream *stream = stream_of(user);
    return stream ? stream->count : 0;
}

const uint8_t *witness_message(const char user[USER_BYTES], uint32_t message_no, uint32_t *ret_bytes)
{
    const struct stream *stream = stream_of(user);
    if (!stream || message_no == 0 || message_no > stream->count)
        return NULL;
    uint64_t start = message_no == 1 ? 0 : stream->ends[message_no - 2];
    *ret_bytes = (uint32_t)(stream->ends[message_no - 1] - start);
    return stream->bytes + start;
}

/* ---- commands and events ------------------------------------------------------------------------------------------
 */

static void events_take(const struct event *events, uint32_t mask, int count)
{
    uint64_t next = engine_event_seq_next(witness.engine);
    for (int i = count; i > 0; i--) {
        witness.events = grow(witness.events, witness.event_count, &witness.event_room, sizeof(*witness.events));
        witness.events[witness.event_count] = events[(next - (uint64_t)i) & mask];
        witness.event_count++;
    }
}

/* In a run, each record of an inbound ring becomes a command: once, and in its order. */
static void check_inbound(const struct command *command)
{
    uint32_t from = command->gateway == OPERATOR_GATEWAY ? TOPOLOGY_GATEWAYS_MAX + 1 : command->gateway;
    if (from > TOPOLOGY_GATEWAYS_MAX + 1)
        violation("command %llu is of gateway %u", (unsigned long long)command->command_seq, command->gateway);
    if (command->kind == COMMAND_TICK && command->gateway == 0)
        return; /* the sequencer's own */
    uint64_t due = ++witness.inbound_last[from];
    if (command->inbound_seq != due)
        violation("command %llu (%s) is record %llu of gateway %u, where record %llu is due",
                  (unsigned long long)command->command_seq, command_kind_name(command->kind),
                  (unsigned long long)command->inbound_seq, command->gateway, (unsigned long long)due);
}

static void command_acknowledged(const struct command *command)
{
    static struct event events[ENGINE_EVENTS_MAX];
    const struct engine_output output = {.events = events, .mask = ENGINE_EVENTS_MAX - 1};
    witness.commands = grow(witness.commands, witness.command_count, &witness.command_room, sizeof(*witness.commands));
    struct command *kept = &witness.commands[witness.command_count++];
    *kept = *command;
    kept->head = (struct record_head){0};
    if (command->command_seq != witness.command_count)
        violation("command %llu is in the place of command %llu", (unsigned long long)command->command_seq,
                  (unsigned long long)witness.command_count);
    if (witness.command_count > 1 && command->time_ns < kept[-1].time_ns)
        violation("the time of command %llu is before that of the one before it",
                  (unsigned long long)command->command_seq);
    check_inbound(command);
    int count = engine_apply(witness.engine, kept, &output);
    REQUIRE(count >= 0);
    events_take(events, ENGINE_EVENTS_MAX - 1, count);
    while (engine_more(witness.engine))
        events_take(events, ENGINE_EVENTS_MAX - 1, engine_continue(witness.engine, &output));
    encode_new();
    TRACE("acknowledged: command %llu %s, session %u, user_ref %u, inbound %u/%u/%llu",
          (unsigned long long)command->command_seq, command_kind_name(command->kind), command->session,
          command->user_ref, command->gateway, command->tenure, (unsigned long long)command->inbound_seq);
}

static void same_command(const struct command *command, const char *where)
{
    uint64_t seq = command->command_seq;
    if (seq == 0 || seq > witness.command_count)
        return;
    const struct command *kept = &witness.commands[seq - 1];
    if (memcmp((const uint8_t *)kept + RECORD_HEAD_BYTES, (const uint8_t *)command + RECORD_HEAD_BYTES, BODY_BYTES) !=
        0)
        violation("command %llu, which was acknowledged as %s of session %u, is %s of session %u in %s",
                  (unsigned long long)seq, command_kind_name(kept->kind), kept->session,
                  command_kind_name(command->kind), command->session, where);
}

/* ---- rings --------------------------------------------------------------------------------------------------------
 */

static bool attach(struct ring *ring, const char *name)
{
    struct error error;
    char path[300];
    const struct ring_parameters any = {.name = name};
    if (ring->file)
        return true;
    snprintf(path, sizeof(path), "%s/%s.ring", witness.config->exchange_rings_directory, name);
    if (ring_attach(ring, path, false, &any, &error) < 0)
        return false;
    if (memcmp(witness.run_id, ring->file->header.run_id, sizeof(witness.run_id)) != 0) {
        memcpy(witness.run_id, ring->file->header.run_id, sizeof(witness.run_id));
        witness.cursor_seen = witness.event_seen = 0;
        memset(witness.inbound_last, 0, sizeof(witness.inbound_last));
    }
    return true;
}

void witness_forget_rings(void)
{
    ring_detach(&witness.command_ring);
    ring_detach(&witness.event_ring);
}

static const void *record_at(const struct ring *ring, uint64_t seq)
{
    const struct ring_slot *slot = &ring->file->slots[seq & (ring->file->header.capacity - 1)];
    return atomic_load_explicit(&slot->word, memory_order_acquire) == seq + 1 ? slot : NULL;
}

static uint64_t cursor_of(const struct ring *ring, const char *line)
{
    for (uint32_t i = 0; i < ring->file->header.gating_count; i++)
        if (strcmp(ring->file->consumers[i].name, line) == 0)
            return atomic_load_explicit(&ring->file->consumers[i].cursor, memory_order_acquire);
    return 0;
}

/* What a recovered journal holds beyond the cursor is acknowledged already, and must be the same here. */
static void look_at_commands(void)
{
    const struct ring *ring = &witness.command_ring;
    uint64_t cursor = cursor_of(ring, LINE_JOURNALER);
    if (cursor < witness.cursor_seen)
        violation("the journaler's cursor goes back from %llu to %llu", (unsigned long long)witness.cursor_seen,
                  (unsigned long long)cursor);
    if (witness.cursor_seen < ring->file->header.base_seq)
        witness.cursor_seen = ring->file->header.base_seq;
    if (witness.cursor_seen > witness.command_count + 1)
        witness_read_journal(true); /* made behind a journal whose opener died before anybody looked */
    for (; witness.cursor_seen < cursor; witness.cursor_seen++) {
        const struct command *command = record_at(ring, witness.cursor_seen);
        if (!command)
            violation("command %llu is acknowledged, but is not in the ring", (unsigned long long)witness.cursor_seen);
        if (witness.cursor_seen > witness.command_count)
            command_acknowledged(command);
        else
            same_command(command, "the command ring");
    }
}

static void same_event(const struct event *event, uint64_t seq, const char *where)
{
    if (seq > witness.event_count)
        violation("event %llu (%s) is in %s, but what is acknowledged makes %llu events only", (unsigned long long)seq,
                  event_kind_name(event->kind), where, (unsigned long long)witness.event_count);
    const struct event *kept = &witness.events[seq - 1];
    if (memcmp((const uint8_t *)kept + RECORD_HEAD_BYTES, (const uint8_t *)event + RECORD_HEAD_BYTES, BODY_BYTES) != 0)
        violation("event %llu in %s is %s of command %llu, where the journal makes %s of command %llu",
                  (unsigned long long)seq, where, event_kind_name(event->kind), (unsigned long long)event->command_seq,
                  event_kind_name(kept->kind), (unsigned long long)kept->command_seq);
}

static void look_at_events(void)
{
    const struct ring *ring = &witness.event_ring;
    if (witness.event_seen < ring->file->header.base_seq)
        witness.event_seen = ring->file->header.base_seq;
    for (const struct event *event; (event = record_at(ring, witness.event_seen)) != NULL; witness.event_seen++)
        same_event(event, witness.event_seen, "the event ring");
}

void witness_look(void)
{
    if (attach(&witness.command_ring, RING_NAME_COMMAND))
        look_at_commands();
    if (attach(&witness.event_ring, RING_NAME_EVENT))
        look_at_events();
}

bool witness_drained(void)
{
    if (!witness.command_ring.file || !witness.event_ring.file)
        return false;
    bool commands = !record_at(&witness.command_ring, witness.command_count + 1);
    bool events = witness.event_seen == witness.event_count + 1;
    return commands && events && cursor_of(&witness.event_ring, LINE_EVENT_LOG) == witness.event_seen &&
           cursor_of(&witness.command_ring, LINE_MATCHER) == witness.command_count + 1;
}

/* ---- files --------------------------------------------------------------------------------------------------------
 */

static _Noreturn void unreadable(const char *what, const struct error *error)
{
    if (witness.disk_failed)
        noticed("%s: %s: %s", what, error->where, error->what);
    violation("%s cannot be read: %s: %s", what, error->where, error->what);
}

static uint64_t read_all(struct journal_reader *reader, bool adopt)
{
    struct command commands[64];
    struct error error;
    uint64_t seq = journal_reader_segment(reader)->first_seq - 1; /* what is before was trimmed */
    uint64_t durable_end = adopt ? 0 : witness.command_count + 1;
    int count;
    while ((count = journal_reader_next(reader, commands, ARRAY_COUNT(commands), durable_end, &error)) > 0)
        for (int i = 0; i < count; i++) {
            seq++;
            if (commands[i].command_seq != seq)
                violation("the journal has command %llu in the place of %llu",
                          (unsigned long long)commands[i].command_seq, (unsigned long long)seq);
            same_command(&commands[i], "the journal");
            if (adopt && seq > witness.command_count)
                command_acknowledged(&commands[i]);
        }
    if (count < 0)
        unreadable("the journal", &error);
    return seq;
}

void witness_read_journal(bool adopt)
{
    struct journal_reader *reader = NULL;
    struct error error;
    int result = journal_reader_open_oldest(&reader, witness.config->journal_directory, &error);
    uint64_t count = 0;
    if (result == 0) {
        count = read_all(reader, adopt);
        journal_reader_close(reader);
    } else if (result != ERROR_NOT_YET) {
        unreadable("the journal", &error);
    }
    /*
     * The last batch of a disk that lies, with the rings gone and no event of it in the log: nothing could tell. With
     * durability write that goes for all since the last sync: it looks as after a loss of power.
     */
    bool telling = witness.config->journal_durability == DURABILITY_SYNC && witness.logged_command_seq > count;
    if (count < witness.command_count && witness.disk_lied && !telling)
        noticed("nothing tells of the loss of command %llu", (unsigned long long)witness.command_count);
    if (count < witness.command_count)
        violation("command %llu, which was acknowledged, is not in the journal, which ends with %llu",
                  (unsigned long long)witness.command_count, (unsigned long long)count);
}

void witness_look_at_log(void)
{
    struct eventlog_reader *reader = NULL;
    struct error error;
    struct event events[64];
    uint64_t seq = 1;
    int count;
    witness.logged_command_seq = 0;
    if (!witness.disk_lied || eventlog_reader_open(&reader, witness.config->events_directory, &error) < 0)
        return;
    eventlog_reader_skip(reader, UINT64_MAX);
    while ((count = eventlog_reader_read(reader, seq, events, ARRAY_COUNT(events), &error)) > 0) {
        seq = events[count - 1].event_seq + 1;
        witness.logged_command_seq = events[count - 1].command_seq;
    }
    eventlog_reader_close(reader);
}

/* Events of the log, with gaps where it was trimmed; there the first part of an event may be alone. Returns the next.
 */
static uint64_t same_events(struct event *events, int count, uint64_t seq, uint64_t whole_from)
{
    for (int i = 0; i < count; i++) {
        bool trimmed = seq < whole_from;
        if (events[i].event_seq != seq && !trimmed)
            violation("the event log has event %llu in the place of %llu", (unsigned long long)events[i].event_seq,
                      (unsigned long long)seq);
        seq = events[i].event_seq;
        if (trimmed && seq >= 1 && seq <= witness.event_count)
            events[i].flags = witness.events[seq - 1].flags;
        same_event(&events[i], seq++, "the event log");
    }
    return seq;
}

void witness_check_events(void)
{
    struct eventlog_reader *reader = NULL;
    struct error error;
    struct event events[64];
    uint64_t seq = 1;
    uint64_t whole_from = witness_events_from();
    if (eventlog_reader_open(&reader, witness.config->events_directory, &error) < 0)
        unreadable("the event log", &error);
    int count;
    eventlog_reader_archive(reader, witness.config->retention_archive_path);
    eventlog_reader_skip(reader, UINT64_MAX);
    while ((count = eventlog_reader_read(reader, seq, events, ARRAY_COUNT(events), &error)) > 0)
        seq = same_events(events, count, seq, whole_from);
    eventlog_reader_close(reader);
    if (count < 0)
        unreadable("the event log", &error);
    if (seq != witness.event_count + 1 && witness.disk_failed)
        noticed("event %llu is damaged in the event log", (unsigned long long)seq);
    if (seq != witness.event_count + 1)
        violation("the event log ends with event %llu of %llu", (unsigned long long)seq - 1,
                  (unsigned long long)witness.event_count);
    if (engine_state_hash(outside.engine) != engine_state_hash(witness.engine) ||
        engine_event_hash(outside.engine) != engine_event_hash(witness.engine))
        violation("the live engine is not where a fresh one is after the journal's commands");
    const char *broken = engine_invalid(outside.engine);
    if (broken)
        violation("the live engine: %s", broken);
}

uint64_t witness_command_count(void)
{
    return witness.command_count;
}

uint64_t witness_event_count(void)
{
    return witness.event_count;
}

const struct event *witness_event(uint64_t seq)
{
    return seq == 0 || seq > witness.event_count ? NULL : &witness.events[seq - 1];
}

uint64_t witness_events_from(void)
{
    uint64_t seq = 1;
    struct error error;
    (void)eventlog_whole_from(witness.config->events_directory, witness.config->retention_archive_path, &seq, &error);
    return seq;
}
