/* redis.address: host:port, [IPv6]:port, or the path of a socket. */
#ifndef RINGSIDE_PERSISTER_REDIS_ADDRESS_H
#define RINGSIDE_PERSISTER_REDIS_ADDRESS_H

#include "base/error.h"
#include "config/config.h"

struct redis_address {
    char host[CONFIG_TEXT_BYTES]; /* or the path */
    int port;                     /* 0: a path */
};

int redis_address_parse(struct redis_address *ret, const char *text, struct error *error);

#endif
