/*
 * Links between the persister and the simulated stores, each two streams of bytes as a socket has them, and what the
 * persister's epoll would say of them.
 *
 * Rules
 *   1. Bytes arrive in order, a part at a time, when the stores are moved. So many may be on their way to a store at
 * most.
 *   2. Who dies or hangs up leaves what it had sent on its way: the other side reads it, and then the end.
 *   3. Timers never go off, since a stage here is polled without waiting for one.
 */
#ifndef RINGSIDE_SIMULATOR_STORE_LINK_H
#define RINGSIDE_SIMULATOR_STORE_LINK_H

#include "process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_LINKS_MAX 32

enum store_side { SIDE_POSTGRES, SIDE_REDIS, SIDE_COUNT };

struct store_stream {
    uint8_t *bytes;
    size_t room;
    size_t head;    /* taken by the reader */
    size_t arrived; /* may be taken */
    size_t tail;    /* written */
};

struct store_link {
    bool used;
    bool client_open;
    bool server_open;
    enum store_side side;
    const struct process *owner;
    struct store_stream to_server;
    struct store_stream to_client;
};

/* No links. room: bytes that may be on their way to a store. */
void store_links_begin(uint32_t room);
void store_links_end(void);

struct store_link *store_link_at(uint32_t index);
uint32_t store_link_index(const struct store_link *link);

/* A process is gone, and with it its ends. */
void store_links_forget(const struct process *process);

/* ---- the client's end: descriptors ---- */

/* -1: there is no more room for one. */
int store_link_open(enum store_side side);
struct store_link *store_link_of(int descriptor);
void store_link_hang_up(int descriptor);

/* As a socket: bytes taken, 0: none now, -1: the other side is gone. */
int64_t store_link_send(struct store_link *link, const void *from, size_t bytes);
/* Bytes read, 0: none now, -1: the end. */
int64_t store_link_receive(struct store_link *link, void *to, size_t max);

/* ---- the server's end ---- */

/* Lets some, or all, of what is on its way on links of that side arrive. */
void store_links_move(enum store_side side, bool whole);
void store_link_answer(struct store_link *link, const void *from, size_t bytes);
/* Hangs up; what the client had sent is not looked at any more. */
void store_link_drop(struct store_link *link);
/* All that the client sent is here, the last of it cut short perhaps, and no more will come. */
bool store_link_over(const struct store_link *link);

#endif
