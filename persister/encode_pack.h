/*
 * MessagePack, as much as the payloads need: arrays, integers, short text and nil, each in its shortest form, written
 * into a buffer of the caller. Each function returns the place behind what counts; up to PACK_INT_MAX or PACK_TEXT_MAX
 * bytes from its place on may be written, so a buffer has that much room behind its last value.
 *
 * No system calls, no allocation.
 */
#ifndef RINGSIDE_PERSISTER_ENCODE_PACK_H
#define RINGSIDE_PERSISTER_ENCODE_PACK_H

#include "base/bytes.h"
#include "base/require.h"

#include <emmintrin.h>
#include <stdint.h>
#include <string.h>

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

/* By the bytes that a number needs, 0 if it is below 128: those behind its head, and the head. */
static const struct {
    uint8_t bytes;
    uint8_t head; /* 0: the number is its own */
} pack_uint_forms[9] = {{0, 0},           {1, PACK_UINT8},  {2, PACK_UINT16}, {4, PACK_UINT32}, {4, PACK_UINT32},
                        {8, PACK_UINT64}, {8, PACK_UINT64}, {8, PACK_UINT64}, {8, PACK_UINT64}};

/* Without a branch: which form it takes is anybody's guess. */
ALWAYS_INLINE uint8_t *pack_uint(uint8_t *at, uint64_t value)
{
    uint32_t bits = 64 - (uint32_t)__builtin_clzll(value | 1);
    uint32_t needed = bits / 8 + (bits % 8 != 0 && bits > 8);
    uint32_t bytes = pack_uint_forms[needed].bytes;
    at[0] = (uint8_t)(pack_uint_forms[needed].head | (needed == 0 ? value : 0));
    uint32_t half_shift = 32 - 4 * bytes; /* the whole one may be 64, which C does not know */
    store_be64(at + 1, value << half_shift << half_shift);
    return at + 1 + bytes;
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

/* A field of at most 16 bytes, and zeros behind it; nothing beyond the field is read. */
static inline __m128i pack_field_load(const char *field, size_t field_bytes)
{
    uint64_t low = 0;
    uint64_t high = 0;
    memcpy(&low, field, field_bytes < 8 ? field_bytes : 8);
    if (field_bytes > 8) {
        memcpy(&high, field + field_bytes - 8, 8);
        high >>= 8 * (16 - field_bytes);
    }
    return _mm_set_epi64x((int64_t)high, (int64_t)low);
}

/*
 * A fixed field of at most 16 bytes, without its padding; printable ASCII alone, what is not becomes '?'. Writes
 * PACK_TEXT_MAX bytes, of which fewer may count.
 */
ALWAYS_INLINE uint8_t *pack_field(uint8_t *at, const char *field, size_t field_bytes)
{
    const __m128i space = _mm_set1_epi8(' ');
    __m128i text = pack_field_load(field, field_bytes);
    __m128i is_padding = _mm_or_si128(_mm_cmpeq_epi8(text, space), _mm_cmpeq_epi8(text, _mm_setzero_si128()));
    uint32_t kept = ~(uint32_t)_mm_movemask_epi8(is_padding) & 0xffff;
    uint32_t length = 31 - (uint32_t)__builtin_clz(kept << 1 | 1); /* up to the last byte that is none */
    __m128i is_odd = _mm_or_si128(_mm_cmplt_epi8(text, space), _mm_cmpeq_epi8(text, _mm_set1_epi8(0x7f)));
    __m128i shown = _mm_or_si128(_mm_andnot_si128(is_odd, text), _mm_and_si128(is_odd, _mm_set1_epi8('?')));
    at[0] = (uint8_t)(PACK_FIX_TEXT | length);
    _mm_storeu_si128((__m128i *)(void *)(at + 1), shown);
    return at + 1 + length;
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
