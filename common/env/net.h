/*
 * The network of the outside: TCP sockets that never wait, and pollers that tell which of them are ready. The real side
 * is the kernel's (net.c); the simulator puts another in its place with net_replace before any stage is opened.
 *
 * Rules
 *   1. Results are 0, a count or a descriptor, or a negative errno; -EAGAIN: not now. Nothing here waits.
 *   2. A poller is a descriptor itself: it can be in another poller, and a process can sleep on it.
 *   3. Pollers report again and again what stays ready (level-triggered). What they give back is the number that the
 *      descriptor was added with. A descriptor that is closed is in no poller any more.
 */
#ifndef RINGSIDE_ENV_NET_H
#define RINGSIDE_ENV_NET_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define NET_PEER_BYTES 48
#define NET_READY_MAX  64u /* of one poller_wait */

enum net_interest {
    NET_READABLE, /* bytes, an end or a failure to be received; a connection to be accepted; a poller with something */
    NET_WRITABLE, /* room for bytes, or a failure */
};

struct net_side {
    /* Listens on an IPv4 or IPv6 address. A descriptor, or a negative enum error_code. */
    int (*listen)(const char *address, uint16_t port, struct error *error);
    /* The next connection and, as text, where it is from. */
    int (*accept)(int listener, char peer[NET_PEER_BYTES]);
    int64_t (*receive)(int socket, void *to, size_t bytes); /* 0: the other side has ended its stream */
    int64_t (*send)(int socket, const void *from, size_t bytes);
    void (*finish)(int socket);    /* no more will be sent; what the other side sends is still received */
    void (*close)(int descriptor); /* accepts -1 */

    int (*poller_create)(void);
    int (*poller_add)(int poller, int descriptor, enum net_interest interest, uint64_t number);
    int (*poller_remove)(int poller, int descriptor);
    /* The numbers of those that are ready, at most NET_READY_MAX. */
    int (*poller_look)(int poller, uint64_t numbers[], uint32_t max);
};

/* The side in use. */
const struct net_side *net(void);

/* Puts another side in use; NULL: the real one. Before anything is opened. */
void net_replace(const struct net_side *side);

#endif
