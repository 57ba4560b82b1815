#include "network.h"

#include "base/require.h"
#include "outside.h"
#include "random.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINKS_MAX      128
#define STREAM_BYTES   (1u << 16)
#define LISTENERS_MAX  4
#define POLLERS_MAX    16
#define WATCHED_MAX    256
#define LINK_FIRST     20000
#define LISTENER_FIRST 30000
#define POLLER_FIRST   31000
#define QUARTER        250000 /* in a million */

struct stream {
    uint32_t head;    /* first byte that was not received */
    uint32_t arrived; /* end of what can be received */
    uint32_t tail;    /* end of what was sent */
    bool finished;    /* nothing follows */
    bool broken;      /* and it did not end well */
    uint8_t bytes[STREAM_BYTES];
};

struct link {
    bool used;
    bool accepted;
    bool client_open;
    bool gateway_open;
    uint16_t port;
    struct stream to_gateway;
    struct stream to_client;
    const struct process *owner; /* the gateway's, once accepted */
};

struct listener {
    bool open;
    uint16_t port;
    const struct process *owner;
};

struct watched {
    int poller;
    int descriptor;
    enum net_interest interest;
    uint64_t number;
};

static struct link links[LINKS_MAX];
static struct listener listeners[LISTENERS_MAX];
static struct {
    bool open;
    const struct process *owner;
} pollers[POLLERS_MAX];
static struct watched watched[WATCHED_MAX];
static uint32_t watched_count;
static uint32_t stream_room;

/* ---- streams ------------------------------------------------------------------------------------------------------
 */

static uint32_t stream_space(struct stream *stream)
{
    if (stream->head > 0) {
        memmove(stream->bytes, stream->bytes + stream->head, stream->tail - stream->head);
        stream->arrived -= stream->head;
        stream->tail -= stream->head;
        stream->head = 0;
    }
    return stream->tail < stream_room ? stream_room - stream->tail : 0;
}

static uint32_t stream_put(struct stream *stream, const uint8_t *from, uint64_t bytes)
{
    uint32_t space = stream_space(stream);
    uint32_t count = bytes < space ? (uint32_t)bytes : space;
    if (count > 1 && random_chance(QUARTER))
        count = (uint32_t)random_between(1, count);
    memcpy(stream->bytes + stream->tail, from, count);
    stream->tail += count;
    return count;
}

static uint32_t stream_get(struct stream *stream, uint8_t *to, uint64_t max)
{
    uint32_t there = stream->arrived - stream->head;
    uint32_t count = max < there ? (uint32_t)max : there;
    if (count > 1 && random_chance(QUARTER))
        count = (uint32_t)random_between(1, count);
    memcpy(to, stream->bytes + stream->head, count);
    stream->head += count;
    return count;
}

static bool stream_over(const struct stream *stream)
{
    return stream->finished && stream->head == stream->tail;
}

static void stream_move(struct stream *stream, bool whole)
{
    uint32_t way = stream->tail - stream->arrived;
    if (way > 0)
        stream->arrived += whole ? way : (uint32_t)random_below(way + 1);
}

static void stream_finish(struct stream *stream, bool cut_off)
{
    if (stream->finished)
        return;
    stream->finished = true;
    stream->broken = cut_off;
    if (cut_off) /* what was on its way may never come */
        stream->tail -= (uint32_t)random_below(stream->tail - stream->arrived + 1);
}

void network_move(bool whole)
{
    for (uint32_t i = 0; i < LINKS_MAX; i++) {
        if (!links[i].used)
            continue;
        stream_move(&links[i].to_gateway, whole);
        stream_move(&links[i].to_client, whole);
    }
}

/* ---- links --------------------------------------------------------------------------------------------------------
 */

static void link_release(struct link *link)
{
    if (!link->client_open && (!link->gateway_open && (link->accepted || link->to_gateway.broken)))
        link->used = false;
}

static struct link *link_of(int descriptor)
{
    REQUIRE(descriptor >= LINK_FIRST && descriptor < LINK_FIRST + LINKS_MAX);
    struct link *link = &links[descriptor - LINK_FIRST];
    REQUIRE(link->used && link->gateway_open);
    return link;
}

static void unwatch(int descriptor)
{
    for (uint32_t i = 0; i < watched_count;)
        if (watched[i].descriptor == descriptor || watched[i].poller == descriptor)
            watched[i] = watched[--watched_count];
        else
            i++;
}

