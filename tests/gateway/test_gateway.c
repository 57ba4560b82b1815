/*
 * The gateway as its clients and the pipeline see it: real TCP on the loopback, real rings, a scripted engine
 * (stand_in.h).
 *
 * Goal: logins, bad input, replay from anywhere, back-pressure, slow readers, restarts and new days do what gateway.h
 * says. Method: one thread polls the gateway, the stand-in and the clients in turn, so that nothing depends on timing
 * but the tests of time-outs.
 */
#include "clients.h"

#include "base/bytes.h"
#include "base/units.h"
#include "env/clock.h"
#include "eventlog/eventlog_files.h"
#include "gateway.h"
#include "gateway_state.h"
#include "log/log.h"
#include "scratch.h"
#include "wire/ouch.h"
#include "wire/soup.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_MS 5000u

static void open_with(const char *const *settings)
{
    stand_in_open(&exchange, settings);
}

static void open_default(void)
{
    open_with(NULL);
}

TestSuite(gateway, .init = open_default, .fini = close_all);
TestSuite(settings, .fini = close_all);

/* ---- logins ---- */

Test(gateway, begins_its_tenure_before_anything_else)
{
    cr_assert_eq(exchange.command_count[COMMAND_TENURE_BEGINS], 1u);
    cr_assert_eq(exchange.last[COMMAND_TENURE_BEGINS].inbound_seq, 1u);
    cr_assert_eq(exchange.last[COMMAND_TENURE_BEGINS].tenure, 1u);
}

Test(gateway, right_login)
{
    struct client *client = client_new();
    login_ask(client, "u01", STAND_IN_PASSWORD, "", 0);
    cr_assert_eq(expect_accepted(client), 1u);
    expect_message(client, 'S');
    const struct command *login = &exchange.last[COMMAND_LOGIN];
    cr_assert_eq(memcmp(login->login.user, "u01   ", 6), 0);
    cr_assert_eq(memcmp(login->login.firm, "FRMA", 4), 0);
    cr_assert_eq(login->login.flag, 1);
    cr_assert_neq(login->head.received_ns_low, 0u);
}

Test(gateway, wrong_logins_get_an_answer_and_are_closed)
{
    static const char *const cases[][3] = {
        {"u01", "wrong", ""}, {"nobody", "secret", ""}, {"", "", ""}, {"u01", "", ""}, {"u01", "secret", "YESTERDAY"}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct client *client = client_new();
        login_ask(client, cases[i][0], cases[i][1], cases[i][2], 0);
        struct soup_frame frame = expect(client, 'J');
        cr_assert_eq(frame.payload[0], cases[i][2][0] ? 'S' : 'A');
        expect_closed(client);
    }
    cr_assert_eq(exchange.command_count[COMMAND_LOGIN], 0u, "the engine is asked for none of them");
    cr_assert_eq(exchange.failed_login_count, 3u, "but is told of three: not of no name, nor of another day's");
    cr_assert_eq(exchange.command_count[COMMAND_LOGOUT], 0u);
}

Test(gateway, the_current_session_by_name)
{
    struct client *client = client_new();
    login_ask(client, "u01", STAND_IN_PASSWORD, "  20261123", 1);
    cr_assert_eq(expect_accepted(client), 1u);
}

Test(gateway, a_later_login_takes_over)
{
    struct client *first = login_new("u01");
    enter(first, 1, "AAPL", 1000000);
    expect_message(first, 'A');
    struct client *second = login_from("u01", 1);
    expect_message(second, 'S');
    expect_message(second, 'A');
    expect(first, '+');
    expect_closed(first);
    enter(second, 2, "AAPL", 1000000);
    expect_message(second, 'A');
    cr_assert_eq(exchange.command_count[COMMAND_LOGOUT], 0u, "the engine knew");
}

Test(gateway, ends_are_told_to_the_engine_with_their_reason)
{
    struct client *client = login_new("u01");
    client_packet(client, 'O', NULL, 0);
    expect_closed(client);
    run_for(3);
    cr_assert_eq(exchange.last[COMMAND_LOGOUT].login.reason, 'L');
    cr_assert_eq(exchange.last[COMMAND_LOGOUT].session, 1u);

    client = login_from("u01", 0);
    shutdown(client->fd, SHUT_WR);
    expect_closed(client);
    run_for(3);
    cr_assert_eq(exchange.last[COMMAND_LOGOUT].login.reason, 'D');
    cr_assert_eq(exchange.command_count[COMMAND_LOGOUT], 2u);
}

