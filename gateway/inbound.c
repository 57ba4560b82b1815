/*
 * From bytes to the inbound ring. A socket's bytes are read into one buffer, which all sockets share, and decoded
 * straight into the slots of the ring; what is left of an unfinished frame goes to the connection.
 *
 * Rules
 *   1. When the ring is full, the rest of the buffer stays where it is and nothing is read until it is decoded: TCP
 * holds the clients. So at most one connection ever has undecoded frames, and no memory is needed for the others'.
 *   2. What the gateway owes the engine comes first: the ends of connections, in the order in which they ended, before
 * any later login. An ended connection waits in `logouts`, which cannot overflow: only connections whose login was
 *      published enter it, and no login is published before the queue is empty.
 *   3. A record is stamped with the time its bytes were read; one reading of the clock serves a batch. Records that
 *      are sampled (metrics/hops.h) have the time of their publishing beside it.
 */
#include "gateway_state.h"

#include "base/bytes.h"
#include "base/require.h"
#include "base/trace.h"
#include "env/clock.h"
#include "env/net.h"
#include "log/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REJECT_INVALID_SYMBOL 0x0017

int inbound_open(struct gateway *gateway, struct error *error)
{
    const struct config *config = gateway->config;
    gateway->input.buffer = malloc(READ_BYTES + config->gateway_frame_bytes_max);
    gateway->logouts = calloc(config->gateway_connections_max, sizeof(*gateway->logouts));
    if (!gateway->input.buffer || !gateway->logouts)
        return error_system(error, ENOMEM, "gateway.connections_max", "no memory");
    return 0;
}

void inbound_close(struct gateway *gateway)
{
    free(gateway->input.buffer);
    free(gateway->logouts);
}

/* ---- commands ---- */

/* Where a command is from: the part of the record that no client can write. */
static inline void sign(const struct gateway *gateway, struct command *command)
{
    command->command_seq = 0;
    command->time_ns = 0;
    command->inbound_seq = gateway->producer.next;
    command->tenure = gateway->tenure;
    command->gateway = (uint8_t)gateway->gateway;
    command->shard = 0;
}

static inline void stamp(struct command *command, uint32_t received_ns_low, uint32_t published_ns_low)
{
    command->head.received_ns_low = received_ns_low;
    command->head.published_ns_low = published_ns_low;
}

struct command *inbound_claim(struct gateway *gateway, uint8_t kind)
{
    struct command *command = ring_claim(&gateway->producer);
    if (!command)
        return NULL;
    memset((uint8_t *)command + RECORD_HEAD_BYTES, 0, RECORD_BODY_BYTES);
    uint32_t now_ns_low = (uint32_t)clock_monotonic_ns();
    stamp(command, now_ns_low, now_ns_low);
    sign(gateway, command);
    command->kind = kind;
    return command;
}

void inbound_publish(struct gateway *gateway)
{
    ring_publish(&gateway->producer);
    gateway->counts.commands++;
}

void inbound_flush(struct gateway *gateway)
{
    ring_flush(&gateway->producer);
    TRACE2(gateway_publish, gateway->gateway, gateway->producer.next);
    run_ring_listeners(gateway->run);
}

/* ---- ends of connections ---- */

static void logout_queue(struct gateway *gateway, const struct connection *connection, char reason)
{
    uint32_t places = (uint32_t)gateway->config->gateway_connections_max;
    REQUIRE(gateway->logout_count < places);
    struct pending_logout *logout = &gateway->logouts[(gateway->logout_first + gateway->logout_count++) % places];
    logout->connection = connection->number;
    logout->session = connection->session.number;
    logout->reason = (uint8_t)reason;
    memcpy(logout->user, connection->login.user, USER_BYTES);
}

static int logouts_publish(struct gateway *gateway)
{
    int count = 0;
    while (gateway->logout_count > 0) {
        struct command *command = inbound_claim(gateway, COMMAND_LOGOUT);
        if (!command)
            break;
        const struct pending_logout *logout = &gateway->logouts[gateway->logout_first];
        command->session = logout->session;
        command->login.connection = logout->connection;
        command->login.reason = logout->reason;
        memcpy(command->login.user, logout->user, USER_BYTES);
        inbound_publish(gateway);
        gateway->logout_first = (gateway->logout_first + 1) % (uint32_t)gateway->config->gateway_connections_max;
        gateway->logout_count--;
        count++;
    }
    return count;
}

void inbound_forget(struct gateway *gateway, const struct connection *connection, char reason)
{
    if (gateway->input.connection == connection)
        gateway->input.count = 0;
    if (connection->login_published)
        logout_queue(gateway, connection, reason);
}

/* ---- decoding ---- */

/* false: that was one too many. */
static bool complain(struct gateway *gateway, struct connection *connection, const char *why, uint64_t now_ns)
{
    gateway->counts.complaints++;
    network_debug(gateway, connection, why);
    if (++connection->mistakes < gateway->config->gateway_mistakes_max)
        return true;
    gateway->counts.mistaken_closed++;
    network_debug(gateway, connection, "too many messages that cannot be understood");
    network_end(gateway, connection, 'D', "too many messages that cannot be understood (gateway.mistakes_max)", now_ns);
    return false;
}

