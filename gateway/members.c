/* What is asked of the members' settings once they are read (members_file.c). */
#include "members.h"

#include <stdlib.h>
#include <string.h>

void members_close(struct members *members)
{
    if (!members)
        return;
    free(members->users);
    free(members->addresses);
    free(members->firms);
    free(members->restricted);
    free(members->copied);
    memset(members, 0, sizeof(*members));
}

const struct member *member_find(const struct members *members, const char user[USER_BYTES])
{
    uint32_t first = 0;
    uint32_t end = members->count;
    while (first < end) {
        uint32_t middle = first + (end - first) / 2;
        int order = memcmp(members->users[middle].user, user, USER_BYTES);
        if (order == 0)
            return &members->users[middle];
        if (order < 0)
            first = middle + 1;
        else
            end = middle;
    }
    return &members->everyone;
}

bool member_may_come_from(const struct members *members, const struct member *member, const char *peer)
{
    struct address address;
    if (member->addresses.count == 0)
        return true;
    if (!address_parse_peer(&address, peer))
        return false;
    for (uint32_t i = 0; i < member->addresses.count; i++) {
        if (address_in_range(&address, &members->addresses[member->addresses.first + i]))
            return true;
    }
    return false;
}

static uint32_t firm_word(const char firm[FIRM_BYTES])
{
    uint32_t word;
    memcpy(&word, firm, sizeof(word));
    return word;
}

bool member_has_firm(const struct members *members, const struct member *member, const char own[FIRM_BYTES],
                     const char firm[FIRM_BYTES])
{
    if (member->firms.count == 0)
        return firm_word(own) == firm_word(firm);
    for (uint32_t i = 0; i < member->firms.count; i++) {
        if (members->firms[member->firms.first + i] == firm_word(firm))
            return true;
    }
    return false;
}

bool member_has_other_firms(const struct members *members, const struct member *member, const char own[FIRM_BYTES])
{
    for (uint32_t i = 0; i < member->firms.count; i++) {
        if (members->firms[member->firms.first + i] != firm_word(own))
            return true;
    }
    return false;
}

static bool list_has(const struct members *members, struct member_list list, uint64_t symbol)
{
    for (uint32_t i = 0; i < list.count; i++) {
        if (members->restricted[list.first + i] == symbol)
            return true;
    }
    return false;
}

bool member_is_restricted(const struct members *members, const struct member *member, const char symbol[SYMBOL_BYTES])
{
    uint64_t word;
    memcpy(&word, symbol, sizeof(word));
    return list_has(members, member->restricted, word) ||
           (member != &members->everyone && list_has(members, members->everyone.restricted, word));
}
