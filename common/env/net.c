/* The kernel's sockets and epoll. */
#include "env/net.h"

#include "base/require.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096

/* ---- sockets ------------------------------------------------------------------------------------------------------
 */

/* Bytes of the address, or 0 if the text is none. */
static socklen_t address_parse(const char *text, uint16_t port, struct sockaddr_storage *address)
{
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        return sizeof(*four);
    }
    if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        return sizeof(*six);
    }
    return 0;
}

static int listen_at(const char *address, uint16_t port, struct error *error)
{
    struct sockaddr_storage parsed;
    char where[ERROR_WHERE_BYTES];
    snprintf(where, sizeof(where), "%.100s:%u", address, port);
    socklen_t bytes = address_parse(address, port, &parsed);
    if (bytes == 0)
        return error_set(error, ERROR_INVALID, "gateway.address", "%s is no IP address", address);
    int fd = socket(parsed.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_system(error, errno, where, "no socket");
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&parsed, bytes) < 0 || listen(fd, BACKLOG) < 0) {
        int code = error_system(error, errno, where, "cannot listen (gateway.address, gateway.port)");
        close(fd);
        return code;
    }
    return fd;
}

static void peer_describe(const struct sockaddr_storage *address, char peer[NET_PEER_BYTES])
{
    char text[INET6_ADDRSTRLEN] = "?";
    uint16_t port = 0;
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text));
        port = ntohs(four->sin_port);
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
        inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof(text));
        port = ntohs(six->sin6_port);
    }
    snprintf(peer, NET_PEER_BYTES, "%.39s:%u", text, port);
}

static int accept_one(int listener, char peer[NET_PEER_BYTES])
{
    struct sockaddr_storage address = {0};
    socklen_t bytes = sizeof(address);
    int fd = accept4(listener, (struct sockaddr *)&address, &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return -errno;
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    peer_describe(&address, peer);
    return fd;
}

static int64_t receive_some(int socket, void *to, size_t bytes)
{
    ssize_t count = recv(socket, to, bytes, MSG_DONTWAIT);
    return count < 0 ? -errno : count;
}

static int64_t send_some(int socket, const void *from, size_t bytes)
{
    ssize_t count = send(socket, from, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    return count < 0 ? -errno : count;
}

static void finish_sending(int socket)
{
    (void)shutdown(socket, SHUT_WR);
}

static void close_descriptor(int descriptor)
{
    if (descriptor >= 0)
        close(descriptor);
}

/* ---- pollers ------------------------------------------------------------------------------------------------------
 */

static int poller_create(void)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int poller_add(int poller, int descriptor, enum net_interest interest, uint64_t number)
{
    struct epoll_event event = {.events = interest == NET_WRITABLE ? EPOLLOUT : EPOLLIN, .data.u64 = number};
    return epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) < 0 ? -errno : 0;
}

static int poller_remove(int poller, int descriptor)
{
    return epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, NULL) < 0 ? -errno : 0;
}

static int poller_look(int poller, uint64_t numbers[], uint32_t max)
{
    struct epoll_event events[NET_READY_MAX];
    int count = epoll_wait(poller, events, max < NET_READY_MAX ? (int)max : (int)NET_READY_MAX, 0);
    for (int i = 0; i < count; i++)
        numbers[i] = events[i].data.u64;
    return count < 0 ? -errno : count;
}

/* ---- which one is in use ------------------------------------------------------------------------------------------
 */

static const struct net_side real_side = {
    .listen = listen_at,
    .accept = accept_one,
    .receive = receive_some,
    .send = send_some,
    .finish = finish_sending,
    .close = close_descriptor,
    .poller_create = poller_create,
    .poller_add = poller_add,
    .poller_remove = poller_remove,
    .poller_look = poller_look,
};

static const struct net_side *side_in_use = &real_side;

const struct net_side *net(void)
{
    return side_in_use;
}

void net_replace(const struct net_side *side)
{
    side_in_use = side ? side : &real_side;
}
