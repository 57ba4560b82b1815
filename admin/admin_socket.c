/*
 * The socket: who connects is asked of the kernel once, at the beginning; each packet is one request, and until it is
 * answered no other of that client is read.
 */
#include "admin_state.h"

#include "log/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG      16
#define LISTENER_KEY UINT32_MAX

static int listen_at(const char *path, struct error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_system(error, errno, path, "no socket");
    (void)unlink(path); /* of an earlier life: the role's lock says that nobody else has it */
    /* Everybody may connect, and is told if he may not more; the directory is the first door. */
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || chmod(path, 0666) < 0 ||
        listen(fd, BACKLOG) < 0) {
        int code = error_system(error, errno, path, "cannot listen (admin.socket)");
        close(fd);
        return code;
    }
    return fd;
}

static int watch(int poller, int fd, uint32_t key)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = key};
    return epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

int admin_socket_open(struct admin *admin, struct error *error)
{
    const struct config *config = admin->config;
    const char *path = config->admin_socket;
    char made[CONFIG_TEXT_BYTES + 32];
    snprintf(made, sizeof(made), "%s/%s", config->exchange_rings_directory, ADMIN_SOCKET_NAME);
    if (*path == '\0')
        path = made;
    if (strlen(path) >= sizeof(admin->socket_path))
        return error_set(error, ERROR_INVALID, "admin.socket", "longer than %zu bytes", sizeof(admin->socket_path) - 1);
    int code = admin_peer_group_find(config->admin_group, &admin->group, error);
    if (code < 0)
        return code;
    admin->listener = listen_at(path, error);
    if (admin->listener < 0)
        return admin->listener;
    memcpy(admin->socket_path, path, strlen(path) + 1);
    admin->poller = epoll_create1(EPOLL_CLOEXEC);
    if (admin->poller < 0 || watch(admin->poller, admin->listener, LISTENER_KEY) < 0)
        return error_system(error, errno, path, "no poller");
    return 0;
}

void admin_socket_close(struct admin *admin)
{
    for (uint32_t i = 0; i < ADMIN_CLIENTS_MAX; i++)
        if (admin->clients[i].fd >= 0)
            close(admin->clients[i].fd);
    if (admin->poller >= 0)
        close(admin->poller);
    if (admin->listener >= 0)
        close(admin->listener);
    if (admin->socket_path[0] != '\0')
        (void)unlink(admin->socket_path);
}

/* ---- replies ---- */

void admin_socket_reply(struct admin *admin, uint32_t client, const struct admin_reply *reply)
{
    struct admin_reply sent = *reply;
    if (client == ADMIN_NOBODY || admin->clients[client].fd < 0)
        return;
    sent.magic = ADMIN_MAGIC;
    admin->clients[client].waits = false;
    if (send(admin->clients[client].fd, &sent, sizeof(sent), MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)sizeof(sent))
        log_warning("an operator's answer could not be sent; what was asked for is done or refused all the same");
}

void admin_socket_reply_text(struct admin *admin, uint32_t client, enum admin_status status, const char *text)
{
    struct admin_reply reply = {.status = status};
    snprintf(reply.text, sizeof(reply.text), "%s", text);
    admin_socket_reply(admin, client, &reply);
}

/* ---- clients ---- */

static void forget(struct admin *admin, uint32_t index)
{
    close(admin->clients[index].fd);
    admin->clients[index] = (struct admin_client){.fd = -1};
    for (uint64_t at = admin->pending_first; at != admin->pending_end; at++) {
        struct admin_pending *pending = &admin->pending[at & (ADMIN_PENDING_MAX - 1)];
        if (pending->client == index)
            pending->client = ADMIN_NOBODY;
    }
    if (admin->reload.client == index)
        admin->reload.client = ADMIN_NOBODY;
}

static uint32_t free_client(const struct admin *admin)
{
    for (uint32_t i = 0; i < ADMIN_CLIENTS_MAX; i++)
        if (admin->clients[i].fd < 0)
            return i;
    return ADMIN_NOBODY;
}

static void welcome(struct admin *admin)
{
    struct ucred peer;
    socklen_t bytes = sizeof(peer);
    int fd = accept4(admin->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    uint32_t index = free_client(admin);
    if (fd < 0)
        return;
    if (index == ADMIN_NOBODY || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) < 0 ||
        watch(admin->poller, fd, index) < 0) {
        close(fd);
        return;
    }
    struct admin_client *client = &admin->clients[index];
    *client = (struct admin_client){.fd = fd, .uid = peer.uid, .may = admin_peer_may(peer.uid, peer.gid, admin->group)};
    admin_peer_name(peer.uid, client->name);
}

static void deny(struct admin *admin, uint32_t index)
{
    char text[ADMIN_TEXT_BYTES];
    const struct admin_client *client = &admin->clients[index];
    admin->denied_count++;
    log_warning("refused: user %s (%u) may not administer", client->name, (unsigned)client->uid);
    snprintf(text, sizeof(text),
             "user %s (%u) may not administer this exchange: root may, the user it runs as, and members of admin.group",
             client->name, (unsigned)client->uid);
    admin_socket_reply_text(admin, index, ADMIN_DENIED, text);
}

static void take(struct admin *admin, uint32_t index, const struct admin_request *request, size_t bytes)
{
    if (bytes != sizeof(*request) || request->magic != ADMIN_MAGIC)
        admin_socket_reply_text(admin, index, ADMIN_INVALID, "not a request of this version of ringside admin");
    else if (!admin->clients[index].may)
        deny(admin, index);
    else if (request->verb == ADMIN_COMMAND)
        admin_request_take(admin, index, &request->command);
    else if (request->verb == ADMIN_RELOAD)
        admin_reload_begin(admin, index);
    else
        admin_socket_reply_text(admin, index, ADMIN_INVALID, "an unknown verb");
}

static void read_client(struct admin *admin, uint32_t index)
{
    struct admin_request request;
    struct admin_client *client = &admin->clients[index];
    ssize_t bytes = recv(client->fd, &request, sizeof(request), MSG_DONTWAIT | MSG_TRUNC);
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (bytes <= 0) {
        forget(admin, index);
        return;
    }
    if (client->waits) {
        admin_socket_reply_text(admin, index, ADMIN_BUSY, "the request before is not answered yet");
        return;
    }
    client->waits = true;
    take(admin, index, &request, (size_t)bytes);
}

int admin_socket_poll(struct admin *admin)
{
    struct epoll_event events[16];
    int count = epoll_wait(admin->poller, events, 16, 0);
    for (int i = 0; i < count; i++) {
        if (events[i].data.u32 == LISTENER_KEY)
            welcome(admin);
        else if (admin->clients[events[i].data.u32].fd >= 0)
            read_client(admin, events[i].data.u32);
    }
    return count > 0 ? count : 0;
}
