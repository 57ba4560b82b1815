#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEARTBEAT_NS     UINT64_C(1000000000)
#define CONNECT_AGAIN_NS UINT64_C(20000000)
#define LOGIN_BYTES      46
#define PASSWORD         "SECRET    "

uint64_t client_random(uint64_t *random)
{
    uint64_t z = (*random += 0x9e3779b97f4a7c15u); /* splitmix64 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void breach(const struct client *client, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "BREACH %s, told %llu, asked up to order %u: ", client->user,
            (unsigned long long)client->told_count, client->user_ref_last);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    fflush(NULL); /* the ledgers say more */
    exit(1);
}

/* ---- life ---- */

static FILE *ledger_open(const char *directory, const char *user, const char *what, const char *mode)
{
    char path[512];
    snprintf(path, sizeof(path), "%.400s/%s.%s", directory, user, what);
    FILE *file = fopen(path, mode);
    if (!file) {
        perror(path);
        exit(1);
    }
    setvbuf(file, NULL, _IOFBF, CLIENT_BUFFER_BYTES);
    return file;
}

void client_open(struct client *client, const char *directory)
{
    client->fd = -1;
    client->asked = ledger_open(directory, client->user, "asked", "wb");
    client->told = ledger_open(directory, client->user, "told", "wb");
    client->reread = ledger_open(directory, client->user, "told", "rb");
    client->input = malloc(CLIENT_BUFFER_BYTES);
    client->output = malloc(CLIENT_BUFFER_BYTES);
    client->recent = calloc(CLIENT_RECENT_MAX, sizeof(*client->recent));
    client->unsettled = calloc(CLIENT_UNSETTLED_MAX, sizeof(*client->unsettled));
    void *orders = mmap(NULL, CLIENT_ORDERS_MAX * sizeof(*client->orders), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    client->orders = orders;
    if (orders == MAP_FAILED || !client->input || !client->output || !client->recent || !client->unsettled)
        breach(client, "no memory");
}

void client_finish(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    fclose(client->asked);
    fclose(client->told);
    fclose(client->reread);
    free(client->input);
    free(client->output);
    free(client->recent);
    free(client->unsettled);
    munmap(client->orders, CLIENT_ORDERS_MAX * sizeof(*client->orders));
}

void client_break(struct client *client, uint64_t now_ns, uint64_t pause_ns)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    client->state = CLIENT_CLOSED;
    client->connect_at_ns = now_ns + pause_ns;
    client->resend_next = client->unsettled_first;
}

void client_reread_begin(struct client *client, uint64_t now_ns)
{
    fflush(client->told);
    client_break(client, now_ns, 0);
    client->rereads = true;
}

/* ---- going out ---- */

void client_put(struct client *client, char type, const uint8_t *payload, size_t bytes)
{
    uint8_t *to = client->output + client->output_bytes;
    if (client->output_bytes + 3 + bytes > CLIENT_BUFFER_BYTES)
        breach(client, "no room in its output buffer");
    to[0] = (uint8_t)((bytes + 1) >> 8);
    to[1] = (uint8_t)(bytes + 1);
    to[2] = (uint8_t)type;
    memcpy(to + 3, payload, bytes);
    client->output_bytes += 3 + bytes;
}

static void log_in(struct client *client)
{
    char login[LOGIN_BYTES + 8];
    client->requested = client->told_count + 1;
    if (client->rereads) {
        client->requested = 1;
        client->reread_count = 0;
        rewind(client->reread);
    } else if (client->told_count > 0 && client_below(client->random, 4) == 0) {
        uint64_t kept = client->told_count < CLIENT_RECENT_MAX ? client->told_count : CLIENT_RECENT_MAX;
        client->requested -= 1 + client_below(client->random, (uint32_t)kept);
    }
    snprintf(login, sizeof(login), "%-6s%s%10s%20llu", client->user, PASSWORD, client->session,
             (unsigned long long)client->requested);
    client_put(client, 'L', (const uint8_t *)login, LOGIN_BYTES);
    client->state = CLIENT_ASKED;
}

static void begin_connection(struct client *client, uint64_t now_ns)
{
    const int one = 1;
    uint32_t port = client->port + client_below(client->random, client->port_count);
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    client->connect_at_ns = now_ns + CONNECT_AGAIN_NS;
    client->input_bytes = client->output_bytes = 0;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        breach(client, "no socket: %s", strerror(errno));
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    client->state = CLIENT_CONNECTING;
    if (connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) < 0 && errno != EINPROGRESS)
        client_break(client, now_ns, CONNECT_AGAIN_NS);
}

