/*
 * libringside_client against a server that does as it is told, on a real socket.
 *
 * One thread: the client's calls that block for an answer are given it beforehand, for the kernel keeps what was sent.
 */
#include "client/ringside_client.h"
#include "wire/ouch.h"
#include "wire/soup.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

struct world {
    int listener;
    int server; /* the accepted connection */
    struct rs_client *client;
    char address[32];
    uint64_t sequences[64];
    char firsts[64]; /* first byte of each message */
    size_t count;
    char debug[64];
    bool close_on_message;
};

static void on_message(void *context, uint64_t sequence, const uint8_t *message, size_t message_bytes)
{
    struct world *world = context;
    world->sequences[world->count] = sequence;
    world->firsts[world->count++] = message_bytes > 0 ? (char)message[0] : 0;
    if (world->close_on_message)
        rs_client_close(world->client);
}

static void on_debug(void *context, const char *text, size_t text_bytes)
{
    struct world *world = context;
    snprintf(world->debug, sizeof(world->debug), "%.*s", (int)text_bytes, text);
}

static struct rs_client_options options_of(struct world *world)
{
    return (struct rs_client_options){.addresses = world->address,
                                      .user = "DEMO01",
                                      .password = "secret",
                                      .sequence_next = 1,
                                      .silence_ms = 300,
                                      .heartbeat_ms = 100,
                                      .on_message = on_message,
                                      .on_debug = on_debug,
                                      .context = world};
}

static void open_world(struct world *world)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(address);
    *world = (struct world){.server = -1};
    world->listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(world->listener, (struct sockaddr *)&address, bytes), 0);
    cr_assert_eq(listen(world->listener, 4), 0);
    getsockname(world->listener, (struct sockaddr *)&address, &bytes);
    snprintf(world->address, sizeof(world->address), "127.0.0.1:%u", ntohs(address.sin_port));
    char why[200] = "";
    const struct rs_client_options options = options_of(world);
    world->client = rs_client_create(&options, why, sizeof(why));
    cr_assert_not_null(world->client, "%s", why);
}

static void close_world(struct world *world)
{
    rs_client_destroy(world->client);
    close(world->listener);
    if (world->server >= 0)
        close(world->server);
}

static void serve(struct world *world, uint8_t type, const void *payload, uint32_t payload_bytes)
{
    uint8_t packet[4096];
    uint32_t bytes = soup_put_packet(packet, type, payload, payload_bytes);
    cr_assert_eq(write(world->server, packet, bytes), (ssize_t)bytes);
}

static struct soup_login_request take_login(struct world *world)
{
    uint8_t packet[SOUP_HEADER_BYTES + SOUP_LOGIN_REQUEST_BYTES];
    struct soup_login_request request = {0};
    cr_assert_eq(recv(world->server, packet, sizeof(packet), MSG_WAITALL), (ssize_t)sizeof(packet));
    cr_assert_null(soup_get_login_request(packet + SOUP_HEADER_BYTES, SOUP_LOGIN_REQUEST_BYTES, &request));
    return request;
}

static void accept_login(struct world *world, uint64_t sequence)
{
    uint8_t payload[SOUP_LOGIN_ACCEPTED_BYTES];
    soup_put_login_accepted(payload, 20261123, sequence);
    serve(world, SOUP_LOGIN_ACCEPTED, payload, sizeof(payload));
}

/* Connects as far as the login request, which is returned. */
static struct soup_login_request connect_world(struct world *world)
{
    cr_assert_eq(rs_client_connect(world->client), 0, "%s", rs_client_why(world->client));
    if (world->server >= 0)
        close(world->server);
    world->server = accept(world->listener, NULL, NULL);
    cr_assert_geq(world->server, 0);
    for (int i = 0; i < 100 && rs_client_state(world->client) == RS_CLIENT_CONNECTING; i++)
        cr_assert_eq(rs_client_wait(world->client, 1), 0);
    return take_login(world);
}

static void log_in(struct world *world, uint64_t sequence)
{
    connect_world(world);
    accept_login(world, sequence);
    for (int i = 0; i < 100 && rs_client_state(world->client) != RS_CLIENT_OPEN; i++)
        cr_assert_geq(rs_client_wait(world->client, 1), 0, "%s", rs_client_why(world->client));
    cr_assert_eq(rs_client_state(world->client), RS_CLIENT_OPEN);
}

/* Waits for an error. */
static int wait_error(struct world *world)
{
    int result = 0;
    for (int i = 0; i < 100 && result >= 0; i++)
        result = rs_client_wait(world->client, 10);
    return result;
}

