/*
 * Fields of PostgreSQL's COPY BINARY form, written one after the other into a buffer of the caller.
 *
 * Rules
 *   1. A row is its number of fields (16 bits), then each field: its bytes (32 bits, -1 for NULL) and its value, all
 *      big-endian. The stream begins with COPY_HEADER and ends with COPY_TRAILER.
 *   2. A price is a `numeric`, exact: PostgreSQL counts in base 10,000 and a tick is a ten-thousandth, so the ticks'
 *      digits in that base are the value's digits, the last of them behind the point.
 *   3. A time is a `timestamptz`: microseconds since 2000-01-01. What is below stays in a bigint column beside it.
 *   4. Text that comes from outside holds printable ASCII alone; anything else becomes '?', so no byte that a client
 *      sends can be one that the server refuses.
 *   5. Each function writes at most COPY_FIELD_BYTES_MAX bytes and returns the place behind them.
 *
 * No system calls, no allocation.
 */
#ifndef RINGSIDE_PERSISTER_ENCODE_COPY_H
#define RINGSIDE_PERSISTER_ENCODE_COPY_H

#include "base/bytes.h"
#include "base/units.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define COPY_HEADER          "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
#define COPY_HEADER_BYTES    19
#define COPY_TRAILER         "\377\377"
#define COPY_TRAILER_BYTES   2
#define COPY_TEXT_BYTES_MAX  32
#define COPY_FIELD_BYTES_MAX (4 + COPY_TEXT_BYTES_MAX)

#define POSTGRES_EPOCH_DAYS 10957u                   /* 2000-01-01 in days since 1970-01-01 */
#define POSTGRES_EPOCH_US   INT64_C(946684800000000) /* 2000-01-01 in microseconds since 1970-01-01 */
#define NUMERIC_BASE        10000
#define NUMERIC_DIGITS      5 /* of the largest 64-bit number in base 10,000 */
#define NUMERIC_SCALE       4 /* decimal places shown */
#define NUMERIC_NEGATIVE    0x4000

static inline uint8_t *copy_row(uint8_t *at, uint16_t field_count)
{
    store_be16(at, field_count);
    return at + 2;
}

static inline uint8_t *copy_null(uint8_t *at)
{
    store_be32(at, UINT32_MAX);
    return at + 4;
}

static inline uint8_t *copy_bool(uint8_t *at, bool value)
{
    store_be32(at, 1);
    at[4] = value;
    return at + 5;
}

static inline uint8_t *copy_int4(uint8_t *at, uint32_t value)
{
    store_be32(at, 4);
    store_be32(at + 4, value);
    return at + 8;
}

static inline uint8_t *copy_int8(uint8_t *at, uint64_t value)
{
    store_be32(at, 8);
    store_be64(at + 4, value);
    return at + 12;
}

/* Columns where 0 means that there is none. */
static inline uint8_t *copy_int4_or_null(uint8_t *at, uint32_t value)
{
    return value != 0 ? copy_int4(at, value) : copy_null(at);
}

static inline uint8_t *copy_int8_or_null(uint8_t *at, uint64_t value)
{
    return value != 0 ? copy_int8(at, value) : copy_null(at);
}

static inline uint8_t *copy_time(uint8_t *at, uint64_t time_ns)
{
    return copy_int8(at, (uint64_t)((int64_t)(time_ns / NS_PER_US) - POSTGRES_EPOCH_US));
}

/* A date: days since 1970-01-01, before 2000 or after it. */
static inline uint8_t *copy_date(uint8_t *at, uint32_t day)
{
    return copy_int4(at, day - POSTGRES_EPOCH_DAYS);
}

/* Ten-thousandths as a numeric with four places, from its magnitude and sign. */
static inline uint8_t *copy_magnitude(uint8_t *at, uint64_t ticks, bool negative)
{
    uint16_t digits[NUMERIC_DIGITS] = {0}; /* least significant first; digits[0] is behind the point */
    uint32_t count = 0;
    uint32_t first = 0;
    for (; ticks != 0; ticks /= NUMERIC_BASE)
        digits[count++] = (uint16_t)(ticks % NUMERIC_BASE);
    while (first < count && digits[first] == 0)
        first++;
    uint16_t stored = (uint16_t)(count - first);
    store_be32(at, 8 + 2u * stored);
    store_be16(at + 4, stored);
    store_be16(at + 6, stored != 0 ? (uint16_t)(count - 2) : 0); /* the first digit counts 10,000 to this power */
    store_be16(at + 8, negative ? NUMERIC_NEGATIVE : 0);
    store_be16(at + 10, NUMERIC_SCALE);
    at += 12;
    while (count > first) {
        store_be16(at, digits[--count]);
        at += 2;
    }
    return at;
}

static inline uint8_t *copy_numeric(uint8_t *at, int64_t ticks)
{
    return copy_magnitude(at, ticks < 0 ? 0 - (uint64_t)ticks : (uint64_t)ticks, ticks < 0);
}

/* A text of the program's own; NULL for none. */
static inline uint8_t *copy_word(uint8_t *at, const char *word)
{
    if (!word)
        return copy_null(at);
    size_t length = strnlen(word, COPY_TEXT_BYTES_MAX);
    store_be32(at, (uint32_t)length);
    memcpy(at + 4, word, length);
    return at + 4 + length;
}

/* An address of IPv6, or of IPv4 in the form of one, as the type inet has it; NULL where it is zero. */
static inline uint8_t *copy_inet(uint8_t *at, const uint8_t peer[16])
{
    static const uint8_t zero[16];
    static const uint8_t four[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(peer, zero, sizeof(zero)) == 0)
        return copy_null(at);
    bool is_four = memcmp(peer, four, sizeof(four)) == 0;
    uint8_t bytes = is_four ? 4 : 16;
    store_be32(at, 4u + bytes);
    at[4] = is_four ? 2 : 3; /* PGSQL_AF_INET, PGSQL_AF_INET6 */
    at[5] = (uint8_t)(8 * bytes);
    at[6] = 0; /* no network */
    at[7] = bytes;
    memcpy(at + 8, peer + 16 - bytes, bytes);
    return at + 8 + bytes;
}

/* A fixed field padded with spaces; NULL where it is blank. */
static inline uint8_t *copy_field(uint8_t *at, const char *field, size_t field_bytes)
{
    while (field_bytes > 0 && (field[field_bytes - 1] == ' ' || field[field_bytes - 1] == '\0'))
        field_bytes--;
    if (field_bytes == 0)
        return copy_null(at);
    store_be32(at, (uint32_t)field_bytes);
    at += 4;
    for (size_t i = 0; i < field_bytes; i++)
        *at++ = field[i] >= ' ' && field[i] <= '~' ? (uint8_t)field[i] : '?';
    return at;
}

#endif
