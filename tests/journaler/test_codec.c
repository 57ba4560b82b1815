/* The journal's bytes: goldens of the format, round trips, every flipped bit. */
#include "batch.h"
#include "journal/journal_codec.h"
#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static const uint8_t instance[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static struct journal_segment_header sample_segment(void)
{
    struct journal_segment_header header = {
        .magic = JOURNAL_MAGIC,
        .version = JOURNAL_VERSION,
        .header_bytes = JOURNAL_BLOCK_BYTES,
        .segment = 7,
        .epoch = 3,
        .first_seq = 1001,
        .chain = 0x1122334455667788u,
        .previous_end = 12288,
        .previous_segment = 6,
        .batch_bytes_max = 65536,
        .segment_bytes = 1 << 20,
        .record_hash = 0xabcdef0123456789u,
        .last_time_ns = 1700000000000000000u,
        .created_ns = 1700000000000000001u,
    };
    memcpy(header.instance, instance, sizeof(instance));
    journal_segment_seal(&header);
    return header;
}

/* A batch of two commands with known words, in static memory. */
static struct journal_batch_header *sample_batch(void)
{
    static _Alignas(4096) uint8_t buffer[3 * JOURNAL_BLOCK_BYTES];
    struct batch batch;
    const struct journal_batch_header place = {
        .segment = 7,
        .epoch = 3,
        .instance_low = 0x04030201,
        .offset = 8192,
        .previous_chain = 0x1122334455667788u,
        .durable_seq = 1001,
        .durable_offset = 8192,
        .events_synced = 501,
        .checkpoint = {.command_seq = 1000, .event_hash = 0xe0, .state_hash = 0x50},
    };
    memset(buffer, 0xee, sizeof(buffer));
    batch_init(&batch, buffer, (uint64_t)2 * JOURNAL_BLOCK_BYTES);
    batch_begin(&batch, 1001, 5, (uint64_t)2 * JOURNAL_BLOCK_BYTES);
    struct command command = {.command_seq = 1001, .time_ns = 0x0a0b0c0d, .kind = 1, .session = 9};
    batch_add(&batch, &command);
    command = (struct command){.command_seq = 1002, .time_ns = 0x0a0b0c0e, .inbound_seq = 0x77};
    batch_add(&batch, &command);
    cr_assert_eq(batch_finish(&batch, &place), JOURNAL_BLOCK_BYTES);
    return batch_header(&batch);
}

static void expect_hex(const void *bytes, size_t count, const char *expected)
{
    char text[1024] = "";
    for (size_t i = 0; i < count; i++)
        snprintf(text + 2 * i, 3, "%02x", ((const uint8_t *)bytes)[i]);
    cr_assert_str_eq(text, expected);
}

/* These bytes are on disks; a change of them is a new version of the format. */
Test(journal_codec, golden_segment_header)
{
    struct journal_segment_header header = sample_segment();
    expect_hex(&header, 112,
               "5249444a53454731010000000010000000000000000000000102030405060708"
               "090a0b0c0d0e0f100700000003000000e9030000000000008877665544332211"
               "0030000000000000060000000000010000001000000000008967452301efcdab"
               "00002a36fe9c971701002a36fe9c9717");
    expect_hex(&header.checksum, 4, "7eec1f7a");
    for (size_t i = 0; i < sizeof(header.reserved); i++)
        cr_assert_eq(header.reserved[i], 0);
}

Test(journal_codec, golden_batch)
{
    const struct journal_batch_header *header = sample_batch();
    expect_hex(header, sizeof(*header),
               "4a424154eda5c8e2640d4af42c000000e9030000000000000200000007000000"
               "03000000010203040020000000000000887766554433221105b09dde64ce140e"
               "e9030000000000000020000000000000f5010000000000000e0c0b0a00000000"
               "e803000000000000e00000000000000050000000000000000000000000000000");
    expect_hex(header + 1, header->payload_bytes,
               "1a000d0c0b0a000000000000000000000100090000000000000006000e0c0b0a"
               "000000007700000000000000");
    cr_assert_null(journal_batch_damaged(header));
}

