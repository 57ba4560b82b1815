#include "store_link.h"

#include "base/require.h"
#include "random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#define LINK_FIRST  20000 /* descriptors; no real one is so high */
#define POLLER      (LINK_FIRST - 1)
#define TIMER       (LINK_FIRST - 2)
#define WATCHED_MAX 16

struct watch {
    int descriptor;
    uint32_t events;
    epoll_data_t data;
};

static struct store_link links[STORE_LINKS_MAX];
static struct watch watches[WATCHED_MAX];
static uint32_t watch_count;
static size_t stream_room;

/* ---- streams ------------------------------------------------------------------------------------------------------
 */

static void stream_put(struct store_stream *stream, const void *from, size_t bytes)
{
    if (bytes == 0)
        return;
    if (stream->head == stream->tail)
        stream->head = stream->arrived = stream->tail = 0;
    if (stream->tail + bytes > stream->room) {
        stream->room = 2 * (stream->tail + bytes);
        stream->bytes = process_outer_realloc(stream->bytes, stream->room);
    }
    memcpy(stream->bytes + stream->tail, from, bytes);
    stream->tail += bytes;
}

static void stream_move(struct store_stream *stream, bool whole)
{
    size_t waiting = stream->tail - stream->arrived;
    if (waiting > 0)
        stream->arrived += whole || random_below(4) != 0 ? waiting : random_below(waiting + 1);
}

static void stream_clear(struct store_stream *stream)
{
    stream->head = stream->arrived = stream->tail = 0;
}

/* ---- life ---------------------------------------------------------------------------------------------------------
 */

void store_links_begin(uint32_t room)
{
    stream_room = room;
    watch_count = 0;
    for (uint32_t i = 0; i < STORE_LINKS_MAX; i++)
        links[i].used = false;
}

void store_links_end(void)
{
    for (uint32_t i = 0; i < STORE_LINKS_MAX; i++) {
        free(links[i].to_server.bytes);
        free(links[i].to_client.bytes);
        links[i] = (struct store_link){0};
    }
}

struct store_link *store_link_at(uint32_t index)
{
    return &links[index];
}

uint32_t store_link_index(const struct store_link *link)
{
    return (uint32_t)(link - links);
}

static void release(struct store_link *link)
{
    link->used = link->client_open || link->server_open;
}

void store_links_forget(const struct process *process)
{
    for (uint32_t i = 0; i < STORE_LINKS_MAX; i++)
        if (links[i].used && links[i].client_open && links[i].owner == process)
            store_link_hang_up(LINK_FIRST + (int)i);
}

/* ---- the client's end ---------------------------------------------------------------------------------------------
 */

int store_link_open(enum store_side side)
{
    for (int i = 0; i < STORE_LINKS_MAX; i++) {
        struct store_link *link = &links[i];
        if (link->used)
            continue;
        link->used = link->client_open = link->server_open = true;
        link->side = side;
        link->owner = process_current;
        stream_clear(&link->to_server);
        stream_clear(&link->to_client);
        return LINK_FIRST + i;
    }
    return -1;
}

struct store_link *store_link_of(int descriptor)
{
    REQUIRE(descriptor >= LINK_FIRST && descriptor < LINK_FIRST + STORE_LINKS_MAX &&
            links[descriptor - LINK_FIRST].used);
    return &links[descriptor - LINK_FIRST];
}

void store_link_hang_up(int descriptor)
{
    struct store_link *link = store_link_of(descriptor);
    link->client_open = false;
    for (uint32_t i = 0; i < watch_count; i++)
        if (watches[i].descriptor == descriptor)
            watches[i--] = watches[--watch_count];
    release(link);
}

int64_t store_link_send(struct store_link *link, const void *from, size_t bytes)
{
    size_t held = link->to_server.tail - link->to_server.arrived;
    if (!link->server_open)
        return -1;
    size_t taken = held >= stream_room ? 0 : stream_room - held;
    taken = bytes < taken ? bytes : taken;
    if (taken > 1 && random_below(8) == 0)
        taken = 1 + random_below(taken);
    stream_put(&link->to_server, from, taken);
    return (int64_t)taken;
}

