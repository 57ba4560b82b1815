/* OUCH 5.0: golden bytes, and what decoders refuse. */
#include "golden.h"
#include "hex.h"
#include "wire/ouch.h"
#include "wire/soup.h"

#include <criterion/criterion.h>

static size_t golden(const char *hex, uint8_t type, uint8_t *message)
{
    uint8_t bytes[256];
    struct soup_frame frame = {0};
    size_t count = hex_read(hex, bytes, sizeof(bytes));
    cr_assert_eq(soup_take_frame(bytes, count, SOUP_LENGTH_MAX, &frame), SOUP_FRAME_WHOLE);
    cr_assert_eq(frame.type, type);
    memcpy(message, frame.payload, frame.payload_bytes);
    return frame.payload_bytes;
}

Test(ouch, enter_order_of_a_real_client)
{
    uint8_t bytes[256];
    uint8_t again[256];
    size_t count = golden(GOLDEN_ENTER, SOUP_UNSEQUENCED, bytes);
    struct ouch_enter enter = {0};
    struct ouch_options options = {0};
    cr_assert_null(ouch_decode_enter(bytes, count, &enter));
    cr_assert_eq(enter.user_ref, 113);
    cr_assert_eq(enter.side, 'T');
    cr_assert_eq(enter.quantity, 225);
    cr_assert_arr_eq(enter.symbol, "CVLT    ", 8);
    cr_assert_eq(enter.price, 630200);
    cr_assert_eq(enter.time_in_force, '0');
    cr_assert_eq(enter.display, 'Y');
    cr_assert_eq(enter.capacity, 'A');
    cr_assert_eq(enter.sweep, 'N');
    cr_assert_eq(enter.cross_type, 'N');
    cr_assert_arr_eq(enter.client_order_id, "H8FUB8IV      ", 14);
    cr_assert_null(ouch_options_decode(enter.appendage, OUCH_IN_ENTER, &options));
    cr_assert_eq(options.present, (uint32_t)OUCH_HAS_FIRM);
    cr_assert_arr_eq(options.firm, "LIME", 4);
    cr_assert_eq(ouch_encode_enter(again, &enter), count);
    cr_assert_arr_eq(again, bytes, count);
}

Test(ouch, cancel_order_of_a_real_client)
{
    uint8_t bytes[256];
    uint8_t again[256];
    size_t count = golden(GOLDEN_CANCEL, SOUP_UNSEQUENCED, bytes);
    struct ouch_cancel cancel = {0};
    cr_assert_null(ouch_decode_cancel(bytes, count, &cancel));
    cr_assert_eq(cancel.user_ref, 7679601);
    cr_assert_eq(cancel.quantity, 0);
    cr_assert_not(cancel.appendage.present);
    cr_assert_eq(ouch_encode_cancel(again, &cancel), count);
    cr_assert_arr_eq(again, bytes, count);
}

Test(ouch, order_accepted_of_the_real_exchange)
{
    uint8_t bytes[256];
    uint8_t again[256];
    size_t count = golden(GOLDEN_ACCEPTED, SOUP_SEQUENCED, bytes);
    struct ouch_accepted accepted = {0};
    struct ouch_options options = {0};
    cr_assert_null(ouch_decode_accepted(bytes, count, &accepted));
    cr_assert_eq(accepted.timestamp_ns, 44647483486087u);
    cr_assert_eq(accepted.user_ref, 7682701);
    cr_assert_eq(accepted.side, 'B');
    cr_assert_eq(accepted.quantity, 40);
    cr_assert_arr_eq(accepted.symbol, "ADBE    ", 8);
    cr_assert_eq(accepted.price, 4777800);
    cr_assert_eq(accepted.time_in_force, '5');
    cr_assert_eq(accepted.order_ref, 257340661);
    cr_assert_eq(accepted.state, 'L');
    cr_assert_arr_eq(accepted.client_order_id, "7682701       ", 14);
    cr_assert_null(ouch_options_decode(accepted.appendage, OUCH_OUT_ACCEPTED, &options));
    cr_assert_eq(options.present, (uint32_t)(OUCH_HAS_FIRM | OUCH_HAS_BBO_WEIGHT));
    cr_assert_arr_eq(options.firm, "MLRO", 4);
    cr_assert_eq(options.bbo_weight, '0');
    uint8_t appendage[OUCH_OPTIONS_BYTES_MAX];
    uint32_t appendage_bytes = ouch_options_encode(appendage, &options);
    accepted.appendage = (struct ouch_appendage){.bytes = appendage, .count = (uint16_t)appendage_bytes};
    cr_assert_eq(ouch_encode_accepted(again, &accepted), count);
    cr_assert_arr_eq(again, bytes, count);
}

Test(ouch, canceled_of_the_real_exchange)
{
    uint8_t bytes[256];
    uint8_t again[256];
    size_t count = golden(GOLDEN_CANCELED, SOUP_SEQUENCED, bytes);
    struct ouch_canceled canceled = {0};
    cr_assert_null(ouch_decode_canceled(bytes, count, &canceled));
    cr_assert_eq(canceled.timestamp_ns, 44647483708183u);
    cr_assert_eq(canceled.user_ref, 7682701);
    cr_assert_eq(canceled.quantity, 40);
    cr_assert_eq(canceled.reason, OUCH_CANCEL_USER);
    cr_assert_eq(ouch_encode_canceled(again, &canceled), count);
    cr_assert_arr_eq(again, bytes, count);
}

/* ---- what is refused ---- */