static void gateway_end_close(struct link *link, bool cut_off)
{
    unwatch(LINK_FIRST + (int)(link - links));
    /* Unread input resets the connection. */
    bool unread = link->to_gateway.head != link->to_gateway.tail;
    stream_finish(&link->to_client, cut_off || unread);
    stream_finish(&link->to_gateway, false);
    link->gateway_open = false;
    link_release(link);
}

/* ---- the gateways' side -------------------------------------------------------------------------------------------
 */

static int side_listen(const char *address, uint16_t port, struct error *error)
{
    process_kill_point("net: listen");
    for (int i = 0; i < LISTENERS_MAX; i++)
        if (listeners[i].open && listeners[i].port == port)
            return error_system(error, EADDRINUSE, address, "cannot listen");
    for (int i = 0; i < LISTENERS_MAX; i++) {
        if (listeners[i].open)
            continue;
        listeners[i] = (struct listener){.open = true, .port = port, .owner = process_current};
        return LISTENER_FIRST + i;
    }
    violation("more than %d listeners", LISTENERS_MAX);
}

static struct link *link_waiting(uint16_t port)
{
    for (uint32_t i = 0; i < LINKS_MAX; i++)
        if (links[i].used && !links[i].accepted && links[i].port == port)
            return &links[i];
    return NULL;
}

static int side_accept(int listener, char peer[NET_PEER_BYTES])
{
    process_kill_point("net: accept");
    if (listener < 0)
        return -EBADF;
    REQUIRE(listener >= LISTENER_FIRST && listeners[listener - LISTENER_FIRST].open);
    struct link *link = link_waiting(listeners[listener - LISTENER_FIRST].port);
    if (!link)
        return -EAGAIN;
    link->accepted = link->gateway_open = true;
    link->owner = process_current;
    snprintf(peer, NET_PEER_BYTES, "client:%d", (int)(link - links));
    process_kill_point("net: accepted");
    return LINK_FIRST + (int)(link - links);
}

static int64_t side_receive(int socket, void *to, size_t bytes)
{
    process_kill_point("net: receive");
    struct stream *stream = &link_of(socket)->to_gateway;
    if (stream->arrived > stream->head) {
        uint32_t count = stream_get(stream, to, bytes);
        process_kill_point("net: received");
        return count;
    }
    if (!stream_over(stream))
        return -EAGAIN;
    return stream->broken ? -ECONNRESET : 0;
}

static int64_t side_send(int socket, const void *from, size_t bytes)
{
    process_kill_point("net: send");
    struct link *link = link_of(socket);
    if (!link->client_open)
        return -EPIPE;
    uint32_t count = stream_put(&link->to_client, from, bytes);
    process_kill_point("net: sent");
    return count > 0 ? (int64_t)count : -EAGAIN;
}

static void side_finish(int socket)
{
    stream_finish(&link_of(socket)->to_client, false);
}

static void side_close(int descriptor)
{
    if (descriptor < 0)
        return;
    if (descriptor >= POLLER_FIRST) {
        pollers[descriptor - POLLER_FIRST].open = false;
        unwatch(descriptor);
    } else if (descriptor >= LISTENER_FIRST) {
        listeners[descriptor - LISTENER_FIRST].open = false;
        unwatch(descriptor);
    } else {
        gateway_end_close(link_of(descriptor), false);
    }
}

/* ---- pollers ------------------------------------------------------------------------------------------------------
 */

static int poller_create(void)
{
    for (int i = 0; i < POLLERS_MAX; i++) {
        if (pollers[i].open)
            continue;
        pollers[i].open = true;
        pollers[i].owner = process_current;
        return POLLER_FIRST + i;
    }
    return -EMFILE;
}

static int poller_add(int poller, int descriptor, enum net_interest interest, uint64_t number)
{
    for (uint32_t i = 0; i < watched_count; i++)
        if (watched[i].poller == poller && watched[i].descriptor == descriptor)
            return -EEXIST;
    REQUIRE(watched_count < WATCHED_MAX);
    watched[watched_count++] =
        (struct watched){.poller = poller, .descriptor = descriptor, .interest = interest, .number = number};
    return 0;
}

static int poller_remove(int poller, int descriptor)
{
    for (uint32_t i = 0; i < watched_count; i++)
        if (watched[i].poller == poller && watched[i].descriptor == descriptor) {
            watched[i] = watched[--watched_count];
            return 0;
        }
    return -ENOENT;
}

static bool link_ready(int descriptor, enum net_interest interest)
{
    struct link *link = link_of(descriptor);
    if (interest == NET_WRITABLE)
        return !link->client_open || stream_space(&link->to_client) > 0;
    return link->to_gateway.arrived > link->to_gateway.head || stream_over(&link->to_gateway);
}