int64_t store_link_receive(struct store_link *link, void *to, size_t max)
{
    struct store_stream *stream = &link->to_client;
    size_t count = stream->arrived - stream->head;
    if (count == 0)
        return link->server_open || stream->arrived < stream->tail ? 0 : -1;
    count = count < max ? count : max;
    memcpy(to, stream->bytes + stream->head, count);
    stream->head += count;
    return (int64_t)count;
}

/* ---- the server's end ---------------------------------------------------------------------------------------------
 */

void store_links_move(enum store_side side, bool whole)
{
    for (uint32_t i = 0; i < STORE_LINKS_MAX; i++) {
        if (!links[i].used || links[i].side != side)
            continue;
        stream_move(&links[i].to_server, whole);
        stream_move(&links[i].to_client, whole);
    }
}

void store_link_answer(struct store_link *link, const void *from, size_t bytes)
{
    if (link->client_open)
        stream_put(&link->to_client, from, bytes);
}

void store_link_drop(struct store_link *link)
{
    link->server_open = false;
    release(link);
}

bool store_link_over(const struct store_link *link)
{
    return !link->client_open && link->to_server.arrived == link->to_server.tail;
}

/* ---- epoll and its timer, as the persister calls them -------------------------------------------------------------
 */

int __real_epoll_create1(int flags);
int __real_timerfd_create(int clock, int flags);
int __wrap_epoll_create1(int flags);
int __wrap_timerfd_create(int clock, int flags);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *wanted, struct itimerspec *before);
int __wrap_epoll_ctl(int poller, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_wait(int poller, struct epoll_event *events, int max, int timeout_ms);

int __wrap_epoll_create1(int flags)
{
    if (!process_current)
        return __real_epoll_create1(flags);
    watch_count = 0;
    return POLLER;
}

int __wrap_timerfd_create(int clock, int flags)
{
    return process_current ? TIMER : __real_timerfd_create(clock, flags);
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *wanted, struct itimerspec *before)
{
    (void)flags;
    (void)wanted;
    (void)before;
    REQUIRE(fd == TIMER);
    return 0;
}

static struct watch *watch_of(int fd)
{
    for (uint32_t i = 0; i < watch_count; i++)
        if (watches[i].descriptor == fd)
            return &watches[i];
    return NULL;
}

int __wrap_epoll_ctl(int poller, int operation, int fd, struct epoll_event *event)
{
    struct watch *watch = watch_of(fd);
    REQUIRE(poller == POLLER);
    if ((operation == EPOLL_CTL_ADD) != (watch == NULL)) {
        errno = watch ? EEXIST : ENOENT;
        return -1;
    }
    if (operation == EPOLL_CTL_DEL) {
        *watch = watches[--watch_count];
        return 0;
    }
    REQUIRE(watch_count < WATCHED_MAX);
    watch = watch ? watch : &watches[watch_count++];
    *watch = (struct watch){.descriptor = fd, .events = event->events, .data = event->data};
    return 0;
}

static uint32_t ready_events(const struct watch *watch)
{
    if (watch->descriptor < LINK_FIRST)
        return 0;
    const struct store_link *link = store_link_of(watch->descriptor);
    const struct store_stream *back = &link->to_client;
    bool is_over = !link->server_open && back->arrived == back->tail;
    uint32_t events = 0;
    if (back->arrived > back->head || is_over)
        events |= EPOLLIN;
    if (is_over || link->to_server.tail - link->to_server.arrived < stream_room)
        events |= EPOLLOUT;
    return (events & watch->events) | (is_over ? (uint32_t)EPOLLHUP : 0u);
}

int __wrap_epoll_wait(int poller, struct epoll_event *events, int max, int timeout_ms)
{
    int count = 0;
    REQUIRE(poller == POLLER && timeout_ms == 0);
    for (uint32_t i = 0; i < watch_count && count < max; i++) {
        uint32_t ready = ready_events(&watches[i]);
        if (ready != 0)
            events[count++] = (struct epoll_event){.events = ready, .data = watches[i].data};
    }
    return count;
}
