/*
 * What members may do: a file in INI form beside the accounts, named by gateway.members. docs/gateway.md has its names.
 *
 *     [everyone]                      what holds for users whose own section says nothing else
 *     restricted = XYZ
 *     [user alice]
 *     addresses = 10.1.0.0/16
 *     orders_per_s = 500
 *
 * Rules
 *   1. A user without a section has what [everyone] says; a name that stands in neither has its default, no limit.
 *   2. Names that hold a list may be given several times and add up; others once a section. A user's own list takes the
 *      place of everyone's, but for `restricted`: what is restricted for everyone is so for each. Drop copies stand in
 *      sections of users only.
 *   3. A line that breaks a rule refuses the whole file, with its number.
 *
 * Allocates when read; nothing changes afterwards, so a new file is a new struct members.
 */
#ifndef RINGSIDE_GATEWAY_MEMBERS_H
#define RINGSIDE_GATEWAY_MEMBERS_H

#include "address.h"
#include "base/error.h"
#include "rate.h"
#include "record/command.h"

#include <stdbool.h>
#include <stdint.h>

#define MEMBERS_MAX 65536u

/* A part of one of the arrays that all users share. */
struct member_list {
    uint32_t first;
    uint32_t count;
};

/* A user, or a firm, that a drop copy watches. */
struct member_name {
    char name[USER_BYTES]; /* space-padded; of a firm FIRM_BYTES */
    bool is_firm;
};

struct member {
    char user[USER_BYTES]; /* space-padded; zeros: everyone */
    bool takes_over;       /* a second login gets the session, else it is refused */
    bool cancels;          /* its orders go when its connection ends, */
    uint32_t grace_ms;     /* so much later, unless it is back by then */
    bool is_limited;       /* orders have to be judged */
    uint32_t line;         /* of its section */
    uint32_t given;        /* names that its section has: bits in the order of the table in members.c */
    uint32_t orders_per_s, orders_burst;
    uint32_t symbol_orders_per_s, symbol_orders_burst;
    uint32_t same_orders_per_s, same_orders_burst;
    struct rate orders; /* the three above */
    struct rate symbol_orders;
    struct rate same_orders;
    uint32_t quantity_max;         /* of an order; 0: no limit */
    uint64_t notional_max;         /* price_ticks x shares; 0: no limit */
    struct member_list addresses;  /* may log in from; none: from anywhere */
    struct member_list firms;      /* may trade for; none: the account's */
    struct member_list restricted; /* may not be ordered, besides everyone's */
    struct member_list copied;     /* whom it watches; none: it is no drop copy (copies.h) */
    bool copies_orders;            /* it sees more than executions */
};

struct members {
    struct member everyone;
    struct member *users; /* in the order of their names */
    uint32_t count;
    struct address_range *addresses;
    uint32_t *firms;      /* 4 bytes of the name as they are */
    uint64_t *restricted; /* 8 bytes of the symbol as they are */
    struct member_name *copied;
    uint32_t address_count, firm_count, restricted_count, copied_count;
};

/* path "": no file, nobody has limits. takes_over: what second_login is where the file does not say. */
int members_open(struct members *members, const char *path, bool takes_over, struct error *error);
void members_close(struct members *members);

/* What holds for this user; never NULL. */
const struct member *member_find(const struct members *members, const char user[USER_BYTES]);

bool member_may_come_from(const struct members *members, const struct member *member, const char *peer);

/* Whether orders of this firm are allowed, for a user whose account is of `own` firm. */
bool member_has_firm(const struct members *members, const struct member *member, const char own[FIRM_BYTES],
                     const char firm[FIRM_BYTES]);

/* Whether there are firms besides the account's own, so that the engine has to take orders of any. */
bool member_has_other_firms(const struct members *members, const struct member *member, const char own[FIRM_BYTES]);

bool member_is_restricted(const struct members *members, const struct member *member, const char symbol[SYMBOL_BYTES]);

#endif
