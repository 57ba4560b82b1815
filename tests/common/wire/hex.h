/* Hex text to bytes and back, for tests. */
#ifndef RINGSIDE_TESTS_HEX_H
#define RINGSIDE_TESTS_HEX_H

#include "base/require.h"

#include <stddef.h>
#include <stdint.h>

static inline int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads pairs of digits up to the end or something else, passing over spaces; returns the bytes. */
static inline size_t hex_read(const char *text, uint8_t *bytes, size_t room)
{
    size_t count = 0;
    for (;;) {
        while (*text == ' ')
            text++;
        int high = hex_digit(text[0]);
        int low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0)
            return count;
        REQUIRE(count < room);
        bytes[count++] = (uint8_t)(high << 4 | low);
        text += 2;
    }
}

#endif
