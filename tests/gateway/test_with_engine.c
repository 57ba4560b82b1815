/*
 * The gateway with the real engine behind it: what only the two together can get wrong. Numbers of messages, answers to
 * what the gateway or the engine refuses, duplicates, replace in all its outcomes, and streams that are the same bytes
 * whenever and by whichever life of the gateway they are told.
 */
#include "clients.h"

#include "base/bytes.h"
#include "wire/ouch.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void open_engine(void)
{
    stand_in_open_engine(&exchange, NULL);
}

TestSuite(engine, .init = open_engine, .fini = close_all);

static void send_message(struct client *client, const uint8_t *message, uint32_t bytes)
{
    client_packet(client, 'U', message, bytes);
}

static void order(struct client *client, uint32_t user_ref, char side, uint32_t quantity, uint64_t price)
{
    uint8_t message[64];
    struct ouch_enter enter = {.user_ref = user_ref, .side = (uint8_t)side, .quantity = quantity, .price = price};
    enter.time_in_force = '0';
    enter.display = 'Y';
    enter.capacity = 'A';
    enter.sweep = enter.cross_type = 'N';
    text_pad(enter.symbol, sizeof(enter.symbol), "AAPL");
    text_pad(enter.client_order_id, sizeof(enter.client_order_id), "id");
    send_message(client, message, ouch_encode_enter(message, &enter));
}

static void replace(struct client *client, uint32_t orig, uint32_t user_ref, uint32_t quantity, uint64_t price)
{
    uint8_t message[64];
    struct ouch_replace request = {.orig_user_ref = orig, .user_ref = user_ref, .quantity = quantity, .price = price};
    request.time_in_force = '0';
    request.display = 'Y';
    request.sweep = 'N';
    text_pad(request.client_order_id, sizeof(request.client_order_id), "id");
    send_message(client, message, ouch_encode_replace(message, &request));
}

static void cancel(struct client *client, uint32_t user_ref, uint32_t quantity)
{
    uint8_t message[16];
    const struct ouch_cancel request = {.user_ref = user_ref, .quantity = quantity};
    send_message(client, message, ouch_encode_cancel(message, &request));
}

static struct ouch_rejected expect_rejected(struct client *client)
{
    struct ouch_rejected rejected = {0};
    struct soup_frame frame = expect(client, 'S');
    cr_assert_eq(frame.payload[0], 'J', "%c", frame.payload[0]);
    cr_assert_null(ouch_decode_rejected(frame.payload, frame.payload_bytes, &rejected));
    return rejected;
}

static uint32_t next_user_ref(struct client *client)
{
    struct ouch_account_answer answer = {0};
    send_message(client, (const uint8_t *)"Q", 1);
    struct soup_frame frame = expect(client, 'S');
    cr_assert_eq(frame.payload[0], 'Q', "%c", frame.payload[0]);
    cr_assert_null(ouch_decode_account_answer(frame.payload, frame.payload_bytes, &answer));
    return answer.user_ref_next;
}

Test(engine, two_sessions_trade)
{
    struct client *maker = login_new("u01");
    struct client *taker = login_new("u02");
    order(maker, 1, 'S', 100, 1000000);
    expect_message(maker, 'A');
    order(taker, 1, 'B', 60, 1010000);
    expect_message(taker, 'A');
    struct ouch_executed taken = {0};
    struct ouch_executed made = {0};
    struct soup_frame frame = expect(taker, 'S');
    cr_assert_null(ouch_decode_executed(frame.payload, frame.payload_bytes, &taken));
    frame = expect(maker, 'S');
    cr_assert_null(ouch_decode_executed(frame.payload, frame.payload_bytes, &made));
    cr_assert_eq(taken.price, 1000000u);
    cr_assert_eq(taken.quantity, 60u);
    cr_assert_eq(taken.match_number, made.match_number);
    cr_assert_eq(taken.liquidity, 'R');
    cr_assert_eq(made.liquidity, 'A');
    cancel(maker, 1, 0);
    struct ouch_canceled canceled = {0};
    frame = expect(maker, 'S');
    cr_assert_null(ouch_decode_canceled(frame.payload, frame.payload_bytes, &canceled));
    cr_assert_eq(canceled.quantity, 40u);
}

