/*
 * Connections that are told their messages from the index: after a login that asks for earlier ones, or when they read
 * more slowly than they are told. Each message's event is read from the event ring if it is still there, else from the
 * event log, and encoded as it was the first time. When the last one is out, the connection is told them as they happen
 * again; nothing can come between, since the same thread follows the events.
 *
 * Rules
 *   1. A slice a poll, and within it a turn each: who replays a day delays the others by microseconds. The slice is
 *      measured in events read, for one who looks for messages that are no longer indexed may read a thousand for each.
 *   2. A turn ends when the output is full: the client's own speed is the limit. While its socket takes no more it has
 * no turns, and memory for it is the one output buffer.
 *   3. What is damaged in the event log, or cannot be read, cannot be told: that connection ends and is told why, the
 * others go on.
 */
#include "gateway_state.h"

#include "base/require.h"
#include "log/log.h"
#include "session_encode.h"

#include <string.h>

#define MESSAGES_PER_POLL 512u
#define MESSAGES_PER_TURN 128u
#define TURNS_PER_POLL    16u
#define READ_PER_POLL     2048u /* events */
#define READ_COST         16u   /* of a read, in events */
#define NEAR_EVENTS       WINDOW_EVENTS

int behind_open(struct gateway *gateway, struct error *error)
{
    return eventlog_reader_open(&gateway->log, gateway->config->events_directory, error);
}

void behind_close(struct gateway *gateway)
{
    if (gateway->log)
        eventlog_reader_close(gateway->log);
}

static void list_append(struct gateway *gateway, struct connection *connection)
{
    uint32_t index = index_of(gateway, connection);
    connection->behind_listed = true;
    connection->behind_next = CONNECTION_NONE;
    connection->behind_previous = gateway->behind_last;
    if (gateway->behind_last == CONNECTION_NONE)
        gateway->behind_first = index;
    else
        gateway->connections.all[gateway->behind_last].behind_next = index;
    gateway->behind_last = index;
}

static void list_remove(struct gateway *gateway, struct connection *connection)
{
    struct connection *all = gateway->connections.all;
    if (connection->behind_previous == CONNECTION_NONE)
        gateway->behind_first = connection->behind_next;
    else
        all[connection->behind_previous].behind_next = connection->behind_next;
    if (connection->behind_next == CONNECTION_NONE)
        gateway->behind_last = connection->behind_previous;
    else
        all[connection->behind_next].behind_previous = connection->behind_previous;
    connection->behind_listed = false;
}

void behind_begin(struct gateway *gateway, struct connection *connection, uint32_t message_no)
{
    outbound_seek(&gateway->outbound, &connection->cursor, connection->stream, message_no);
    connection->copied_before = 0;
    uint32_t first = 0;
    uint64_t event_seq = notes_before(&gateway->notes, connection->stream, message_no, &first);
    if (event_seq != 0) { /* nearer than the beginning of the day, should it have to be looked for */
        connection->cursor.event_seq = event_seq;
        connection->copied_before = first - 1;
    }
    connection->behind = true;
    list_append(gateway, connection);
}

void behind_resume(struct gateway *gateway, struct connection *connection)
{
    if (!connection->behind_listed)
        list_append(gateway, connection);
}

void behind_end(struct gateway *gateway, struct connection *connection)
{
    if (connection->behind_listed)
        list_remove(gateway, connection);
    connection->behind = false;
}

/* ---- events again ---- */

/* From the ring, as many as are there of `max`. */
static uint32_t window_observe(struct gateway *gateway, uint64_t event_seq, uint32_t max)
{
    struct ring_observer observer;
    ring_observer_open(&observer, &gateway->event_ring, event_seq);
    uint32_t count = 0;
    while (count < max && ring_observe(&observer, &gateway->window[count]) == RING_OBSERVED)
        count++;
    return count;
}

/*
 * The event, which has been followed and so is in the ring or the log, and its continuation if it has one. `ahead`: how
 * many after it will be wanted too. NULL with *ret_code 0: not now; with a negative one: a failure. What the ring has
 * no more and the log does not have whole, though its writer is past it, was damaged there: who waited for it would
 * wait for ever.
 */
static const struct event *event_again(struct gateway *gateway, uint64_t event_seq, uint32_t ahead, int *ret_code,
                                       struct error *error)
{
    *ret_code = 0;
    uint64_t place = event_seq - gateway->window_first;
    bool here = event_seq >= gateway->window_first && place < gateway->window_count;
    if (here && (place + 1 < gateway->window_count || !(gateway->window[place].flags & EVENT_CONTINUED)))
        return &gateway->window[place];

