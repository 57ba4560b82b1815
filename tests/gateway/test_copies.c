/*
 * Drop copies, by a gateway with the real engine behind it: who sees what, and the same bytes whenever it is told.
 *
 * Method: some users trade; what their copies are told live is kept, and must be told again from every number, by
 * another life of the gateway, and when the index has forgotten it.
 */
#include "clients.h"

#include "base/bytes.h"
#include "base/units.h"
#include "gateway_state.h"
#include "wire/ouch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOLD_MAX 4096

struct told {
    uint32_t count;
    struct {
        uint32_t bytes;
        uint8_t payload[300];
    } of[TOLD_MAX];
};

static char path[] = "/tmp/ringside-copies-XXXXXX";

/* u10 watches u01's executions, u11 all of the firm, u12 all of u01 and u02. */
static const char definitions[] = "[user u10]\ncopy_users = u01\n"
                                  "[user u11]\ncopy_firms = FRMA\ncopy_orders = yes\n"
                                  "[user u12]\ncopy_users = u01 u02\ncopy_orders = yes\n";

static void open_with(const char *one, const char *other)
{
    char setting[128];
    const char *const settings[] = {setting, one, one ? other : NULL, NULL};
    close(mkstemp(path));
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(definitions, file);
    fclose(file);
    snprintf(setting, sizeof(setting), "gateway.members=%s", path);
    stand_in_open_engine(&exchange, settings);
}

static void close_copies(void)
{
    close_all();
    unlink(path);
}

TestSuite(copies, .fini = close_copies);

static void order(struct client *client, uint32_t user_ref, char side, uint32_t quantity, uint64_t price)
{
    uint8_t message[128];
    struct ouch_enter enter = {.user_ref = user_ref, .side = (uint8_t)side, .quantity = quantity, .price = price};
    enter.time_in_force = '0';
    enter.display = 'Y';
    enter.capacity = 'A';
    enter.sweep = enter.cross_type = 'N';
    text_pad(enter.symbol, sizeof(enter.symbol), "AAPL");
    text_pad(enter.client_order_id, sizeof(enter.client_order_id), "id");
    client_packet(client, 'U', message, ouch_encode_enter(message, &enter));
}

static void cancel(struct client *client, uint32_t user_ref)
{
    uint8_t message[16];
    const struct ouch_cancel request = {.user_ref = user_ref};
    client_packet(client, 'U', message, ouch_encode_cancel(message, &request));
}

/* The type of the next message, which must say that it is this user's. */
static char expect_of(struct client *client, const char *user)
{
    struct soup_frame frame = expect(client, 'S');
    const uint8_t *option = frame.payload + frame.payload_bytes - 8;
    cr_assert_geq(frame.payload_bytes, 20u);
    cr_assert_eq(option[0], 7);
    cr_assert_eq(option[1], OUCH_TAG_USER);
    char padded[USER_BYTES];
    text_pad(padded, USER_BYTES, user);
    cr_assert_eq(memcmp(option + 2, padded, USER_BYTES), 0, "%c of %.6s instead of %s", frame.payload[0], option + 2,
                 user);
    return (char)frame.payload[0];
}

static void collect(struct client *client, uint32_t count, struct told *told)
{
    told->count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct soup_frame frame = expect(client, 'S');
        cr_assert_leq(frame.payload_bytes, sizeof(told->of[i].payload));
        told->of[i].bytes = frame.payload_bytes;
        memcpy(told->of[i].payload, frame.payload, frame.payload_bytes);
    }
}

/* The same, behind those that were told before. */
static void collect_more(struct client *client, uint32_t count, struct told *told)
{
    uint32_t before = told->count;
    for (uint32_t i = 0; i < count; i++) {
        struct soup_frame frame = expect(client, 'S');
        cr_assert_lt(told->count, TOLD_MAX);
        told->of[before + i].bytes = frame.payload_bytes;
        memcpy(told->of[before + i].payload, frame.payload, frame.payload_bytes);
        told->count++;
    }
}

