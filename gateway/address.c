#include "address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS 96u /* of an IPv4 address's prefix */

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool address_parse(struct address *ret, const char *text)
{
    struct address address;
    if (inet_pton(AF_INET, text, address.bytes + sizeof(mapped)) == 1)
        memcpy(address.bytes, mapped, sizeof(mapped));
    else if (inet_pton(AF_INET6, text, address.bytes) != 1)
        return false;
    *ret = address;
    return true;
}

bool address_parse_peer(struct address *ret, const char *peer)
{
    char text[INET6_ADDRSTRLEN];
    const char *colon = strrchr(peer, ':');
    if (!colon || (size_t)(colon - peer) >= sizeof(text))
        return false;
    memcpy(text, peer, (size_t)(colon - peer));
    text[colon - peer] = '\0';
    return address_parse(ret, text);
}

/* The byte's bits that belong to a prefix. */
static uint8_t mask_of(uint32_t prefix_bits, uint32_t index)
{
    if (prefix_bits >= 8 * (index + 1))
        return 0xff;
    return prefix_bits <= 8 * index ? 0 : (uint8_t)(0xff00u >> (prefix_bits - 8 * index));
}

const char *address_range_parse(struct address_range *ret, const char *text)
{
    char address[INET6_ADDRSTRLEN];
    struct address_range range = {.prefix_bits = 128};
    size_t bytes = strcspn(text, "/");
    if (bytes >= sizeof(address))
        return "not an IP address";
    memcpy(address, text, bytes);
    address[bytes] = '\0';
    if (!address_parse(&range.first, address))
        return "not an IP address";
    if (text[bytes] == '/') {
        bool is_four = !strchr(address, ':');
        char *end = NULL;
        unsigned long bits = strtoul(text + bytes + 1, &end, 10);
        if (text[bytes + 1] < '0' || text[bytes + 1] > '9' || *end != '\0' || bits > (is_four ? 32u : 128u))
            return "behind the / is a number of bits, at most 32 of IPv4 and 128 of IPv6";
        range.prefix_bits = (uint32_t)bits + (is_four ? MAPPED_BITS : 0);
    }
    for (uint32_t i = 0; i < sizeof(range.first.bytes); i++) {
        if (range.first.bytes[i] & (uint8_t)~mask_of(range.prefix_bits, i))
            return "the address has bits behind the prefix: a range is written by its first address";
    }
    *ret = range;
    return NULL;
}

bool address_in_range(const struct address *address, const struct address_range *range)
{
    for (uint32_t i = 0; i < sizeof(address->bytes); i++) {
        if ((address->bytes[i] ^ range->first.bytes[i]) & mask_of(range->prefix_bits, i))
            return false;
    }
    return true;
}

uint64_t address_host(const struct address *address)
{
    uint64_t halves[2];
    memcpy(halves, address->bytes, sizeof(halves));
    return halves[0] == 0 ? halves[1] : halves[0];
}
