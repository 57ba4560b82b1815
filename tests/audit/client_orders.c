/* What a user asks, and what it makes of the answers: just enough to know what is unsettled. See client.h. */
#include "client.h"

#include <string.h>

#define MIDDLE_PRICE 1000000u /* 100.00 */
#define TICK         100u
#define MARKET_PRICE 0x7fffffffu

static const char *const symbols[] = {"AAPL    ", "MSFT    ", "NVDA    ", "AMZN    ",
                                      "GOOG    ", "META    ", "TSLA    ", "INTC    "};
#define SYMBOL_COUNT (sizeof(symbols) / sizeof(symbols[0]))

static void put_be(uint8_t *to, uint64_t value, int bytes)
{
    while (bytes > 0) {
        to[--bytes] = (uint8_t)value;
        value >>= 8;
    }
}

static uint32_t be32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/* ---- asking ---- */

static void ask(struct client *client, char type, uint32_t user_ref, const uint8_t *frame, uint8_t bytes)
{
    struct client_request *request = &client->unsettled[client->unsettled_end % CLIENT_UNSETTLED_MAX];
    const uint8_t length[2] = {bytes, 0};
    request->user_ref = user_ref;
    request->type = type;
    request->bytes = bytes;
    memcpy(request->frame, frame, bytes);
    client->unsettled_end++;
    client->resend_next = client->unsettled_end;
    if (fwrite(length, 1, 2, client->asked) != 2 || fwrite(frame, 1, bytes, client->asked) != bytes)
        breach(client, "its ledger cannot be written");
    client->counts->asked++;
    client_put(client, 'U', frame, bytes);
}

/* ClOrdID: the user and the number, so that a row of any store says whose it is. */
static void put_id(const struct client *client, uint8_t *to, uint32_t user_ref)
{
    char id[16];
    snprintf(id, sizeof(id), "%02u-%-11u", client->number % 100, user_ref);
    memcpy(to, id, 14);
}

static uint32_t next_ref(struct client *client)
{
    if (client->user_ref_last + 1 >= CLIENT_ORDERS_MAX)
        breach(client, "more orders than this program has room for");
    return ++client->user_ref_last;
}

static void enter(struct client *client, const char *symbol, char side, uint32_t quantity, uint32_t price,
                  char time_in_force)
{
    uint32_t user_ref = next_ref(client);
    uint8_t frame[47] = {'O'};
    put_be(frame + 1, user_ref, 4);
    frame[5] = (uint8_t)side;
    put_be(frame + 6, quantity, 4);
    memcpy(frame + 10, symbol, 8);
    put_be(frame + 18, price, 8);
    frame[26] = (uint8_t)time_in_force;
    frame[27] = 'Y';
    frame[28] = 'P';
    frame[29] = frame[30] = 'N';
    put_id(client, frame + 31, user_ref);
    client->orders[user_ref] =
        (struct client_order){.quantity = quantity, .leaves = quantity, .state = CLIENT_ORDER_SENT};
    client->counts->orders++;
    ask(client, 'O', user_ref, frame, sizeof(frame));
}

static void enter_some(struct client *client, bool crossing)
{
    const char *symbol = symbols[client_below(client->random, 1 + client_below(client->random, SYMBOL_COUNT))];
    bool buys = client_below(client->random, 2) == 0;
    uint32_t away = 1 + client_below(client->random, crossing ? 6 : 20);
    uint32_t price = buys == crossing ? MIDDLE_PRICE + away * TICK : MIDDLE_PRICE - away * TICK;
    uint32_t kind = crossing ? client_below(client->random, 4) : 3;
    uint32_t quantity = 10 * (1 + client_below(client->random, 10));
    enter(client, symbol, buys ? 'B' : 'S', quantity, kind == 0 ? MARKET_PRICE : price, kind < 2 ? '3' : '0');
}

static void cancel(struct client *client, uint32_t user_ref, uint32_t quantity)
{
    uint8_t frame[9] = {'X'};
    put_be(frame + 1, user_ref, 4);
    put_be(frame + 5, quantity, 4);
    ask(client, 'X', 0, frame, sizeof(frame));
}

static void replace(struct client *client, uint32_t target)
{
    uint32_t user_ref = next_ref(client);
    uint32_t quantity = 10 * (1 + client_below(client->random, 12));
    uint32_t price = MIDDLE_PRICE - 20 * TICK + TICK * client_below(client->random, 41);
    uint8_t frame[40] = {'U'};
    put_be(frame + 1, target, 4);
    put_be(frame + 5, user_ref, 4);
    put_be(frame + 9, quantity, 4);
    put_be(frame + 13, price, 8);
    frame[21] = '0';
    frame[22] = 'Y';
    frame[23] = 'N';
    put_id(client, frame + 24, user_ref);
    client->orders[user_ref] = (struct client_order){.state = CLIENT_ORDER_SENT};
    client->orders[target].replace_asked = true;
    ask(client, 'U', user_ref, frame, sizeof(frame));
}

static void change_some(struct client *client, uint32_t roll)
{
    uint32_t user_ref = client->live[client_below(client->random, client->live_count)];
    struct client_order *order = &client->orders[user_ref];
    if (roll < 6 && !order->part_asked && !order->replace_asked && order->quantity > 1) {
        order->part_asked = true;
        cancel(client, user_ref, 1 + client_below(client->random, order->quantity - 1));
    } else if (roll < 14 && !order->replace_asked) {
        replace(client, user_ref);
    } else if (!order->cancel_asked) {
        order->cancel_asked = true;
        cancel(client, user_ref, 0);
    }
}

