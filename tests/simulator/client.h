/*
 * A simulated client: one user, whose ledger is what it was told, from one connection to the next.
 *
 *   AWAY --connect, login request--> ASKED --login accepted--> IN --end of whatever kind--> AWAY
 *
 * Rules
 *   1. Each message it is told is compared with what the witness knows to be acknowledged, and with what it was told
 *      under that number before. Numbers have no gaps.
 *   2. After a login it sends again, in order and under their numbers, what was not answered. An order must be answered
 *      once and only once.
 *   3. It may read slowly, send halves of frames, vanish, log out, ask for its messages from any earlier number, come
 *      back at another gateway.
 */
#ifndef RINGSIDE_SIMULATOR_CLIENT_H
#define RINGSIDE_SIMULATOR_CLIENT_H

#include "record/command.h"

#include <stdbool.h>
#include <stdint.h>

#define CLIENT_REQUESTS_MAX 512
#define CLIENT_BYTES        (1u << 16)

enum client_state { CLIENT_AWAY, CLIENT_ASKED, CLIENT_IN };

struct client_request {
    uint32_t user_ref;
    uint32_t bytes;
    bool must_be_answered;
    bool answered;
    uint8_t packet[176];
};

struct client {
    char user[USER_BYTES];
    enum client_state state;
    int link;
    uint32_t gateway_count;
    uint16_t port;
    bool slow;
    uint64_t asked_no;   /* of the login request */
    uint32_t message_no; /* that the next Sequenced Data packet has */
    bool spoiled;        /* it has sent what may swallow the next frames: it sends no more, and comes again */
    bool asks_no_more;   /* for what it knows: some of it is damaged where it would be told from */
    uint64_t sent_ns;

    uint32_t told_count; /* messages of the ledger */
    struct client_request requests[CLIENT_REQUESTS_MAX];
    uint32_t request_count;
    uint32_t request_limit;  /* as many it makes in all */
    uint32_t answered_below; /* requests before this one need no look */

    uint8_t output[CLIENT_BYTES];
    uint32_t output_count;
    uint8_t input[CLIENT_BYTES];
    uint32_t input_count;
};

/* Chances in a million, at each step of a client. */
struct client_manners {
    uint32_t vanish;
    uint32_t logout;
    uint32_t request;
    uint32_t garbage;
    uint32_t from_the_start; /* of a login: asks for all again */
};

void client_begin(struct client *client, uint32_t number, uint32_t gateway_count, uint16_t port,
                  uint32_t request_limit);

/* It vanishes, if it is there. */
void client_leave(struct client *client);

/* One step. */
void client_step(struct client *client, const struct client_manners *manners);

/* Everything asked is answered, and everything there is to be told has been. */
bool client_settled(const struct client *client);

/* At the end: every order was answered. */
void client_check(const struct client *client);

#endif
