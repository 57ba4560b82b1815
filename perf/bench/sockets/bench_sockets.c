/*
 * epoll beside io_uring under the gateway's pattern of messages: small requests on many connections, an answer to each,
 * answers of a turn sent together. What counts is the server's processor time a request, system calls included, for two
 * processes share the machine; requests a second say whether either holds the other up.
 *
 *     client, core 0 ---- N connections on the loopback, `window` requests without an answer on each ----> server, core
 * 1
 *
 * Both ways serve every shape in turn, `--rounds` times; medians are printed. A round counts only if as many requests
 * were served as were sent, and every answer came.
 */
#include "perf/bench/sockets/bench_sockets.h"

#include "base/require.h"
#include "base/units.h"
#include "env/clock.h"
#include "perf/bench/sockets/sockets.h"
#include "perf/machine/cores.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS_MAX 15
#define WINDOW_MAX 256u

struct shape {
    uint32_t connections;
    uint32_t active; /* that send; the others are there */
    uint32_t window;
};

struct client {
    const struct shape *shape;
    int poller;
    int *fds;
    uint32_t *unread; /* bytes of an answer */
    uint64_t sent;
    uint64_t answered;
    uint64_t answered_in_time;
};

struct outcome {
    bool right;
    double requests_per_s;
    double processor_ns; /* of the server, a request */
    double calls;        /* of the system, a request */
};

/* ---- the server's process ---- */

void server_take(struct server *server, uint32_t index, const uint8_t *bytes, uint32_t count)
{
    static const uint8_t answer[ANSWER_BYTES] = {0, ANSWER_BYTES - 2, 'S', 'A'};
    struct peer *peer = &server->peers[index];
    uint32_t available = peer->partial_bytes + count;
    uint32_t requests = available / REQUEST_BYTES;
    peer->partial_bytes = available % REQUEST_BYTES;
    for (uint32_t i = 0; i < requests && peer->output_tail + ANSWER_BYTES <= OUTPUT_BYTES; i++) {
        memcpy(peer->output + peer->output_tail, answer, ANSWER_BYTES);
        peer->output[peer->output_tail + 4] = bytes[(size_t)i * REQUEST_BYTES]; /* each one is looked at */
        peer->output_tail += ANSWER_BYTES;
        server->served->requests++;
    }
    if (!peer->dirty && peer->output_tail > peer->output_head) {
        peer->dirty = true;
        server->dirty[server->dirty_count++] = index;
    }
}

