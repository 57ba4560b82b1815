/*
 * The connection at work: connecting, logging in, sending, receiving. Nothing here blocks.
 *
 *     CLOSED --connect--> CONNECTING --made--> ASKED --login accepted--> OPEN --end of session--> ENDED
 *        ^                    |                  |                        |
 *        +--------------------+----- failed -----+------------------------+
 */
#include "client_state.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#define READS_PER_SERVICE 8

/* ---- connecting ---- */

static int ask_login(struct rs_client *client)
{
    uint8_t payload[SOUP_LOGIN_REQUEST_LONG_BYTES];
    client->login.sequence_next = client->sequence_next;
    uint32_t payload_bytes = soup_put_login_request(payload, &client->login);
    rs_put_packet(client, SOUP_LOGIN_REQUEST, payload, payload_bytes);
    explicit_bzero(payload, sizeof(payload));
    client->state = RS_CLIENT_ASKED;
    int left = rs_client_flush(client);
    return left < 0 ? left : 0;
}

/* The socket is connected; whatever carries the bytes on it is made next. */
static int make_line(struct rs_client *client)
{
    if (!client->transport)
        return ask_login(client);
    if (!client->line)
        client->line = client->transport->open(client->transport_context, client->fd, client->address->host);
    if (!client->line)
        return rs_fail(client, RS_CLIENT_SYSTEM, ENOMEM, "the transport could not be opened");
    int made = client->transport->make(client->line, &client->line_wants_output);
    if (made < 0) {
        char why[RS_WHY_BYTES / 2];
        snprintf(why, sizeof(why), "%s", client->transport->why(client->line));
        return rs_fail(client, RS_CLIENT_SYSTEM, 0, "%s: %s", client->address->host, why);
    }
    return made == 0 ? 0 : ask_login(client);
}

int rs_client_connect(struct rs_client *client)
{
    if (client->state != RS_CLIENT_CLOSED)
        return RS_CLIENT_STATE;
    const struct rs_address *address = &client->addresses[client->address_next];
    client->address = address;
    client->address_next = (client->address_next + 1) % client->address_count;
    client->sent_ns = client->received_ns = rs_clock_ns();
    client->refusal = RS_REFUSED_NOT;
    client->fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        return rs_fail(client, RS_CLIENT_SYSTEM, errno, "no socket");
    const int one = 1;
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    client->state = RS_CLIENT_CONNECTING;
    if (connect(client->fd, (const struct sockaddr *)&address->socket, address->bytes) == 0)
        return make_line(client);
    return errno == EINPROGRESS ? 0 : rs_fail(client, RS_CLIENT_SYSTEM, errno, "connecting failed");
}

static int finish_connecting(struct rs_client *client)
{
    int failed = 0;
    socklen_t bytes = sizeof(failed);
    if (client->line)
        return make_line(client);
    if (getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &failed, &bytes) < 0)
        failed = errno;
    if (failed != 0)
        return rs_fail(client, RS_CLIENT_SYSTEM, failed, "connecting failed");
    struct sockaddr_storage peer;
    socklen_t peer_bytes = sizeof(peer);
    if (getpeername(client->fd, (struct sockaddr *)&peer, &peer_bytes) < 0)
        return errno == ENOTCONN ? 0 : rs_fail(client, RS_CLIENT_SYSTEM, errno, "connecting failed");
    return make_line(client);
}

/* ---- sending ---- */

static ssize_t send_some(struct rs_client *client, const uint8_t *from, size_t bytes)
{
    if (client->line)
        return client->transport->send(client->line, from, bytes);
    return send(client->fd, from, bytes, MSG_NOSIGNAL);
}