    if (gateway->behind_read >= READ_PER_POLL)
        return NULL;
    uint32_t wanted = ahead + 2 < WINDOW_EVENTS ? ahead + 2 : WINDOW_EVENTS;
    uint32_t count = window_observe(gateway, event_seq, wanted);
    bool from_log = count == 0;
    if (from_log) {
        int read = eventlog_reader_read(gateway->log, event_seq, gateway->window, wanted, error);
        if (read < 0) {
            gateway->window_count = 0;
            *ret_code = read;
            return NULL;
        }
        count = (uint32_t)read;
    }
    gateway->behind_read += count > 0 ? READ_COST + count : 0;
    gateway->window_first = event_seq;
    gateway->window_count = count;
    bool whole = count > 1 || (count == 1 && !(gateway->window[0].flags & EVENT_CONTINUED));
    if (UNLIKELY(!whole && from_log && event_seq + count < event_follower_logged(&gateway->follower)))
        *ret_code = error_set(error, ERROR_CORRUPT, "event log",
                              "event %llu, which was there, is not whole any more; move the event log away, it is made "
                              "again from the journal",
                              (unsigned long long)event_seq + count);
    return whole ? &gateway->window[0] : NULL;
}

/* Which side of the event is this message of this session? */
static bool is_message(const struct event *event, uint32_t session, uint32_t message_no, enum session_side *ret_side)
{
    if (event->session == session && event->message_no == message_no) {
        *ret_side = SESSION_TAKER;
        return true;
    }
    bool trade = event->kind == EVENT_EXECUTED || event->kind == EVENT_BROKEN;
    if (trade && event->trade.maker_session == session && event->trade.maker_message_no == message_no) {
        *ret_side = SESSION_MAKER;
        return true;
    }
    return false;
}

/* The same for a drop copy's stream: the messages that it sees of this event are counted on from those before it. */
static bool is_copied(const struct gateway *gateway, struct connection *connection, const struct event *event,
                      enum session_side *ret_side)
{
    enum session_side sides[2];
    uint32_t count = copies_seen(&gateway->copies, connection->cursor.session, event, sides);
    uint32_t nth = connection->cursor.message_no - connection->copied_before - 1;
    if (nth < count) {
        *ret_side = sides[nth];
        return true;
    }
    connection->copied_before += count;
    return false;
}

/*
 * The number of the event of a message that is no longer indexed, found by looking from the cursor's event on. 0: not
 * found in this slice, the cursor has moved on.
 */
static uint64_t look_for(struct gateway *gateway, struct connection *connection, int *ret_code, struct error *error)
{
    struct outbound_cursor *cursor = &connection->cursor;
    bool copy = copies_is_stream(&gateway->copies, cursor->session);
    const struct event *event;
    while ((event = event_again(gateway, cursor->event_seq, WINDOW_EVENTS, ret_code, error)) != NULL) {
        enum session_side side;
        if (copy ? is_copied(gateway, connection, event, &side)
                 : is_message(event, cursor->session, cursor->message_no, &side))
            return cursor->event_seq;
        cursor->event_seq++;
    }
    return 0;
}

/* ---- telling ---- */

enum told { TOLD_ONE, TOLD_ALL, TOLD_NOT_NOW };

/*
 * Which of the messages that a copy sees of this event is message_no? Both of a trade may be there; then the number of
 * the event before tells, or, where that is not indexed any more, counting. false: not now.
 */
static bool copied_place(struct gateway *gateway, struct connection *connection, const struct outbound_cursor *after,
                         uint32_t seen, uint32_t *ret_nth, int *ret_code, struct error *error)
{
    uint32_t message_no = after->message_no - 1;
    *ret_nth = 0;
    if (seen < 2 || message_no == 1)
        return true;
    struct outbound_cursor before;
    uint64_t event_seq_before = 0;
    outbound_seek(&gateway->outbound, &before, after->session, message_no - 1);
    if (outbound_cursor_next(&gateway->outbound, &before, &event_seq_before) == OUTBOUND_FOUND) {
        *ret_nth = event_seq_before == after->event_seq;
        return true;
    }
    connection->cursor.slot = OUTBOUND_NONE; /* its event moves on */
    if (look_for(gateway, connection, ret_code, error) == 0)
        return false;
    *ret_nth = message_no - connection->copied_before - 1;
    return true;
}

/* Tells a drop copy the message before `after`, made from this event. Bytes written; 0: not now, or a failure. */
static uint32_t copy_put(struct gateway *gateway, struct connection *connection, uint8_t *room,
                         const struct event *event, const struct outbound_cursor *after, bool counted, int *ret_code,
                         struct error *error)
{
    enum session_side sides[2];
    struct event own[2] = {event[0]}; /* looking for it reads others into the window */
    uint32_t seen = copies_seen(&gateway->copies, after->session, event, sides);
    uint32_t message_no = after->message_no - 1;
    uint32_t nth = message_no - connection->copied_before - 1;
    if (event->flags & EVENT_CONTINUED)
        own[1] = event[1];
    if (!counted && !copied_place(gateway, connection, after, seen, &nth, ret_code, error))
        return 0;
    if (nth >= seen) {
        *ret_code = error_set(error, ERROR_CORRUPT, "event log",
                              "event %llu is not message %u of the drop copy of %.6s, as it was when it happened",
                              (unsigned long long)after->event_seq, message_no, connection->login.user);
        return 0;
    }
    const char *user = gateway->copies.sessions[copies_session(own, sides[nth])].user;
    const struct event *options = own->flags & EVENT_CONTINUED ? &own[1] : NULL;
    connection->copied_before = message_no - 1 - nth;
    return session_encode_copy(room, own, options, sides[nth], gateway->midnight_ns, user);
}

