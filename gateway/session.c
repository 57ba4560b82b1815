#include "session.h"

#include "base/require.h"
#include "session_decode.h"
#include "wire/soup.h"

#include <string.h>

static enum session_step broken(struct session *session, struct session_result *result, const char *why)
{
    session->phase = SESSION_OVER;
    result->why = why;
    return SESSION_BROKEN;
}

static enum session_step login_take(struct session *session, const struct soup_frame *frame,
                                    struct session_result *result)
{
    struct soup_login_request request;
    const char *why = soup_get_login_request(frame->payload, frame->payload_bytes, &request);
    if (why)
        return broken(session, result, why);
    struct session_login *login = &result->login;
    memcpy(login->user, request.user, sizeof(login->user));
    memcpy(login->password, request.password, sizeof(login->password));
    memcpy(login->requested_session, request.session, sizeof(login->requested_session));
    login->requested_message_no = request.sequence_next;
    login->heartbeat_timeout_ms = request.has_timeout ? request.heartbeat_timeout_ms : 0;
    session->phase = SESSION_LOGIN_ASKED;
    return SESSION_LOGIN;
}

static enum session_step closed_data_take(struct session *session, struct session_result *result)
{
    if (session->phase != SESSION_WATCHING)
        return broken(session, result, "data before the login is accepted");
    result->why = "a drop copy only watches: it may send heartbeats and a logout request";
    return SESSION_COMPLAINT;
}

static inline enum session_step data_take(struct session *session, const struct soup_frame *frame,
                                          struct command *command, struct session_result *result)
{
    if (UNLIKELY(session->phase != SESSION_OPEN))
        return closed_data_take(session, result);
    result->why = session_decode(session->number, frame->payload, frame->payload_bytes, command, &result->symbol);
    return UNLIKELY(result->why != NULL) ? SESSION_COMPLAINT : SESSION_COMMAND;
}

/* Packets that are neither data nor a heartbeat. */
static enum session_step rare_take(struct session *session, const struct soup_frame *frame,
                                   struct session_result *result)
{
    bool is_first = session->phase == SESSION_LOGIN_AWAITED;
    switch (frame->type) {
    case SOUP_DEBUG:
        return SESSION_NOTHING;
    case SOUP_LOGIN_REQUEST:
        return is_first ? login_take(session, frame, result) : broken(session, result, "a second login request");
    case SOUP_LOGOUT_REQUEST:
        session->phase = SESSION_OVER;
        return SESSION_LOGOUT;
    default:
        if (is_first)
            return broken(session, result, "the first packet must be a login request");
        result->why = "a packet type that SoupBinTCP does not have for clients";
        return SESSION_COMPLAINT;
    }
}

enum session_step session_take(struct session *session, uint32_t frame_bytes_max, const uint8_t *bytes, uint32_t count,
                               struct command *command, struct session_result *result)
{
    struct soup_frame frame;
    enum soup_frame_state state = soup_take_frame(bytes, count, frame_bytes_max - SOUP_LENGTH_BYTES, &frame);
    if (UNLIKELY(state != SOUP_FRAME_WHOLE)) {
        if (state == SOUP_FRAME_PART)
            return SESSION_NEEDS_MORE;
        result->consumed = count;
        return broken(session, result,
                      state == SOUP_FRAME_EMPTY ? "a packet of length 0"
                                                : "a packet longer than gateway.frame_bytes_max");
    }
    result->consumed = frame.frame_bytes;
    if (LIKELY(frame.type == SOUP_UNSEQUENCED))
        return data_take(session, &frame, command, result);
    if (frame.type == SOUP_CLIENT_HEARTBEAT && session->phase != SESSION_LOGIN_AWAITED)
        return SESSION_NOTHING;
    return rare_take(session, &frame, result);
}

void session_open(struct session *session, uint32_t number)
{
    REQUIRE(session->phase == SESSION_LOGIN_ASKED && number != 0);
    session->number = number;
    session->phase = SESSION_OPEN;
}

void session_watch(struct session *session, uint32_t number)
{
    session_open(session, number);
    session->phase = SESSION_WATCHING;
}