Test(engine, refusals_of_both_are_rejections_with_their_reason)
{
    static const struct {
        uint64_t price;
        uint32_t quantity;
        uint16_t reason;
    } cases[] = {
        {1000000, 0, OUCH_REJECT_INVALID_QUANTITY},
        {1000000, 1000000, OUCH_REJECT_INVALID_QUANTITY},
        {0, 100, OUCH_REJECT_INVALID_PRICE},
        {1000001, 100, OUCH_REJECT_INVALID_PRICE}, /* not a multiple of the tick */
        {2000000001, 100, OUCH_REJECT_INVALID_PRICE},
        {UINT64_C(1) << 32, 100, OUCH_REJECT_INVALID_PRICE}, /* the gateway's own */
    };
    struct client *client = login_new("u01");
    for (uint32_t i = 0; i < ARRAY_COUNT(cases); i++) {
        order(client, 1 + i, 'B', cases[i].quantity, cases[i].price);
        struct ouch_rejected rejected = expect_rejected(client);
        cr_assert_eq(rejected.reason, cases[i].reason, "case %u: %04x", i, rejected.reason);
        cr_assert_eq(rejected.user_ref, 1 + i);
        cr_assert_eq(memcmp(rejected.client_order_id, "id            ", 14), 0);
    }
    enter(client, 50, "NOSUCH", 1000000);
    cr_assert_eq(expect_rejected(client).reason, OUCH_REJECT_INVALID_SYMBOL);
    enter(client, 50, "AAPL", 1000000); /* used up */
    cr_assert_eq(next_user_ref(client), 51u);
}

Test(engine, duplicates_are_ignored)
{
    struct client *client = login_new("u01");
    order(client, 5, 'B', 1, 1000000);
    expect_message(client, 'A');
    order(client, 5, 'B', 2, 1000000);
    order(client, 4, 'B', 2, 1000000);
    enter(client, 3, "NOSUCH", 1000000);
    cr_assert_eq(next_user_ref(client), 6u, "none of them was answered, and this is the next message");
}

Test(engine, a_replace_with_what_cannot_be_cancels_the_original)
{
    static const uint64_t prices[] = {0, UINT64_C(1) << 40, 1000001};
    struct client *client = login_new("u01");
    for (uint32_t i = 0; i < ARRAY_COUNT(prices); i++) {
        order(client, 10 * i + 1, 'B', 100, 1000000);
        expect_message(client, 'A');
        replace(client, 10 * i + 1, 10 * i + 2, 150, 990000);
        expect_message(client, 'U');
        replace(client, 10 * i + 2, 10 * i + 3, 150, prices[i]);
        expect_message(client, 'C');
        cr_assert_eq(next_user_ref(client), 10 * i + 3, "the number is not consumed");
    }
}

/* Everything that comes until the answer to an account query, without that answer. Returns the bytes. */
static uint32_t stream_take(struct client *client, uint8_t *bytes, uint32_t bytes_max)
{
    uint32_t count = 0;
    send_message(client, (const uint8_t *)"Q", 1);
    for (;;) {
        struct soup_frame frame = expect(client, 'S');
        if (frame.payload[0] == 'Q')
            return count;
        cr_assert_leq(count + frame.frame_bytes, bytes_max);
        memcpy(bytes + count, frame.payload - SOUP_HEADER_BYTES, frame.frame_bytes);
        count += frame.frame_bytes;
    }
}

/* The stream of u01 from the beginning, up to what had been told by then. */
static void expect_same_stream(const uint8_t *live, uint32_t live_bytes)
{
    static uint8_t again[1 << 18];
    struct client *client = login_from("u01", 1);
    uint32_t again_bytes = 0;
    while (again_bytes < live_bytes) {
        struct soup_frame frame = expect(client, 'S');
        memcpy(again + again_bytes, frame.payload - SOUP_HEADER_BYTES, frame.frame_bytes);
        again_bytes += frame.frame_bytes;
    }
    cr_assert_eq(again_bytes, live_bytes);
    cr_assert_eq(memcmp(again, live, live_bytes), 0);
}

Test(engine, a_stream_is_the_same_bytes_whenever_it_is_told)
{
    static uint8_t live[1 << 18];
    struct client *one = login_from("u01", 1);
    struct client *two = login_new("u02");
    uint32_t live_bytes = 0;
    for (uint32_t i = 1; i <= 300; i++) {
        order(one, 2 * i, 'B', 100, 1000000 - 100 * (i % 7));
        order(two, i, 'S', 70, 1000000 - 100 * (i % 5));
        if (i % 3 == 0)
            cancel(one, 2 * i - 4, 10);
        if (i % 50 == 0)
            order(one, 2 * i + 1, 'S', 100, 900000); /* trades with itself */
        stand_in_poll(&exchange);
    }
    live_bytes = stream_take(one, live, sizeof(live));
    cr_assert_gt(live_bytes, 300u * 69u);
    expect_same_stream(live, live_bytes);
    stand_in_restart_gateway(&exchange);
    expect_same_stream(live, live_bytes);
}

Test(engine, a_gateway_that_begins_again_ends_its_sessions_and_orders_stay)
{
    struct client *client = login_new("u01");
    order(client, 1, 'B', 100, 1000000);
    expect_message(client, 'A');
    stand_in_restart_gateway(&exchange);
    struct client *again = login_from("u01", 0);
    order(again, 2, 'B', 100, 1000000);
    expect_message(again, 'A');
    cancel(again, 1, 0);
    expect_message(again, 'C');
    struct client *third = login_from("u01", 0); /* takes over */
    expect(again, '+');
    expect_closed(again);
    cancel(third, 2, 0);
    expect_message(third, 'C');
}