static uint32_t message_put(struct gateway *gateway, uint8_t *room, const struct event *event,
                            const struct outbound_cursor *after, int *ret_code, struct error *error)
{
    uint32_t message_no = after->message_no - 1;
    enum session_side side = SESSION_TAKER;
    if (!is_message(event, after->session, message_no, &side)) {
        *ret_code = error_set(error, ERROR_CORRUPT, "event log",
                              "event %llu is not message %u of session %u, as it was when it happened",
                              (unsigned long long)after->event_seq, message_no, after->session);
        return 0;
    }
    const struct event *options = event->flags & EVENT_CONTINUED ? event + 1 : NULL;
    return session_encode(room, event, options, side, gateway->midnight_ns);
}

static enum told tell_one(struct gateway *gateway, struct connection *connection, uint32_t *ahead, int *ret_code,
                          struct error *error)
{
    uint8_t *room = connection_room(&gateway->connections, connection, SESSION_COPY_BYTES_MAX, OUTPUT_RESERVE_BYTES);
    if (!room)
        return TOLD_NOT_NOW;
    struct outbound_cursor after = connection->cursor; /* the connection's own moves when the message is out */
    uint64_t event_seq = 0;
    enum outbound_found found = outbound_cursor_next(&gateway->outbound, &after, &event_seq);
    if (found == OUTBOUND_END)
        return TOLD_ALL;
    if (found == OUTBOUND_EVICTED) {
        event_seq = look_for(gateway, connection, ret_code, error);
        if (event_seq == 0)
            return TOLD_NOT_NOW;
        after = connection->cursor;
        outbound_cursor_found(&after, event_seq);
    }
    const struct event *event = event_again(gateway, event_seq, *ahead, ret_code, error);
    if (!event)
        return TOLD_NOT_NOW;
    uint64_t event_seq_before = connection->cursor.event_seq;
    bool counted = found == OUTBOUND_EVICTED;
    uint32_t bytes = copies_is_stream(&gateway->copies, after.session)
                         ? copy_put(gateway, connection, room, event, &after, counted, ret_code, error)
                         : message_put(gateway, room, event, &after, ret_code, error);
    if (bytes == 0)
        return TOLD_NOT_NOW;
    connection->output_tail += bytes;
    *ahead = event_seq - event_seq_before < NEAR_EVENTS ? WINDOW_EVENTS : 0;
    connection->cursor = after;
    return TOLD_ONE;
}

static uint32_t turn(struct gateway *gateway, struct connection *connection, int *ret_code, struct error *error)
{
    uint32_t count = 0;
    uint32_t ahead = 0;
    if (connection->blocked) { /* has more than its socket takes: its turn comes again when that is gone */
        list_remove(gateway, connection);
        return 0;
    }
    enum told told = TOLD_ONE;
    while (count < MESSAGES_PER_TURN && told == TOLD_ONE) {
        told = tell_one(gateway, connection, &ahead, ret_code, error);
        count += told == TOLD_ONE;
    }
    if (count > 0)
        network_dirty(gateway, connection);
    if (told == TOLD_ALL)
        behind_end(gateway, connection);
    return count;
}

/* Rule 3. */
static void give_up(struct gateway *gateway, struct connection *connection, const struct error *why, uint64_t now_ns)
{
    char user[USER_BYTES + 1];
    bool damaged = why->code == ERROR_CORRUPT;
    connection_user(connection, user);
    log_error(why, "message %u of user %s cannot be told, and its connection ends", connection->cursor.message_no,
              user);
    gateway->counts.untold++;
    network_debug(gateway, connection,
                  damaged ? "what you ask for is damaged here, and cannot be told until it is mended"
                          : "what you ask for cannot be read here; log in again later");
    network_end(gateway, connection, 'S',
                damaged ? "what it asks for is damaged in the event log"
                        : "what it asks for cannot be read from the event log",
                now_ns);
}

int behind_poll(struct gateway *gateway, uint64_t now_ns)
{
    struct error error = {.code = ERROR_SYSTEM};
    uint32_t total = 0;
    gateway->behind_read = 0;
    for (uint32_t turns = 0; turns < TURNS_PER_POLL; turns++) {
        if (total >= MESSAGES_PER_POLL ||
            gateway->behind_read >= READ_PER_POLL) /* the next poll begins with the next */
            break;
        if (gateway->behind_first == CONNECTION_NONE)
            break;
        struct connection *connection = &gateway->connections.all[gateway->behind_first];
        int code = 0;
        total += turn(gateway, connection, &code, &error);
        if (code < 0)
            give_up(gateway, connection, &error, now_ns);
        if (connection->behind_listed) { /* to the end of the list */
            list_remove(gateway, connection);
            list_append(gateway, connection);
        }
    }
    gateway->counts.messages_behind += total;
    return (int)(total + (gateway->behind_read > 0)); /* to have read on is work too */
}
