/*
 * A crowd: many clients in one process that log in, send heartbeats, read what comes, and do nothing else.
 *
 *   usage: crowd ADDRESS PORT PREFIX COUNT PASSWORD [--mute | --at-once]
 *
 * Logs in PREFIX00001 and on, each with a connection of its own, prints "ready", stays until its standard input ends,
 * and prints one JSON object. It looks each ten milliseconds at what has come, as ten thousand clients elsewhere would
 * take no more of this machine's cores. With --mute the clients that are logged in read nothing any more: the slow ones
 * of a test. With --at-once nobody waits for anybody to be let in: a storm of logins. Exit: 0 all of them logged in and
 * none was dropped.
 */
#include "base/units.h"
#include "env/clock.h"
#include "wire/soup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX    60000u
#define LOGINS_AT_ONCE 128u
#define LOOKED_AT_ONCE 256
#define SPARE_FILES    64u
#define LOOK_MS        5  /* while it logs in */
#define REST_MS        10 /* afterwards, between two looks */
#define LOGIN_NS       (60 * (uint64_t)NS_PER_SECOND)
#define HEARTBEAT_NS   ((uint64_t)NS_PER_SECOND)
#define RECEIVED_BYTES 65536

enum client_state { CLIENT_WAITS, CLIENT_IN, CLIENT_GONE };

struct crowd {
    struct sockaddr_in address;
    const char *prefix;
    const char *password;
    uint32_t count;
    bool mute;
    uint32_t logins_at_once;
    int poller;
    int *files;
    uint8_t *states;
    uint32_t begun; /* connected, and asked to be let in */
    uint32_t in;
    uint32_t gone;
    uint32_t beat_next;
    uint64_t beat_ns;
    uint64_t received_bytes;
    char why[160]; /* the first that was dropped or refused */
};

static void drop(struct crowd *crowd, uint32_t client, const char *why)
{
    if (crowd->gone == 0)
        snprintf(crowd->why, sizeof(crowd->why), "client %u: %s", client + 1, why);
    crowd->in -= crowd->states[client] == CLIENT_IN;
    crowd->states[client] = CLIENT_GONE;
    crowd->gone++;
    close(crowd->files[client]);
    crowd->files[client] = -1;
}

static bool begin(struct crowd *crowd, uint32_t client)
{
    uint8_t packet[SOUP_HEADER_BYTES + SOUP_LOGIN_REQUEST_BYTES];
    struct soup_login_request request = {.sequence_next = 1};
    char user[16];
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    crowd->files[client] = file;
    if (file < 0 || connect(file, (const struct sockaddr *)&crowd->address, sizeof(crowd->address)) != 0)
        return false;
    snprintf(user, sizeof(user), "%s%05u", crowd->prefix, client + 1);
    memset(request.user, ' ', sizeof(request.user));
    memset(request.session, ' ', sizeof(request.session));
    memset(request.password, ' ', sizeof(request.password));
    memcpy(request.user, user, strnlen(user, sizeof(request.user)));
    memcpy(request.password, crowd->password, strnlen(crowd->password, sizeof(request.password)));
    uint32_t bytes = soup_put_login_request(packet + SOUP_HEADER_BYTES, &request);
    soup_put_header(packet, SOUP_LOGIN_REQUEST, bytes);
    if (send(file, packet, SOUP_HEADER_BYTES + bytes, MSG_NOSIGNAL) != (ssize_t)(SOUP_HEADER_BYTES + bytes))
        return false;
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = client};
    return epoll_ctl(crowd->poller, EPOLL_CTL_ADD, file, &event) == 0;
}

/* The first packet says whether it is in; what follows is only counted. */
static void hear(struct crowd *crowd, uint32_t client)
{
    static uint8_t bytes[RECEIVED_BYTES];
    ssize_t count = recv(crowd->files[client], bytes, sizeof(bytes), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0) {
        drop(crowd, client, count == 0 ? "the gateway closed the connection" : strerror(errno));
        return;
    }
    crowd->received_bytes += (uint64_t)count;
    if (crowd->states[client] != CLIENT_WAITS)
        return;
    if (count < (ssize_t)SOUP_HEADER_BYTES || bytes[SOUP_LENGTH_BYTES] != SOUP_LOGIN_ACCEPTED) {
        drop(crowd, client, "not let in");
        return;
    }
    crowd->states[client] = CLIENT_IN;
    crowd->in++;
    if (crowd->mute)
        (void)epoll_ctl(crowd->poller, EPOLL_CTL_DEL, crowd->files[client], NULL);
}