/* A client's command stands in the slot: the last that it needs, and out. */
static inline void command_send(struct gateway *gateway, struct connection *connection, struct command *command,
                                const char *symbol, uint64_t now_ns)
{
    if (symbol) {
        uint32_t instrument = instruments_find(&gateway->instruments, symbol);
        if (LIKELY(instrument != 0))
            command->order.instrument = instrument;
        else if (command->kind == COMMAND_ENTER || memcmp(symbol, "        ", SYMBOL_BYTES) != 0)
            command_make_refused(command, REJECT_INVALID_SYMBOL);
    }
    if (UNLIKELY(connection->limited))
        limits_judge(gateway, connection, command, symbol, now_ns);
    uint32_t published_ns_low = gateway->input.received_ns_low;
    if (UNLIKELY(hop_sampled(&gateway->in_sampler, gateway->producer.next)))
        published_ns_low = counts_in(gateway);
    stamp(command, gateway->input.received_ns_low, published_ns_low);
    sign(gateway, command);
    inbound_publish(gateway);
}

/* false: nothing more of this connection can be decoded. */
static inline bool step_done(struct gateway *gateway, struct connection *connection, enum session_step step,
                             struct command *command, const struct session_result *result, uint64_t now_ns)
{
    switch (step) {
    case SESSION_COMMAND:
        command_send(gateway, connection, command, result->symbol, now_ns);
        return true;
    case SESSION_NOTHING:
        manners_heard(gateway, connection, now_ns);
        return true;
    case SESSION_COMPLAINT:
        return complain(gateway, connection, result->why, now_ns);
    case SESSION_LOGIN:
        login_asked(gateway, connection, &result->login, now_ns);
        return connection->state == CONNECTION_OPEN;
    case SESSION_LOGOUT:
        network_end(gateway, connection, 'L', "the client logged out", now_ns);
        return false;
    case SESSION_BROKEN:
        gateway->counts.broken++;
        network_debug(gateway, connection, result->why);
        network_end(gateway, connection, 'D', result->why, now_ns);
        return false;
    case SESSION_NEEDS_MORE:
    default:
        return false;
    }
}

/* What is left is the beginning of a frame: it waits with the connection. */
static void partial_keep(struct gateway *gateway, struct connection *connection)
{
    struct gateway_input *input = &gateway->input;
    REQUIRE(input->count <= gateway->connections.partial_bytes_max);
    memcpy(connection->partial, input->buffer + input->offset, input->count);
    connection->partial_bytes = input->count;
    input->count = 0;
}

/* Decodes what the buffer holds, until it is used up or the ring is full. Returns the frames taken. */
static int decode(struct gateway *gateway, uint64_t now_ns)
{
    struct gateway_input *input = &gateway->input;
    struct connection *connection = input->connection;
    uint32_t frame_bytes_max = (uint32_t)gateway->config->gateway_frame_bytes_max;
    int frames = 0;
    while (input->count > 0) {
        struct command *command = ring_claim(&gateway->producer);
        if (UNLIKELY(!command)) {
            gateway->stalled = true;
            gateway->counts.stalls++;
            return frames;
        }
        struct session_result result;
        enum session_step step = session_take(&connection->session, frame_bytes_max, input->buffer + input->offset,
                                              input->count, command, &result);
        if (step == SESSION_NEEDS_MORE) {
            partial_keep(gateway, connection);
            break;
        }
        input->offset += result.consumed;
        input->count -= result.consumed;
        frames++;
        if (!step_done(gateway, connection, step, command, &result, now_ns))
            break;
    }
    input->connection = NULL;
    input->count = 0;
    return frames;
}

int inbound_resume(struct gateway *gateway, uint64_t now_ns)
{
    int work = logouts_publish(gateway);
    if (!gateway->stalled)
        return work;
    gateway->stall_end_ns = now_ns; /* nobody is silent as long as nobody is heard */
    if (ring_free(&gateway->producer, INBOUND_WANTED) < INBOUND_WANTED)
        return work;
    gateway->stalled = false;
    if (gateway->input.count > 0)
        work += decode(gateway, now_ns);
    return work;
}

/* The start of an unfinished frame, then what the socket has. Returns what receive does. */
static int64_t bytes_take(struct gateway *gateway, struct connection *connection)
{
    struct gateway_input *input = &gateway->input;
    memcpy(input->buffer, connection->partial, connection->partial_bytes);
    int64_t count = connection_receive(connection, input->buffer + connection->partial_bytes, READ_BYTES);
    if (count <= 0)
        return count;
    gateway->counts.reads++;
    gateway->counts.bytes_in += (uint64_t)count;
    input->connection = connection;
    input->offset = 0;
    input->count = connection->partial_bytes + (uint32_t)count;
    input->received_ns_low = (uint32_t)clock_monotonic_ns();
    connection->partial_bytes = 0;
    return count;
}

int inbound_read(struct gateway *gateway, struct connection *connection, uint64_t now_ns)
{
    if (ring_free(&gateway->producer, INBOUND_WANTED) < INBOUND_WANTED) {
        gateway->stalled = true;
        gateway->counts.stalls++;
        return 0;
    }
    int64_t count = bytes_take(gateway, connection);
    if (count > 0) {
        connection->received_ns = now_ns;
        return decode(gateway, now_ns) + 1;
    }
    if (count == -EAGAIN || count == -EINTR)
        return 0;
    network_end(gateway, connection, 'D', count == 0 ? "the client closed it" : strerror((int)-count), now_ns);
    return 1;
}