void client_ask_barrier(struct client *client)
{
    enter(client, "NOSUCH  ", 'B', 10, MIDDLE_PRICE, '0');
}

static void ask_some(struct client *client)
{
    uint32_t roll = client_below(client->random, 100);
    if (client->live_count >= CLIENT_LIVE_MAX)
        change_some(client, 14 + roll);
    else if (roll < 46 || (client->live_count < 20 && roll < 97))
        enter_some(client, false);
    else if (roll < 58)
        enter_some(client, true);
    else if (roll < 97)
        change_some(client, roll - 58);
    else if (roll < 99)
        client_ask_barrier(client);
    else
        client_put(client, 'U', (const uint8_t *)"Q", 1);
}

/* All that is unsettled may be cancels, which no answer would ever settle: so an order takes the last place. */
void client_ask(struct client *client)
{
    if (client->unsettled_end - client->unsettled_first == CLIENT_UNSETTLED_MAX - 1)
        client_ask_barrier(client);
    else
        ask_some(client);
}

void client_resend(struct client *client)
{
    while (client->resend_next < client->unsettled_end &&
           client->output_bytes + 2 * (size_t)CLIENT_FRAME_MAX < CLIENT_BUFFER_BYTES) {
        const struct client_request *request = &client->unsettled[client->resend_next % CLIENT_UNSETTLED_MAX];
        client_put(client, 'U', request->frame, request->bytes);
        client->counts->resent++;
        client->resend_next++;
    }
}

/* ---- being told ---- */

/* An answer to this number: what was asked before it is settled, and must have been answered if it needed to be. */
static void settle(struct client *client, uint32_t user_ref)
{
    for (;;) {
        if (client->unsettled_first == client->unsettled_end)
            breach(client, "an answer to number %u, which was not asked or is answered already", user_ref);
        const struct client_request *request = &client->unsettled[client->unsettled_first % CLIENT_UNSETTLED_MAX];
        bool is_it = request->user_ref == user_ref;
        if (!is_it && request->type == 'O')
            breach(client, "an answer to number %u, but none to the order %u before it", user_ref, request->user_ref);
        client->counts->answered += request->type == 'O';
        client->unsettled_first++;
        if (client->resend_next < client->unsettled_first)
            client->resend_next = client->unsettled_first;
        if (is_it)
            return;
    }
}

static struct client_order *live_order(struct client *client, uint32_t user_ref, uint32_t taken)
{
    if (user_ref == 0 || user_ref > client->user_ref_last || client->orders[user_ref].state != CLIENT_ORDER_LIVE)
        breach(client, "a message about order %u, which is not live", user_ref);
    if (taken == 0 || taken > client->orders[user_ref].leaves)
        breach(client, "order %u has %u left, of which %u are taken", user_ref, client->orders[user_ref].leaves, taken);
    return &client->orders[user_ref];
}

static void end_order(struct client *client, struct client_order *order)
{
    uint32_t last = client->live[--client->live_count];
    client->live[order->live_at] = last;
    client->orders[last].live_at = order->live_at;
    order->state = CLIENT_ORDER_ENDED;
    order->leaves = 0;
}

static void reduce(struct client *client, uint32_t user_ref, uint32_t taken)
{
    struct client_order *order = live_order(client, user_ref, taken);
    order->leaves -= taken;
    if (order->leaves == 0)
        end_order(client, order);
}

static void begin_order(struct client *client, uint32_t user_ref, uint32_t quantity, uint8_t state)
{
    settle(client, user_ref);
    struct client_order *order = &client->orders[user_ref];
    order->quantity = order->leaves = quantity;
    order->state = CLIENT_ORDER_ENDED;
    if (state != 'L')
        return;
    if (client->live_count == sizeof(client->live) / sizeof(client->live[0]))
        breach(client, "more live orders than were asked for");
    order->state = CLIENT_ORDER_LIVE;
    order->live_at = client->live_count;
    client->live[client->live_count++] = user_ref;
}

static void take_replaced(struct client *client, const uint8_t *message)
{
    uint32_t target = be32(message + 9);
    end_order(client, live_order(client, target, 1));
    begin_order(client, be32(message + 13), be32(message + 18), message[51]);
}

void client_take(struct client *client, const uint8_t *message, size_t bytes)
{
    static const struct {
        char type;
        uint8_t bytes;
    } known[] = {{'A', 64}, {'U', 68}, {'C', 18}, {'E', 36}, {'J', 29}, {'Q', 13}, {'S', 10}};
    bool is_known = false;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        is_known |= (char)message[0] == known[i].type && bytes == known[i].bytes;
    if (!is_known)
        breach(client, "a message of type %c and %zu bytes, which answers nothing that is asked here", message[0],
               bytes);
    uint32_t user_ref = message[0] == 'S' ? 0 : be32(message + 9);
    if (message[0] == 'A') {
        if (client->orders[user_ref % CLIENT_ORDERS_MAX].quantity != be32(message + 14))
            breach(client, "order %u is accepted with another quantity", user_ref);
        begin_order(client, user_ref, be32(message + 14), message[47]);
    } else if (message[0] == 'U') {
        take_replaced(client, message);
    } else if (message[0] == 'C') {
        reduce(client, user_ref, be32(message + 13));
    } else if (message[0] == 'E') {
        client->counts->executions++;
        reduce(client, user_ref, be32(message + 13));
    } else if (message[0] == 'J') {
        settle(client, user_ref);
        client->orders[user_ref % CLIENT_ORDERS_MAX].state = CLIENT_ORDER_ENDED;
    }
}