/* Whether there may be more. */
static bool look(struct crowd *crowd, int wait_ms)
{
    struct epoll_event events[LOOKED_AT_ONCE];
    int count = epoll_wait(crowd->poller, events, LOOKED_AT_ONCE, wait_ms);
    for (int i = 0; i < count; i++)
        hear(crowd, events[i].data.u32);
    return count == LOOKED_AT_ONCE;
}

/* Each client once a second, a part of them at a time. */
static void beat(struct crowd *crowd)
{
    static const uint8_t packet[SOUP_HEADER_BYTES] = {0, 1, SOUP_CLIENT_HEARTBEAT};
    uint64_t now_ns = clock_monotonic_ns();
    uint64_t due = (now_ns - crowd->beat_ns) * crowd->count / HEARTBEAT_NS;
    if (due == 0)
        return;
    crowd->beat_ns = now_ns;
    for (uint64_t i = 0; i < due && i < crowd->count; i++) {
        uint32_t client = crowd->beat_next++ % crowd->count;
        if (crowd->states[client] == CLIENT_IN)
            (void)send(crowd->files[client], packet, sizeof(packet), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

static void log_in(struct crowd *crowd)
{
    uint64_t give_up_ns = clock_monotonic_ns() + LOGIN_NS;
    while (crowd->in + crowd->gone < crowd->count && clock_monotonic_ns() < give_up_ns) {
        while (crowd->begun < crowd->count && crowd->begun - crowd->in - crowd->gone < crowd->logins_at_once) {
            uint32_t client = crowd->begun++;
            if (!begin(crowd, client))
                drop(crowd, client, strerror(errno));
        }
        (void)look(crowd, LOOK_MS);
        beat(crowd);
    }
}

/* Rests until it is, or for a while. */
static bool told_to_end(void)
{
    char byte;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, REST_MS) > 0 && read(STDIN_FILENO, &byte, 1) <= 0;
}

static bool prepare(struct crowd *crowd)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_cur < crowd->count + SPARE_FILES) {
            fprintf(stderr, "crowd: %u clients need a limit of open files of %u (ulimit -n)\n", crowd->count,
                    crowd->count + SPARE_FILES);
            return false;
        }
    }
    crowd->poller = epoll_create1(EPOLL_CLOEXEC);
    crowd->files = calloc(crowd->count, sizeof(*crowd->files));
    crowd->states = calloc(crowd->count, sizeof(*crowd->states));
    crowd->beat_ns = clock_monotonic_ns();
    return crowd->poller >= 0 && crowd->files && crowd->states;
}

static void finish(struct crowd *crowd)
{
    free(crowd->files);
    free(crowd->states);
    if (crowd->poller >= 0)
        close(crowd->poller);
}

int main(int argc, char **argv)
{
    struct crowd crowd = {.address.sin_family = AF_INET, .poller = -1};
    bool mute = argc == 7 && strcmp(argv[6], "--mute") == 0;
    bool at_once = argc == 7 && strcmp(argv[6], "--at-once") == 0;
    if (argc != 6 && !mute && !at_once) {
        fprintf(stderr, "usage: crowd ADDRESS PORT PREFIX COUNT PASSWORD [--mute | --at-once]\n");
        return 64;
    }
    unsigned long port = strtoul(argv[2], NULL, 10);
    unsigned long count = strtoul(argv[4], NULL, 10);
    crowd.mute = mute;
    crowd.prefix = argv[3];
    crowd.password = argv[5];
    crowd.address.sin_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, argv[1], &crowd.address.sin_addr) != 1 || port == 0 || port > UINT16_MAX || count == 0 ||
        count > CLIENTS_MAX) {
        fprintf(stderr, "crowd: '%s', '%s' or '%s' will not do\n", argv[1], argv[2], argv[4]);
        return 64;
    }
    crowd.count = (uint32_t)count;
    crowd.logins_at_once = at_once ? crowd.count : LOGINS_AT_ONCE;
    if (!prepare(&crowd)) {
        finish(&crowd);
        return 1;
    }
    log_in(&crowd);
    uint32_t in = crowd.in;
    printf("ready\n");
    fflush(stdout);
    while (!told_to_end()) {
        while (look(&crowd, 0))
            ;
        beat(&crowd);
    }
    printf("{\"clients\": %u, \"logged_in\": %u, \"dropped\": %u, \"received_bytes\": %llu, \"why\": \"%s\"}\n",
           crowd.count, in, crowd.gone, (unsigned long long)crowd.received_bytes, crowd.why);
    finish(&crowd);
    return in == crowd.count && crowd.gone == 0 ? 0 : 1;
}
