/* A client's life, its addresses and its output buffer. */
#include "client_state.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES_DEFAULT 262144u
#define INPUT_BYTES_MIN      (SOUP_LENGTH_BYTES + SOUP_LENGTH_MAX)
#define CARRIED_BYTES_MAX    16384u /* by one record of a transport */
#define OUTPUT_BYTES_MIN     1024u
#define BUFFER_BYTES_MAX     (1u << 30)
#define HEARTBEAT_MS_DEFAULT 1000u
#define SILENCE_MS_DEFAULT   15000u
#define LOGIN_TIMEOUT_MS_MAX 99999u

uint64_t rs_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int rs_fail(struct rs_client *client, enum rs_client_error code, int errno_value, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(client->why, sizeof(client->why), format, arguments);
    va_end(arguments);
    if (errno_value != 0 && written >= 0 && (size_t)written < sizeof(client->why))
        snprintf(client->why + written, sizeof(client->why) - (size_t)written, ": %s", strerror(errno_value));
    rs_client_close(client);
    return code;
}

/* ---- addresses ---- */

/* Resolves one "host:port" or "[host]:port" of `bytes` characters; NULL or what is wrong with it. */
static const char *resolve(struct rs_address *address, const char *text, size_t bytes)
{
    char host[RS_HOST_BYTES];
    if (bytes >= sizeof(host))
        return "is too long";
    memcpy(host, text, bytes);
    host[bytes] = '\0';
    char *colon = strrchr(host, ':');
    if (!colon || colon == host || colon[1] == '\0')
        return "is not host:port";
    *colon = '\0';
    char *name = host;
    if (name[0] == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        name++;
    }
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(name, colon + 1, &hints, &found);
    if (failed != 0)
        return gai_strerror(failed);
    memcpy(&address->socket, found->ai_addr, found->ai_addrlen);
    address->bytes = found->ai_addrlen;
    freeaddrinfo(found);
    snprintf(address->host, sizeof(address->host), "%s", name);
    return NULL;
}

static bool resolve_all(struct rs_client *client, const char *addresses, char *why, size_t why_bytes)
{
    const char *at = addresses;
    while (at && *at) {
        size_t bytes = strcspn(at, ",");
        if (client->address_count == RS_ADDRESSES_MAX) {
            snprintf(why, why_bytes, "more than %d addresses", RS_ADDRESSES_MAX);
            return false;
        }
        const char *wrong = resolve(&client->addresses[client->address_count], at, bytes);
        if (wrong) {
            snprintf(why, why_bytes, "the address %.*s %s", (int)bytes, at, wrong);
            return false;
        }
        client->address_count++;
        at += bytes + (at[bytes] == ',');
    }
    if (client->address_count == 0)
        snprintf(why, why_bytes, "no address is given");
    return client->address_count > 0;
}

/* ---- life ---- */

static const char *options_wrong(const struct rs_client_options *options)
{
    if (!options->user || options->user[0] == '\0' || strlen(options->user) > SOUP_USER_BYTES)
        return "a user has 1 to 6 characters";
    if (!options->password || strlen(options->password) > SOUP_PASSWORD_BYTES)
        return "a password has at most 10 characters";
    if (options->session && strlen(options->session) > SOUP_SESSION_BYTES)
        return "a session has at most 10 characters";
    if (!options->on_message)
        return "on_message is missing";
    if (options->login_timeout_ms > LOGIN_TIMEOUT_MS_MAX)
        return "login_timeout_ms is at most 99999: the field has five digits";
    if (options->input_bytes != 0 &&
        (options->input_bytes < INPUT_BYTES_MIN || options->input_bytes > BUFFER_BYTES_MAX))
        return "the input buffer must hold the longest packet: 65537 bytes";
    if (options->transport && options->input_bytes != 0 && options->input_bytes < INPUT_BYTES_MIN + CARRIED_BYTES_MAX)
        return "the input buffer must hold the longest packet and a record of the transport: 81921 bytes";
    if (options->output_bytes != 0 &&
        (options->output_bytes < OUTPUT_BYTES_MIN || options->output_bytes > BUFFER_BYTES_MAX))
        return "the output buffer has at least 1024 bytes";
    return NULL;
}

static bool buffer_init(struct rs_buffer *buffer, uint32_t room)
{
    buffer->room = room != 0 ? room : BUFFER_BYTES_DEFAULT;
    buffer->bytes = malloc(buffer->room);
    return buffer->bytes != NULL;
}

void rs_name_session(struct rs_client *client, const char *session)
{
    size_t bytes = strlen(session);
    memset(client->login.session, ' ', SOUP_SESSION_BYTES);
    memcpy(client->login.session + SOUP_SESSION_BYTES - bytes, session, bytes);
}

static void take_options(struct rs_client *client, const struct rs_client_options *options)
{
    client->fd = -1;
    client->heartbeat_ns = 1000000u * (uint64_t)(options->heartbeat_ms ? options->heartbeat_ms : HEARTBEAT_MS_DEFAULT);
    client->silence_ns = 1000000u * (uint64_t)(options->silence_ms ? options->silence_ms : SILENCE_MS_DEFAULT);
    client->sequence_next = options->sequence_next;
    client->known_sequence = false;
    client->transport = options->transport;
    client->transport_context = options->transport_context;
    client->on_message = options->on_message;
    client->on_debug = options->on_debug;
    client->context = options->context;
    client->login.has_timeout = options->login_timeout_ms != 0;
    client->login.heartbeat_timeout_ms = options->login_timeout_ms;
    text_pad(client->login.user, SOUP_USER_BYTES, options->user);
    text_pad(client->login.password, SOUP_PASSWORD_BYTES, options->password);
    rs_name_session(client, options->session ? options->session : "");
}

