#include "connection.h"

#include "base/bytes.h"
#include "base/require.h"
#include "env/net.h"
#include "tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_BYTES ((size_t)4096)

/* What a connection that kept up has touched at most; the rest is given back to the machine when it ends. */
#define OUTPUT_KEPT_BYTES (16 * PAGE_BYTES)

int connections_open(struct connections *connections, uint32_t count_max, uint32_t output_bytes,
                     uint32_t partial_bytes_max, struct error *error)
{
    REQUIRE(count_max >= 1 && count_max < 1u << CONNECTION_INDEX_BITS);
    memset(connections, 0, sizeof(*connections));
    connections->count_max = count_max;
    connections->output_bytes = output_bytes & ~(uint32_t)(PAGE_BYTES - 1);
    connections->partial_bytes_max = (partial_bytes_max + 63) & ~63u;
    connections->memory_bytes =
        (uint64_t)count_max * ((uint64_t)connections->output_bytes + connections->partial_bytes_max);
    connections->all = calloc(count_max, sizeof(*connections->all));
    connections->look_ns = calloc(count_max, sizeof(*connections->look_ns));
    void *memory = mmap(NULL, connections->memory_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    connections->memory = memory == MAP_FAILED ? NULL : memory;
    if (!connections->all || !connections->look_ns || !connections->memory) {
        connections_close(connections);
        return error_system(error, ENOMEM, "gateway.connections_max", "no memory for %u connections", count_max);
    }
    uint8_t *partials = connections->memory + (uint64_t)count_max * connections->output_bytes;
    for (uint32_t i = 0; i < count_max; i++) {
        struct connection *connection = &connections->all[i];
        connection->fd = -1;
        connection->output = connections->memory + (uint64_t)i * connections->output_bytes;
        connection->partial = partials + (uint64_t)i * connections->partial_bytes_max;
        connection->free_next = i + 1 < count_max ? i + 1 : CONNECTION_NONE;
    }
    return 0;
}

void connections_close(struct connections *connections)
{
    if (!connections)
        return;
    for (uint32_t i = 0; connections->all && i < connections->count_max; i++) {
        tls_line_close(connections->all[i].tls);
        net()->close(connections->all[i].fd);
    }
    free(connections->look_ns);
    free(connections->all);
    if (connections->memory)
        munmap(connections->memory, connections->memory_bytes);
    memset(connections, 0, sizeof(*connections));
}

struct connection *connection_take(struct connections *connections, int fd)
{
    if (connections->free_first == CONNECTION_NONE)
        return NULL;
    struct connection *connection = &connections->all[connections->free_first];
    connections->free_first = connection->free_next;
    connections->count++;
    uint8_t *output = connection->output;
    uint8_t *partial = connection->partial;
    bool dirty = connection->dirty; /* the list that it is in may still hold it from its life before */
    memset(connection, 0, sizeof(*connection));
    connection->output = output;
    connection->partial = partial;
    connection->dirty = dirty;
    connection->fd = fd;
    uint32_t index = connection_index(connections, connection);
    connection->number = ++connections->taken_count << CONNECTION_INDEX_BITS | index;
    if (index >= connections->used_count)
        connections->used_count = index + 1;
    connections->look_ns[index] = 0;
    connection->state = CONNECTION_OPEN;
    connection->login_next = CONNECTION_NONE;
    return connection;
}

void connection_free(struct connections *connections, struct connection *connection)
{
    REQUIRE(connection->state != CONNECTION_FREE);
    tls_line_close(connection->tls);
    connection->tls = NULL;
    net()->close(connection->fd);
    if (connections->output_bytes > OUTPUT_KEPT_BYTES)
        (void)madvise(connection->output + OUTPUT_KEPT_BYTES, connections->output_bytes - OUTPUT_KEPT_BYTES,
                      MADV_DONTNEED);
    connection->fd = -1;
    connection->number = 0;
    connection->state = CONNECTION_FREE;
    connection->free_next = connections->free_first;
    connections->free_first = connection_index(connections, connection);
    connections->count--;
}

void connection_user(const struct connection *connection, char user[USER_BYTES + 1])
{
    text_trim(user, connection->login.user, USER_BYTES);
    for (; *user; user++) {
        if (*user <= ' ' || *user > '~')
            *user = '?';
    }
}

uint8_t *connection_room_made(struct connections *connections, struct connection *connection, uint32_t bytes,
                              uint32_t reserve)
{
    uint32_t waiting = connection->output_tail - connection->output_head;
    bool cheap = waiting <= connections->output_bytes / 4;
    if (!cheap || waiting + bytes + reserve > connections->output_bytes)
        return NULL;
    memmove(connection->output, connection->output + connection->output_head, waiting);
    connection->output_head = 0;
    connection->output_tail = waiting;
    return connection->output + waiting;
}

int64_t connection_receive(struct connection *connection, void *to, size_t bytes)
{
    if (UNLIKELY(connection->tls))
        return tls_line_receive(connection->tls, to, bytes);
    return net()->receive(connection->fd, to, bytes);
}

int connection_send(struct connection *connection, uint64_t now_ns)
{
    const uint8_t *from = connection->output + connection->output_head;
    uint32_t waiting = connection->output_tail - connection->output_head;
    if (waiting == 0 || connection->state == CONNECTION_SHAKING_HANDS)
        return 0;
    int64_t sent = UNLIKELY(connection->tls) ? tls_line_send(connection->tls, from, waiting)
                                             : net()->send(connection->fd, from, waiting);
    if (sent < 0) {
        if (sent != -EAGAIN && sent != -EINTR)
            return (int)sent;
        sent = 0;
    }
    if (sent > 0)
        connection->sent_ns = now_ns;
    connection->output_head += (uint32_t)sent;
    connection->blocked = connection->output_head != connection->output_tail;
    if (!connection->blocked) {
        connection->output_head = 0;
        connection->output_tail = 0;
    }
    return 0;
}
