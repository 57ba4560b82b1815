/*
 * Self-match prevention: whether two orders are of one owner as the taker's strategy sees it, and what it then does.
 * Capital letters look at the firm, small ones at the firm and the group.
 */
#ifndef RINGSIDE_ENGINE_SELF_MATCH_H
#define RINGSIDE_ENGINE_SELF_MATCH_H

#include "state.h"

static inline bool is_own(const struct taker *taker, const struct order *maker)
{
    uint8_t strategy = taker->terms.self_match;
    bool by_group = strategy >= 'a';
    return strategy != 0 && taker->terms.firm == maker->terms.firm &&
           (!by_group || taker->terms.group == maker->terms.group);
}

static inline bool self_match_ends_taker(uint8_t strategy)
{
    return strategy == 'W' || strategy == 'w';
}

static inline bool self_match_decrements(uint8_t strategy)
{
    return strategy == 'D' || strategy == 'd' || strategy == 'Y' || strategy == 'y';
}

#endif
