/*
 * One question to ringside-admin. Where the connection is lost before the answer comes, the same question, with the
 * same number, is asked again until the time is over: it is not done twice (admin/admin.h, rule 3).
 */
#include "admin_cli.h"
#include "stage/stage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define AGAIN_US 100000

/* A connection; negative: errno. */
static int connect_to(const char *path, uint32_t timeout_s)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval timeout = {.tv_sec = (time_t)timeout_s};
    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        int code = -errno;
        close(fd);
        return code;
    }
    return fd;
}

/* 1: answered. 0: the connection is gone. -1: the time is over. */
static int exchange_packets(int fd, const struct admin_request *request, struct admin_reply *reply)
{
    if (send(fd, request, sizeof(*request), MSG_NOSIGNAL) != (ssize_t)sizeof(*request))
        return 0;
    ssize_t bytes = recv(fd, reply, sizeof(*reply), 0);
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR))
        return -1;
    return bytes == (ssize_t)sizeof(*reply) && reply->magic == ADMIN_MAGIC;
}

static int unreachable(const char *path, int code)
{
    fprintf(stderr, "ringside admin: no ringside-admin answers on %s (%s); is the exchange running, and with it?\n",
            path, strerror(-code));
    return code == -EACCES || code == -EPERM ? EXIT_ADMIN_DENIED : EXIT_ADMIN_UNREACHABLE;
}

int admin_ask(const struct config *config, const struct admin_request *request, uint32_t timeout_s,
              struct admin_reply *ret_reply)
{
    char path[CONFIG_TEXT_BYTES + 32];
    time_t deadline = time(NULL) + (time_t)timeout_s;
    bool sent = false;
    if (*config->admin_socket)
        snprintf(path, sizeof(path), "%s", config->admin_socket);
    else
        snprintf(path, sizeof(path), "%s/%s", config->exchange_rings_directory, ADMIN_SOCKET_NAME);
    do {
        int fd = connect_to(path, timeout_s);
        if (fd < 0 && !sent)
            return unreachable(path, fd);
        int answered = fd >= 0 ? exchange_packets(fd, request, ret_reply) : 0;
        if (fd >= 0)
            close(fd);
        sent = true;
        if (answered > 0)
            return EXIT_STAGE_OK;
        if (answered < 0)
            break;
        usleep(AGAIN_US);
    } while (time(NULL) <= deadline);
    fprintf(stderr,
            "ringside admin: no answer within %u s; it may have been done, the events and the log of ringside-admin "
            "tell\n",
            timeout_s);
    return EXIT_ADMIN_UNKNOWN;
}
