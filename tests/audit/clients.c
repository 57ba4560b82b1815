/*
 * The load of tests/chaos and tests/faults: users that keep a ledger of everything (client.h), in one thread.
 *
 * usage: ringside-audit-clients DIRECTORY PORT GATEWAYS USERS RATE SEED [calm]
 *
 *   1. RATE requests a second, all users together, as long as the exchange takes them; what it could not take while
 *      parts of it were away is not made up for. Rate 0: as fast as answers come.
 *   2. Now and then a user's connection breaks, or a user reads nothing for a while; not if calm. It comes back on any
 *      of the gateways, which listen on PORT and the ports behind it.
 *   3. At SIGTERM nothing new is asked. Each user then asks twice for an answer, the second time when everybody has had
 *      the first: somebody's earlier order may trade with another's after the first, but not after the second. So then
 *      each has been told everything; it logs in again from message 1 and compares all it was ever told. Then the
 *      counts are printed as JSON, and it ends with 0; with 1 at the first breach.
 *   4. The counts are also in DIRECTORY/progress while it runs, as the words of struct client_counts.
 */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define NS             UINT64_C(1000000000)
#define BURST_NS       (NS / 20) /* requests that may be made up for */
#define TROUBLE_NS     (NS / 2)  /* how often somebody has trouble */
#define REREAD_AT_ONCE 3
#define BARRIERS       2

struct load {
    struct client clients[CLIENT_USERS_MAX];
    uint32_t client_count;
    uint32_t next; /* whose turn it is */
    uint32_t rereading;
    uint64_t random;
    uint64_t rate;
    uint64_t credit_ns; /* time that requests may still be made for */
    uint64_t last_ns;
    uint64_t trouble_at_ns;
    uint64_t told_before;
    uint64_t told_at_ns;
    bool calm;
    uint32_t barriers_asked;
    struct client_counts *counts;
};

static volatile sig_atomic_t asked_to_end;

static void on_end(int signal)
{
    (void)signal;
    asked_to_end = 1;
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * NS + (uint64_t)time.tv_nsec;
}

