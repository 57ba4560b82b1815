/*
 * Events: what the engine says of each command. From them the gateway knows instruments, the trading day and the
 * streams of all sessions, whichever gateway they are on; and what belongs to a session that is connected here becomes
 * a packet in that connection's output.
 */
#include "gateway_state.h"

#include "base/require.h"
#include "base/trace.h"
#include "log/log.h"
#include "session_encode.h"
#include "wire/soup.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file of the gateway's own: all gateways of an exchange read the same configuration. */
static int index_open(struct gateway *gateway, uint32_t streams, struct error *error)
{
    const struct config *config = gateway->config;
    char path[PATH_MAX] = "";
    if (*config->gateway_index_file) {
        int bytes = snprintf(path, sizeof(path), "%s-%u", config->gateway_index_file, gateway->gateway);
        if (bytes < 0 || (size_t)bytes >= sizeof(path))
            return error_set(error, ERROR_INVALID, "gateway.index_file", "the path is too long");
    }
    return outbound_open(&gateway->outbound, streams, config->gateway_index_bytes, path, error);
}

int follow_open(struct gateway *gateway, struct error *error)
{
    const struct config *config = gateway->config;
    uint32_t sessions_max = (uint32_t)config->engine_sessions_max;
    int code = copies_open(&gateway->copies, &gateway->members, sessions_max, error);
    if (code < 0)
        return code;
    uint32_t streams = sessions_max + gateway->copies.count;
    gateway->stream_connection = malloc((streams + 1) * sizeof(*gateway->stream_connection));
    if (!gateway->stream_connection)
        return error_system(error, ENOMEM, "engine.sessions_max", "no memory for %u sessions", sessions_max);
    for (uint32_t i = 0; i <= streams; i++)
        gateway->stream_connection[i] = CONNECTION_NONE;
    code = instruments_open(&gateway->instruments, (uint32_t)config->engine_instruments_max, error);
    if (code < 0)
        return code;
    return index_open(gateway, streams, error);
}

/* notes_reader: an event out of the log. */
static const struct event *logged(void *argument, uint64_t event_seq)
{
    struct gateway *gateway = argument;
    struct error error;
    int count = eventlog_reader_read(gateway->log, event_seq, gateway->events, 1, &error);
    return count == 1 ? gateway->events : NULL;
}

static void take_up_notes(struct gateway *gateway)
{
    char name[32];
    char path[RUN_PATH_BYTES];
    struct error error = {0};
    const struct noted noted = {.outbound = &gateway->outbound,
                                .instruments = &gateway->instruments,
                                .copies = &gateway->copies,
                                .midnight_ns = &gateway->midnight_ns,
                                .date = &gateway->date,
                                .day_open = &gateway->day_open};
    snprintf(name, sizeof(name), "gateway-%u", gateway->gateway);
    run_notes_path(gateway->run, name, path);
    if (notes_open(&gateway->notes, path, gateway->config->gateway_note_events, &noted, &error) < 0)
        log_error(&error, "the next start will read all events of the day");
    notes_check(&gateway->notes, logged, gateway);
}

uint64_t follow_begin(struct gateway *gateway, uint64_t event_end)
{
    if (!gateway->notes.file)
        take_up_notes(gateway);
    uint64_t first = notes_restore(&gateway->notes, event_end);
    if (first > 1)
        log_info("the streams are known up to event %llu, of %llu", (unsigned long long)first,
                 (unsigned long long)event_end);
    return first;
}

void follow_close(struct gateway *gateway)
{
    notes_close(&gateway->notes);
    outbound_close(&gateway->outbound);
    instruments_close(&gateway->instruments);
    copies_close(&gateway->copies);
    free(gateway->stream_connection);
}

/* ---- messages ---- */

/* One message of one session: into the index, and to its connection unless that has fallen behind. */
static int deliver(struct gateway *gateway, uint32_t session, uint32_t message_no, enum session_side side,
                   const struct event *event, const struct event *options, struct error *error)
{
    const char *broken = outbound_append(&gateway->outbound, session, message_no, event->event_seq);
    if (UNLIKELY(broken != NULL))
        return error_set(error, ERROR_CORRUPT, "event", "event %llu, message %u of session %u: %s",
                         (unsigned long long)event->event_seq, message_no, session, broken);
    uint32_t index = gateway->stream_connection[session];
    if (index == CONNECTION_NONE)
        return 0;
    struct connection *connection = &gateway->connections.all[index];
    if (connection->behind)
        return 0;
    uint8_t *room = connection_room(&gateway->connections, connection, SESSION_PACKET_BYTES_MAX, OUTPUT_RESERVE_BYTES);
    if (UNLIKELY(!room)) {
        behind_begin(gateway, connection, message_no);
        return 0;
    }
    connection->output_tail += session_encode(room, event, options, side, gateway->midnight_ns);
    gateway->counts.messages++;
    counts_mark(gateway, event);
    network_dirty(gateway, connection);
    return 0;
}