static int server_run(int listener, uint32_t count, bool by_uring, struct served *served)
{
    struct server server = {.count = count, .open = count, .served = served};
    server.peers = calloc(count, sizeof(*server.peers));
    server.dirty = calloc(count, sizeof(*server.dirty));
    served->failed = !server.peers || !server.dirty;
    for (uint32_t i = 0; i < count && !served->failed; i++) {
        server.peers[i].fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        const int on = 1;
        served->failed =
            server.peers[i].fd < 0 || setsockopt(server.peers[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0;
    }
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    if (!served->failed)
        (by_uring ? serve_by_uring : serve_by_epoll)(&server);
    getrusage(RUSAGE_SELF, &after);
    served->processor_ns =
        (uint64_t)(after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_stime.tv_sec) *
        NS_PER_SECOND;
    served->processor_ns += (uint64_t)((after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec -
                                        before.ru_stime.tv_usec) *
                                       (int64_t)NS_PER_US);
    free(server.peers);
    free(server.dirty);
    return served->failed ? 1 : 0;
}

/* ---- the client ---- */

static bool client_send(struct client *client, uint32_t index, uint32_t requests)
{
    static uint8_t bytes[WINDOW_MAX * REQUEST_BYTES];
    size_t count = (size_t)requests * REQUEST_BYTES;
    client->sent += requests;
    return send(client->fds[index], bytes, count, MSG_NOSIGNAL) == (ssize_t)count;
}

static bool client_connect(struct client *client, const struct sockaddr_in *address)
{
    const int on = 1;
    for (uint32_t i = 0; i < client->shape->connections; i++) {
        client->fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (client->fds[i] < 0 || connect(client->fds[i], (const struct sockaddr *)address, sizeof(*address)) < 0)
            return false;
        setsockopt(client->fds[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        if (epoll_ctl(client->poller, EPOLL_CTL_ADD, client->fds[i], &event) < 0)
            return false;
    }
    return true;
}

/* Takes what has come on one connection; asks again as often as was answered, until the time is over. */
static bool client_turn(struct client *client, uint32_t index, bool over)
{
    static uint8_t buffer[WINDOW_MAX * ANSWER_BYTES];
    ssize_t count = recv(client->fds[index], buffer, sizeof(buffer), MSG_DONTWAIT);
    if (count <= 0)
        return count < 0 && errno == EAGAIN;
    uint32_t bytes = client->unread[index] + (uint32_t)count;
    uint32_t answers = bytes / ANSWER_BYTES;
    client->unread[index] = bytes % ANSWER_BYTES;
    client->answered += answers;
    client->answered_in_time += over ? 0 : answers;
    return over || answers == 0 || client_send(client, index, answers);
}

static bool client_run(struct client *client, double seconds)
{
    uint64_t end_ns = clock_monotonic_ns() + (uint64_t)(seconds * (double)NS_PER_SECOND);
    bool right = true;
    for (uint32_t i = 0; i < client->shape->active && right; i++)
        right = client_send(client, i, client->shape->window);
    while (right && client->answered < client->sent) {
        struct epoll_event events[LOOKED_AT_MAX];
        int count = epoll_wait(client->poller, events, LOOKED_AT_MAX, 5000);
        bool over = clock_monotonic_ns() >= end_ns;
        right = count > 0;
        for (int i = 0; i < count && right; i++)
            right = client_turn(client, events[i].data.u32, over);
    }
    return right;
}

static bool client_load(const struct shape *shape, const struct sockaddr_in *address, double seconds,
                        struct client *client)
{
    *client = (struct client){.shape = shape, .poller = epoll_create1(EPOLL_CLOEXEC)};
    client->fds = calloc(shape->connections, sizeof(*client->fds));
    client->unread = calloc(shape->connections, sizeof(*client->unread));
    bool right = client->fds && client->unread && client_connect(client, address) && client_run(client, seconds);
    for (uint32_t i = 0; client->fds && i < shape->connections; i++) {
        if (client->fds[i] > 0)
            close(client->fds[i]);
    }
    close(client->poller);
    free(client->fds);
    free(client->unread);
    return right;
}

/* ---- rounds ---- */

static int listen_somewhere(struct sockaddr_in *address)
{
    socklen_t bytes = sizeof(*address);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool listens = listener >= 0 && bind(listener, (struct sockaddr *)address, bytes) == 0 &&
                   listen(listener, 4096) == 0 && getsockname(listener, (struct sockaddr *)address, &bytes) == 0;
    return listens ? listener : -1;
}

static struct outcome round_run(const struct shape *shape, bool by_uring, double seconds, struct served *served)
{
    struct sockaddr_in address;
    struct client client;
    struct outcome outcome = {0};
    *served = (struct served){0};
    int listener = listen_somewhere(&address);
    pid_t server = listener >= 0 ? fork() : -1;
    if (server == 0) {
        core_pin(1);
        _exit(server_run(listener, shape->connections, by_uring, served));
    }
    if (server < 0)
        return outcome;
    core_pin(0);
    int status = 1;
    bool right = client_load(shape, &address, seconds, &client);
    close(listener);
    right = waitpid(server, &status, 0) == server && status == 0 && right && served->requests == client.sent;
    if (!right || client.sent == 0)
        return outcome;
    return (struct outcome){.right = true,
                            .requests_per_s = (double)client.answered_in_time / seconds,
                            .processor_ns = (double)served->processor_ns / (double)client.sent,
                            .calls = (double)served->calls / (double)client.sent};
}

static int by_value(const void *one, const void *other)
{
    double difference = *(const double *)one - *(const double *)other;
    return difference < 0 ? -1 : difference > 0;
}

/* The median of each figure by itself. */
static struct outcome median(const struct outcome *outcomes, uint32_t count)
{
    struct outcome middle = {.right = true};
    double values[3][ROUNDS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        middle.right = middle.right && outcomes[i].right;
        values[0][i] = outcomes[i].requests_per_s;
        values[1][i] = outcomes[i].processor_ns;
        values[2][i] = outcomes[i].calls;
    }
    for (int which = 0; which < 3; which++)
        qsort(values[which], count, sizeof(double), by_value);
    middle.requests_per_s = values[0][count / 2];
    middle.processor_ns = values[1][count / 2];
    middle.calls = values[2][count / 2];
    return middle;
}

static bool shape_run(const struct shape *shape, uint32_t rounds, double seconds, bool json, struct served *served)
{
    static const char *const names[] = {"epoll", "io_uring"};
    struct outcome outcomes[2][ROUNDS_MAX];
    bool right = true;
    for (uint32_t round = 0; round < rounds; round++) {
        for (int way = 0; way < 2; way++)
            outcomes[way][round] = round_run(shape, way == 1, seconds, served);
    }
    for (int way = 0; way < 2; way++) {
        struct outcome middle = median(outcomes[way], rounds);
        right = right && middle.right;
        printf(json
                   ? "{\"connections\": %u, \"active\": %u, \"window\": %u, \"way\": \"%s\", \"requests_per_s\": %.0f, "
                     "\"server_ns_per_request\": %.0f, \"calls_per_request\": %.3f, \"complete\": %s}\n"
                   : "%6u connections, %6u active, %3u each  %-8s  %9.0f requests/s  %6.0f ns of the server each  "
                     "%.3f system calls each%s\n",
               shape->connections, shape->active, shape->window, names[way], middle.requests_per_s, middle.processor_ns,
               middle.calls, json ? (middle.right ? "true" : "false") : (middle.right ? "" : "  INCOMPLETE"));
    }
    fflush(stdout);
    return right;
}

static int usage(FILE *to, int code)
{
    fprintf(to,
            "usage: ringside bench sockets [--rounds N] [--seconds S] [--json]\n\n"
            "Serves 1, 100 and 10,000 connections by epoll, as the gateway does, and by io_uring (multishot receives\n"
            "into provided buffers), in turn, and prints the server's processor time a request beside the rate.\n");
    return code;
}

int bench_sockets_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"rounds", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    static const struct shape shapes[] = {{1, 1, 1},       {1, 1, 256},      {100, 100, 1},    {100, 100, 20},
                                          {10000, 100, 1}, {10000, 100, 20}, {10000, 10000, 1}};
    uint32_t rounds = 5;
    double seconds = 1;
    bool json = false;
    bool right = true;
    for (int code; (code = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (code == 'h')
            return usage(stdout, 0);
        if (code == 'r')
            rounds = (uint32_t)strtoul(optarg, NULL, 10);
        else if (code == 's')
            seconds = strtod(optarg, NULL);
        else if (code == 'j')
            json = true;
        else
            return usage(stderr, 2);
    }
    if (rounds < 1 || rounds > ROUNDS_MAX || !(seconds > 0) || optind < argc)
        return usage(stderr, 2);
    struct served *served = mmap(NULL, sizeof(*served), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (served == MAP_FAILED)
        return 1;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    for (size_t i = 0; i < ARRAY_COUNT(shapes); i++)
        right = shape_run(&shapes[i], rounds, seconds, json, served) && right;
    munmap(served, sizeof(*served));
    return right ? 0 : 1;
}