int rs_client_flush(struct rs_client *client)
{
    struct rs_buffer *output = &client->output;
    if (client->state != RS_CLIENT_OPEN && client->state != RS_CLIENT_ASKED)
        return client->state == RS_CLIENT_CONNECTING ? 0 : RS_CLIENT_STATE;
    if (output->start == output->end)
        return 0;
    ssize_t sent = send_some(client, output->bytes + output->start, output->end - output->start);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        return rs_fail(client, RS_CLIENT_SYSTEM, errno, "sending failed");
    if (sent > 0) {
        output->start += (uint32_t)sent;
        client->sent_ns = 0; /* now: rs_client_service knows the time */
    }
    if (output->start == output->end)
        output->start = output->end = 0;
    return (int)(output->end - output->start);
}

/* ---- receiving ---- */

static int login_accepted(struct rs_client *client, const struct soup_frame *frame)
{
    struct soup_login_accepted accepted;
    const char *broken = soup_get_login_accepted(frame->payload, frame->payload_bytes, &accepted);
    if (broken || client->state != RS_CLIENT_ASKED)
        return rs_fail(client, RS_CLIENT_PROTOCOL, 0, "%s",
                       broken ? broken : "a login that was not asked for is accepted");
    if (client->known_sequence && accepted.sequence_next != client->sequence_next)
        return rs_fail(client, RS_CLIENT_PROTOCOL, 0, "asked for messages from %llu on, was given %llu",
                       (unsigned long long)client->sequence_next, (unsigned long long)accepted.sequence_next);
    if (!client->known_sequence)
        client->sequence_first = accepted.sequence_next;
    client->known_sequence = true;
    client->sequence_next = accepted.sequence_next;
    memcpy(client->login.session, accepted.session, SOUP_SESSION_BYTES);
    size_t blank = 0;
    while (blank < SOUP_SESSION_BYTES && accepted.session[blank] == ' ')
        blank++;
    text_trim(client->session, accepted.session + blank, SOUP_SESSION_BYTES - blank);
    client->state = RS_CLIENT_OPEN;
    return 0;
}

static int login_rejected(struct rs_client *client, const struct soup_frame *frame)
{
    uint8_t reason = frame->payload_bytes == SOUP_LOGIN_REJECTED_BYTES ? frame->payload[0] : 0;
    const char *text = "for no reason known";
    client->refusal = (enum rs_client_refusal)reason;
    if (reason == SOUP_NOT_AUTHORIZED)
        text = "user unknown or password wrong";
    if (reason == SOUP_SESSION_NOT_AVAILABLE)
        text = "the session is not available";
    return rs_fail(client, RS_CLIENT_REFUSED, 0, "login refused: %s", text);
}

/* Every packet but sequenced data. 0 or an error. */
static int take_other(struct rs_client *client, const struct soup_frame *frame)
{
    switch (frame->type) {
    case SOUP_SERVER_HEARTBEAT:
        return 0;
    case SOUP_DEBUG:
        if (client->on_debug)
            client->on_debug(client->context, (const char *)frame->payload, frame->payload_bytes);
        return 0;
    case SOUP_LOGIN_ACCEPTED:
        return login_accepted(client, frame);
    case SOUP_LOGIN_REJECTED:
        return login_rejected(client, frame);
    case SOUP_END_OF_SESSION:
        client->state = RS_CLIENT_ENDED;
        snprintf(client->why, sizeof(client->why), "the exchange has ended the session");
        rs_client_close(client);
        return 0;
    default:
        return rs_fail(client, RS_CLIENT_PROTOCOL, 0, "a packet of type 0x%02x came, which no server sends",
                       frame->type);
    }
}

/* Handles the whole frames of the input buffer: sequenced messages, or an error. */
static int take_frames(struct rs_client *client)
{
    struct rs_buffer *input = &client->input;
    int messages = 0;
    struct soup_frame frame;
    while (client->fd >= 0) {
        enum soup_frame_state state =
            soup_take_frame(input->bytes + input->start, input->end - input->start, SOUP_LENGTH_MAX, &frame);
        if (state == SOUP_FRAME_PART)
            break;
        if (state != SOUP_FRAME_WHOLE)
            return rs_fail(client, RS_CLIENT_PROTOCOL, 0, "a packet of length 0 came");
        input->start += frame.frame_bytes;
        if (frame.type == SOUP_SEQUENCED && client->state == RS_CLIENT_OPEN) {
            messages++;
            client->on_message(client->context, client->sequence_next++, frame.payload, frame.payload_bytes);
            continue;
        }
        int failed = take_other(client, &frame);
        if (failed < 0)
            return failed;
    }
    return messages;
}

