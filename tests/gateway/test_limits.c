/*
 * What members may do, by a gateway with the real engine behind it: logins that are refused or held, orders that are
 * refused with their reasons, settings that are read again while sessions live.
 */
#include "clients.h"

#include "base/bytes.h"
#include "base/units.h"
#include "env/clock.h"
#include "gateway.h"
#include "wire/ouch.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char path[] = "/tmp/ringside-limits-XXXXXX";

static void write_members(const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static void open_with(const char *text, const char *one, const char *other)
{
    char setting[128];
    const char *const settings[] = {setting, one, one ? other : NULL, NULL};
    close(mkstemp(path));
    write_members(text);
    snprintf(setting, sizeof(setting), "gateway.members=%s", path);
    stand_in_open_engine(&exchange, settings);
}

static void reload_with(const char *text)
{
    write_members(text);
    gateway_stage.reload(exchange.gateway);
}

static void close_limits(void)
{
    close_all();
    unlink(path);
}

TestSuite(limits, .fini = close_limits);

static void order(struct client *client, uint32_t user_ref, const char *symbol, uint32_t quantity, uint64_t price,
                  const char *firm)
{
    uint8_t packet[128];
    struct ouch_enter enter = {.user_ref = user_ref, .side = 'B', .quantity = quantity, .price = price};
    enter.time_in_force = '0';
    enter.display = 'Y';
    enter.capacity = 'A';
    enter.sweep = enter.cross_type = 'N';
    text_pad(enter.symbol, sizeof(enter.symbol), symbol);
    text_pad(enter.client_order_id, sizeof(enter.client_order_id), "id");
    uint8_t tag[6] = {5, 2};
    if (firm) {
        text_pad((char *)tag + 2, 4, firm);
        enter.appendage.present = true;
        enter.appendage.bytes = tag;
        enter.appendage.count = sizeof(tag);
    }
    client_packet(client, 'U', packet, ouch_encode_enter(packet, &enter));
}

static void replace(struct client *client, uint32_t orig, uint32_t user_ref, uint32_t quantity, uint64_t price)
{
    uint8_t message[64];
    struct ouch_replace request = {.orig_user_ref = orig, .user_ref = user_ref, .quantity = quantity, .price = price};
    request.time_in_force = '0';
    request.display = 'Y';
    request.sweep = 'N';
    text_pad(request.client_order_id, sizeof(request.client_order_id), "id");
    client_packet(client, 'U', message, ouch_encode_replace(message, &request));
}

static void cancel(struct client *client, uint32_t user_ref)
{
    uint8_t message[16];
    const struct ouch_cancel request = {.user_ref = user_ref};
    client_packet(client, 'U', message, ouch_encode_cancel(message, &request));
}

static void expect_rejected(struct client *client, uint32_t user_ref, uint16_t reason)
{
    struct ouch_rejected rejected = {0};
    struct soup_frame frame = expect(client, 'S');
    cr_assert_eq(frame.payload[0], 'J', "%c instead of J for %u", frame.payload[0], user_ref);
    cr_assert_null(ouch_decode_rejected(frame.payload, frame.payload_bytes, &rejected));
    cr_assert_eq(rejected.user_ref, user_ref);
    cr_assert_eq(rejected.reason, reason, "%04x instead of %04x", rejected.reason, reason);
    cr_assert_eq(memcmp(rejected.client_order_id, "id            ", 14), 0);
}

static void expect_rejected_login(struct client *client, char reason)
{
    cr_assert_eq(expect(client, 'J').payload[0], reason);
    expect_closed(client);
}

static struct client *ask(const char *user, const char *password)
{
    struct client *client = client_new();
    login_ask(client, user, password, "", 0);
    return client;
}

/* ---- logins ---- */

Test(limits, addresses_and_firms_are_looked_at_when_the_password_is_right)
{
    open_with("[user u01]\naddresses = 10.0.0.0/8 ::1\n[user u02]\naddresses = 127.0.0.0/8\n"
              "[user u03]\nfirms = OTHR\n",
              NULL, NULL);
    expect_rejected_login(ask("u01", STAND_IN_PASSWORD), 'A');
    expect_rejected_login(ask("u03", STAND_IN_PASSWORD), 'A');
    cr_assert_eq(exchange.command_count[COMMAND_LOGIN], 0u);
    cr_assert_eq(exchange.failed_login_count, 2u);
    login_new("u02");
    login_new("u04");
}

/* The debug packet that comes says this, and is the last. */
static void expect_farewell(struct client *client, const char *text)
{
    struct soup_frame frame = expect(client, '+');
    cr_assert_eq(frame.payload_bytes, strlen(text), "%.*s", (int)frame.payload_bytes, (const char *)frame.payload);
    cr_assert_eq(memcmp(frame.payload, text, strlen(text)), 0, "%.*s", (int)frame.payload_bytes,
                 (const char *)frame.payload);
    expect_closed(client);
}

static void operator_acts(uint8_t kind, const char *user)
{
    struct command command = {.kind = kind};
    command.act.flag = kind == COMMAND_SESSION_BLOCK;
    command.act.target_gateway = kind == COMMAND_GATEWAY_DEAD;
    if (user)
        text_pad(command.act.user, USER_BYTES, user);
    stand_in_command(&exchange, &command);
}

Test(limits, a_closed_session_is_told_why_it_was_closed)
{
    open_with("", NULL, NULL);
    struct client *taken = login_new("u01");
    login_from("u01", 0);
    expect_farewell(taken, "the session is no longer this connection's: a later login has taken it over");
    struct client *kicked = login_new("u02");
    operator_acts(COMMAND_SESSION_KICK, "u02");
    expect_farewell(kicked, "the exchange has closed the session");
    struct client *blocked = login_new("u03");
    operator_acts(COMMAND_SESSION_BLOCK, "u03");
    expect_farewell(blocked, "the exchange has closed the session");
    struct client *fallen = login_new("u04");
    operator_acts(COMMAND_GATEWAY_DEAD, NULL);
    expect_farewell(fallen, "the exchange has closed the session, with all others of this gateway");
}

Test(limits, a_second_login_gets_what_the_settings_say)
{
    open_with("[user u02]\nsecond_login = takeover\n", "gateway.second_login=refuse", NULL);
    struct client *first = login_new("u01");
    expect_rejected_login(ask("u01", STAND_IN_PASSWORD), 'S');
    order(first, 1, "AAPL", 1, 10000, NULL);
    expect_message(first, 'A');

    struct client *other = login_new("u02");
    login_from("u02", 0);
    expect(other, '+');
    expect_closed(other);

    client_packet(first, 'O', NULL, 0);
    expect_closed(first);
    login_from("u01", 0);
}

Test(limits, wrong_passwords_are_held_by_user_and_address)
{
    open_with("", "gateway.login_failures=3", "gateway.login_pause_ms=700");
    struct client *before = login_new("u02");
    for (int i = 0; i < 3; i++)
        expect_rejected_login(ask("u01", "wrong"), 'A');
    uint64_t start_ns = clock_monotonic_ns();
    expect_rejected_login(ask("u01", STAND_IN_PASSWORD), 'A');
    expect_rejected_login(ask("u02", STAND_IN_PASSWORD), 'A');
    if (clock_monotonic_ns() - start_ns < 600 * (uint64_t)NS_PER_MS) {
        order(before, 1, "AAPL", 1, 10000, NULL); /* sessions that are there do not notice */
        expect_message(before, 'A');
    }
    uint64_t wait_ns = clock_monotonic_ns() + 750 * (uint64_t)NS_PER_MS;
    while (clock_monotonic_ns() < wait_ns)
        stand_in_poll(&exchange);
    login_new("u01");
    cr_assert_eq(exchange.command_count[COMMAND_LOGIN], 2u);
    cr_assert_eq(exchange.failed_login_count, 3u, "not those that were refused unseen");
}

/* Three wrong passwords for the user from 127.0.0.2, after which the next one from there is not looked at. */
static void guess(const char *user)
{
    for (int i = 0; i < 3; i++) {
        struct client *stranger = client_from(INADDR_LOOPBACK + 1);
        login_ask(stranger, user, "wrong", "", 0);
        expect_rejected_login(stranger, 'A');
    }
}

/* His login at another gateway, from 127.0.0.1. */
static void log_in_elsewhere(const char *user)
{
    static const uint8_t peer[PEER_BYTES] = {[10] = 0xff, 0xff, 127, 0, 0, 1};
    struct command login = {.kind = COMMAND_LOGIN, .gateway = 2, .tenure = 1};
    login.login.flag = LOGIN_TAKES_OVER;
    login.login.connection = 1;
    text_pad(login.login.user, USER_BYTES, user);
    text_pad(login.login.firm, FIRM_BYTES, "FRMA");
    memcpy(login.login.peer, peer, PEER_BYTES);
    stand_in_command(&exchange, &login);
    run_for(3);
}

Test(limits, who_has_logged_in_elsewhere_is_not_locked_out_by_a_stranger)
{
    open_with("", "gateway.login_failures=3", "gateway.login_pause_ms=60000");
    log_in_elsewhere("u01");
    guess("u01");
    login_from("u01", 0);
}

Test(limits, who_logged_in_before_the_gateway_began_is_not_locked_out_by_a_stranger)
{
    open_with("", "gateway.login_failures=3", "gateway.login_pause_ms=60000");
    login_new("u01");
    stand_in_restart_gateway(&exchange);
    guess("u01");
    login_from("u01", 0);
}

Test(limits, who_has_never_come_from_his_address_is_held_by_the_count_of_his_name_too)
{
    open_with("", "gateway.login_failures=3", "gateway.login_pause_ms=60000");
    guess("u01");
    expect_rejected_login(ask("u01", STAND_IN_PASSWORD), 'A');
}

/* ---- orders ---- */

Test(limits, quantity_notional_and_restricted_symbols)
{
    open_with("[everyone]\nrestricted = MSFT\n[user u01]\nquantity_max = 100\nnotional_max = 5000\n", NULL, NULL);
    struct client *client = login_new("u01");
    order(client, 1, "AAPL", 101, 10000, NULL);
    expect_rejected(client, 1, OUCH_REJECT_RISK_QUANTITY);
    order(client, 2, "AAPL", 100, 500100, NULL);
    expect_rejected(client, 2, OUCH_REJECT_RISK_NOTIONAL);
    order(client, 3, "MSFT", 1, 10000, NULL);
    expect_rejected(client, 3, OUCH_REJECT_RISK_RESTRICTED_STOCK);
    order(client, 4, "AAPL", 100, 500000, NULL);
    expect_message(client, 'A');
    order(client, 4, "MSFT", 1, 10000, NULL); /* its number is used up: ignored, refused or not */
    replace(client, 4, 5, 101, 500000);
    expect_rejected(client, 5, OUCH_REJECT_RISK_QUANTITY);
    replace(client, 4, 6, 100, 510000);
    expect_rejected(client, 6, OUCH_REJECT_RISK_NOTIONAL);
    replace(client, 4, 7, 50, 510000); /* the original is as it was */
    expect_message(client, 'U');
    struct client *other = login_new("u02");
    order(other, 1, "AAPL", 101, 1000000, NULL);
    expect_message(other, 'A');
    order(other, 2, "MSFT", 1, 10000, NULL);
    expect_rejected(other, 2, OUCH_REJECT_RISK_RESTRICTED_STOCK);

    struct client *again = login_from("u01", 1); /* made again from events alone */
    static const char letters[] = "SJJJAJJU";
    for (size_t i = 0; i < strlen(letters); i++)
        expect_message(again, letters[i]);
}

Test(limits, a_market_order_costs_the_reference)
{
    open_with("[user u01]\nnotional_max = 5000\n", NULL, NULL);
    struct client *client = login_new("u01");
    order(client, 1, "AAPL", 900, PRICE_TICKS_MARKET, NULL); /* without a reference nobody knows */
    expect_message(client, 'A');
    expect_message(client, 'C');
    struct command state = {.kind = COMMAND_MARKET_STATE, .inbound_seq = 9};
    state.admin.instrument = 1;
    state.admin.market_state = 'O';
    state.admin.reference_ticks = 1000000;
    stand_in_command(&exchange, &state);
    run_for(3); /* the gateway hears of it */
    order(client, 2, "AAPL", 51, PRICE_TICKS_MARKET, NULL);
    expect_rejected(client, 2, OUCH_REJECT_RISK_NOTIONAL);
    order(client, 3, "AAPL", 50, PRICE_TICKS_MARKET, NULL);
    expect_message(client, 'A');
}

Test(limits, rates_of_port_symbol_and_equal_orders)
{
    open_with("[user u01]\norders_per_s = 1\norders_burst = 5\n"
              "[user u02]\nsymbol_orders_per_s = 1\nsymbol_orders_burst = 2\n"
              "[user u03]\nsame_orders_per_s = 1\nsame_orders_burst = 1\n",
              NULL, NULL);
    struct client *port = login_new("u01");
    for (uint32_t i = 1; i <= 3; i++) {
        order(port, i, "AAPL", i, 10000, NULL);
        expect_message(port, 'A');
    }
    order(port, 4, "NOSUCH", 1, 10000, NULL); /* counts, though it is refused for another reason */
    expect_rejected(port, 4, OUCH_REJECT_INVALID_SYMBOL);
    replace(port, 3, 5, 3, 20000);
    expect_message(port, 'U');
    order(port, 6, "AAPL", 1, 10000, NULL);
    expect_rejected(port, 6, OUCH_REJECT_RISK_PORT_RATE);
    replace(port, 5, 7, 3, 30000);
    expect_rejected(port, 7, OUCH_REJECT_RISK_PORT_RATE);
    order(port, 8, "NOSUCH", 1, 10000, NULL);
    expect_rejected(port, 8, OUCH_REJECT_RISK_PORT_RATE);
    for (uint32_t i = 1; i <= 2; i++) { /* never held */
        cancel(port, i);
        expect_message(port, 'C');
    }
    client_packet(port, 'O', NULL, 0);
    expect_closed(port);
    port = login_from("u01", 0); /* a new connection has no new bucket */
    order(port, 9, "AAPL", 1, 10000, NULL);
    expect_rejected(port, 9, OUCH_REJECT_RISK_PORT_RATE);

    struct client *symbol = login_new("u02");
    for (uint32_t i = 1; i <= 2; i++) {
        order(symbol, i, "AAPL", i, 10000, NULL);
        expect_message(symbol, 'A');
    }
    order(symbol, 3, "AAPL", 3, 10000, NULL);
    expect_rejected(symbol, 3, OUCH_REJECT_RISK_SYMBOL_RATE);
    order(symbol, 4, "MSFT", 4, 10000, NULL);
    expect_message(symbol, 'A');

    struct client *same = login_new("u03");
    order(same, 1, "AAPL", 1, 10000, NULL);
    expect_message(same, 'A');
    order(same, 2, "AAPL", 1, 10000, NULL);
    expect_rejected(same, 2, OUCH_REJECT_RISK_DUPLICATE_RATE);
    order(same, 3, "AAPL", 2, 10000, NULL);
    expect_message(same, 'A');
    order(same, 4, "AAPL", 1, 20000, NULL);
    expect_message(same, 'A');
    order(same, 5, "MSFT", 1, 10000, NULL);
    expect_message(same, 'A');
}

Test(limits, orders_of_several_firms)
{
    open_with("[user u01]\nfirms = FRMA FRMB\n", NULL, NULL);
    struct client *client = login_new("u01");
    order(client, 1, "AAPL", 1, 10000, "FRMB");
    expect_message(client, 'A');
    order(client, 2, "AAPL", 1, 10000, "FRMC");
    expect_rejected(client, 2, OUCH_REJECT_FIRM_NOT_AUTHORIZED);
    order(client, 3, "AAPL", 1, 10000, NULL);
    expect_message(client, 'A');
    cr_assert_eq(memcmp(exchange.last[COMMAND_ENTER].order.firm, "FRMA", 4), 0, "the account's, where none is named");

    struct client *single = login_new("u02");
    order(single, 1, "AAPL", 1, 10000, "FRMB");
    expect_rejected(single, 1, OUCH_REJECT_FIRM_NOT_AUTHORIZED);

    reload_with("[user u01]\nfirms = FRMB\n");
    order(client, 4, "AAPL", 1, 10000, NULL);
    expect_rejected(client, 4, OUCH_REJECT_FIRM_NOT_AUTHORIZED);
    reload_with("");
    order(client, 5, "AAPL", 1, 10000, "FRMB");
    expect_rejected(client, 5, OUCH_REJECT_FIRM_NOT_AUTHORIZED);
    order(client, 6, "AAPL", 1, 10000, NULL);
    expect_message(client, 'A');
}

/* ---- the end of a connection ---- */

Test(limits, orders_go_when_a_connection_ends_if_the_settings_say_so)
{
    open_with("[everyone]\ncancel_on_disconnect = yes\n[user u02]\ngrace_ms = 60000\n"
              "[user u03]\ncancel_on_disconnect = no\n",
              NULL, NULL);
    for (uint32_t i = 1; i <= 3; i++) {
        char user[] = {'u', '0', (char)('0' + i), '\0'};
        struct client *client = login_new(user);
        order(client, 1, "AAPL", 1, 10000, NULL);
        expect_message(client, 'A');
        shutdown(client->fd, SHUT_WR);
        expect_closed(client);
        run_for(5);
        client = login_from(user, 3);
        client_packet(client, 'U', "Q", 1);
        expect_message(client, i == 1 ? 'C' : 'Q');
    }
    cr_assert_eq(exchange.last[COMMAND_LOGIN].login.flag, LOGIN_TAKES_OVER);
    uint64_t far_ns = STAND_IN_MIDNIGHT + NS_PER_DAY;
    struct command tick = {.kind = COMMAND_TICK, .inbound_seq = 9, .time_ns = far_ns};
    stand_in_restart_gateway(&exchange); /* the same as lost connections */
    run_for(20);
    stand_in_command(&exchange, &tick);
    struct client *again = login_from("u02", 3);
    expect_message(again, 'Q');
    expect_message(again, 'C');
}

/* ---- reading again ---- */

Test(limits, new_settings_hold_at_once_and_wrong_ones_not_at_all)
{
    open_with("", NULL, NULL);
    struct client *client = login_new("u01");
    order(client, 1, "AAPL", 1000, 10000, NULL);
    expect_message(client, 'A');
    reload_with("[user u01]\nquantity_max = 10\n");
    order(client, 2, "AAPL", 1000, 10000, NULL);
    expect_rejected(client, 2, OUCH_REJECT_RISK_QUANTITY);
    reload_with("[user u01]\nquantity_max = 5000\nnonsense\n");
    order(client, 3, "AAPL", 1000, 10000, NULL);
    expect_rejected(client, 3, OUCH_REJECT_RISK_QUANTITY);
    reload_with("[user u02]\nquantity_max = 10\n");
    order(client, 4, "AAPL", 1000, 10000, NULL);
    expect_message(client, 'A');
}

Test(limits, accounts_are_read_again_too)
{
    char line[256];
    open_with("", NULL, NULL);
    struct client *stays = login_new("u02");
    FILE *file = fopen(exchange.config.gateway_accounts, "r+");
    cr_assert_not_null(file);
    while (fgets(line, sizeof(line), file)) { /* u02 and u03 are taken out */
        if (strncmp(line, "u02", 3) == 0 || strncmp(line, "u03", 3) == 0) {
            fseek(file, -(long)strlen(line), SEEK_CUR);
            fputc('#', file);
            fseek(file, (long)strlen(line) - 1, SEEK_CUR);
        }
    }
    fclose(file);
    gateway_stage.reload(exchange.gateway);
    order(stays, 1, "AAPL", 1, 10000, NULL);
    expect_message(stays, 'A');
    expect_rejected_login(ask("u03", STAND_IN_PASSWORD), 'A');
    login_new("u04");
    client_packet(stays, 'O', NULL, 0);
    expect_closed(stays);
    expect_rejected_login(ask("u02", STAND_IN_PASSWORD), 'A');
}