static void send_output(struct client *client, uint64_t now_ns)
{
    if (client->output_bytes == 0 || client->state < CLIENT_ASKED)
        return;
    ssize_t sent = send(client->fd, client->output, client->output_bytes, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        client_break(client, now_ns, CONNECT_AGAIN_NS);
    if (sent <= 0)
        return;
    memmove(client->output, client->output + sent, client->output_bytes - (size_t)sent);
    client->output_bytes -= (size_t)sent;
    client->sent_at_ns = now_ns;
}

/* ---- coming in ---- */

static void note_told(struct client *client, const uint8_t *message, size_t bytes)
{
    const uint8_t length[2] = {(uint8_t)bytes, 0};
    struct client_recent *recent = &client->recent[client->sequence_next % CLIENT_RECENT_MAX];
    recent->bytes = (uint8_t)bytes;
    memcpy(recent->message, message, bytes);
    if (fwrite(length, 1, 2, client->told) != 2 || fwrite(message, 1, bytes, client->told) != bytes)
        breach(client, "its ledger cannot be written");
    client->told_count++;
    client->counts->told++;
}

static void compare_recent(struct client *client, const uint8_t *message, size_t bytes)
{
    const struct client_recent *recent = &client->recent[client->sequence_next % CLIENT_RECENT_MAX];
    if (recent->bytes != bytes || memcmp(recent->message, message, bytes) != 0)
        breach(client, "message %llu is told again with other bytes", (unsigned long long)client->sequence_next);
    client->counts->told_again++;
}

static void compare_all(struct client *client, const uint8_t *message, size_t bytes)
{
    uint8_t before[2 + CLIENT_MESSAGE_MAX];
    size_t count = fread(before, 1, 2 + bytes, client->reread);
    if (count != 2 + bytes || before[0] != bytes || before[1] != 0 || memcmp(before + 2, message, bytes) != 0)
        breach(client, "at the end message %llu is not what it was", (unsigned long long)client->sequence_next);
    client->reread_count++;
    client->counts->told_again++;
}

static void take_sequenced(struct client *client, const uint8_t *message, size_t bytes)
{
    if (client->state != CLIENT_OPEN || bytes == 0 || bytes > CLIENT_MESSAGE_MAX)
        breach(client, "sequenced data of %zu bytes before the login is accepted, or too long", bytes);
    if (client->rereads && client->sequence_next <= client->told_count) {
        compare_all(client, message, bytes);
    } else if (client->rereads) {
        breach(client, "after everything was answered there is one more message");
    } else if (client->sequence_next <= client->told_count) {
        compare_recent(client, message, bytes);
    } else {
        note_told(client, message, bytes);
        client_take(client, message, bytes);
    }
    client->sequence_next++;
}

static void take_login_accepted(struct client *client, const uint8_t *payload, size_t bytes)
{
    char number[21] = {0};
    if (bytes != 30 || client->state != CLIENT_ASKED)
        breach(client, "a Login Accepted of %zu bytes, or a second one", bytes);
    memcpy(number, payload + 10, 20);
    client->sequence_next = strtoull(number, NULL, 10);
    if (client->sequence_next != client->requested)
        breach(client, "asked for message %llu, it is given from %llu on", (unsigned long long)client->requested,
               (unsigned long long)client->sequence_next);
    memcpy(client->session, payload, 10);
    client->counts->reconnects += client->was_in;
    client->was_in = true;
    client->state = CLIENT_OPEN;
    client->resend_next = client->unsettled_first;
}

static void take_packet(struct client *client, uint8_t type, const uint8_t *payload, size_t bytes)
{
    if (type == 'S')
        take_sequenced(client, payload, bytes);
    else if (type == 'A')
        take_login_accepted(client, payload, bytes);
    else if (type == 'J')
        breach(client, "its login is refused with %c", bytes > 0 ? payload[0] : '?');
    else if (type == '+')
        client->counts->debug_count++;
    else if (type != 'H')
        breach(client, "a packet of type %c", type);
    if (type == '+')
        fprintf(stderr, "%s is told: %.*s\n", client->user, (int)bytes, (const char *)payload);
}

static void take_input(struct client *client)
{
    size_t at = 0;
    while (client->input_bytes - at >= 3) {
        size_t length = (size_t)client->input[at] << 8 | client->input[at + 1];
        if (length == 0)
            breach(client, "a packet of length 0");
        if (client->input_bytes - at < 2 + length)
            break;
        take_packet(client, client->input[at + 2], client->input + at + 3, length - 1);
        at += 2 + length;
    }
    memmove(client->input, client->input + at, client->input_bytes - at);
    client->input_bytes -= at;
}

static void receive(struct client *client, uint64_t now_ns)
{
    size_t room = CLIENT_BUFFER_BYTES - client->input_bytes;
    ssize_t count = recv(client->fd, client->input + client->input_bytes, room, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0) {
        client_break(client, now_ns, CONNECT_AGAIN_NS);
        return;
    }
    client->input_bytes += (size_t)count;
    take_input(client);
}

static void finish_connecting(struct client *client, uint64_t now_ns)
{
    int error = 0;
    socklen_t bytes = sizeof(error);
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &bytes);
    if (error != 0)
        client_break(client, now_ns, CONNECT_AGAIN_NS);
    else
        log_in(client);
}

void client_service(struct client *client, bool readable, bool writable, uint64_t now_ns)
{
    if (client->state == CLIENT_CLOSED && now_ns >= client->connect_at_ns)
        begin_connection(client, now_ns);
    else if (client->state == CLIENT_CONNECTING && (readable || writable))
        finish_connecting(client, now_ns);
    else if (client->state >= CLIENT_ASKED && readable)
        receive(client, now_ns);
    if (client->state == CLIENT_OPEN && !client->rereads && client->resend_next < client->unsettled_end)
        client_resend(client);
    if (client->state == CLIENT_OPEN && client->output_bytes == 0 && now_ns - client->sent_at_ns > HEARTBEAT_NS)
        client_put(client, 'R', (const uint8_t *)"", 0);
    send_output(client, now_ns);
}
