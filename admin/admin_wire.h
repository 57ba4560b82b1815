/*
 * What goes over the socket of ringside-admin: SOCK_SEQPACKET, one request a packet, one reply a packet, in this order,
 * one at a time. Both sides are of one build; magic and size tell if they are not.
 */
#ifndef RINGSIDE_ADMIN_WIRE_H
#define RINGSIDE_ADMIN_WIRE_H

#include "record/command.h"
#include "record/event.h"

#include <stdint.h>

#define ADMIN_MAGIC       0x31444152u /* "RAD1" */
#define ADMIN_SOCKET_NAME "admin.sock"
#define ADMIN_TEXT_BYTES  256

enum admin_verb {
    ADMIN_COMMAND = 1, /* kind, flags, user_ref (the request's number) and payload of command count */
    ADMIN_RELOAD = 2,  /* the configuration */
};

enum admin_status {
    ADMIN_ANSWERED = 0, /* acted says what came of it */
    ADMIN_RELOADED,     /* done and refused; acted is the first refusal, if there is one */
    ADMIN_INVALID,      /* text: the rule that the request breaks */
    ADMIN_DENIED,       /* text: why this user may not */
    ADMIN_BUSY,         /* text: with what; ask again */
    ADMIN_FAILED,       /* text */
};

struct admin_request {
    uint32_t magic;
    uint32_t verb; /* enum admin_verb */
    struct command command;
};

struct admin_reply {
    uint32_t magic;
    uint32_t status;   /* enum admin_status */
    uint32_t canceled; /* orders that went by it */
    uint32_t done;     /* of ADMIN_RELOADED */
    uint32_t refused;
    uint32_t trades; /* that an auction made */
    struct event acted;
    struct event told; /* the last event that tells a change: of an instrument, a firm, a day, a trade; kind 0: none */
    char text[ADMIN_TEXT_BYTES];
};

#endif