/* ---- the index ---- */

/* Gateways of one exchange read the same configuration. */
Test(settings, the_index_file_is_the_gateways_own)
{
    const char *folder = scratch_make();
    char setting[128];
    char path[128];
    snprintf(setting, sizeof(setting), "gateway.index_file=%s/index", folder);
    open_with((const char *[]){setting, "gateway.index_bytes=65536", NULL});
    login_new("u01");
    snprintf(path, sizeof(path), "%s/index", folder);
    cr_assert_neq(access(path, F_OK), 0);
    snprintf(path, sizeof(path), "%s/index-1", folder);
    cr_assert_eq(access(path, F_OK), 0);
    scratch_remove();
}

/* ---- the log ---- */

/* From now on the log goes into this file, which has no name. */
static FILE *log_into_file(void)
{
    FILE *file = tmpfile();
    cr_assert_not_null(file);
    fflush(stderr);
    cr_assert_geq(dup2(fileno(file), STDERR_FILENO), 0);
    log_set_level(LOG_LEVEL_INFO);
    return file;
}

static uint32_t count_lines(FILE *file, const char *text)
{
    char line[1024];
    uint32_t count = 0;
    rewind(file);
    while (fgets(line, sizeof(line), file))
        count += strstr(line, text) != NULL;
    return count;
}

/* Ends that cost who makes them nothing do not fill the log; the others are all in it. */
Test(settings, the_log_has_a_line_a_second_of_those_that_do_not_log_in)
{
    open_with((const char *[]){"gateway.login_failures=20", NULL});
    FILE *log = log_into_file();
    uint64_t start_ns = clock_monotonic_ns();
    for (int i = 0; i < 10; i++) {
        struct client *says_nothing = client_new();
        run_for(2);
        shutdown(says_nothing->fd, SHUT_WR);
        expect_closed(says_nothing);
        struct client *other_day = client_new();
        login_ask(other_day, "u01", STAND_IN_PASSWORD, "YESTERDAY", 0);
        expect(other_day, 'J');
        struct client *wrong = client_new();
        login_ask(wrong, "u02", "wrong", "", 0);
        expect(wrong, 'J');
        struct client *member = login_from("u03", 0);
        client_packet(member, 'O', NULL, 0);
        while (expect_any(member).type != 0)
            ;
    }
    uint64_t seconds = (clock_monotonic_ns() - start_ns) / NS_PER_SECOND;
    cr_assert_eq(count_lines(log, "wrong password"), 10u);
    cr_assert_eq(count_lines(log, "the client logged out"), 10u);
    uint32_t silent = count_lines(log, "the client closed it");
    uint32_t refused = count_lines(log, "not the current one");
    cr_assert(silent >= 1 && silent <= seconds + 1, "%u", silent);
    cr_assert(refused >= 1 && refused <= seconds + 1, "%u", refused);
}

/* ---- sockets that break ---- */

