/* The gateway's way: one epoll_wait, one recv a ready socket, one send a socket that has something. */
#include "perf/bench/sockets/sockets.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES 32768

static void send_all(struct server *server)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < server->dirty_count; i++) {
        struct peer *peer = &server->peers[server->dirty[i]];
        ssize_t sent = send(peer->fd, peer->output + peer->output_head, peer->output_tail - peer->output_head,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        server->served->calls++;
        if (sent > 0)
            peer->output_head += (uint32_t)sent;
        bool gone = sent < 0 && errno != EAGAIN;
        peer->dirty = !gone && peer->output_head != peer->output_tail;
        if (peer->dirty)
            server->dirty[left++] = server->dirty[i];
        else
            peer->output_head = peer->output_tail = 0;
    }
    server->dirty_count = left;
}

static void receive(struct server *server, int poller, uint32_t index)
{
    static uint8_t buffer[READ_BYTES];
    struct peer *peer = &server->peers[index];
    ssize_t count = recv(peer->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    server->served->calls++;
    if (count > 0) {
        server_take(server, index, buffer, (uint32_t)count);
    } else if (count == 0 || errno != EAGAIN) {
        epoll_ctl(poller, EPOLL_CTL_DEL, peer->fd, NULL);
        server->open--;
    }
}

void serve_by_epoll(struct server *server)
{
    int poller = epoll_create1(EPOLL_CLOEXEC);
    for (uint32_t i = 0; i < server->count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, server->peers[i].fd, &event) < 0)
            server->served->failed = true;
    }
    while (server->open > 0 && !server->served->failed) {
        struct epoll_event events[LOOKED_AT_MAX];
        int count = epoll_wait(poller, events, LOOKED_AT_MAX, server->dirty_count > 0 ? 0 : -1);
        server->served->calls++;
        for (int i = 0; i < count; i++)
            receive(server, poller, events[i].data.u32);
        send_all(server);
    }
    close(poller);
}