Test(ouch, appendage_length_must_be_that_of_what_follows)
{
    uint8_t bytes[OUCH_ENTER_BYTES + 8] = {'O'};
    struct ouch_enter enter = {0};
    cr_assert_null(ouch_decode_enter(bytes, OUCH_ENTER_BYTES, &enter));
    cr_assert_not_null(ouch_decode_enter(bytes, OUCH_ENTER_BYTES - 1, &enter));
    cr_assert_not_null(ouch_decode_enter(bytes, OUCH_ENTER_BYTES + 1, &enter));
    store_be16(bytes + 45, 8);
    cr_assert_null(ouch_decode_enter(bytes, OUCH_ENTER_BYTES + 8, &enter));
    cr_assert_not_null(ouch_decode_enter(bytes, OUCH_ENTER_BYTES + 7, &enter));
    bytes[0] = 'U';
    cr_assert_not_null(ouch_decode_enter(bytes, OUCH_ENTER_BYTES + 8, &enter));
}

Test(ouch, optional_appendage_is_there_whole_or_not_at_all)
{
    uint8_t bytes[16] = {'X'};
    struct ouch_cancel cancel = {0};
    cr_assert_null(ouch_decode_cancel(bytes, 9, &cancel));
    cr_assert_not(cancel.appendage.present);
    cr_assert_not_null(ouch_decode_cancel(bytes, 10, &cancel));
    cr_assert_null(ouch_decode_cancel(bytes, 11, &cancel));
    cr_assert(cancel.appendage.present);
    cr_assert_not_null(ouch_decode_cancel(bytes, 14, &cancel));
    store_be16(bytes + 9, 3);
    cr_assert_null(ouch_decode_cancel(bytes, 14, &cancel));
    cr_assert_eq(cancel.appendage.count, 3);
}

static const char *options_of(const char *hex, uint32_t place)
{
    static uint8_t bytes[64];
    struct ouch_options options = {0};
    size_t count = hex_read(hex, bytes, sizeof(bytes));
    const struct ouch_appendage appendage = {.bytes = bytes, .count = (uint16_t)count, .present = true};
    return ouch_options_decode(appendage, place, &options);
}

Test(ouch, options_must_keep_their_form)
{
    cr_assert_null(options_of("", OUCH_IN_ENTER));
    cr_assert_null(options_of("05024c494d45", OUCH_IN_ENTER));
    cr_assert_str_eq(options_of("00", OUCH_IN_ENTER), "an option's length does not fit into the appendage");
    cr_assert_str_eq(options_of("05024c494d", OUCH_IN_ENTER), "an option's length does not fit into the appendage");
    cr_assert_str_eq(options_of("05", OUCH_IN_ENTER), "an option's length does not fit into the appendage");
    cr_assert_str_eq(options_of("0102", OUCH_IN_ENTER), "option tag 2 (firm) has a value of 4 bytes");
    cr_assert_str_eq(options_of("06024c494d4520", OUCH_IN_ENTER), "option tag 2 (firm) has a value of 4 bytes");
    cr_assert_str_eq(options_of("020c50020c50", OUCH_IN_ENTER), "an option tag is there twice");
    cr_assert_str_eq(options_of("021341", OUCH_IN_ENTER), "an option tag that OUCH 5.0 and Ringside do not have");
}

Test(ouch, options_have_their_places)
{
    static const char firm[] = "05024c494d45";
    static const char index[] = "021c01";
    static const char located[] = "021959";
    cr_assert_not_null(options_of(firm, OUCH_IN_REPLACE));
    cr_assert_not_null(options_of(firm, OUCH_IN_OTHER));
    cr_assert_null(options_of(firm, OUCH_OUT_REPLACED));
    cr_assert_null(options_of(located, OUCH_IN_REPLACE));
    cr_assert_not_null(options_of("0412524f5554", OUCH_IN_ENTER), "tag 18 is 1 byte, and outbound only");
    cr_assert_not_null(options_of("021230", OUCH_IN_ENTER), "tag 18 is outbound only");
    for (uint32_t place = 1; place <= OUCH_OUT_OTHER; place <<= 1)
        cr_assert_null(options_of(index, place), "tag 28 may be in every message");
}

Test(ouch, signed_option_keeps_its_sign)
{
    uint8_t bytes[OUCH_OPTIONS_BYTES_MAX];
    const struct ouch_options options = {.present = OUCH_HAS_PEG_OFFSET, .peg_offset = -12500};
    uint32_t count = ouch_options_encode(bytes, &options);
    cr_assert_arr_eq(bytes, "\x05\x07\xff\xff\xcf\x2c", 6);
    struct ouch_options back = {0};
    const struct ouch_appendage appendage = {.bytes = bytes, .count = (uint16_t)count};
    cr_assert_null(ouch_options_decode(appendage, OUCH_IN_ENTER, &back));
    cr_assert_eq(back.peg_offset, -12500);
}

Test(ouch, texts_of_reasons)
{
    cr_assert_str_eq(ouch_reject_text(OUCH_REJECT_INVALID_SYMBOL), "invalid symbol");
    cr_assert_str_eq(ouch_reject_text(0), "unknown reason");
    cr_assert_str_eq(ouch_reject_text(0x33), "unknown reason");
    cr_assert_eq(OUCH_REJECT_SHORT_STATE_UNAVAILABLE, 0x32);
    cr_assert_str_eq(ouch_cancel_text('I'), "immediate or cancel");
    cr_assert_str_eq(ouch_cancel_text(0), "unknown reason");
    cr_assert_str_eq(ouch_title(OUCH_IN, 'U'), "Replace Order");
    cr_assert_str_eq(ouch_title(OUCH_OUT, 'U'), "Order Replaced");
    cr_assert_null(ouch_title(OUCH_IN, 'A'));
}