/* The client's socket is reset: what the gateway sends to it fails. */
static void reset(struct client *client)
{
    const struct linger at_once = {.l_onoff = 1};
    cr_assert_eq(setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    close(client->fd);
    client->fd = -1;
}

/* Both connections have something to send, in this order; the list must not grow beyond its places. */
static void send_to_both(struct gateway *gateway, uint32_t first, uint32_t second)
{
    uint32_t guarded[] = {0, 0, CONNECTION_NONE, CONNECTION_NONE};
    uint32_t *dirty = gateway->dirty;
    gateway->dirty = guarded;
    network_debug(gateway, &gateway->connections.all[first], "something");
    network_debug(gateway, &gateway->connections.all[second], "something");
    cr_assert_eq(gateway->dirty_count, 2u);
    network_send(gateway, clock_monotonic_ns());
    gateway->dirty = dirty;
    cr_assert_eq(guarded[2], CONNECTION_NONE, "%u is in the list twice", guarded[2]);
    cr_assert_eq(gateway->dirty_count, 0u);
    cr_assert_not(gateway->connections.all[first].dirty);
    cr_assert_not(gateway->connections.all[second].dirty);
}

Test(settings, a_send_that_fails_takes_no_second_place_among_those_to_be_sent)
{
    open_with((const char *[]){"gateway.connections_max=2", "gateway.strangers_max=2", NULL});
    struct gateway *gateway = exchange.gateway;
    struct client *broken = client_new();
    run_for(3);
    client_new();
    run_for(3);
    cr_assert_eq(gateway->connections.count, 2u);
    reset(broken);
    send_to_both(gateway, 0, 1);
    cr_assert_eq(gateway->connections.count, 1u);
    login_new("u01"); /* in its place */
}

Test(settings, a_send_that_fails_pushes_out_no_stranger)
{
    open_with((const char *[]){"gateway.connections_max=2", "gateway.strangers_max=1", NULL});
    struct gateway *gateway = exchange.gateway;
    struct client *broken = client_new();
    run_for(3);
    strangers_forget(gateway, &gateway->connections.all[0]); /* it has asked to log in, and waits for its turn */
    struct client *stranger = client_new();
    run_for(3);
    cr_assert_eq(gateway->connections.count, 2u);
    reset(broken);
    send_to_both(gateway, 1, 0);
    cr_assert_eq(gateway->connections.count, 1u);
    expect(stranger, '+');
    login_ask(stranger, "u01", STAND_IN_PASSWORD, "", 0);
    expect_accepted(stranger);
}

/* ---- requests ---- */

Test(gateway, an_order_there_and_back)
{
    struct client *client = login_new("u01");
    enter(client, 1, "MSFT", 3000000);
    struct soup_frame frame = expect(client, 'S');
    struct ouch_accepted accepted = {0};
    cr_assert_null(ouch_decode_accepted(frame.payload, frame.payload_bytes, &accepted));
    cr_assert_eq(accepted.user_ref, 1u);
    cr_assert_lt(accepted.timestamp_ns, NS_PER_DAY);
    const struct command *command = &exchange.last[COMMAND_ENTER];
    cr_assert_eq(command->order.instrument, 2u);
    cr_assert_eq(command->order.price_ticks, 3000000);
    cr_assert_eq(command->session, 1u);
    cr_assert_eq(command->gateway, 1);
    cr_assert_eq(command->tenure, 1u);
}

Test(gateway, byte_by_byte_and_all_at_once)
{
    struct client *client = login_new("u01");
    uint8_t packet[128];
    uint32_t bytes = enter_put(packet, 1, "AAPL", 1000000);
    for (uint32_t i = 0; i < bytes; i++) {
        client_send(client, packet + i, 1);
        stand_in_poll(&exchange);
    }
    expect_message(client, 'A');
    static uint8_t many[64 * 1024];
    uint32_t count = 0;
    for (uint32_t i = 2; i <= 1000; i++)
        count += enter_put(many + count, i, "AAPL", 1000000);
    client_send(client, many, count);
    for (uint32_t i = 2; i <= 1000; i++)
        expect_message(client, 'A');
    cr_assert_eq(exchange.command_count[COMMAND_ENTER], 1000u);
}

Test(gateway, what_it_refuses_goes_down_and_comes_back)
{
    struct client *client = login_new("u01");
    enter(client, 1, "NOSUCH", 1000000);
    struct soup_frame frame = expect(client, 'S');
    struct ouch_rejected rejected = {0};
    cr_assert_null(ouch_decode_rejected(frame.payload, frame.payload_bytes, &rejected));
    cr_assert_eq(rejected.reason, OUCH_REJECT_INVALID_SYMBOL);
    cr_assert_eq(memcmp(rejected.client_order_id, "order         ", 14), 0);
    enter(client, 2, "AAPL", UINT64_C(1) << 33);
    frame = expect(client, 'S');
    cr_assert_null(ouch_decode_rejected(frame.payload, frame.payload_bytes, &rejected));
    cr_assert_eq(rejected.reason, OUCH_REJECT_INVALID_PRICE);
    cr_assert_eq(rejected.user_ref, 2u);
}

Test(gateway, unknown_packets_and_messages_get_a_debug_packet_and_the_session_lives)
{
    struct client *client = login_new("u01");
    client_packet(client, 'U', "?", 1);
    expect(client, '+');
    client_packet(client, 'U', NULL, 0);
    expect(client, '+');
    client_packet(client, 'U', "X", 1);
    expect(client, '+');
    client_packet(client, '?', "what", 4);
    expect(client, '+');
    client_packet(client, 'U', "Q", 1);
    expect_message(client, 'Q');
}

Test(gateway, broken_frames_get_a_debug_packet_and_the_end)
{
    static const char *const cases[] = {"\0\0", "\xff\xff"};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct client *client = login_from("u01", 0);
        if (i == 0)
            expect_message(client, 'S');
        struct client *stranger = client_new();
        client_send(client, cases[i], 2);
        client_send(stranger, cases[i], 2);
        expect(client, '+');
        expect(stranger, '+');
        expect_closed(client);
        expect_closed(stranger);
    }
    struct client *early = client_new();
    enter(early, 1, "AAPL", 1000000);
    expect(early, '+');
    expect_closed(early);
}

