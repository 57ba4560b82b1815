#include "perf/machine/echo.h"

#include "perf/machine/cores.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int loopback_pair(int *ret_near, int *ret_far)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int near = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int far = -1;
    if (listener >= 0 && near >= 0 && bind(listener, (struct sockaddr *)&address, bytes) == 0 &&
        listen(listener, 1) == 0 && getsockname(listener, (struct sockaddr *)&address, &bytes) == 0 &&
        connect(near, (struct sockaddr *)&address, bytes) == 0)
        far = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (listener >= 0)
        close(listener);
    if (far < 0) {
        if (near >= 0)
            close(near);
        return -1;
    }
    const int one = 1;
    setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(far, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    *ret_near = near;
    *ret_far = far;
    return 0;
}

_Noreturn static void send_back(int fd, int core)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (core != ECHO_ANY_CORE)
        core_pin((unsigned)core);
    char message[ECHO_BYTES];
    while (recv(fd, message, sizeof(message), MSG_WAITALL) == (ssize_t)sizeof(message))
        if (send(fd, message, sizeof(message), MSG_NOSIGNAL) != (ssize_t)sizeof(message))
            break;
    _exit(0);
}

int echo_open(struct echo *echo, int core)
{
    int far = -1;
    *echo = (struct echo){.fd = -1};
    if (loopback_pair(&echo->fd, &far) < 0)
        return -1;
    fflush(NULL);
    echo->process = fork();
    if (echo->process == 0) {
        close(echo->fd);
        send_back(far, core);
    }
    int failed = errno;
    close(far);
    if (echo->process < 0) {
        close(echo->fd);
        echo->fd = -1;
        errno = failed;
    }
    return echo->fd < 0 ? -1 : 0;
}

void echo_close(struct echo *echo)
{
    if (echo->fd < 0)
        return;
    close(echo->fd);
    echo->fd = -1;
    waitpid(echo->process, NULL, 0);
}
