/*
 * The trader's session against a server that does as it is told, on a real socket.
 *
 * One thread: the trader is polled for some milliseconds, then what it sent is read, and so on.
 */
#include "client/ringside_trader.h"
#include "wire/soup.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

struct world {
    int listener;
    int server; /* the accepted connection */
    struct rs_trader *trader;
    char address[64];
    uint32_t ready;
    uint32_t ready_ref;
    uint32_t gone;
    uint32_t unknown;
    uint32_t by_type[256]; /* callbacks called */
    uint64_t sequence_last;
    uint64_t option; /* trigger price of the last accepted */
    bool close_on_accepted;
};

static void on_ready(void *context, uint32_t user_ref_next)
{
    struct world *world = context;
    world->ready++;
    world->ready_ref = user_ref_next;
}

static void on_gone(void *context, int error, const char *why, uint32_t retry_ms)
{
    struct world *world = context;
    cr_assert_lt(error, 0);
    cr_assert_neq(*why, '\0');
    cr_assert_leq(retry_ms, 40);
    world->gone++;
}

static void on_unknown(void *context, uint64_t sequence, const uint8_t *message, size_t message_bytes, const char *why)
{
    struct world *world = context;
    (void)sequence;
    (void)message;
    (void)message_bytes;
    cr_assert_neq(*why, '\0');
    world->unknown++;
}

static void note(struct world *world, uint8_t type, uint64_t sequence, const struct ouch_options *options)
{
    world->by_type[type]++;
    world->sequence_last = sequence;
    if (type == OUCH_TYPE_ACCEPTED && (options->present & OUCH_HAS_TRIGGER_PRICE))
        world->option = options->trigger_price;
    if (type == OUCH_TYPE_ACCEPTED && world->close_on_accepted)
        rs_trader_close(world->trader);
}

#define X(name, NAME, letter, bytes, appendage, title)                                                                 \
    static void on_##name(void *context, uint64_t sequence, const struct ouch_##name *message,                         \
                          const struct ouch_options *options)                                                          \
    {                                                                                                                  \
        (void)message;                                                                                                 \
        note(context, letter, sequence, options);                                                                      \
    }
OUCH_MESSAGES_OUT(X)
#undef X

static struct rs_trader_options options_of(struct world *world, uint64_t sequence)
{
    return (struct rs_trader_options){.client = {.addresses = world->address,
                                                 .user = "DEMO01",
                                                 .password = "secret",
                                                 .sequence_next = sequence,
                                                 .context = world},
                                      .callbacks = {.on_ready = on_ready,
                                                    .on_gone = on_gone,
                                                    .on_unknown = on_unknown,
#define X(name, NAME, letter, bytes, appendage, title) .on_##name = on_##name,
                                                    OUCH_MESSAGES_OUT(X)
#undef X
                                      },
                                      .requests_max = 4,
                                      .backoff_ms_min = 20,
                                      .backoff_ms_max = 40};
}

static void open_world(struct world *world, uint64_t sequence)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(address);
    char why[200] = "";
    *world = (struct world){.server = -1};
    world->listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(world->listener, (struct sockaddr *)&address, bytes), 0);
    cr_assert_eq(listen(world->listener, 4), 0);
    getsockname(world->listener, (struct sockaddr *)&address, &bytes);
    snprintf(world->address, sizeof(world->address), "127.0.0.1:%u", ntohs(address.sin_port));
    const struct rs_trader_options options = options_of(world, sequence);
    world->trader = rs_trader_create(&options, why, sizeof(why));
    cr_assert_not_null(world->trader, "%s", why);
}

static void close_world(struct world *world)
{
    rs_trader_destroy(world->trader);
    close(world->listener);
    if (world->server >= 0)
        close(world->server);
}

static void serve(struct world *world, uint8_t type, const void *payload, uint32_t payload_bytes)
{
    uint8_t packet[512];
    uint32_t bytes = soup_put_packet(packet, type, payload, payload_bytes);
    cr_assert_eq(write(world->server, packet, bytes), (ssize_t)bytes);
}

/* Until nothing has come for a while. */
static void poll_some(struct world *world)
{
    for (int quiet = 0; quiet < 5;) {
        int messages = rs_trader_poll(world->trader, 3);
        cr_assert_geq(messages, 0, "%s", rs_trader_why(world->trader));
        quiet = messages > 0 ? 0 : quiet + 1;
    }
}