Test(gateway, the_reason_arrives_though_more_was_on_its_way)
{
    struct client *client = login_new("u01");
    static uint8_t noise[200000];
    memset(noise, 0xff, sizeof(noise));
    client_send(client, noise, sizeof(noise));
    expect(client, '+');
    expect_closed(client);
}

/* ---- streams ---- */

static void accept_many(uint32_t session, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        stand_in_accepted(&exchange, session, first + i);
}

static void expect_refs(struct client *client, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct soup_frame frame = expect(client, 'S');
        struct ouch_accepted accepted = {0};
        cr_assert_null(ouch_decode_accepted(frame.payload, frame.payload_bytes, &accepted));
        cr_assert_eq(accepted.user_ref, first + i, "%u instead of %u", accepted.user_ref, first + i);
    }
}

Test(gateway, replay_from_every_kind_of_number)
{
    struct client *client = login_new("u01");
    client_packet(client, 'O', NULL, 0);
    expect_closed(client);
    accept_many(1, 1, 5000); /* while it is away; the event ring holds 256 of them */

    client = login_from("u01", 1);
    cr_assert_eq(client->message_no, 1u);
    expect_message(client, 'S');
    expect_refs(client, 1, 5000);
    enter(client, 5001, "AAPL", 1000000);
    expect_refs(client, 5001, 1);
    cr_assert_eq(client->message_no, 5003u);

    client = login_from("u01", 4990);
    cr_assert_eq(client->message_no, 4990u);
    expect_refs(client, 4989, 13);
    client = login_from("u01", 0);
    cr_assert_eq(client->message_no, 5003u, "0: the next one");
    client = login_from("u01", 99999);
    cr_assert_eq(client->message_no, 5003u, "beyond the next: the next one");
    enter(client, 5002, "AAPL", 1000000);
    expect_refs(client, 5002, 1);
}

Test(gateway, replay_does_not_disturb_the_others_nor_lose_what_happens_meanwhile)
{
    login_new("u01");
    struct client *bystander = login_new("u02");
    accept_many(1, 1, 3000);
    run_for(20);
    struct client *client = client_new();
    login_ask(client, "u01", STAND_IN_PASSWORD, "", 1);
    for (uint32_t i = 1; i <= 200; i++) {
        enter(bystander, i, "AAPL", 1000000);
        stand_in_accepted(&exchange, 1, 3000 + i); /* behind all that is replayed */
        expect_refs(bystander, i, 1);
    }
    expect_accepted(client);
    expect_message(client, 'S');
    expect_refs(client, 1, 3200);
}

Test(gateway, both_sides_of_a_trade_and_a_trade_with_oneself)
{
    struct client *one = login_new("u01");
    struct client *two = login_new("u02");
    stand_in_trade(&exchange, 1, 2);
    stand_in_trade(&exchange, 1, 1);
    for (int i = 0; i < 4; i++) {
        struct soup_frame frame = expect(i == 1 ? two : one, 'S');
        struct ouch_executed executed = {0};
        cr_assert_null(ouch_decode_executed(frame.payload, frame.payload_bytes, &executed));
        bool maker = i == 1 || i == 2; /* of the trade with oneself the maker's message has the lower number */
        cr_assert_eq(executed.liquidity, maker ? 'A' : 'R', "message %d", i);
        cr_assert_eq(executed.user_ref, maker ? 2u : 1u);
    }
    struct client *again = login_from("u01", 2);
    expect_message(again, 'E');
    expect_message(again, 'E');
    expect_message(again, 'E');
    cr_assert_eq(again->message_no, 5u);
}