/* What is left of a packet moves to the front, so that there is always room for the longest. */
static void make_room(struct rs_buffer *input)
{
    if (input->start == 0)
        return;
    memmove(input->bytes, input->bytes + input->start, input->end - input->start);
    input->end -= input->start;
    input->start = 0;
}

static int receive(struct rs_client *client, uint64_t now_ns)
{
    struct rs_buffer *input = &client->input;
    int messages = 0;
    for (int reads = 0; reads < READS_PER_SERVICE && client->fd >= 0; reads++) {
        make_room(input);
        size_t room = input->room - input->end;
        ssize_t got = client->line ? client->transport->receive(client->line, input->bytes + input->end, room)
                                   : recv(client->fd, input->bytes + input->end, room, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (got < 0)
            return rs_fail(client, RS_CLIENT_SYSTEM, errno, "receiving failed");
        if (got == 0)
            return rs_fail(client, RS_CLIENT_HUNG_UP, 0, "the exchange closed the connection");
        client->received_ns = now_ns;
        input->end += (uint32_t)got;
        int handled = take_frames(client);
        if (handled < 0)
            return handled;
        messages += handled;
        if ((size_t)got < room && !client->line) /* a line gives a record at a time */
            break;
    }
    return messages;
}

/* ---- both ---- */

static int beat(struct rs_client *client, uint64_t now_ns)
{
    if (client->sent_ns == 0)
        client->sent_ns = now_ns;
    if (now_ns > client->received_ns && now_ns - client->received_ns > client->silence_ns)
        return rs_fail(client, RS_CLIENT_SILENT, 0, "nothing came for %llu ms",
                       (unsigned long long)(client->silence_ns / 1000000u));
    if (client->state == RS_CLIENT_OPEN && now_ns > client->sent_ns &&
        now_ns - client->sent_ns >= client->heartbeat_ns) {
        if (client->output.start == client->output.end)
            rs_put_packet(client, SOUP_CLIENT_HEARTBEAT, NULL, 0);
        client->sent_ns = now_ns;
    }
    return 0;
}

int rs_client_service(struct rs_client *client, uint64_t now_ns)
{
    if (client->state == RS_CLIENT_CLOSED || client->state == RS_CLIENT_ENDED)
        return RS_CLIENT_STATE;
    if (now_ns == 0)
        now_ns = rs_clock_ns();
    if (client->state == RS_CLIENT_CONNECTING) {
        int failed = finish_connecting(client);
        if (failed < 0 || client->state == RS_CLIENT_CONNECTING)
            return failed < 0 ? failed : beat(client, now_ns);
    }
    int messages = receive(client, now_ns);
    if (messages < 0 || client->fd < 0)
        return messages;
    int failed = beat(client, now_ns);
    if (failed == 0)
        failed = rs_client_flush(client);
    return failed < 0 ? failed : messages;
}

int rs_client_poll_ms(const struct rs_client *client)
{
    if (client->fd < 0)
        return -1;
    uint64_t now_ns = rs_clock_ns();
    uint64_t due_ns = client->received_ns + client->silence_ns;
    uint64_t sent_ns = client->sent_ns ? client->sent_ns : now_ns;
    if (client->state == RS_CLIENT_OPEN && sent_ns + client->heartbeat_ns < due_ns)
        due_ns = sent_ns + client->heartbeat_ns;
    return due_ns > now_ns ? (int)((due_ns - now_ns + 999999u) / 1000000u) : 0;
}
