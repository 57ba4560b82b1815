/*
 * MessagePack, as much as the payloads need: arrays, integers, short text and nil, each in its shortest form, written
 * into a buffer of the caller. Each function returns the place behind what it wrote.
 *
 * No system calls, no allocation.
 */
#ifndef RINGSIDE_PERSISTER_ENCODE_PACK_H
#define RINGSIDE_PERSISTER_ENCODE_PACK_H

#include "base/bytes.h"

#include <stdint.h>

#define PACK_NIL          0xc0
#define PACK_UINT8        0xcc
#define PACK_UINT16       0xcd
#define PACK_UINT32       0xce
#define PACK_UINT64       0xcf
#define PACK_INT32        0xd2
#define PACK_ARRAY16      0xdc
#define PACK_ARRAY32      0xdd
#define PACK_FIX_ARRAY    0x90
#define PACK_FIX_TEXT     0xa0
#define PACK_INT_MAX      9  /* bytes of the longest integer */
#define PACK_TEXT_MAX     17 /* bytes of the longest text field with its head */
#define PACK_ARRAY32_HEAD 5

/* Arrays of up to 65,535 elements. */
static inline uint8_t *pack_array(uint8_t *at, uint32_t count)
{
    if (count < 16) {
        *at = (uint8_t)(PACK_FIX_ARRAY | count);
        return at + 1;
    }
    *at = PACK_ARRAY16;
    store_be16(at + 1, (uint16_t)count);
    return at + 3;
}

/* The head of an array in its long form, so that the count can be written when it is known. */
static inline uint8_t *pack_array32(uint8_t *at, uint32_t count)
{
    *at = PACK_ARRAY32;
    store_be32(at + 1, count);
    return at + PACK_ARRAY32_HEAD;
}

static inline uint8_t *pack_uint(uint8_t *at, uint64_t value)
{
    if (value < 128) {
        *at = (uint8_t)value;
        return at + 1;
    }
    if (value <= UINT8_MAX) {
        at[0] = PACK_UINT8;
        at[1] = (uint8_t)value;
        return at + 2;
    }
    if (value <= UINT16_MAX) {
        *at = PACK_UINT16;
        store_be16(at + 1, (uint16_t)value);
        return at + 3;
    }
    if (value <= UINT32_MAX) {
        *at = PACK_UINT32;
        store_be32(at + 1, (uint32_t)value);
        return at + 5;
    }
    *at = PACK_UINT64;
    store_be64(at + 1, value);
    return at + 9;
}

/* Prices: negative ones (an offset) are rare and take the 32-bit form. */
static inline uint8_t *pack_int(uint8_t *at, int32_t value)
{
    if (value >= 0)
        return pack_uint(at, (uint32_t)value);
    *at = PACK_INT32;
    store_be32(at + 1, (uint32_t)value);
    return at + 5;
}

/* A fixed field of at most 16 bytes, without its padding; printable ASCII alone, what is not becomes '?'. */
static inline uint8_t *pack_field(uint8_t *at, const char *field, size_t field_bytes)
{
    while (field_bytes > 0 && (field[field_bytes - 1] == ' ' || field[field_bytes - 1] == '\0'))
        field_bytes--;
    *at++ = (uint8_t)(PACK_FIX_TEXT | field_bytes);
    for (size_t i = 0; i < field_bytes; i++)
        *at++ = field[i] >= ' ' && field[i] <= '~' ? (uint8_t)field[i] : '?';
    return at;
}

/* A letter as a text of one byte; nil where there is none. */
static inline uint8_t *pack_letter(uint8_t *at, uint8_t letter)
{
    if (letter == 0) {
        *at = PACK_NIL;
        return at + 1;
    }
    at[0] = PACK_FIX_TEXT | 1;
    at[1] = letter >= ' ' && letter <= '~' ? letter : '?';
    return at + 2;
}

#endif