Test(client, logs_in_and_numbers_messages)
{
    struct world world;
    open_world(&world);
    log_in(&world, 5);
    cr_assert_str_eq(rs_client_session(world.client), "20261123");
    cr_assert_eq(rs_client_sequence_first(world.client), 5);
    serve(&world, SOUP_SEQUENCED, "A", 1);
    serve(&world, SOUP_DEBUG, "hello", 5);
    serve(&world, SOUP_SERVER_HEARTBEAT, NULL, 0);
    serve(&world, SOUP_SEQUENCED, "E", 1);
    while (world.count < 2)
        cr_assert_geq(rs_client_wait(world.client, 100), 0);
    cr_assert_eq(world.sequences[0], 5);
    cr_assert_eq(world.sequences[1], 6);
    cr_assert_eq(world.firsts[1], 'E');
    cr_assert_eq(rs_client_sequence_next(world.client), 7);
    cr_assert_str_eq(world.debug, "hello");
    close_world(&world);
}

Test(client, packet_in_pieces_is_put_together)
{
    struct world world;
    open_world(&world);
    log_in(&world, 1);
    static const uint8_t packet[] = {0, 5, 'S', 'A', 'B', 'C', 'D', 0, 2, 'S', 'E'};
    for (size_t i = 0; i < sizeof(packet); i++) {
        cr_assert_eq(write(world.server, packet + i, 1), 1);
        cr_assert_geq(rs_client_wait(world.client, 2), 0);
    }
    cr_assert_eq(world.count, 2);
    cr_assert_eq(world.firsts[0], 'A');
    cr_assert_eq(world.firsts[1], 'E');
    close_world(&world);
}

Test(client, reconnects_with_session_and_next_number)
{
    struct world world;
    open_world(&world);
    log_in(&world, 1);
    serve(&world, SOUP_SEQUENCED, "A", 1);
    serve(&world, SOUP_SEQUENCED, "A", 1);
    static const uint8_t half[] = {0, 9, 'S', 'A'};
    cr_assert_eq(write(world.server, half, sizeof(half)), (ssize_t)sizeof(half));
    close(world.server);
    world.server = -1;
    cr_assert_eq(wait_error(&world), RS_CLIENT_HUNG_UP);
    cr_assert_eq(rs_client_state(world.client), RS_CLIENT_CLOSED);
    struct soup_login_request request = connect_world(&world);
    cr_assert_eq(request.sequence_next, 3);
    cr_assert_arr_eq(request.session, "  20261123", 10);
    accept_login(&world, 3);
    serve(&world, SOUP_SEQUENCED, "C", 1);
    while (world.count < 3)
        cr_assert_geq(rs_client_wait(world.client, 100), 0);
    cr_assert_eq(world.sequences[2], 3);
    cr_assert_eq(world.firsts[2], 'C', "the half packet before is forgotten");
    close_world(&world);
}

Test(client, gap_after_a_reconnect_is_found)
{
    struct world world;
    open_world(&world);
    log_in(&world, 1);
    serve(&world, SOUP_SEQUENCED, "A", 1);
    while (world.count < 1)
        rs_client_wait(world.client, 100);
    rs_client_close(world.client);
    connect_world(&world);
    accept_login(&world, 3);
    cr_assert_eq(wait_error(&world), RS_CLIENT_PROTOCOL);
    close_world(&world);
}

Test(client, refusal_has_its_reason)
{
    struct world world;
    open_world(&world);
    connect_world(&world);
    serve(&world, SOUP_LOGIN_REJECTED, "A", 1);
    cr_assert_eq(wait_error(&world), RS_CLIENT_REFUSED);
    cr_assert(strstr(rs_client_why(world.client), "password") != NULL, "%s", rs_client_why(world.client));
    close_world(&world);
}

Test(client, silence_ends_the_connection_and_heartbeats_go_out)
{
    struct world world;
    open_world(&world);
    log_in(&world, 1);
    cr_assert_eq(wait_error(&world), RS_CLIENT_SILENT);
    uint8_t packets[64];
    ssize_t got = recv(world.server, packets, sizeof(packets), MSG_DONTWAIT);
    cr_assert_geq(got, 3, "a heartbeat in 300 ms, however busy the machine is");
    cr_assert_arr_eq(packets, "\0\1R", 3);
    close_world(&world);
}

