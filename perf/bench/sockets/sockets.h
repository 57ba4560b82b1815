/*
 * What the parts of `ringside bench sockets` share: a server that does with its sockets what the gateway does, in two
 * ways, and a client that loads it. Requests and answers have the size of an Enter Order and its answer, and the server
 * answers each request; nothing else is in it.
 */
#ifndef RINGSIDE_PERF_SOCKETS_H
#define RINGSIDE_PERF_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#define REQUEST_BYTES 50u /* packet header and Enter Order */
#define ANSWER_BYTES  67u /* packet header and Order Accepted */
#define OUTPUT_BYTES  65536u
#define LOOKED_AT_MAX 64 /* sockets, or completions, before answers are sent: as the gateway has it */

/* A connection, on the server's side. */
struct peer {
    int fd;
    uint32_t partial_bytes; /* of a request */
    uint32_t output_head;
    uint32_t output_tail;
    uint32_t sending_bytes; /* handed to the kernel, not done yet: sockets_uring.c */
    bool dirty;
    uint8_t output[OUTPUT_BYTES];
};

/* What a server leaves behind, in memory that both processes see. */
struct served {
    uint64_t requests;
    uint64_t calls; /* of the system */
    uint64_t processor_ns;
    bool failed; /* what is measured cannot be had on this machine */
};

struct server {
    struct peer *peers;
    uint32_t count;
    uint32_t open;
    uint32_t *dirty;
    uint32_t dirty_count;
    struct served *served;
};

/* Bytes have come: answers their requests, as far as there is room for the answers. */
void server_take(struct server *server, uint32_t index, const uint8_t *bytes, uint32_t count);

/* Serve until every peer has ended its stream. */
void serve_by_epoll(struct server *server);
void serve_by_uring(struct server *server);

#endif
