/* COPY BINARY as the server reads it: strictly, each field of the size and form that its column's type has. */
#include "base/bytes.h"
#include "base/require.h"
#include "postgres_server.h"

#include <string.h>

#define HEADER       "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
#define HEADER_BYTES 19
#define EPOCH_DAYS   10957 /* from 1970 to 2000 */
#define BASE         10000

/* Base 10,000, the digit behind the point being the ten-thousandths: NULL if it is none of those. */
static const char *numeric_ticks(const uint8_t *value, uint32_t bytes, int64_t *ret)
{
    if (bytes < 8)
        return "a numeric without a head";
    int count = load_be16(value);
    int weight = (int16_t)load_be16(value + 2);
    uint16_t sign = load_be16(value + 4);
    if (bytes != 8 + 2 * (uint32_t)count || (sign != 0 && sign != 0x4000) || load_be16(value + 6) != 4)
        return "a numeric of an unknown form";
    if (count > 0 && (weight < -1 || weight - count + 1 < -1))
        return "a numeric with more than four places";
    int64_t ticks = 0;
    for (int i = 0; count > 0 && i <= weight + 1; i++) {
        uint16_t digit = i < count ? load_be16(value + 8 + 2 * (size_t)i) : 0;
        if (digit >= BASE)
            return "a numeric's digit is too large";
        ticks = ticks * BASE + digit;
    }
    *ret = sign != 0 ? -ticks : ticks;
    return NULL;
}

static const char *text_value(const uint8_t *value, uint32_t bytes, struct cell *cell)
{
    for (uint32_t i = 0; i < bytes; i++)
        if (value[i] < ' ' || value[i] > '~')
            return "a text with a byte that the encoding does not have";
    *cell = cell_text((const char *)value, bytes);
    return NULL;
}

static const char *fixed_value(const uint8_t *value, uint32_t bytes, enum column_type type, struct cell *cell)
{
    static const uint32_t sizes[] = {
        [TYPE_BOOL] = 1, [TYPE_INT4] = 4, [TYPE_INT8] = 8, [TYPE_DATE] = 4, [TYPE_TIME] = 8};
    if (bytes != sizes[type])
        return "incorrect binary data format";
    int64_t number = bytes == 1 ? *value : bytes == 4 ? (int32_t)load_be32(value) : (int64_t)load_be64(value);
    *cell = cell_number(type == TYPE_DATE ? number + EPOCH_DAYS : number);
    return type == TYPE_BOOL && number > 1 ? "a boolean that is neither" : NULL;
}

static const char *field_value(const uint8_t *value, uint32_t bytes, enum column_type type, struct cell *cell)
{
    *cell = (struct cell){.is_null = true};
    if (bytes == UINT32_MAX)
        return NULL;
    switch (type) {
    case TYPE_NUMERIC:
        cell->is_null = false;
        return numeric_ticks(value, bytes, &cell->number);
    case TYPE_TEXT:
        return text_value(value, bytes, cell);
    case TYPE_INET:
        *cell = cell_text((const char *)value, bytes);
        return bytes == 8 || bytes == 20 ? NULL : "an address of an unknown form";
    case TYPE_BOOL:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_DATE:
    case TYPE_TIME:
    default:
        return fixed_value(value, bytes, type, cell);
    }
}

/* Returns the place behind the row; NULL: it is not whole, or *what says what is wrong. */
static const uint8_t *row_values(const uint8_t *at, const uint8_t *end, const struct table *form,
                                 const uint32_t columns[], uint32_t column_count, struct cell *row, const char **what)
{
    for (uint32_t i = 0; i < column_count; i++) {
        if (end - at < 4)
            return NULL;
        uint32_t bytes = load_be32(at);
        at += 4;
        uint32_t length = bytes == UINT32_MAX ? 0 : bytes;
        if ((size_t)(end - at) < length)
            return NULL;
        uint32_t column = columns ? columns[i] : i;
        *what = field_value(at, bytes, form->types[column], &row[column]);
        if (*what)
            return NULL;
        at += length;
    }
    return at;
}

int64_t copy_rows(const uint8_t *bytes, size_t count, const struct table *form, const uint32_t columns[],
                  uint32_t column_count, struct cell *(*add)(void *argument), void *argument, const char **what)
{
    const uint8_t *at = bytes + HEADER_BYTES;
    const uint8_t *end = bytes + count;
    int64_t rows = 0;
    *what = "COPY file signature not recognized";
    if (count < HEADER_BYTES || memcmp(bytes, HEADER, HEADER_BYTES) != 0)
        return -1;
    for (; end - at >= 2 && load_be16(at) != UINT16_MAX; rows++) {
        *what = "row field count is not what is expected";
        if (load_be16(at) != column_count)
            return -1;
        *what = "unexpected EOF in COPY data";
        at = row_values(at + 2, end, form, columns, column_count, add(argument), what);
        if (!at) {
            *what = *what ? *what : "unexpected EOF in COPY data";
            return -1;
        }
    }
    *what = "received copy data after EOF marker";
    return end - at == 2 ? rows : -1;
}
