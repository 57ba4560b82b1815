/*
 * Tests of common/base: checksum, histogram, bytes, dates, error. Each against figures from outside the code: the check
 * values of RFC 3720 B.4, a sorted array, bytes written by hand.
 */
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/date.h"
#include "base/error.h"
#include "base/histogram.h"
#include "base/units.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

/* A small generator, so that a failing case is the same one again. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

Test(checksum, gives_the_check_values_of_the_rfc)
{
    uint8_t bytes[32];
    cr_assert_eq(crc32c(0, "123456789", 9), 0xE3069283u);
    memset(bytes, 0, sizeof(bytes));
    cr_assert_eq(crc32c(0, bytes, sizeof(bytes)), 0x8A9136AAu);
    memset(bytes, 0xff, sizeof(bytes));
    cr_assert_eq(crc32c(0, bytes, sizeof(bytes)), 0x62A8AB43u);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    cr_assert_eq(crc32c(0, bytes, sizeof(bytes)), 0x46DD794Eu);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(31 - i);
    cr_assert_eq(crc32c(0, bytes, sizeof(bytes)), 0x113FDB5Cu);
    cr_assert_eq(crc32c(0, bytes, 0), 0u);
}

Test(checksum, instruction_and_table_agree_at_every_length_and_alignment)
{
    uint8_t bytes[300];
    uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)next_random(&state);
    for (size_t start = 0; start < 9; start++)
        for (size_t count = 0; count + start <= sizeof(bytes); count++) {
            uint32_t seed = (uint32_t)next_random(&state);
            cr_assert_eq(crc32c(seed, bytes + start, count), crc32c_portable(seed, bytes + start, count));
        }
}

Test(checksum, chains)
{
    const char *text = "rings, and a match";
    size_t length = strlen(text);
    for (size_t cut = 0; cut <= length; cut++)
        cr_assert_eq(crc32c(crc32c(0, text, cut), text + cut, length - cut), crc32c(0, text, length));
}

Test(checksum, fnv_gives_the_published_values)
{
    cr_assert_eq(fnv1a64(0, ""), 0xcbf29ce484222325u);
    cr_assert_eq(fnv1a64(0, "a"), 0xaf63dc4c8601ec8cu);
    cr_assert_eq(fnv1a64(0, "foobar"), 0x85944171f73967e8u);
}

static int compare_u64(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

Test(histogram, empty)
{
    static struct histogram histogram;
    histogram_clear(&histogram);
    cr_assert_eq(histogram.count, 0u);
    cr_assert_eq(histogram.min, UINT64_MAX);
    cr_assert_eq(histogram_quantile(&histogram, 0.5), 0u);
}

Test(histogram, buckets_are_in_order_and_inside_the_array)
{
    uint32_t last = histogram_bucket(0);
    for (uint32_t bit = 0; bit < 64; bit++)
        for (uint64_t step = 0; step < 4; step++) {
            uint64_t value = (UINT64_C(1) << bit) + step * ((UINT64_C(1) << bit) / 4);
            uint32_t bucket = histogram_bucket(value);
            cr_assert_geq(bucket, bit < 2 ? 0 : last);
            cr_assert_lt(bucket, (uint32_t)HISTOGRAM_BUCKET_COUNT);
            last = bucket;
        }
    cr_assert_eq(histogram_bucket(UINT64_MAX), (uint32_t)HISTOGRAM_BUCKET_COUNT - 1);
}

/* Every quantile lies at or above the exact one of the sorted values, and at most 1/128 above it. */
Test(histogram, quantiles_agree_with_a_sorted_array)
{
    enum { COUNT = 20000 };
    static uint64_t values[COUNT];
    static struct histogram histogram;
    uint64_t state = 42;
    histogram_clear(&histogram);
    for (int i = 0; i < COUNT; i++) {
        values[i] = next_random(&state) >> (next_random(&state) % 60);
        histogram_record(&histogram, values[i]);
    }
    qsort(values, COUNT, sizeof(values[0]), compare_u64);
    cr_assert_eq(histogram.min, values[0]);
    cr_assert_eq(histogram.max, values[COUNT - 1]);
    static const struct {
        double fraction;
        int rank;
    } cases[] = {{0.0001, 2}, {0.25, 5000}, {0.5, 10000}, {0.99, 19800}, {0.999, 19980}, {1.0, 20000}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t exact = values[cases[i].rank - 1];
        uint64_t given = histogram_quantile(&histogram, cases[i].fraction);
        cr_assert(given >= exact && given - exact <= exact / 128 + 1, "fraction %g: %lu, exactly %lu",
                  cases[i].fraction, (unsigned long)given, (unsigned long)exact);
    }
}

