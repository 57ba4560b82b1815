/*
 * Big-endian fields in byte buffers, as the wire formats have them, and little helpers on fixed text fields.
 * No system calls, no allocation.
 */
#ifndef RINGSIDE_BASE_BYTES_H
#define RINGSIDE_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t load_be16(const uint8_t *bytes)
{
    uint16_t value;
    memcpy(&value, bytes, sizeof(value));
    return __builtin_bswap16(value);
}

static inline uint32_t load_be32(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof(value));
    return __builtin_bswap32(value);
}

static inline uint64_t load_be64(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof(value));
    return __builtin_bswap64(value);
}

static inline void store_be16(uint8_t *bytes, uint16_t value)
{
    value = __builtin_bswap16(value);
    memcpy(bytes, &value, sizeof(value));
}

static inline void store_be32(uint8_t *bytes, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(bytes, &value, sizeof(value));
}

static inline void store_be64(uint8_t *bytes, uint64_t value)
{
    value = __builtin_bswap64(value);
    memcpy(bytes, &value, sizeof(value));
}

/* Copies text into a fixed field, left-justified and padded with spaces; what does not fit is cut. */
static inline void text_pad(char *field, size_t field_bytes, const char *text)
{
    const char *end = (const char *)memchr(text, '\0', field_bytes);
    size_t length = end ? (size_t)(end - text) : field_bytes;
    memcpy(field, text, length);
    memset(field + length, ' ', field_bytes - length);
}

/* Copies a space-padded field into a C string of at least field_bytes + 1, without the trailing spaces. */
static inline void text_trim(char *text, const char *field, size_t field_bytes)
{
    while (field_bytes > 0 && (field[field_bytes - 1] == ' ' || field[field_bytes - 1] == '\0'))
        field_bytes--;
    memcpy(text, field, field_bytes);
    text[field_bytes] = '\0';
}

#endif