Test(client, garbage_ends_the_connection)
{
    static const char *const garbage[] = {"\0\0", "\0\1U", "\0\1Z", "\0\2A1"};
    static const int expected[] = {RS_CLIENT_PROTOCOL, RS_CLIENT_PROTOCOL, RS_CLIENT_STATE, RS_CLIENT_PROTOCOL};
    for (size_t i = 0; i < 4; i++) {
        struct world world;
        open_world(&world);
        log_in(&world, 1);
        cr_assert_eq(write(world.server, garbage[i], 2 + (size_t)garbage[i][1]), 2 + garbage[i][1]);
        cr_assert_eq(wait_error(&world), expected[i], "case %zu", i);
        cr_assert_eq(rs_client_state(world.client), i == 2 ? RS_CLIENT_ENDED : RS_CLIENT_CLOSED);
        close_world(&world);
    }
}

Test(client, full_buffer_is_said_and_nothing_lost)
{
    struct world world;
    open_world(&world);
    uint8_t message[1000] = {'O'};
    cr_assert_eq(rs_client_send(world.client, message, sizeof(message)), RS_CLIENT_STATE);
    log_in(&world, 1);
    size_t sent = 0;
    while (rs_client_send(world.client, message, sizeof(message)) == 0)
        sent++;
    cr_assert_eq(sent, 262144 / 1003);
    cr_assert_null(rs_client_reserve(world.client, sizeof(message)));
    size_t received = 0;
    size_t whole = 0; /* of what was received, up to the end of a packet */
    size_t messages = 0;
    static uint8_t packets[262144 + 8192];
    while (messages < sent) {
        cr_assert_geq(rs_client_flush(world.client), 0);
        ssize_t got = recv(world.server, packets + received, sizeof(packets) - received, 0);
        cr_assert_gt(got, 0);
        received += (size_t)got;
        for (size_t bytes; whole + 2 <= received; whole += bytes) {
            bytes = 2u + (size_t)(packets[whole] << 8 | packets[whole + 1]);
            if (whole + bytes > received)
                break;
            messages += bytes == 1003;
            cr_assert(bytes == 1003 || bytes == 3, "messages, and heartbeats where the machine is busy");
        }
    }
    cr_assert_eq(messages, sent);
    cr_assert_eq(rs_client_pending(world.client), 0);
    close_world(&world);
}

Test(client, message_handler_may_close)
{
    struct world world;
    open_world(&world);
    log_in(&world, 1);
    world.close_on_message = true;
    serve(&world, SOUP_SEQUENCED, "A", 1);
    serve(&world, SOUP_SEQUENCED, "A", 1);
    for (int i = 0; i < 100 && world.count == 0; i++)
        rs_client_wait(world.client, 10);
    cr_assert_eq(world.count, 1);
    cr_assert_eq(rs_client_state(world.client), RS_CLIENT_CLOSED);
    cr_assert_eq(rs_client_sequence_next(world.client), 2);
    close_world(&world);
}

Test(client, nobody_listens)
{
    struct world world;
    open_world(&world);
    close(world.listener);
    cr_assert_eq(rs_client_login(world.client, 1000), RS_CLIENT_SYSTEM);
    cr_assert_not(rs_client_why(world.client)[0] == '\0');
    world.listener = -1;
    close_world(&world);
}

Test(client, next_address_is_tried)
{
    struct world world;
    open_world(&world);
    char both[64];
    snprintf(both, sizeof(both), "127.0.0.1:1,%s", world.address);
    struct rs_client_options options = options_of(&world);
    options.addresses = both;
    rs_client_destroy(world.client);
    world.client = rs_client_create(&options, NULL, 0);
    cr_assert_eq(rs_client_login(world.client, 1000), RS_CLIENT_SYSTEM);
    log_in(&world, 1);
    close_world(&world);
}

Test(client, bad_options_are_named)
{
    struct world world;
    open_world(&world);
    static const struct {
        size_t at;
        const char *value;
    } wrong[] = {{offsetof(struct rs_client_options, addresses), "nocolon"},
                 {offsetof(struct rs_client_options, addresses), ""},
                 {offsetof(struct rs_client_options, addresses), "127.0.0.1:notaport"},
                 {offsetof(struct rs_client_options, user), "TOOLONG"},
                 {offsetof(struct rs_client_options, user), ""},
                 {offsetof(struct rs_client_options, password), "much too long"},
                 {offsetof(struct rs_client_options, session), "much too long"}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct rs_client_options options = options_of(&world);
        char why[200] = "";
        memcpy((char *)&options + wrong[i].at, &wrong[i].value, sizeof(const char *));
        cr_assert_null(rs_client_create(&options, why, sizeof(why)), "case %zu", i);
        cr_assert_not(why[0] == '\0', "case %zu", i);
    }
    rs_client_destroy(NULL);
    close_world(&world);
}

