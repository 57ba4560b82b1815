/* Times, prices and numbers as a person writes them, and back. */
#ifndef RINGSIDE_SHOW_TEXT_H
#define RINGSIDE_SHOW_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIME_TEXT_BYTES  40
#define PRICE_TEXT_BYTES 24

/* "2026-11-23T21:19:08.123456789Z"; "-" for 0. */
const char *time_text(uint64_t time_ns, char text[TIME_TEXT_BYTES]);

/* "585.33", "585.3312", "-0.05", "market". */
const char *price_text(int32_t price_ticks, char text[PRICE_TEXT_BYTES]);

/* ISO 8601 in UTC with up to nine decimals of a second, the end left out as one likes, or ns since the epoch. */
bool time_read(const char *text, uint64_t *ret_ns);

/* Reads a number that is all of the text; false if it is none. */
bool number_read(const char *text, uint64_t *ret);

#endif