/* Takes the connection that the trader makes, and its login: the number asked for. */
static uint64_t take_login(struct world *world, struct soup_login_request *ret)
{
    uint8_t header[SOUP_HEADER_BYTES];
    uint8_t payload[SOUP_LOGIN_REQUEST_LONG_BYTES];
    struct soup_login_request request;
    for (int i = 0; i < 20; i++) /* the back-off may have to pass */
        cr_assert_geq(rs_trader_poll(world->trader, 5), 0);
    if (world->server >= 0)
        close(world->server);
    const int one = 1;
    world->server = accept(world->listener, NULL, NULL);
    cr_assert_geq(world->server, 0, "the trader did not come");
    setsockopt(world->server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* each write arrives at once */
    poll_some(world);
    cr_assert_eq(recv(world->server, header, sizeof(header), MSG_WAITALL), (ssize_t)sizeof(header));
    uint32_t bytes = load_be16(header) - 1u;
    cr_assert_eq(header[2], SOUP_LOGIN_REQUEST);
    cr_assert_eq(recv(world->server, payload, bytes, MSG_WAITALL), (ssize_t)bytes);
    cr_assert_null(soup_get_login_request(payload, bytes, &request));
    if (ret)
        *ret = request;
    return request.sequence_next;
}

static void serve_login_accepted(struct world *world, uint32_t date, uint64_t sequence)
{
    uint8_t payload[SOUP_LOGIN_ACCEPTED_BYTES];
    soup_put_login_accepted(payload, date, sequence);
    serve(world, SOUP_LOGIN_ACCEPTED, payload, sizeof(payload));
}

static void accept_login(struct world *world, uint64_t sequence)
{
    serve_login_accepted(world, 20261123, sequence);
    poll_some(world);
}

static void refuse_login(struct world *world)
{
    serve(world, SOUP_LOGIN_REJECTED, "S", 1);
    poll_some(world);
}

/* Polls until that gives an error, which is what it gives from then on. */
static int poll_to_the_end(struct world *world)
{
    int result = 0;
    for (int i = 0; i < 100 && result >= 0; i++)
        result = rs_trader_poll(world->trader, 10);
    return result;
}

static void answer_query(struct world *world, uint32_t user_ref_next)
{
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    const struct ouch_account_answer answer = {.user_ref_next = user_ref_next};
    serve(world, SOUP_SEQUENCED, message, ouch_encode_account_answer(message, &answer));
    poll_some(world);
}

static void serve_accepted(struct world *world, uint32_t user_ref)
{
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    const struct ouch_accepted accepted = {.user_ref = user_ref, .state = 'L'};
    serve(world, SOUP_SEQUENCED, message, ouch_encode_accepted(message, &accepted));
    poll_some(world);
}

static void serve_canceled_for(struct world *world, uint32_t user_ref, char reason)
{
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    const struct ouch_canceled canceled = {.user_ref = user_ref, .quantity = 1, .reason = (uint8_t)reason};
    serve(world, SOUP_SEQUENCED, message, ouch_encode_canceled(message, &canceled));
    poll_some(world);
}

static void serve_canceled(struct world *world, uint32_t user_ref)
{
    serve_canceled_for(world, user_ref, 'U');
}

static void hang_up(struct world *world)
{
    close(world->server);
    world->server = -1;
}

/* The next message that the trader sent; heartbeats left out. Its bytes; 0: none. */
static uint32_t take(struct world *world, uint8_t message[OUCH_MESSAGE_BYTES_MAX])
{
    uint8_t header[SOUP_HEADER_BYTES];
    poll_some(world);
    while (recv(world->server, header, sizeof(header), MSG_DONTWAIT) == (ssize_t)sizeof(header)) {
        uint32_t bytes = load_be16(header) - 1u;
        if (bytes > 0)
            cr_assert_eq(recv(world->server, message, bytes, MSG_WAITALL), (ssize_t)bytes);
        if (header[2] == SOUP_UNSEQUENCED)
            return bytes;
    }
    return 0;
}

static void expect_query(struct world *world)
{
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    cr_assert_eq(take(world, message), 1);
    cr_assert_eq(message[0], OUCH_TYPE_ACCOUNT_QUERY);
}

static uint32_t expect_enter(struct world *world)
{
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    struct ouch_enter enter = {0};
    uint32_t bytes = take(world, message);
    cr_assert_null(ouch_decode_enter(message, bytes, &enter), "%u bytes of type %c", bytes, message[0]);
    return enter.user_ref;
}

static void expect_cancel(struct world *world, uint32_t user_ref)
{
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    struct ouch_cancel cancel = {0};
    uint32_t bytes = take(world, message);
    cr_assert_null(ouch_decode_cancel(message, bytes, &cancel), "%u bytes of type %c", bytes, message[0]);
    cr_assert_eq(cancel.user_ref, user_ref);
}

static void join(struct world *world, uint32_t user_ref_next)
{
    cr_assert_eq(take_login(world, NULL), 0);
    accept_login(world, 1);
    expect_query(world);
    answer_query(world, user_ref_next);
    cr_assert(rs_trader_ready(world->trader));
}

static const struct rs_order simple = {.side = 'B', .symbol = "AAPL", .quantity = 100, .price = 5853300};

static uint32_t enter(struct world *world)
{
    uint32_t user_ref = 0;
    cr_assert_eq(rs_trader_enter(world->trader, &simple, &user_ref), 0);
    return user_ref;
}

Test(trader, is_ready_when_its_question_is_answered)
{
    struct world world;
    open_world(&world, 0);
    cr_assert_eq(rs_trader_enter(world.trader, &simple, NULL), RS_CLIENT_STATE);
    cr_assert_eq(take_login(&world, NULL), 0);
    accept_login(&world, 12);
    expect_query(&world);
    cr_assert_not(rs_trader_ready(world.trader));
    cr_assert_eq(rs_trader_enter(world.trader, &simple, NULL), RS_CLIENT_STATE);
    answer_query(&world, 7);
    cr_assert_eq(world.ready, 1);
    cr_assert_eq(world.ready_ref, 7);
    cr_assert_eq(rs_trader_sequence_next(world.trader), 13);
    cr_assert_str_eq(rs_trader_session(world.trader), "20261123");
    cr_assert_eq(enter(&world), 7);
    cr_assert_eq(enter(&world), 8);
    close_world(&world);
}

Test(trader, answers_in_a_replay_are_not_taken_for_its_own)
{
    struct world world;
    open_world(&world, 1);
    cr_assert_eq(take_login(&world, NULL), 0, "first it asks where a replay ends");
    accept_login(&world, 4);
    cr_assert_eq(take_login(&world, NULL), 1, "then for the replay");
    accept_login(&world, 1);
    expect_query(&world);
    answer_query(&world, 1); /* number 1: of some earlier login */
    serve_accepted(&world, 1);
    serve_accepted(&world, 2);
    cr_assert_not(rs_trader_ready(world.trader));
    answer_query(&world, 3); /* number 4 */
    cr_assert(rs_trader_ready(world.trader));
    cr_assert_eq(enter(&world), 3);
    cr_assert_eq(world.by_type[OUCH_TYPE_ACCEPTED], 2);
    close_world(&world);
}

Test(trader, the_answer_to_a_question_of_a_broken_connection_is_not_taken_for_its_own)
{
    struct world world;
    open_world(&world, 0);
    join(&world, 1);
    cr_assert_eq(rs_trader_account_query(world.trader), 0);
    expect_query(&world);
    hang_up(&world);
    cr_assert_eq(take_login(&world, NULL), 0, "first it asks where a replay ends");
    accept_login(&world, 4);
    cr_assert_eq(take_login(&world, NULL), 2);
    accept_login(&world, 2);
    expect_query(&world);
    answer_query(&world, 1); /* number 2: of the earlier connection */
    cr_assert_not(rs_trader_ready(world.trader));
    serve_accepted(&world, 1);
    answer_query(&world, 2); /* number 4 */
    cr_assert(rs_trader_ready(world.trader));
    cr_assert_eq(enter(&world), 2);
    close_world(&world);
}

Test(trader, the_question_of_a_join_that_broke_is_an_older_one_too)
{
    struct world world;
    open_world(&world, 0);
    join(&world, 1);
    hang_up(&world);
    cr_assert_eq(take_login(&world, NULL), 2, "no question was out");
    accept_login(&world, 2);
    expect_query(&world);
    hang_up(&world);
    cr_assert_eq(take_login(&world, NULL), 0);
    accept_login(&world, 3);
    cr_assert_eq(take_login(&world, NULL), 2);
    accept_login(&world, 2);
    answer_query(&world, 1); /* number 2 */
    cr_assert_not(rs_trader_ready(world.trader));
    hang_up(&world);
    cr_assert_eq(take_login(&world, NULL), 0, "and again");
    accept_login(&world, 3);
    cr_assert_eq(take_login(&world, NULL), 3);
    accept_login(&world, 3);
    answer_query(&world, 1);
    cr_assert(rs_trader_ready(world.trader));
    close_world(&world);
}

Test(trader, a_broken_first_replay_goes_on_where_it_was)
{
    struct world world;
    open_world(&world, 1);
    take_login(&world, NULL);
    accept_login(&world, 4);
    take_login(&world, NULL);
    accept_login(&world, 1);
    serve_accepted(&world, 1);
    serve_accepted(&world, 2);
    hang_up(&world);
    cr_assert_eq(take_login(&world, NULL), 0, "old answers may come in the rest of the replay");
    cr_assert_eq(rs_trader_sequence_next(world.trader), 3);
    accept_login(&world, 4);
    cr_assert_eq(take_login(&world, NULL), 3, "what was told does not come again");
    accept_login(&world, 3);
    answer_query(&world, 1); /* number 3: the one before */
    cr_assert_not(rs_trader_ready(world.trader));
    answer_query(&world, 3);
    cr_assert(rs_trader_ready(world.trader));
    cr_assert_eq(world.by_type[OUCH_TYPE_ACCEPTED], 2);
    close_world(&world);
}

Test(trader, nothing_is_left_out_when_the_first_join_breaks)
{
    struct world world;
    open_world(&world, 0);
    take_login(&world, NULL);
    accept_login(&world, 12);
    serve_accepted(&world, 5);
    hang_up(&world);
    take_login(&world, NULL);
    accept_login(&world, 15);
    cr_assert_eq(take_login(&world, NULL), 13, "with 0 the messages 13 and 14 would never come");
    cr_assert_eq(rs_trader_sequence_next(world.trader), 13);
    accept_login(&world, 13);
    serve_accepted(&world, 6);
    serve_accepted(&world, 7);
    cr_assert_eq(world.by_type[OUCH_TYPE_ACCEPTED], 3);
    answer_query(&world, 8);
    cr_assert(rs_trader_ready(world.trader));
    close_world(&world);
}

Test(trader, sends_again_what_has_no_answer_and_nothing_else)
{
    struct world world;
    struct soup_login_request login;
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    open_world(&world, 0);
    join(&world, 5);
    for (uint32_t user_ref = 5; user_ref <= 8; user_ref++)
        cr_assert_eq(enter(&world), user_ref);
    for (uint32_t user_ref = 5; user_ref <= 8; user_ref++)
        cr_assert_eq(expect_enter(&world), user_ref);
    serve_accepted(&world, 5);
    cr_assert_eq(rs_trader_unanswered(world.trader), 3);
    hang_up(&world);
    cr_assert_eq(take_login(&world, &login), 3, "it goes on with the next number");
    cr_assert_arr_eq(login.session, "  20261123", 10);
    cr_assert_geq(world.gone, 1);
    cr_assert_eq(rs_trader_enter(world.trader, &simple, NULL), RS_CLIENT_STATE, "none are taken meanwhile");
    accept_login(&world, 3);
    expect_query(&world);
    serve_accepted(&world, 6); /* missed */
    cr_assert_eq(take(&world, message), 0, "nothing is sent before all that was missed is told");
    answer_query(&world, 8); /* 7 was handled: ignored, say */
    cr_assert_eq(expect_enter(&world), 8);
    cr_assert_eq(take(&world, message), 0);
    cr_assert_eq(world.ready, 2);
    serve_accepted(&world, 8);
    cr_assert_eq(rs_trader_unanswered(world.trader), 0);
    cr_assert_eq(enter(&world), 9);
    close_world(&world);
}

Test(trader, a_later_answer_settles_what_was_ignored)
{
    struct world world;
    open_world(&world, 0);
    join(&world, 1);
    cr_assert_eq(rs_trader_cancel(world.trader, 17, 0), 0);
    cr_assert_eq(rs_trader_cancel(world.trader, 18, 0), 0);
    cr_assert_eq(enter(&world), 1);
    serve_canceled(&world, 18);
    cr_assert_eq(rs_trader_unanswered(world.trader), 2, "the cancel of 17 may still be on its way");
    serve_accepted(&world, 1);
    cr_assert_eq(rs_trader_unanswered(world.trader), 0, "it was ignored");
    close_world(&world);
}

Test(trader, shares_kept_from_trading_settle_no_cancel)
{
    struct world world;
    open_world(&world, 0);
    join(&world, 1);
    cr_assert_eq(rs_trader_cancel(world.trader, 17, 0), 0);
    expect_cancel(&world, 17);
    serve_canceled_for(&world, 17, 'Q');
    cr_assert_eq(rs_trader_unanswered(world.trader), 1, "the order may be open, and the cancel on its way");
    hang_up(&world);
    cr_assert_eq(take_login(&world, NULL), 3);
    accept_login(&world, 3);
    expect_query(&world);
    answer_query(&world, 1);
    expect_cancel(&world, 17);
    expect_query(&world);
    serve_canceled(&world, 17);
    cr_assert_eq(rs_trader_unanswered(world.trader), 1, "the question behind it");
    answer_query(&world, 1);
    cr_assert_eq(rs_trader_unanswered(world.trader), 0);
    close_world(&world);
}

Test(trader, the_end_of_an_order_settles_a_cancel_that_it_has_overtaken)
{
    static const char ends[] = "ITSDZKHE";
    struct world world;
    open_world(&world, 0);
    join(&world, 1);
    for (size_t i = 0; ends[i]; i++) {
        cr_assert_eq(rs_trader_cancel(world.trader, 17, 0), 0);
        serve_canceled_for(&world, 17, ends[i]);
        cr_assert_eq(rs_trader_unanswered(world.trader), 0, "%c", ends[i]);
    }
    cr_assert_eq(rs_trader_cancel(world.trader, 17, 0), 0);
    cr_assert_eq(rs_trader_cancel(world.trader, 18, 0), 0);
    serve_canceled_for(&world, 17, 'Q'); /* its end, say */
    serve_canceled(&world, 18);
    cr_assert_eq(rs_trader_unanswered(world.trader), 1);
    cr_assert_eq(enter(&world), 1);
    serve_accepted(&world, 1);
    cr_assert_eq(rs_trader_unanswered(world.trader), 0, "it was ignored");
    close_world(&world);
}

Test(trader, settling_asks_behind_a_request_that_has_no_answer)
{
    struct world world;
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    open_world(&world, 0);
    join(&world, 1);
    cr_assert_eq(rs_trader_cancel(world.trader, 17, 0), 0);
    cr_assert_eq(rs_trader_settle(world.trader, 5), RS_CLIENT_TIMEOUT);
    cr_assert_eq(take(&world, message), OUCH_CANCEL_BYTES);
    expect_query(&world);
    answer_query(&world, 1);
    cr_assert_eq(rs_trader_unanswered(world.trader), 0);
    close_world(&world);
}

Test(trader, requests_are_bounded)
{
    struct world world;
    open_world(&world, 0);
    join(&world, 1);
    for (int i = 0; i < 4; i++)
        enter(&world);
    cr_assert_eq(rs_trader_enter(world.trader, &simple, NULL), RS_CLIENT_FULL);
    serve_accepted(&world, 1);
    cr_assert_eq(enter(&world), 5, "the number of the refused one was not used");
    close_world(&world);
}

/* Cancels of four orders, and one more, for which there is no place: a question is asked behind them. */
static void cancel_to_the_full(struct world *world)
{
    for (uint32_t user_ref = 17; user_ref <= 20; user_ref++)
        cr_assert_eq(rs_trader_cancel(world->trader, user_ref, 0), 0);
    for (uint32_t user_ref = 17; user_ref <= 20; user_ref++)
        expect_cancel(world, user_ref);
    cr_assert_eq(rs_trader_cancel(world->trader, 21, 0), RS_CLIENT_FULL);
    expect_query(world);
    cr_assert_eq(rs_trader_cancel(world->trader, 21, 0), RS_CLIENT_FULL, "the question has the last place");
}

Test(trader, one_ignored_request_does_not_hold_the_places_behind_it)
{
    struct world world;
    open_world(&world, 0);
    join(&world, 1);
    for (uint32_t round = 0; round < 3; round++) {
        cancel_to_the_full(&world);
        for (uint32_t user_ref = 18; user_ref <= 20; user_ref++)
            serve_canceled(&world, user_ref);
        cr_assert_eq(rs_trader_unanswered(world.trader), 2, "17 was ignored, and there is the question");
        answer_query(&world, 1);
        cr_assert_eq(rs_trader_unanswered(world.trader), 0);
    }
    cr_assert_eq(enter(&world), 1);
    close_world(&world);
}

Test(trader, ignored_requests_hold_no_place_after_a_broken_connection)
{
    struct world world;
    open_world(&world, 0);
    join(&world, 1);
    cancel_to_the_full(&world);
    serve_canceled(&world, 19);
    hang_up(&world);
    cr_assert_eq(rs_trader_settle(world.trader, 1), RS_CLIENT_TIMEOUT);
    cr_assert_eq(take_login(&world, NULL), 0, "a question was out");
    accept_login(&world, 3);
    cr_assert_eq(take_login(&world, NULL), 3);
    accept_login(&world, 3);
    expect_query(&world);
    answer_query(&world, 1);
    expect_cancel(&world, 17);
    expect_cancel(&world, 18);
    expect_cancel(&world, 20);
    expect_query(&world);
    cr_assert_eq(rs_trader_settle(world.trader, 1), RS_CLIENT_TIMEOUT);
    answer_query(&world, 1);
    expect_query(&world);
    answer_query(&world, 1);
    cr_assert_eq(rs_trader_settle(world.trader, 0), RS_CLIENT_TIMEOUT);
    answer_query(&world, 1);
    cr_assert_eq(rs_trader_unanswered(world.trader), 0);
    close_world(&world);
}

Test(trader, settling_while_away_asks_once_it_is_back)
{
    struct world world;
    open_world(&world, 0);
    join(&world, 1);
    cr_assert_eq(enter(&world), 1);
    cr_assert_eq(expect_enter(&world), 1);
    hang_up(&world);
    poll_some(&world);
    cr_assert_eq(rs_trader_settle(world.trader, 1), RS_CLIENT_TIMEOUT);
    take_login(&world, NULL);
    accept_login(&world, 2);
    expect_query(&world);
    answer_query(&world, 1);
    cr_assert_eq(expect_enter(&world), 1);
    expect_query(&world);
    cr_assert_eq(rs_trader_unanswered(world.trader), 2);
    answer_query(&world, 2);
    cr_assert_eq(rs_trader_unanswered(world.trader), 0);
    close_world(&world);
}

Test(trader, every_request_is_as_it_should_be)
{
    struct world world;
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    uint32_t user_ref = 0;
    struct ouch_options options;
    open_world(&world, 0);
    join(&world, 1);
    struct rs_order order = simple;
    order.client_order_id = "fourteen bytes";
    order.options = (struct ouch_options){.present = OUCH_HAS_TRIGGER | OUCH_HAS_TRIGGER_PRICE | OUCH_HAS_SELF_MATCH,
                                          .trigger = 'S',
                                          .trigger_price = 5860000,
                                          .self_match = 'W'};
    cr_assert_eq(rs_trader_enter(world.trader, &order, &user_ref), 0);
    cr_assert_eq(user_ref, 1);
    struct ouch_enter entered = {0};
    cr_assert_null(ouch_decode_enter(message, take(&world, message), &entered));
    cr_assert_arr_eq(entered.client_order_id, "fourteen bytes", 14);
    cr_assert_arr_eq(entered.symbol, "AAPL    ", 8);
    cr_assert_arr_eq(((uint8_t[]){entered.time_in_force, entered.display, entered.capacity}), "0YP", 3);
    cr_assert_null(ouch_options_decode(entered.appendage, OUCH_IN_ENTER, &options));
    cr_assert_eq(options.trigger_price, 5860000);
    cr_assert_eq(options.self_match, 'W');

    cr_assert_eq(rs_trader_replace(world.trader, 1, &simple, &user_ref), 0);
    struct ouch_replace replace = {0};
    cr_assert_null(ouch_decode_replace(message, take(&world, message), &replace));
    cr_assert_eq(replace.orig_user_ref, 1);
    cr_assert_eq(replace.user_ref, 2);

    cr_assert_eq(rs_trader_modify(world.trader, 1, 'T', 50), 0);
    struct ouch_modify modify = {0};
    cr_assert_null(ouch_decode_modify(message, take(&world, message), &modify));
    cr_assert_eq(modify.quantity, 50);

    const struct ouch_options side = {.present = OUCH_HAS_SIDE, .side = 'S'};
    cr_assert_eq(rs_trader_mass_cancel(world.trader, "FIRM", NULL, &side, &user_ref), 0);
    struct ouch_mass_cancel mass = {0};
    cr_assert_null(ouch_decode_mass_cancel(message, take(&world, message), &mass));
    cr_assert_eq(mass.user_ref, 3);
    cr_assert_arr_eq(mass.symbol, "        ", 8);
    cr_assert_null(ouch_options_decode(mass.appendage, OUCH_IN_MASS_CANCEL, &options));
    cr_assert_eq(options.side, 'S');

    const struct ouch_mass_canceled done = {.user_ref = 3};
    serve(&world, SOUP_SEQUENCED, message, ouch_encode_mass_canceled(message, &done));
    poll_some(&world);
    cr_assert_eq(rs_trader_unanswered(world.trader), 0);
    cr_assert_eq(rs_trader_disable(world.trader, "FIRM", NULL), 0);
    cr_assert_eq(take(&world, message), OUCH_DISABLE_BYTES);
    cr_assert_eq(rs_trader_enable(world.trader, "FIRM", &user_ref), 0);
    cr_assert_eq(user_ref, 5);
    cr_assert_eq(take(&world, message), OUCH_ENABLE_BYTES);
    close_world(&world);
}

Test(trader, what_ouch_cannot_say_is_refused)
{
    struct world world;
    open_world(&world, 0);
    join(&world, 1);
    struct rs_order order = simple;
    order.symbol = "NINECHARS";
    cr_assert_eq(rs_trader_enter(world.trader, &order, NULL), RS_CLIENT_INVALID);
    order = simple;
    order.client_order_id = "fifteen letters";
    cr_assert_eq(rs_trader_enter(world.trader, &order, NULL), RS_CLIENT_INVALID);
    order = simple;
    order.options = (struct ouch_options){.present = OUCH_HAS_DISPLAY_QUANTITY};
    cr_assert_eq(rs_trader_enter(world.trader, &order, NULL), RS_CLIENT_INVALID, "no option of Enter");
    order.options = (struct ouch_options){.present = OUCH_HAS_FIRM};
    cr_assert_eq(rs_trader_replace(world.trader, 1, &order, NULL), RS_CLIENT_INVALID, "no option of Replace");
    order.options = (struct ouch_options){.present = OUCH_HAS_USER_REF_INDEX};
    cr_assert_eq(rs_trader_enter(world.trader, &order, NULL), RS_CLIENT_INVALID);
    cr_assert_eq(rs_trader_disable(world.trader, "FIVEL", NULL), RS_CLIENT_INVALID);
    cr_assert_eq(rs_trader_unanswered(world.trader), 0);
    cr_assert_eq(enter(&world), 1);
    close_world(&world);
}

Test(trader, every_message_has_its_callback)
{
    struct world world;
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    uint64_t sequence = 1;
    open_world(&world, 0);
    join(&world, 1);
#define X(name, NAME, letter, bytes, appendage, title)                                                                 \
    {                                                                                                                  \
        const struct ouch_##name told = {0};                                                                           \
        uint32_t before = world.by_type[letter];                                                                       \
        serve(&world, SOUP_SEQUENCED, message, ouch_encode_##name(message, &told));                                    \
        poll_some(&world);                                                                                             \
        cr_assert_eq(world.by_type[letter], before + 1, title);                                                        \
        cr_assert_eq(world.sequence_last, ++sequence);                                                                 \
    }
    OUCH_MESSAGES_OUT(X)
#undef X
    uint8_t options[OUCH_OPTIONS_BYTES_MAX];
    const struct ouch_options stop = {.present = OUCH_HAS_TRIGGER_PRICE, .trigger_price = 42};
    const struct ouch_accepted accepted = {
        .appendage = {.bytes = options, .count = (uint16_t)ouch_options_encode(options, &stop)}};
    serve(&world, SOUP_SEQUENCED, message, ouch_encode_accepted(message, &accepted));
    poll_some(&world);
    cr_assert_eq(world.option, 42);
    serve(&world, SOUP_SEQUENCED, "?", 1);
    serve(&world, SOUP_SEQUENCED, "A", 1);
    serve(&world, SOUP_SEQUENCED, NULL, 0);
    poll_some(&world);
    cr_assert_eq(world.unknown, 3);
    cr_assert(rs_trader_ready(world.trader), "and the session goes on");
    close_world(&world);
}

Test(trader, a_refused_login_is_not_tried_again)
{
    struct world world;
    open_world(&world, 0);
    take_login(&world, NULL);
    serve(&world, SOUP_LOGIN_REJECTED, "A", 1);
    cr_assert_eq(rs_trader_ready_wait(world.trader, 1000), RS_CLIENT_REFUSED);
    cr_assert_eq(rs_trader_refusal(world.trader), RS_REFUSED_USER);
    cr_assert_eq(rs_trader_poll(world.trader, 1), RS_CLIENT_REFUSED);
    cr_assert_eq(rs_trader_fd(world.trader), -1);
    cr_assert_eq(world.gone, 0);
    close_world(&world);
}

Test(trader, a_session_that_somebody_else_has_is_asked_for_until_it_is_free)
{
    struct world world;
    struct soup_login_request login;
    open_world(&world, 0);
    join(&world, 1);
    hang_up(&world);
    cr_assert_eq(take_login(&world, &login), 2);
    cr_assert_arr_eq(login.session, "  20261123", 10);
    refuse_login(&world);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(take_login(&world, &login), 0);
        cr_assert_arr_eq(login.session, "          ", 10, "it may be another day");
        refuse_login(&world);
    }
    cr_assert_eq(world.gone, 5);
    cr_assert_eq(rs_trader_sequence_next(world.trader), 2);
    cr_assert_str_eq(rs_trader_session(world.trader), "20261123");
    take_login(&world, NULL);
    accept_login(&world, 3);
    cr_assert_eq(take_login(&world, &login), 2, "the day is the same, and nothing is left out");
    cr_assert_arr_eq(login.session, "  20261123", 10);
    accept_login(&world, 2);
    serve_accepted(&world, 1);
    answer_query(&world, 2);
    cr_assert(rs_trader_ready(world.trader));
    close_world(&world);
}

Test(trader, another_day_is_known_by_the_name_of_its_session)
{
    struct world world;
    struct soup_login_request login;
    open_world(&world, 0);
    join(&world, 40);
    hang_up(&world);
    take_login(&world, NULL);
    refuse_login(&world);
    take_login(&world, NULL);
    serve_login_accepted(&world, 20261124, 3);
    cr_assert_eq(poll_to_the_end(&world), RS_CLIENT_REFUSED);
    cr_assert_eq(rs_trader_refusal(world.trader), RS_REFUSED_SESSION);
    cr_assert_eq(rs_trader_sequence_next(world.trader), 2);
    cr_assert_str_eq(rs_trader_session(world.trader), "20261123");
    rs_trader_begin_day(world.trader);
    take_login(&world, NULL);
    serve_login_accepted(&world, 20261124, 3);
    cr_assert_eq(take_login(&world, &login), 1);
    cr_assert_arr_eq(login.session, "  20261124", 10);
    serve_login_accepted(&world, 20261124, 1);
    poll_some(&world);
    serve_accepted(&world, 1);
    serve_accepted(&world, 2);
    answer_query(&world, 3);
    cr_assert_eq(enter(&world), 3);
    close_world(&world);
}

Test(trader, a_day_that_begins_with_a_refusal_does_not_begin_in_a_circle)
{
    struct world world;
    open_world(&world, 0);
    take_login(&world, NULL);
    serve(&world, SOUP_LOGIN_REJECTED, "S", 1);
    cr_assert_eq(poll_to_the_end(&world), RS_CLIENT_REFUSED, "that of a user who was not in is final");
    cr_assert_str_eq(rs_trader_session(world.trader), "");
    rs_trader_begin_day(world.trader);
    cr_assert_gt(rs_trader_poll_ms(world.trader), 0);
    cr_assert_eq(rs_trader_poll(world.trader, 0), 0);
    cr_assert_eq(rs_trader_fd(world.trader), -1);
    cr_assert_eq(take_login(&world, NULL), 0);
    close_world(&world);
}

Test(trader, a_new_day_begins_at_its_first_message)
{
    struct world world;
    struct soup_login_request login;
    open_world(&world, 0);
    join(&world, 40);
    serve(&world, SOUP_END_OF_SESSION, NULL, 0);
    cr_assert_eq(rs_trader_ready_wait(world.trader, 1), 0);
    cr_assert_eq(poll_to_the_end(&world), RS_CLIENT_DAY_OVER);
    rs_trader_begin_day(world.trader);
    cr_assert_eq(take_login(&world, &login), 0);
    cr_assert_arr_eq(login.session, "          ", 10);
    accept_login(&world, 1);
    take_login(&world, NULL);
    accept_login(&world, 1);
    expect_query(&world);
    answer_query(&world, 1);
    cr_assert_eq(enter(&world), 1);
    close_world(&world);
}

Test(trader, a_callback_may_close)
{
    struct world world;
    open_world(&world, 0);
    join(&world, 1);
    world.close_on_accepted = true;
    enter(&world);
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    const struct ouch_accepted accepted = {.user_ref = 1};
    serve(&world, SOUP_SEQUENCED, message, ouch_encode_accepted(message, &accepted));
    cr_assert_eq(poll_to_the_end(&world), RS_CLIENT_STATE);
    cr_assert_eq(rs_trader_fd(world.trader), -1);
    close_world(&world);
}

Test(trader, goes_to_the_next_address)
{
    struct world world;
    char why[200];
    open_world(&world, 0);
    rs_trader_destroy(world.trader);
    char both[80];
    snprintf(both, sizeof(both), "127.0.0.1:1,%s", world.address);
    struct rs_trader_options options = options_of(&world, 0);
    options.client.addresses = both;
    options.client.login_timeout_ms = 4000;
    world.trader = rs_trader_create(&options, why, sizeof(why));
    cr_assert_not_null(world.trader, "%s", why);
    struct soup_login_request login;
    take_login(&world, &login);
    cr_assert_eq(world.gone, 1);
    cr_assert(login.has_timeout);
    cr_assert_eq(login.heartbeat_timeout_ms, 4000);
    close_world(&world);
}

Test(trader, bad_options_are_refused)
{
    struct world world = {.address = "127.0.0.1:1"};
    char why[200];
    struct rs_trader_options options = options_of(&world, 0);
    options.client.login_timeout_ms = 100000;
    cr_assert_null(rs_trader_create(&options, why, sizeof(why)));
    cr_assert_not_null(strstr(why, "99999"));
    options = options_of(&world, 0);
    options.client.user = "SEVENCH";
    cr_assert_null(rs_trader_create(&options, why, sizeof(why)));
    options = options_of(&world, 0);
    options.requests_max = UINT32_MAX;
    cr_assert_null(rs_trader_create(&options, why, sizeof(why)));
    cr_assert_null(rs_trader_create(&options, NULL, 0));
    rs_trader_destroy(NULL);
}
