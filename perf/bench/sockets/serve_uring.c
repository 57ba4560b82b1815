/*
 * The other way: io_uring, a multishot recv a socket into buffers that the kernel picks from a ring of provided ones,
 * and one send a socket that has something, all of a turn handed over and waited for by one system call. Completions
 * run in this thread alone (SINGLE_ISSUER, DEFER_TASKRUN), which is io_uring at its best.
 */
#include "perf/bench/sockets/sockets.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/mman.h>

#define ENTRIES      4096u
#define BUFFERS      1024u
#define BUFFER_BYTES 16384u
#define GROUP        1
#define SEND_FLAG    (UINT64_C(1) << 32) /* in the user data, beside the peer's index */

struct uring {
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    uint8_t *memory;
};

static size_t buffers_bytes(void)
{
    return BUFFERS * sizeof(struct io_uring_buf);
}

static bool buffers_open(struct uring *uring)
{
    void *ring = mmap(NULL, buffers_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uring->memory = malloc((size_t)BUFFERS * BUFFER_BYTES);
    if (ring == MAP_FAILED || !uring->memory)
        return false;
    uring->buffers = ring;
    struct io_uring_buf_reg registered = {
        .ring_addr = (uint64_t)(uintptr_t)ring, .ring_entries = BUFFERS, .bgid = GROUP};
    if (io_uring_register_buf_ring(&uring->ring, &registered, 0) < 0)
        return false;
    io_uring_buf_ring_init(uring->buffers);
    for (unsigned short i = 0; i < BUFFERS; i++)
        io_uring_buf_ring_add(uring->buffers, uring->memory + (size_t)i * BUFFER_BYTES, BUFFER_BYTES, i,
                              io_uring_buf_ring_mask(BUFFERS), i);
    io_uring_buf_ring_advance(uring->buffers, BUFFERS);
    return true;
}

static struct io_uring_sqe *entry(struct server *server, struct uring *uring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);
    while (!sqe) {
        server->served->calls++;
        io_uring_submit(&uring->ring);
        sqe = io_uring_get_sqe(&uring->ring);
    }
    return sqe;
}

static void listen_to(struct server *server, struct uring *uring, uint32_t index)
{
    struct io_uring_sqe *sqe = entry(server, uring);
    io_uring_prep_recv_multishot(sqe, server->peers[index].fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    io_uring_sqe_set_data64(sqe, index);
}

static void send_all(struct server *server, struct uring *uring)
{
    for (uint32_t i = 0; i < server->dirty_count; i++) {
        struct peer *peer = &server->peers[server->dirty[i]];
        peer->dirty = false;
        if (peer->sending_bytes > 0)
            continue; /* its completion sees to the rest */
        peer->sending_bytes = peer->output_tail - peer->output_head;
        struct io_uring_sqe *sqe = entry(server, uring);
        io_uring_prep_send(sqe, peer->fd, peer->output + peer->output_head, peer->sending_bytes, MSG_NOSIGNAL);
        io_uring_sqe_set_data64(sqe, server->dirty[i] | SEND_FLAG);
    }
    server->dirty_count = 0;
}

static void sent(struct server *server, uint32_t index, int result)
{
    struct peer *peer = &server->peers[index];
    peer->sending_bytes = 0;
    peer->output_head = result < 0 ? peer->output_tail : peer->output_head + (uint32_t)result;
    if (peer->output_head == peer->output_tail)
        peer->output_head = peer->output_tail = 0;
    else if (!peer->dirty)
        server->dirty[server->dirty_count++] = index;
    peer->dirty = peer->output_head != peer->output_tail;
}

static void received(struct server *server, struct uring *uring, const struct io_uring_cqe *cqe)
{
    uint32_t index = (uint32_t)cqe->user_data;
    if (cqe->res > 0) {
        unsigned short buffer = (unsigned short)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
        uint8_t *bytes = uring->memory + (size_t)buffer * BUFFER_BYTES;
        server_take(server, index, bytes, (uint32_t)cqe->res);
        io_uring_buf_ring_add(uring->buffers, bytes, BUFFER_BYTES, buffer, io_uring_buf_ring_mask(BUFFERS), 0);
        io_uring_buf_ring_advance(uring->buffers, 1);
    }
    bool ended = cqe->res == 0 || (cqe->res < 0 && cqe->res != -ENOBUFS && cqe->res != -EAGAIN);
    server->open -= ended;
    if (!ended && !(cqe->flags & IORING_CQE_F_MORE))
        listen_to(server, uring, index);
}

static void look(struct server *server, struct uring *uring)
{
    struct io_uring_cqe *cqes[LOOKED_AT_MAX];
    unsigned count = io_uring_peek_batch_cqe(&uring->ring, cqes, LOOKED_AT_MAX);
    for (unsigned i = 0; i < count; i++) {
        if (cqes[i]->user_data & SEND_FLAG)
            sent(server, (uint32_t)cqes[i]->user_data, cqes[i]->res);
        else
            received(server, uring, cqes[i]);
    }
    io_uring_cq_advance(&uring->ring, count);
}

void serve_by_uring(struct server *server)
{
    struct uring uring = {0};
    struct io_uring_params parameters = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                                  IORING_SETUP_CQSIZE,
                                         .cq_entries = 8 * ENTRIES};
    if (io_uring_queue_init_params(ENTRIES, &uring.ring, &parameters) < 0) {
        server->served->failed = true;
        return;
    }
    server->served->failed = !buffers_open(&uring);
    for (uint32_t i = 0; i < server->count; i++)
        listen_to(server, &uring, i);
    while (server->open > 0 && !server->served->failed) {
        server->served->calls++;
        int result = io_uring_submit_and_wait(&uring.ring, 1);
        server->served->failed = result < 0 && result != -EINTR && result != -EBUSY;
        look(server, &uring);
        send_all(server, &uring);
    }
    io_uring_queue_exit(&uring.ring);
    if (uring.buffers)
        munmap(uring.buffers, buffers_bytes());
    free(uring.memory);
}