Test(gateway, a_restarted_gateway_tells_what_was_missed)
{
    struct client *client = login_new("u01");
    enter(client, 1, "AAPL", 1000000);
    expect_message(client, 'A');
    accept_many(1, 2, 400);
    stand_in_restart_gateway(&exchange);
    cr_assert_eq(exchange.last[COMMAND_TENURE_BEGINS].tenure, 2u);
    accept_many(1, 402, 10);
    client = login_from("u01", 3);
    expect_refs(client, 2, 410);
    enter(client, 412, "MSFT", 1000000);
    expect_refs(client, 412, 1);
    cr_assert_eq(exchange.last[COMMAND_ENTER].order.instrument, 2u, "instruments are known again");
}

Test(gateway, a_new_day_ends_the_streams_and_begins_them_anew)
{
    struct client *client = login_new("u01");
    accept_many(1, 1, 10);
    expect_refs(client, 1, 10);
    stand_in_next_day(&exchange);
    expect(client, 'Z');
    expect_closed(client);
    struct client *stale = client_new();
    login_ask(stale, "u01", STAND_IN_PASSWORD, "  20261123", 11);
    cr_assert_eq(expect(stale, 'J').payload[0], 'S');
}

Test(gateway, being_stopped_it_tells_clients_and_the_engine)
{
    struct client *client = login_new("u01");
    struct client *stranger = client_new();
    run_for(3);
    cr_assert_not(gateway_stage.stopped(exchange.gateway, clock_monotonic_ns()));
    expect(client, '+');
    expect(stranger, '+');
    expect_closed(client);
    expect_closed(stranger);
    close(client->fd);
    close(stranger->fd);
    client->fd = stranger->fd = -1;
    run_for(3);
    cr_assert_eq(exchange.command_count[COMMAND_LOGOUT], 1u);
    cr_assert_eq(exchange.last[COMMAND_LOGOUT].login.reason, 'S');
    cr_assert(gateway_stage.stopped(exchange.gateway, clock_monotonic_ns()), "all are gone");
}

/* ---- pressure ---- */