static void expect_again(struct client *client, const struct told *told, uint32_t first)
{
    for (uint32_t i = first - 1; i < told->count; i++) {
        struct soup_frame frame = expect(client, 'S');
        cr_assert_eq(frame.payload_bytes, told->of[i].bytes, "message %u, from %u", i + 1, first);
        cr_assert_eq(memcmp(frame.payload, told->of[i].payload, frame.payload_bytes), 0, "message %u, from %u", i + 1,
                     first);
    }
}

Test(copies, who_sees_what)
{
    open_with(NULL, NULL);
    struct client *one = login_new("u01");
    struct client *two = login_new("u02");
    struct client *three = login_new("u03");
    struct client *fills = login_from("u10", 0);
    struct client *firm = login_from("u11", 1);
    struct client *both = login_from("u12", 1);
    cr_assert_eq(fills->message_no, 1u);

    order(one, 1, 'S', 10, 10000);
    expect_message(one, 'A');
    order(two, 1, 'B', 4, 10000);
    expect_message(two, 'A');
    order(three, 1, 'B', 4, 10000);
    expect_message(three, 'A');
    order(one, 2, 'B', 1, 10000); /* with himself */
    expect_message(one, 'E');
    cancel(one, 1);
    client_packet(one, 'U', "Q", 1);

    static const char *const of_firm[] = {"Au01", "Au02", "Eu02", "Eu01", "Au03", "Eu03",
                                          "Eu01", "Au01", "Eu01", "Eu01", "Cu01"};
    for (size_t i = 0; i < ARRAY_COUNT(of_firm); i++)
        cr_assert_eq(expect_of(firm, of_firm[i] + 1), of_firm[i][0], "message %zu", i + 1);
    static const char *const of_both[] = {"Au01", "Au02", "Eu02", "Eu01", "Eu01", "Au01", "Eu01", "Eu01", "Cu01"};
    for (size_t i = 0; i < ARRAY_COUNT(of_both); i++)
        cr_assert_eq(expect_of(both, of_both[i] + 1), of_both[i][0], "message %zu", i + 1);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(expect_of(fills, "u01"), 'E');
    run_for(20);
    client_read(fills);
    struct soup_frame frame;
    cr_assert_not(frame_next(fills, &frame) && frame.type == SOUP_SEQUENCED);
}

Test(copies, watching_is_all_that_it_may)
{
    open_with(NULL, NULL);
    struct client *copy = login_from("u10", 0);
    order(copy, 1, 'B', 1, 10000);
    expect(copy, '+');
    client_packet(copy, 'U', "Q", 1);
    expect(copy, '+');
    client_packet(copy, 'R', NULL, 0);
    client_packet(copy, '?', NULL, 0);
    expect(copy, '+');
    cr_assert_eq(exchange.command_count[COMMAND_ENTER], 0u);
    cr_assert_eq(exchange.command_count[COMMAND_ACCOUNT_QUERY], 0u);
    struct client *later = login_from("u10", 0); /* one connection at a time, as with any session */
    expect(copy, '+');
    expect_closed(copy);
    client_packet(later, 'O', NULL, 0);
    expect_closed(later);
}

/* What the stream of u12 and u11 is, live: `rounds` trades between two users, with others in between. */
static void trade(struct client *one, struct client *two, struct client *three, uint32_t first, uint32_t rounds)
{
    for (uint32_t i = first; i < first + rounds; i++) {
        order(one, i, 'S', 1 + i % 3, 10000 + 100 * (i % 7));
        expect_message(one, 'A');
        order(three, i, 'B', 1, 100);
        expect_message(three, 'A');
        order(two, i, 'B', 1 + i % 3, 10000 + 100 * (i % 7));
        expect_message(two, 'A');
        expect_message(two, 'E');
        expect_message(one, 'E');
    }
}