/* ---- transports ---- */

/* Passes everything on; takes three steps to be made, the first of which wants to send. */
struct counted {
    int fd;
    int steps;
    int steps_wanted; /* negative: fails at that one */
    int received;
    int sent;
    int closed;
    char host[32];
};

static void *counted_open(void *context, int fd, const char *host)
{
    struct counted *line = context;
    line->fd = fd;
    snprintf(line->host, sizeof(line->host), "%s", host);
    return line;
}

static int counted_make(void *of, bool *ret_wants_output)
{
    struct counted *line = of;
    line->steps++;
    *ret_wants_output = line->steps == 1;
    if (line->steps == -line->steps_wanted)
        return -1;
    return line->steps == line->steps_wanted;
}

static ssize_t counted_receive(void *of, void *to, size_t bytes)
{
    struct counted *line = of;
    line->received++;
    return recv(line->fd, to, bytes < 40 ? bytes : 40, MSG_DONTWAIT);
}

static ssize_t counted_send(void *of, const void *from, size_t bytes)
{
    struct counted *line = of;
    line->sent++;
    return send(line->fd, from, bytes, MSG_NOSIGNAL);
}

static void counted_close(void *of)
{
    struct counted *line = of;
    line->closed++;
}

static const char *counted_why(const void *of)
{
    (void)of;
    return "no such line";
}

static const struct rs_transport counting = {.open = counted_open,
                                             .make = counted_make,
                                             .receive = counted_receive,
                                             .send = counted_send,
                                             .close = counted_close,
                                             .why = counted_why};

static void use_transport(struct world *world, struct counted *line)
{
    struct rs_client_options options = options_of(world);
    options.transport = &counting;
    options.transport_context = line;
    rs_client_destroy(world->client);
    world->client = rs_client_create(&options, NULL, 0);
    cr_assert_not_null(world->client);
}

Test(client, a_transport_is_made_before_the_login_and_carries_everything)
{
    struct world world;
    struct counted line = {.steps_wanted = 3};
    open_world(&world);
    use_transport(&world, &line);
    cr_assert_eq(rs_client_connect(world.client), 0);
    world.server = accept(world.listener, NULL, NULL);
    for (int i = 0; i < 20 && line.steps < 1; i++)
        cr_assert_eq(rs_client_service(world.client, 0), 0);
    cr_assert_eq(rs_client_state(world.client), RS_CLIENT_CONNECTING);
    cr_assert_eq(rs_client_events(world.client), POLLOUT);
    cr_assert_eq(rs_client_service(world.client, 0), 0);
    cr_assert_eq(rs_client_events(world.client), POLLIN);
    cr_assert_eq(line.sent, 0);
    cr_assert_eq(rs_client_service(world.client, 0), 0);
    cr_assert_eq(rs_client_state(world.client), RS_CLIENT_ASKED);
    cr_assert_eq(take_login(&world).sequence_next, 1u);
    accept_login(&world, 1);
    for (int i = 0; i < 10; i++)
        serve(&world, SOUP_SEQUENCED, "a message of a few letters", 26);
    while (world.count < 10)
        cr_assert_geq(rs_client_wait(world.client, 1000), 0, "%s", rs_client_why(world.client));
    cr_assert_gt(line.received, 7, "forty bytes at a time");
    cr_assert_eq(line.sent, 1);
    cr_assert_str_eq(line.host, "127.0.0.1");
    rs_client_close(world.client);
    cr_assert_eq(line.closed, 1);
    close_world(&world);
    cr_assert_eq(line.closed, 1);
}

Test(client, a_transport_that_cannot_be_made_says_why)
{
    struct world world;
    struct counted line = {.steps_wanted = -2};
    open_world(&world);
    use_transport(&world, &line);
    cr_assert_eq(rs_client_login(world.client, 1000), RS_CLIENT_SYSTEM);
    cr_assert_str_eq(rs_client_why(world.client), "127.0.0.1: no such line");
    cr_assert_eq(line.closed, 1);
    cr_assert_eq(rs_client_fd(world.client), -1);
    close_world(&world);
}

Test(client, a_transport_needs_room_for_its_records)
{
    struct world world;
    struct counted line = {0};
    char why[200] = "";
    open_world(&world);
    struct rs_client_options options = options_of(&world);
    options.transport = &counting;
    options.transport_context = &line;
    options.input_bytes = 70000;
    cr_assert_null(rs_client_create(&options, why, sizeof(why)));
    cr_assert(strstr(why, "81921"), "%s", why);
    close_world(&world);
}