/* A trade is two messages; if both are of one session, in the order of their numbers. */
static int deliver_trade(struct gateway *gateway, const struct event *event, struct error *error)
{
    const struct event_trade *trade = &event->trade;
    bool maker_first = trade->maker_session == event->session && trade->maker_message_no < event->message_no;
    int code = 0;
    if (maker_first && trade->maker_message_no != 0)
        code = deliver(gateway, trade->maker_session, trade->maker_message_no, SESSION_MAKER, event, NULL, error);
    if (code == 0 && event->message_no != 0)
        code = deliver(gateway, event->session, event->message_no, SESSION_TAKER, event, NULL, error);
    if (code == 0 && !maker_first && trade->maker_message_no != 0)
        code = deliver(gateway, trade->maker_session, trade->maker_message_no, SESSION_MAKER, event, NULL, error);
    return code;
}

/* ---- drop copies ---- */

/* The next message of a copy's stream: into its index, and to its connection unless that has fallen behind. */
static int deliver_copy(struct gateway *gateway, uint32_t stream, enum session_side side, const struct event *event,
                        const struct event *options, struct error *error)
{
    uint32_t message_no = outbound_message_next(&gateway->outbound, stream);
    const char *broken = outbound_append(&gateway->outbound, stream, message_no, event->event_seq);
    if (broken)
        return error_set(error, ERROR_CORRUPT, "event", "event %llu, message %u of a drop copy: %s",
                         (unsigned long long)event->event_seq, message_no, broken);
    uint32_t index = gateway->stream_connection[stream];
    if (index == CONNECTION_NONE || gateway->connections.all[index].behind)
        return 0;
    struct connection *connection = &gateway->connections.all[index];
    uint8_t *room = connection_room(&gateway->connections, connection, SESSION_COPY_BYTES_MAX, OUTPUT_RESERVE_BYTES);
    if (!room) {
        behind_begin(gateway, connection, message_no);
        return 0;
    }
    const char *user = gateway->copies.sessions[copies_session(event, side)].user;
    connection->output_tail += session_encode_copy(room, event, options, side, gateway->midnight_ns, user);
    gateway->counts.messages++;
    network_dirty(gateway, connection);
    return 0;
}

static int deliver_copies(struct gateway *gateway, const struct event *event, const struct event *options,
                          struct error *error)
{
    struct copies *copies = &gateway->copies;
    int code = 0;
    if (event->kind == EVENT_DAY_STARTED)
        copies_day(copies);
    else if (event->kind == EVENT_LOGIN_ACCEPTED)
        copies_login(copies, event);
    for (uint32_t i = 0; i < copies->count && code == 0; i++) {
        enum session_side sides[2];
        uint32_t stream = copies->sessions_max + 1 + i;
        uint32_t count = copies_seen(copies, stream, event, sides);
        for (uint32_t j = 0; j < count && code == 0; j++)
            code = deliver_copy(gateway, stream, sides[j], event, options, error);
    }
    return code;
}

/* ---- days and instruments ---- */

/* Streams begin anew, so the old ones end: whoever is connected logs in again and gets the new session. Who has not
 * been told all of the old one is not told that it was its end. */
static void day_started(struct gateway *gateway, const struct event *event, uint64_t now_ns)
{
    uint32_t streams = (uint32_t)gateway->config->engine_sessions_max + gateway->copies.count;
    for (uint32_t stream = 1; stream <= streams; stream++) {
        uint32_t index = gateway->stream_connection[stream];
        if (index == CONNECTION_NONE)
            continue;
        struct connection *connection = &gateway->connections.all[index];
        if (!connection->behind)
            network_packet(gateway, connection, SOUP_END_OF_SESSION, NULL, 0);
        network_end(gateway, connection, 'S', "the trading day of its session is over", now_ns);
    }
    outbound_clear(&gateway->outbound, event->event_seq);
    gateway->midnight_ns = event->day.midnight_ns;
    gateway->date = event->day.date;
    gateway->day_open = true;
    gateway->day_torn = event_follower_skipped(&gateway->follower);
    if (gateway->phase == GATEWAY_AT_WORK)
        log_info("trading day %u begins", event->day.date);
}