Test(gateway, a_full_ring_holds_clients_and_loses_nothing)
{
    struct client *client = login_new("u01");
    struct client *other = login_new("u02");
    exchange.hold = true;
    const uint32_t total = 40000; /* the ring has 16,384 slots */
    static uint8_t packets[40000 * 64];
    uint32_t bytes = 0;
    for (uint32_t i = 1; i <= total; i++)
        bytes += enter_put(packets + bytes, i, "AAPL", 1000000);
    uint32_t sent = 0;
    uint32_t quiet = 0;
    while (quiet < 1000 && sent < bytes) {
        ssize_t count = send(client->fd, packets + sent, bytes - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += count > 0 ? (uint32_t)count : 0;
        quiet = count > 0 ? 0 : quiet + 1;
        stand_in_poll(&exchange);
    }
    stand_in_accepted(&exchange, 2, 77);
    expect_refs(other, 77, 1); /* events go on while the ring is full */

    exchange.hold = false;
    uint32_t got = 0;
    struct soup_frame frame;
    uint64_t deadline_ns = clock_monotonic_ns() + 10 * (uint64_t)NS_PER_SECOND;
    while (got < total && clock_monotonic_ns() < deadline_ns) {
        ssize_t count = send(client->fd, packets + sent, bytes - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += count > 0 ? (uint32_t)count : 0;
        stand_in_poll(&exchange);
        client_read(client);
        while (frame_next(client, &frame))
            got += frame.type == SOUP_SEQUENCED;
    }
    cr_assert_eq(got, total);
    cr_assert_eq(exchange.command_count[COMMAND_ENTER], total);
}

Test(settings, a_slow_reader_is_served_later_and_holds_nobody)
{
    static const char *const settings[] = {"gateway.output_bytes=8192", NULL};
    open_with(settings);
    struct client *slow = login_new("u01");
    struct client *fast = login_new("u02");
    const uint32_t total = 60000; /* 4 MB: more than the sockets and the 8 KiB of output hold */
    for (uint32_t i = 1; i <= total; i++) {
        stand_in_accepted(&exchange, 1, i);
        if (i % 500 == 0) {
            stand_in_accepted(&exchange, 2, i / 500);
            expect_refs(fast, i / 500, 1);
        }
    }
    expect_refs(slow, 1, total);
    enter(slow, total + 1, "AAPL", 1000000);
    expect_refs(slow, total + 1, 1);
    cr_assert_eq(slow->message_no, total + 3);
}

Test(settings, what_is_no_longer_indexed_is_found_in_the_log)
{
    static const char *const settings[] = {"gateway.index_bytes=65536", "gateway.output_bytes=65536", NULL};
    open_with(settings);
    login_new("u01");
    login_new("u02");
    accept_many(1, 1, 100);
    for (uint32_t i = 0; i < 80000; i++) { /* another's messages take the whole index */
        stand_in_accepted(&exchange, 2, i);
        if (i % 100 == 0)
            stand_in_poll(&exchange);
    }
    accept_many(1, 101, 100);
    struct client *client = login_from("u01", 2);
    expect_refs(client, 1, 200);
    enter(client, 201, "AAPL", 1000000);
    expect_refs(client, 201, 1);
}

/* Between two of its messages there are a thousand of others: looking for them is done in small pieces. */
Test(settings, who_looks_for_messages_far_apart_reads_a_little_at_a_time)
{
    static const char *const settings[] = {"gateway.index_bytes=65536", "gateway.output_bytes=65536", NULL};
    open_with(settings);
    login_new("u01");
    login_new("u02");
    for (uint32_t i = 0; i < 80000; i++) {
        if (i % 1000 == 0)
            accept_many(1, 1 + i / 1000, 1);
        stand_in_accepted(&exchange, 2, i);
        if (i % 100 == 0)
            stand_in_poll(&exchange);
    }
    struct client *client = login_from("u01", 2);
    uint32_t most = 0;
    uint32_t polls = 0;
    for (; ((struct gateway *)exchange.gateway)->counts.messages_behind < 80 && polls < 10000; polls++) {
        stand_in_poll(&exchange);
        uint32_t read = ((struct gateway *)exchange.gateway)->behind_read;
        most = read > most ? read : most;
    }
    expect_refs(client, 1, 80);
    cr_expect(most > 64 && most < 2500, "%u events read in one poll", most);
    cr_expect_gt(polls, 20);
}

/* One bit of a record of the event log. */
static void damage_event(uint64_t event_seq)
{
    char path[DISK_PATH_BYTES];
    uint8_t byte;
    eventlog_path(exchange.config.events_directory, eventlog_file_number(event_seq), path);
    int file = open(path, O_RDWR | O_CLOEXEC);
    off_t at = (off_t)eventlog_offset(event_seq) + RECORD_BYTES / 2;
    cr_assert_eq(pread(file, &byte, 1, at), 1);
    byte ^= 1;
    cr_assert_eq(pwrite(file, &byte, 1, at), 1);
    close(file);
}

Test(settings, who_asks_for_what_is_damaged_is_told_so_and_the_others_go_on)
{
    open_with(NULL);
    login_new("u01");
    login_new("u02");
    accept_many(1, 1, 100);
    uint64_t damaged = exchange.event_seq_next - 50;
    for (uint32_t i = 0; i < 2000; i++) { /* the ring, of 256, has it no more */
        stand_in_accepted(&exchange, 2, i);
        if (i % 100 == 0)
            stand_in_poll(&exchange);
    }
    damage_event(damaged);
    struct client *other = login_new("u03");
    struct client *client = login_from("u01", 2);
    expect_refs(client, 1, 50);
    expect(client, '+');
    expect_closed(client);
    client = login_from("u01", 53); /* behind it all is well */
    expect_refs(client, 52, 49);
    enter(other, 1, "AAPL", 1000000);
    expect_refs(other, 1, 1);
}

/* A folder in place of the file: it opens, and cannot be read. */
Test(settings, who_asks_for_what_cannot_be_read_is_told_so_and_the_others_go_on)
{
    char path[DISK_PATH_BYTES];
    char aside[DISK_PATH_BYTES + 8];
    open_with(NULL);
    login_new("u01");
    login_new("u02");
    accept_many(1, 1, 100);
    for (uint32_t i = 0; i < 2000; i++) { /* the ring, of 256, has it no more */
        stand_in_accepted(&exchange, 2, i);
        if (i % 100 == 0)
            stand_in_poll(&exchange);
    }
    struct client *other = login_new("u03");
    eventlog_path(exchange.config.events_directory, 0, path);
    snprintf(aside, sizeof(aside), "%s.aside", path);
    cr_assert_eq(rename(path, aside), 0);
    cr_assert_eq(mkdir(path, 0700), 0);
    struct client *client = login_from("u01", 2);
    expect(client, '+');
    expect_closed(client);
    enter(other, 1, "AAPL", 1000000);
    expect_refs(other, 1, 1);
    cr_assert_eq(rmdir(path), 0);
    cr_assert_eq(rename(aside, path), 0);
    client = login_from("u01", 2);
    expect_refs(client, 1, 100);
}

/* ---- time ---- */

static uint64_t ms_until_closed(struct client *client)
{
    uint64_t start_ns = clock_monotonic_ns();
    while (!client->closed) {
        struct soup_frame frame;
        while (frame_next(client, &frame))
            ;
        stand_in_poll(&exchange);
        client_read(client);
        cr_assert_lt(clock_monotonic_ns() - start_ns, WAIT_MS * (uint64_t)NS_PER_MS, "it is not closed");
    }
    return (clock_monotonic_ns() - start_ns) / NS_PER_MS;
}

Test(settings, time_outs_and_heartbeats)
{
    static const char *const settings[] = {"gateway.login_timeout_ms=300", "gateway.silence_ms=500",
                                           "gateway.heartbeat_ms=50", NULL};
    open_with(settings);
    uint64_t ms = ms_until_closed(client_new());
    cr_assert(ms >= 280 && ms < 2000, "without a login: %lu ms", ms);

    struct client *client = login_new("u01");
    uint8_t packet[128];
    uint32_t bytes = enter_put(packet, 1, "AAPL", 1000000);
    client_send(client, packet, bytes / 2); /* half a frame, then nothing */
    ms = ms_until_closed(client);
    cr_assert(ms >= 450 && ms < 3000, "silent: %lu ms", ms);
    cr_assert_eq(exchange.command_count[COMMAND_ENTER], 0u);
    run_for(3);
    cr_assert_eq(exchange.last[COMMAND_LOGOUT].login.reason, 'T');

    client = login_from("u01", 0);
    uint32_t heartbeats = 0;
    uint64_t start_ns = clock_monotonic_ns();
    uint64_t beat_ns = start_ns;
    while (clock_monotonic_ns() - start_ns < 800 * (uint64_t)NS_PER_MS) {
        struct soup_frame frame;
        if (clock_monotonic_ns() - beat_ns > 100 * (uint64_t)NS_PER_MS) {
            client_packet(client, 'R', NULL, 0);
            beat_ns = clock_monotonic_ns();
        }
        stand_in_poll(&exchange);
        client_read(client);
        while (frame_next(client, &frame))
            heartbeats += frame.type == SOUP_SERVER_HEARTBEAT;
    }
    cr_assert_not(client->closed, "one that beats is kept");
    cr_assert(heartbeats >= 6 && heartbeats <= 18, "%u heartbeats in 800 ms at 50 ms", heartbeats);
}

Test(settings, more_connections_than_there_may_be)
{
    static const char *const settings[] = {"gateway.connections_max=2", NULL};
    open_with(settings);
    struct client *one = login_new("u01");
    login_new("u02");
    struct client *third = client_new();
    expect(third, '+');
    expect_closed(third);
    client_packet(one, 'O', NULL, 0);
    expect_closed(one);
    close(one->fd);
    one->fd = -1;
    run_for(10);
    login_new("u03");
}
