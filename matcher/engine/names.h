/*
 * Names of fixed text to numbers given in order: users to sessions, symbols to instruments. Nothing is ever removed;
 * there are at least twice as many places as names. Off the path of an order.
 */
#ifndef RINGSIDE_ENGINE_NAMES_H
#define RINGSIDE_ENGINE_NAMES_H

#include "hash.h"

#include <stdint.h>

static inline uint32_t name_home(uint64_t name)
{
    return (uint32_t)(hash_fold(name ^ HASH_ODD_4, HASH_ODD_5) >> 20);
}

#endif