static void day_ended(struct gateway *gateway, const struct event *event)
{
    gateway->day_open = false;
    if (gateway->phase == GATEWAY_AT_WORK)
        log_info("trading day %u ends", event->day.date);
}

/* ---- events ---- */

/*
 * Tenures and connections are counted anew in each run. So an answer to a login of an earlier run, which comes late
 * when the matcher makes its events again, can have the numbers of one that waits now; only its cause tells them apart.
 */
static bool is_ours(const struct gateway *gateway, const struct event *event)
{
    return event->login.gateway == gateway->gateway && event->login.tenure == gateway->tenure &&
           event->command_seq >= gateway->run->base.command_seq_next;
}

/*
 * A session that a later login takes over is closed by that login, whose acceptance is the next event. Where the next
 * one is not there yet it is not known, and not said.
 */
static bool is_taken_over(const struct gateway *gateway, const struct event *event)
{
    const struct event *next = event + 1;
    return next < gateway->events + gateway->event_count && next->kind == EVENT_LOGIN_ACCEPTED &&
           next->session == event->session && next->command_seq == event->command_seq;
}

static int apply(struct gateway *gateway, const struct event *event, const struct event *options, uint64_t now_ns,
                 struct error *error)
{
    switch (event->kind) {
    case EVENT_EXECUTED:
    case EVENT_BROKEN:
        if (UNLIKELY(gateway->day_torn))
            return 0;
        return deliver_trade(gateway, event, error);
    case EVENT_DAY_STARTED:
        day_started(gateway, event, now_ns);
        return 0;
    case EVENT_DAY_ENDED:
        day_ended(gateway, event);
        return 0;
    case EVENT_INSTRUMENT_ADDED:
    case EVENT_MARKET_STATE_CHANGED:
    case EVENT_LIMITS_CHANGED:
        if (event->instrument == 0) /* limits of a firm */
            return 0;
        return instruments_add(&gateway->instruments, event->admin.symbol, event->instrument,
                               event->admin.reference_ticks, error);
    case EVENT_LOGIN_ACCEPTED:
        login_seen(gateway, event);
        if (is_ours(gateway, event))
            login_event(gateway, event, false, now_ns);
        return 0;
    case EVENT_LOGIN_REFUSED:
    case EVENT_SESSION_CLOSED:
        if (is_ours(gateway, event))
            login_event(gateway, event, is_taken_over(gateway, event), now_ns);
        return 0;
    default:
        if (event->message_no == 0 || UNLIKELY(gateway->day_torn))
            return 0;
        return deliver(gateway, event->session, event->message_no, SESSION_TAKER, event, options, error);
    }
}

/* The follower never gives an event without its continuation. */
static int apply_all(struct gateway *gateway, uint32_t count, uint64_t now_ns, struct error *error)
{
    int code = 0;
    for (uint32_t i = 0; i < count && code == 0; i++) {
        const struct event *event = &gateway->events[i];
        const struct event *options = NULL;
        if (UNLIKELY((event->flags & EVENT_CONTINUED) && i + 1 < count))
            options = &gateway->events[++i];
        code = apply(gateway, event, options, now_ns, error);
        if (UNLIKELY(gateway->copies.count != 0) && code == 0)
            code = deliver_copies(gateway, event, options, error);
    }
    return code;
}

int follow_poll(struct gateway *gateway, uint32_t max, uint64_t now_ns, struct error *error)
{
    uint32_t total = 0;
    while (total < max) {
        uint64_t wanted = gateway->follower.next;
        int count = event_follower_next(&gateway->follower, gateway->events, FOLLOWED_EVENTS, error);
        bool has_gap = count > 0 && gateway->events[0].event_seq != wanted; /* of a trimmed file nothing is left */
        if (UNLIKELY(has_gap || event_follower_skipped(&gateway->follower)))
            gateway->day_torn = true;
        if (count <= 0)
            return count < 0 ? count : (int)total;
        total += (uint32_t)count;
        gateway->event_count = (uint32_t)count;
        int code = apply_all(gateway, (uint32_t)count, now_ns, error);
        if (code < 0)
            return code;
        if (LIKELY(!gateway->day_torn)) /* whose streams a note would have begin anew */
            notes_pass(&gateway->notes, &gateway->events[count - 1]);
        TRACE3(gateway_tell, gateway->events, count, gateway->gateway);
    }
    return (int)total;
}