struct rs_client *rs_client_create(const struct rs_client_options *options, char *why, size_t why_bytes)
{
    char unused[1];
    if (!why || why_bytes == 0) {
        why = unused;
        why_bytes = sizeof(unused);
    }
    const char *wrong = options_wrong(options);
    struct rs_client *client = wrong ? NULL : calloc(1, sizeof(*client));
    if (!client) {
        snprintf(why, why_bytes, "%s", wrong ? wrong : "no memory");
        return NULL;
    }
    take_options(client, options);
    if (!resolve_all(client, options->addresses, why, why_bytes)) {
        rs_client_destroy(client);
        return NULL;
    }
    if (!buffer_init(&client->output, options->output_bytes) || !buffer_init(&client->input, options->input_bytes)) {
        snprintf(why, why_bytes, "no memory for the buffers");
        rs_client_destroy(client);
        return NULL;
    }
    return client;
}

void rs_client_destroy(struct rs_client *client)
{
    if (!client)
        return;
    rs_client_close(client);
    free(client->output.bytes);
    free(client->input.bytes);
    explicit_bzero(client->login.password, sizeof(client->login.password));
    free(client);
}

void rs_client_close(struct rs_client *client)
{
    if (client->line)
        client->transport->close(client->line);
    if (client->fd >= 0)
        close(client->fd);
    client->line = NULL;
    client->fd = -1;
    if (client->state != RS_CLIENT_ENDED)
        client->state = RS_CLIENT_CLOSED;
    client->output.start = client->output.end = 0;
    client->input.start = client->input.end = 0;
}

void rs_client_restart(struct rs_client *client, uint64_t sequence_next)
{
    rs_client_close(client);
    client->state = RS_CLIENT_CLOSED;
    client->known_sequence = false;
    client->sequence_next = sequence_next;
    rs_name_session(client, "");
    client->session[0] = '\0';
}

/* ---- output ---- */

static uint8_t *reserve(struct rs_client *client, uint32_t bytes)
{
    struct rs_buffer *output = &client->output;
    if (output->room - output->end < bytes && output->start > 0) {
        memmove(output->bytes, output->bytes + output->start, output->end - output->start);
        output->end -= output->start;
        output->start = 0;
    }
    return output->room - output->end < bytes ? NULL : output->bytes + output->end;
}

bool rs_put_packet(struct rs_client *client, enum soup_packet_type type, const void *payload, uint32_t payload_bytes)
{
    uint8_t *packet = reserve(client, SOUP_HEADER_BYTES + payload_bytes);
    if (packet)
        client->output.end += soup_put_packet(packet, (uint8_t)type, payload, payload_bytes);
    return packet != NULL;
}

uint8_t *rs_client_reserve(struct rs_client *client, uint32_t message_bytes)
{
    if (client->state != RS_CLIENT_OPEN || message_bytes >= SOUP_LENGTH_MAX)
        return NULL;
    uint8_t *packet = reserve(client, SOUP_HEADER_BYTES + message_bytes);
    return packet ? packet + SOUP_HEADER_BYTES : NULL;
}

void rs_client_commit(struct rs_client *client, uint32_t message_bytes)
{
    soup_put_header(client->output.bytes + client->output.end, SOUP_UNSEQUENCED, message_bytes);
    client->output.end += SOUP_HEADER_BYTES + message_bytes;
}

int rs_client_send(struct rs_client *client, const void *message, uint32_t message_bytes)
{
    if (client->state != RS_CLIENT_OPEN)
        return RS_CLIENT_STATE;
    uint8_t *room = rs_client_reserve(client, message_bytes);
    if (!room)
        return RS_CLIENT_FULL;
    memcpy(room, message, message_bytes);
    rs_client_commit(client, message_bytes);
    return 0;
}

int rs_client_logout(struct rs_client *client)
{
    if (client->state != RS_CLIENT_OPEN)
        return RS_CLIENT_STATE;
    if (!rs_put_packet(client, SOUP_LOGOUT_REQUEST, NULL, 0))
        return RS_CLIENT_FULL;
    int left = rs_client_flush(client);
    return left < 0 ? left : 0;
}

/* ---- what a caller may know ---- */

int rs_client_fd(const struct rs_client *client)
{
    return client->fd;
}

short rs_client_events(const struct rs_client *client)
{
    if (client->state == RS_CLIENT_CONNECTING)
        return client->line && !client->line_wants_output ? POLLIN : POLLOUT;
    return client->output.start < client->output.end ? POLLIN | POLLOUT : POLLIN;
}

enum rs_client_state rs_client_state(const struct rs_client *client)
{
    return client->state;
}

uint64_t rs_client_sequence_next(const struct rs_client *client)
{
    return client->sequence_next;
}

uint64_t rs_client_sequence_first(const struct rs_client *client)
{
    return client->sequence_first;
}

const char *rs_client_session(const struct rs_client *client)
{
    return client->session;
}

const char *rs_client_why(const struct rs_client *client)
{
    return client->why;
}

size_t rs_client_pending(const struct rs_client *client)
{
    return client->output.end - client->output.start;
}

enum rs_client_refusal rs_client_refusal(const struct rs_client *client)
{
    return client->refusal;
}