static void every_number(const char *user, const struct told *told, uint32_t step)
{
    for (uint32_t from = 1; from <= told->count; from += step) {
        struct client *client = login_from(user, from);
        cr_assert_eq(client->message_no, from);
        expect_again(client, told, from);
        close(client->fd);
        client->fd = -1;
    }
}

Test(copies, the_same_bytes_from_every_number_and_in_every_life)
{
    static struct told both;
    open_with(NULL, NULL);
    struct client *one = login_new("u01");
    struct client *two = login_new("u02");
    struct client *three = login_new("u03");
    struct client *copy = login_from("u12", 1);
    trade(one, two, three, 1, 20);
    collect(copy, 80, &both);
    every_number("u12", &both, 9);
    stand_in_restart_gateway(&exchange);
    every_number("u12", &both, 37);
    one = login_from("u01", 0); /* and goes on where it was */
    copy = login_from("u12", 0);
    cr_assert_eq(copy->message_no, 81u);
    cancel(one, 999);
    order(one, 1000, 'S', 1, 20000);
    cr_assert_eq(expect_of(copy, "u01"), 'A');
}

Test(copies, what_is_no_longer_indexed_is_counted_out_of_the_log)
{
    static struct told both;
    open_with("gateway.index_bytes=65536", "gateway.output_bytes=65536");
    struct client *one = login_new("u01");
    struct client *two = login_new("u02");
    struct client *three = login_new("u03");
    struct client *copy = login_from("u12", 1);
    trade(one, two, three, 1, 150);
    collect(copy, 600, &both);
    static uint8_t packets[64 * 1000];
    for (uint32_t i = 0; i < 60; i++) { /* the same user's cancels and orders take the whole index */
        uint32_t bytes = 0;
        for (uint32_t j = 0; j < 1000; j++)
            bytes += enter_put(packets + bytes, 1000 + i * 1000 + j, "MSFT", 0); /* refused: no price */
        client_send(three, packets, bytes);
        for (uint32_t j = 0; j < 1000; j++)
            expect_message(three, 'J');
    }
    struct client *again = login_from("u12", 1);
    expect_again(again, &both, 1);
    close(again->fd);
    again->fd = -1;
    again = login_from("u12", 304); /* the second message of a trade */
    expect_again(again, &both, 304);
    order(one, 1000, 'S', 1, 20000);
    cr_assert_eq(expect_of(again, "u01"), 'A');
}

Test(copies, a_life_that_begins_from_a_note_tells_the_same)
{
    static struct told both;
    open_with("gateway.note_events=256", NULL);
    struct client *one = login_new("u01");
    struct client *two = login_new("u02");
    struct client *three = login_new("u03");
    struct client *copy = login_from("u12", 1);
    for (uint32_t life = 0; life < 3; life++) {
        trade(one, two, three, 1 + life * 1000, 300);
        collect_more(copy, 1200, &both);
        stand_in_restart_gateway(&exchange);
        one = login_from("u01", 0);
        two = login_from("u02", 0);
        three = login_from("u03", 0);
        const struct gateway *gateway = exchange.gateway;
        uint32_t stream = copies_stream(&gateway->copies, "u12   ");
        cr_assert_gt(gateway->outbound.sessions[stream - 1].first_indexed, 1u, "it has read all events");
        cr_assert_gt(gateway->outbound.sessions[0].first_indexed, 1u);
        every_number("u12", &both, 311);
        copy = login_from("u12", 0);
    }
}

Test(copies, one_that_does_not_read_is_told_later)
{
    static struct told both;
    open_with("gateway.output_bytes=8192", NULL);
    struct client *one = login_new("u01");
    struct client *two = login_new("u02");
    struct client *three = login_new("u03");
    struct client *slow = login_from("u12", 1);
    trade(one, two, three, 1, 400); /* 120 KB; the output holds 8 */
    collect(slow, 1600, &both);
    struct client *again = login_from("u12", 1);
    expect_again(again, &both, 1);
}