static bool poller_ready(int poller)
{
    for (uint32_t i = 0; i < watched_count; i++)
        if (watched[i].poller == poller && watched[i].descriptor < LISTENER_FIRST &&
            link_ready(watched[i].descriptor, watched[i].interest))
            return true;
    return false;
}

static bool is_ready(const struct watched *one)
{
    if (one->descriptor >= POLLER_FIRST)
        return poller_ready(one->descriptor);
    if (one->descriptor >= LISTENER_FIRST)
        return link_waiting(listeners[one->descriptor - LISTENER_FIRST].port) != NULL;
    return link_ready(one->descriptor, one->interest);
}

static int poller_look(int poller, uint64_t numbers[], uint32_t max)
{
    uint32_t count = 0;
    uint32_t first = watched_count > 0 ? (uint32_t)random_below(watched_count) : 0;
    for (uint32_t i = 0; i < watched_count && count < max; i++) {
        const struct watched *one = &watched[(first + i) % watched_count];
        if (one->poller == poller && is_ready(one))
            numbers[count++] = one->number;
    }
    return (int)count;
}

/* ---- beginnings and ends ------------------------------------------------------------------------------------------
 */

static const struct net_side side = {
    .listen = side_listen,
    .accept = side_accept,
    .receive = side_receive,
    .send = side_send,
    .finish = side_finish,
    .close = side_close,
    .poller_create = poller_create,
    .poller_add = poller_add,
    .poller_remove = poller_remove,
    .poller_look = poller_look,
};

void network_begin(uint32_t room)
{
    REQUIRE(room <= STREAM_BYTES);
    for (uint32_t i = 0; i < LINKS_MAX; i++)
        links[i].used = false;
    memset(listeners, 0, sizeof(listeners));
    memset(pollers, 0, sizeof(pollers));
    watched_count = 0;
    stream_room = room;
    net_replace(&side);
}

void network_forget(const struct process *process)
{
    for (uint32_t i = 0; i < LISTENERS_MAX; i++) {
        if (!listeners[i].open || listeners[i].owner != process)
            continue;
        for (struct link *link; (link = link_waiting(listeners[i].port)) != NULL;) {
            link->accepted = true; /* the kernel had taken it */
            gateway_end_close(link, true);
        }
        listeners[i].open = false;
        unwatch(LISTENER_FIRST + (int)i);
    }
    for (uint32_t i = 0; i < LINKS_MAX; i++)
        if (links[i].used && links[i].gateway_open && links[i].owner == process)
            gateway_end_close(&links[i], true);
    for (uint32_t i = 0; i < POLLERS_MAX; i++)
        if (pollers[i].open && pollers[i].owner == process)
            side_close(POLLER_FIRST + (int)i);
}

/* ---- the clients' side --------------------------------------------------------------------------------------------
 */

static bool listened(uint16_t port)
{
    for (uint32_t i = 0; i < LISTENERS_MAX; i++)
        if (listeners[i].open && listeners[i].port == port)
            return true;
    return false;
}

static void stream_clear(struct stream *stream)
{
    stream->head = stream->arrived = stream->tail = 0;
    stream->finished = stream->broken = false;
}

int network_connect(uint16_t port)
{
    for (int i = 0; i < LINKS_MAX && listened(port); i++) {
        struct link *link = &links[i];
        if (link->used)
            continue;
        link->used = link->client_open = true;
        link->accepted = link->gateway_open = false;
        link->port = port;
        link->owner = NULL;
        stream_clear(&link->to_gateway);
        stream_clear(&link->to_client);
        return i;
    }
    return NETWORK_NONE;
}

uint32_t network_client_send(int link, const uint8_t *from, uint32_t bytes)
{
    struct stream *stream = &links[link].to_gateway;
    return stream->finished ? bytes : stream_put(stream, from, bytes); /* what nobody reads goes nowhere */
}

int64_t network_client_receive(int link, uint8_t *to, uint32_t max)
{
    struct stream *stream = &links[link].to_client;
    if (stream->arrived > stream->head)
        return stream_get(stream, to, max);
    return stream_over(stream) ? -1 : 0;
}

void network_client_close(int link, bool cut_off)
{
    struct link *closed = &links[link];
    closed->client_open = false;
    stream_finish(&closed->to_gateway, cut_off);
    stream_finish(&closed->to_client, true);
    link_release(closed);
}
