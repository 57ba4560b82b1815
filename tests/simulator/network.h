/*
 * The simulated network: links between clients and gateways, each two streams of bytes.
 *
 *   sender --> [ sent, on its way | arrived ] --> receiver
 *
 * Rules
 *   1. Bytes arrive in order, when network_move lets them: a part of what is on its way, so frames come in halves.
 *   2. A stream holds so many bytes at most; a sender whose stream is full is told to wait. Sends and receptions may be
 *      shorter than asked for.
 *   3. Who closes with a finish lets what is on its way arrive; who is cut off (a vanished client, a killed gateway)
 *      loses a part of it, and the other side learns of the end some time later.
 */
#ifndef RINGSIDE_SIMULATOR_NETWORK_H
#define RINGSIDE_SIMULATOR_NETWORK_H

#include "env/net.h"
#include "process.h"

#include <stdbool.h>
#include <stdint.h>

#define NETWORK_NONE (-1)

/* Puts an empty one in use; `room`: bytes that a stream holds at most. */
void network_begin(uint32_t room);

/* Lets some of what is on its way arrive; all of it if `whole`. */
void network_move(bool whole);

/* A process is gone, and with it its ends. */
void network_forget(const struct process *process);

/* ---- the clients' side ---- */

/* A link to the gateway of that port, or NETWORK_NONE. */
int network_connect(uint16_t port);
/* Bytes taken: from 0 to `bytes`. */
uint32_t network_client_send(int link, const uint8_t *from, uint32_t bytes);
/* Bytes that have arrived, 0: none now, -1: the stream has ended. */
int64_t network_client_receive(int link, uint8_t *to, uint32_t max);
/* The client's end goes: with a finish, or cut off. */
void network_client_close(int link, bool cut_off);

#endif