static struct client_counts *progress_map(const char *directory)
{
    char path[512];
    snprintf(path, sizeof(path), "%.400s/progress", directory);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    void *map = MAP_FAILED;
    if (file >= 0 && ftruncate(file, sizeof(struct client_counts)) == 0)
        map = mmap(NULL, sizeof(struct client_counts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (map == MAP_FAILED) {
        perror(path);
        exit(1);
    }
    close(file);
    return map;
}

/* ---- what is asked ---- */

/* Requests that are due, a user in turn; nobody waits for one that cannot take any. */
static void ask_what_is_due(struct load *load)
{
    uint64_t each_ns = load->rate == 0 ? 0 : NS / load->rate;
    uint32_t unable = 0;
    uint32_t most = 4096;
    while (load->credit_ns >= each_ns && unable < load->client_count && most-- > 0) {
        struct client *client = &load->clients[load->next++ % load->client_count];
        if (!client_ready(client)) {
            unable++;
            continue;
        }
        unable = 0;
        client_ask(client);
        load->credit_ns -= each_ns;
    }
}

static void make_trouble(struct load *load, uint64_t now_ns)
{
    if (load->calm || now_ns < load->trouble_at_ns)
        return;
    load->trouble_at_ns = now_ns + TROUBLE_NS / 2 + client_below(&load->random, TROUBLE_NS);
    struct client *client = &load->clients[client_below(&load->random, load->client_count)];
    if (client_below(&load->random, 3) == 0)
        client->deaf_until_ns = now_ns + client_below(&load->random, (uint32_t)NS);
    else
        client_break(client, now_ns, client_below(&load->random, (uint32_t)NS / 4));
}

/* ---- phases ---- */

static bool all_settled(const struct load *load)
{
    for (uint32_t i = 0; i < load->client_count; i++)
        if (load->clients[i].unsettled_first != load->clients[i].unsettled_end)
            return false;
    return true;
}

static bool ask_barriers(struct load *load)
{
    for (uint32_t i = 0; i < load->client_count; i++)
        if (!client_ready(&load->clients[i]))
            return false;
    for (uint32_t i = 0; i < load->client_count; i++)
        client_ask_barrier(&load->clients[i]);
    return true;
}

/* A few at a time, so that nobody is silent for long. True: all are done. */
static bool reread(struct load *load, uint64_t now_ns)
{
    uint32_t done = 0;
    for (uint32_t i = 0; i < load->rereading; i++)
        done += client_reread_done(&load->clients[i]);
    while (load->rereading < load->client_count && load->rereading - done < REREAD_AT_ONCE)
        client_reread_begin(&load->clients[load->rereading++], now_ns);
    return done == load->client_count;
}

static void advance(struct load *load, uint64_t now_ns)
{
    switch ((enum client_phase)load->counts->phase) {
    case PHASE_LOAD:
        if (asked_to_end)
            load->counts->phase = PHASE_DRAIN;
        break;
    case PHASE_DRAIN:
        if (load->barriers_asked > 0 && !all_settled(load))
            break;
        if (load->barriers_asked == BARRIERS)
            load->counts->phase = PHASE_REREAD;
        else
            load->barriers_asked += ask_barriers(load);
        break;
    case PHASE_REREAD:
        if (reread(load, now_ns))
            load->counts->phase = PHASE_DONE;
        break;
    case PHASE_DONE:
        break;
    }
}

/* ---- the loop ---- */

static void count(struct load *load, uint64_t now_ns)
{
    struct client_counts *counts = load->counts;
    uint64_t unsettled = 0;
    uint64_t open = 0;
    for (uint32_t i = 0; i < load->client_count; i++) {
        unsettled += load->clients[i].unsettled_end - load->clients[i].unsettled_first;
        open += load->clients[i].state == CLIENT_OPEN;
    }
    counts->unsettled = unsettled;
    counts->open = open;
    if (counts->told != load->told_before || unsettled == 0) {
        load->told_before = counts->told;
        load->told_at_ns = now_ns;
    }
    if (now_ns - load->told_at_ns > counts->slowest_ns)
        counts->slowest_ns = now_ns - load->told_at_ns;
}

static void turn(struct load *load)
{
    struct pollfd files[CLIENT_USERS_MAX];
    for (uint32_t i = 0; i < load->client_count; i++) {
        const struct client *client = &load->clients[i];
        bool waits = client->state == CLIENT_CONNECTING || client->output_bytes > 0;
        bool hears = load->last_ns >= client->deaf_until_ns || asked_to_end;
        files[i] = (struct pollfd){.fd = client->fd, .events = (short)((hears ? POLLIN : 0) | (waits ? POLLOUT : 0))};
    }
    if (poll(files, load->client_count, 1) < 0 && errno != EINTR) {
        perror("poll");
        exit(1);
    }
    uint64_t now_ns = now();
    load->credit_ns += load->rate == 0 ? 0 : now_ns - load->last_ns;
    if (load->credit_ns > BURST_NS)
        load->credit_ns = BURST_NS;
    load->last_ns = now_ns;
    advance(load, now_ns);
    if (load->counts->phase == PHASE_LOAD) {
        make_trouble(load, now_ns);
        ask_what_is_due(load);
    }
    for (uint32_t i = 0; i < load->client_count; i++) {
        bool readable = (files[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
        if (files[i].fd == load->clients[i].fd || load->clients[i].fd < 0)
            client_service(&load->clients[i], readable, (files[i].revents & POLLOUT) != 0, now_ns);
    }
    count(load, now_ns);
}

static void print_counts(const struct client_counts *counts)
{
    printf(
        "{\"told\": %llu, \"asked\": %llu, \"orders\": %llu, \"answered\": %llu, \"executions\": %llu, "
        "\"reconnects\": %llu, \"resent\": %llu, \"told_again\": %llu, \"slowest_s\": %.3f, \"debug_packets\": %llu}\n",
        (unsigned long long)counts->told, (unsigned long long)counts->asked, (unsigned long long)counts->orders,
        (unsigned long long)counts->answered, (unsigned long long)counts->executions,
        (unsigned long long)counts->reconnects, (unsigned long long)counts->resent,
        (unsigned long long)counts->told_again, (double)counts->slowest_ns / NS,
        (unsigned long long)counts->debug_count);
}

static bool open_load(struct load *load, char **arguments)
{
    uint64_t users = strtoull(arguments[4], NULL, 10);
    if (users == 0 || users > CLIENT_USERS_MAX)
        return false;
    load->client_count = (uint32_t)users;
    load->rate = strtoull(arguments[5], NULL, 10);
    load->random = strtoull(arguments[6], NULL, 10);
    load->counts = progress_map(arguments[1]);
    for (uint32_t i = 0; i < load->client_count; i++) {
        struct client *client = &load->clients[i];
        client->number = i + 1;
        client->port = (uint16_t)strtoul(arguments[2], NULL, 10);
        client->port_count = (uint32_t)strtoul(arguments[3], NULL, 10);
        client->counts = load->counts;
        client->random = &load->random;
        snprintf(client->user, sizeof(client->user), "USER%02u", (i + 1) % 100);
        client_open(client, arguments[1]);
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct load load;
    const struct sigaction end = {.sa_handler = on_end};
    load.calm = argc == 8 && strcmp(argv[7], "calm") == 0;
    if ((argc != 7 && !load.calm) || !open_load(&load, argv)) {
        fprintf(stderr, "usage: ringside-audit-clients DIRECTORY PORT GATEWAYS USERS RATE SEED [calm]\n");
        return 64;
    }
    sigaction(SIGTERM, &end, NULL);
    load.last_ns = load.told_at_ns = now();
    while (load.counts->phase != PHASE_DONE)
        turn(&load);
    print_counts(load.counts);
    for (uint32_t i = 0; i < load.client_count; i++)
        client_finish(&load.clients[i]);
    return 0;
}
