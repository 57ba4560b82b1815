/*
 * Property: for random good messages of every kind, with random options where they may be, decoding and encoding gives
 * the same bytes, every field is where the table says, and ouch_invalid has no complaint.
 */
#include "base/require.h"
#include "wire_table.h"

#include <criterion/criterion.h>

#define CASES_EACH 2000

static uint64_t random_state;

static uint64_t random_next(void)
{
    uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void fill(void *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)random_next();
}

static struct ouch_appendage random_appendage(uint32_t place, uint8_t *bytes, struct ouch_options *options)
{
    uint32_t allowed = 0;
    for (size_t i = 0; i < wire_option_count; i++)
        allowed |= wire_options[i].places & place ? 1u << i : 0;
    fill(options, sizeof(*options));
    uint64_t random = random_next(); /* a quarter of the options, about */
    options->present = (uint32_t)random & (uint32_t)(random >> 32) & allowed;
    uint32_t count = ouch_options_encode(bytes, options);
    REQUIRE(count <= OUCH_OPTIONS_BYTES_MAX);
    return (struct ouch_appendage){.bytes = bytes, .count = (uint16_t)count, .present = true};
}

static uint32_t random_message(const struct wire_message *message, uint8_t *bytes)
{
    uint8_t option_bytes[OUCH_OPTIONS_BYTES_MAX];
    struct ouch_options options;
    struct ouch_appendage appendage = random_appendage(wire_place(message), option_bytes, &options);
    uint32_t count = message->fixed_bytes;
    fill(bytes, count);
    bytes[0] = message->type;
    bool has_length = message->appendage == WIRE_ALWAYS;
    if (message->appendage == WIRE_OPTIONAL && random_next() % 2) {
        has_length = true;
        count += 2;
    }
    if (!has_length)
        return count;
    store_be16(bytes + count - 2, appendage.count);
    memcpy(bytes + count, appendage.bytes, appendage.count);
    return count + appendage.count;
}

Test(recode, every_message_comes_back_byte_by_byte)
{
    for (size_t kind = 0; kind < wire_message_count; kind++) {
        const struct wire_message *message = &wire_messages[kind];
        for (uint64_t seed = 0; seed < CASES_EACH; seed++) {
            uint8_t bytes[OUCH_MESSAGE_BYTES_MAX];
            uint8_t again[OUCH_MESSAGE_BYTES_MAX];
            random_state = kind << 32 | seed;
            uint32_t count = random_message(message, bytes);
            const char *broken = NULL;
            memset(again, 0x5a, sizeof(again));
            uint32_t written = message->recode(bytes, count, again, &broken);
            cr_assert_null(broken, "%s, seed %zu: %s", message->title, (size_t)seed, broken);
            cr_assert_eq(written, count);
            cr_assert_arr_eq(again, bytes, count);
            const char *invalid = ouch_invalid(message->direction, bytes, count);
            cr_assert_null(invalid, "%s, seed %zu: %s", message->title, (size_t)seed, invalid);
        }
    }
}

Test(recode, every_option_comes_back)
{
    for (uint64_t seed = 0; seed < UINT64_C(20) * CASES_EACH; seed++) {
        uint8_t bytes[OUCH_OPTIONS_BYTES_MAX];
        uint8_t again[OUCH_OPTIONS_BYTES_MAX];
        struct ouch_options options;
        struct ouch_options back;
        random_state = seed;
        uint32_t place = 1u << random_next() % 9;
        struct ouch_appendage appendage = random_appendage(place, bytes, &options);
        const char *broken = ouch_options_decode(appendage, place, &back);
        cr_assert_null(broken, "seed %zu: %s", (size_t)seed, broken);
        cr_assert_eq(back.present, options.present);
        cr_assert_eq(ouch_options_encode(again, &back), appendage.count);
        cr_assert_arr_eq(again, bytes, appendage.count);
    }
}

Test(recode, every_message_cut_short_is_refused)
{
    for (size_t kind = 0; kind < wire_message_count; kind++) {
        const struct wire_message *message = &wire_messages[kind];
        uint8_t bytes[128] = {message->type};
        uint8_t again[256];
        const char *broken = NULL;
        for (uint32_t count = 0; count < message->fixed_bytes; count++)
            cr_assert_eq(message->recode(bytes, count, again, &broken), 0, "%s, %u bytes", message->title, count);
        cr_assert_eq(message->recode(bytes, message->fixed_bytes, again, &broken), message->fixed_bytes);
        cr_assert_eq(message->recode(bytes, message->fixed_bytes + 1, again, &broken), 0, "%s, one byte more",
                     message->title);
    }
}

Test(recode, tags_and_letters_are_unique)
{
    for (size_t i = 0; i < wire_option_count; i++)
        for (size_t j = 0; j < i; j++)
            cr_assert_neq(wire_options[i].tag, wire_options[j].tag);
    for (size_t i = 0; i < wire_message_count; i++)
        cr_assert_eq(wire_find(wire_messages[i].direction, wire_messages[i].type), &wire_messages[i]);
    cr_assert_eq(wire_message_count, 8 + 17, "all messages of OUCH 5.0");
}
