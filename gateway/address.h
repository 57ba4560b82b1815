/*
 * IP addresses and ranges of them. Pure. An IPv4 address is kept as the IPv6 address that maps it (::ffff:a.b.c.d), so
 * that a client is the same one whichever way it comes in, and a range is a prefix of 128 bits.
 */
#ifndef RINGSIDE_GATEWAY_ADDRESS_H
#define RINGSIDE_GATEWAY_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

struct address {
    uint8_t bytes[16];
};

struct address_range {
    struct address first; /* bits beyond the prefix are 0 */
    uint32_t prefix_bits; /* of 128 */
};

/* From "a.b.c.d" or an IPv6 address, or with ":port" behind it as the network gives it. false: it is none. */
bool address_parse(struct address *ret, const char *text);
bool address_parse_peer(struct address *ret, const char *peer);

/* NULL, or the rule that "address", or "address/bits", breaks. */
const char *address_range_parse(struct address_range *ret, const char *text);

/* What stands for one host: an IPv4 address, or the first 64 bits of an IPv6 one, whose host has the choice of the
 * rest. */
uint64_t address_host(const struct address *address);

bool address_in_range(const struct address *address, const struct address_range *range);

#endif