Test(journal_codec, records_round_trip)
{
    uint8_t bytes[JOURNAL_RECORD_BYTES_MAX];
    for (uint64_t seq = 1; seq <= 20000; seq++) {
        struct command command, back;
        world_command(seq, &command);
        uint32_t written = journal_record_encode(bytes, &command);
        cr_assert_leq(written, JOURNAL_RECORD_BYTES_MAX);
        cr_assert_eq(journal_record_decode(bytes, bytes + written, seq, &back), written);
        cr_assert_eq(memcmp(&command, &back, sizeof(command)), 0, "command %lu", seq);
        for (uint32_t less = 0; seq < 20 && less < written; less++)
            cr_assert_eq(journal_record_decode(bytes, bytes + less, seq, &back), 0, "%u of %u bytes", less, written);
    }
}

Test(journal_codec, impossible_records_are_refused)
{
    struct command command;
    uint8_t bytes[128] = {0};
    const uint16_t impossible[] = {0x0001, 0x4000, 0x8000};
    for (uint32_t i = 0; i < ARRAY_COUNT(impossible); i++) {
        memcpy(bytes, &impossible[i], 2);
        cr_assert_eq(journal_record_decode(bytes, bytes + sizeof(bytes), 1, &command), 0);
    }
}

Test(journal_codec, every_flipped_bit_of_a_segment_header_is_noticed)
{
    struct journal_segment_header header = sample_segment();
    cr_assert_null(journal_segment_invalid(&header, 7));
    cr_assert_not_null(journal_segment_invalid(&header, 8));
    for (size_t bit = 0; bit < sizeof(header) * 8; bit++) {
        ((uint8_t *)&header)[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_not_null(journal_segment_invalid(&header, 7), "bit %zu", bit);
        ((uint8_t *)&header)[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static const char *batch_wrong(const struct journal_batch_header *header, const struct journal_segment_header *segment)
{
    const struct journal_cursor cursor = {.offset = 8192, .chain = 0x1122334455667788u, .seq = 1001};
    const char *why = journal_batch_invalid(header, segment, cursor.offset);
    why = why ? why : journal_batch_misfits(header, &cursor);
    return why ? why : journal_batch_damaged(header);
}

Test(journal_codec, every_flipped_bit_of_a_batch_is_noticed)
{
    const struct journal_segment_header segment = sample_segment();
    struct journal_batch_header *header = sample_batch();
    cr_assert_null(batch_wrong(header, &segment));
    for (size_t bit = 0; bit < (size_t)JOURNAL_BLOCK_BYTES * 8; bit++) {
        ((uint8_t *)header)[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_not_null(batch_wrong(header, &segment), "bit %zu", bit);
        ((uint8_t *)header)[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

Test(journal_codec, a_batch_of_another_place_is_refused)
{
    const struct journal_batch_header *header = sample_batch();
    struct journal_segment_header segment = sample_segment();
    cr_assert_str_eq(journal_batch_invalid(header, &segment, 4096), "batch header: offset");
    segment.epoch++;
    cr_assert_str_eq(journal_batch_invalid(header, &segment, 8192), "batch header: epoch");
    segment.epoch--;
    segment.segment++;
    cr_assert_str_eq(journal_batch_invalid(header, &segment, 8192), "batch header: segment");
    segment.segment--;
    segment.instance[0]++;
    cr_assert_str_eq(journal_batch_invalid(header, &segment, 8192), "batch header: instance");
    struct journal_cursor cursor = {.offset = 8192, .chain = 1, .seq = 1001};
    cr_assert_str_eq(journal_batch_misfits(header, &cursor), "batch header: previous chain");
    cursor = (struct journal_cursor){.offset = 8192, .chain = 0x1122334455667788u, .seq = 1000};
    cr_assert_str_eq(journal_batch_misfits(header, &cursor), "batch header: first number");
}