Test(histogram, merging_is_recording_into_one)
{
    static struct histogram one, two, both;
    uint64_t state = 7;
    histogram_clear(&one);
    histogram_clear(&two);
    histogram_clear(&both);
    for (int i = 0; i < 1000; i++) {
        uint64_t value = next_random(&state) % 1000000;
        histogram_record(i % 3 ? &one : &two, value);
        histogram_record(&both, value);
    }
    histogram_merge(&one, &two);
    cr_assert_arr_eq(&one, &both, sizeof(both));
}

Test(bytes, big_endian)
{
    const uint8_t bytes[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    uint8_t out[8];
    cr_assert_eq(load_be16(bytes), 0x0123u);
    cr_assert_eq(load_be32(bytes), 0x01234567u);
    cr_assert_eq(load_be64(bytes), 0x0123456789abcdefu);
    store_be16(out, 0x0123);
    store_be32(out + 2, 0x456789ab);
    cr_assert_arr_eq(out, bytes, 6);
    store_be64(out, 0x0123456789abcdefu);
    cr_assert_arr_eq(out, bytes, 8);
}

Test(bytes, text_fields)
{
    char field[6], text[7];
    text_pad(field, sizeof(field), "AB");
    cr_assert_arr_eq(field, "AB    ", 6);
    text_trim(text, field, sizeof(field));
    cr_assert_str_eq(text, "AB");
    text_pad(field, sizeof(field), "TOO LONG");
    cr_assert_arr_eq(field, "TOO LO", 6);
    text_trim(text, field, sizeof(field));
    cr_assert_str_eq(text, "TOO LO");
    text_pad(field, sizeof(field), "");
    text_trim(text, field, sizeof(field));
    cr_assert_str_eq(text, "");
    text_trim(text, "A B\0\0\0", sizeof(field));
    cr_assert_str_eq(text, "A B");
}

Test(date, is_read_with_dashes_or_without)
{
    cr_assert_eq(date_read("20261124"), 20261124);
    cr_assert_eq(date_read("2026-11-24"), 20261124);
    cr_assert_eq(date_read("2028-02-29"), 20280229);
    cr_assert_eq(date_read("00010101"), 10101);
}

Test(date, is_nothing_else)
{
    static const char *const wrong[] = {"",           "yesterday",  "2026-11",  "2026-1124", "2026-11-2", "2026-11-24 ",
                                        "2026/11/24", "20261324",   "20260024", "20261100",  "20260230",  "202611244",
                                        "+2026-11-4", "2026-11-3a", "00001124"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        cr_assert_eq(date_read(wrong[i]), 0, "'%s'", wrong[i]);
}

Test(error, carries_where_and_what)
{
    struct error error = {0};
    cr_assert_eq(error_set(&error, ERROR_INVALID, "ringside.conf:3", "%d is not a power of two", 3), ERROR_INVALID);
    cr_assert_eq(error.code, (int)ERROR_INVALID);
    cr_assert_eq(error.system, 0);
    cr_assert_str_eq(error.where, "ringside.conf:3");
    cr_assert_str_eq(error.what, "3 is not a power of two");
}

Test(error, of_the_system_says_errno_in_words)
{
    struct error error = {0};
    cr_assert_eq(error_system(&error, ENOENT, "/nowhere", "opening %s", "it"), ERROR_SYSTEM);
    cr_assert_eq(error.system, ENOENT);
    cr_assert_str_eq(error.what, "opening it: No such file or directory");
}

Test(error, cuts_what_is_too_long_and_takes_null)
{
    struct error error = {0};
    static char longer[2 * ERROR_WHAT_BYTES];
    memset(longer, 'x', sizeof(longer) - 1);
    error_system(&error, EIO, longer, "%s", longer);
    cr_assert_eq(strlen(error.where), (size_t)ERROR_WHERE_BYTES - 1);
    cr_assert_eq(strlen(error.what), (size_t)ERROR_WHAT_BYTES - 1);
    cr_assert_eq(error_set(NULL, ERROR_FULL, NULL, "nobody listens"), ERROR_FULL);
    error_set(&error, ERROR_FULL, NULL, "no place");
    cr_assert_str_eq(error.where, "");
}

Test(error, every_code_has_a_name)
{
    for (int code = ERROR_NOT_YET; code >= ERROR_GONE; code--)
        cr_assert_str_neq(error_name(code), "unknown", "code %d", code);
    cr_assert_str_eq(error_name(0), "no error");
    cr_assert_str_eq(error_name(1), "unknown");
    cr_assert_str_eq(error_name(ERROR_GONE - 1), "unknown");
}
