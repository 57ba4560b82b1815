/* A client in one page: logs in, buys 100 shares of a symbol, prints what the exchange says, cancels what is left. */
#include "client/ringside_client.h"
#include "wire/ouch.h"

#include <stdio.h>
#include <stdlib.h>

struct trader {
    uint32_t user_ref_next; /* 0 until the exchange has told it */
    int answers;
};

static void on_message(void *context, uint64_t sequence, const uint8_t *message, size_t message_bytes)
{
    struct trader *trader = context;
    const char *title = message_bytes > 0 ? ouch_title(OUCH_OUT, message[0]) : NULL;
    printf("%6llu  %s\n", (unsigned long long)sequence, title ? title : "?");

    struct ouch_account_answer answer;
    struct ouch_executed executed;
    struct ouch_rejected rejected;
    if (!ouch_decode_account_answer(message, message_bytes, &answer))
        trader->user_ref_next = answer.user_ref_next;
    else if (!ouch_decode_executed(message, message_bytes, &executed))
        printf("        %u shares at %.4f\n", executed.quantity, (double)executed.price / 10000);
    else if (!ouch_decode_rejected(message, message_bytes, &rejected))
        printf("        %s\n", ouch_reject_text(rejected.reason));
    trader->answers++;
}

/* Sends a message and waits for the first thing that comes back. */
static int ask(struct rs_client *client, struct trader *trader, const uint8_t *message, uint32_t message_bytes)
{
    int before = trader->answers;
    int result = rs_client_send(client, message, message_bytes);
    if (result == 0)
        result = rs_client_flush_wait(client, 1000);
    while (result >= 0 && trader->answers == before) {
        result = rs_client_wait(client, 5000);
        if (result == 0)
            return RS_CLIENT_TIMEOUT;
    }
    return result;
}

static int trade(struct rs_client *client, struct trader *trader, const char *symbol, double price)
{
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    const struct ouch_account_query query = {0};
    int result = ask(client, trader, message, ouch_encode_account_query(message, &query));
    if (result < 0)
        return result;

    struct ouch_enter enter = {.user_ref = trader->user_ref_next,
                               .side = 'B',
                               .quantity = 100,
                               .price = (uint64_t)(price * 10000 + 0.5),
                               .time_in_force = '0',
                               .display = 'Y',
                               .capacity = 'P',
                               .sweep = 'N',
                               .cross_type = 'N'};
    text_pad(enter.symbol, sizeof(enter.symbol), symbol);
    text_pad(enter.client_order_id, sizeof(enter.client_order_id), "example");
    result = ask(client, trader, message, ouch_encode_enter(message, &enter));
    if (result < 0)
        return result;

    const struct ouch_cancel cancel = {.user_ref = enter.user_ref, .quantity = 0};
    return ask(client, trader, message, ouch_encode_cancel(message, &cancel));
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: %s HOST:PORT USER PASSWORD SYMBOL PRICE\n", argv[0]);
        return 2;
    }
    struct trader trader = {0};
    const struct rs_client_options options = {
        .addresses = argv[1], .user = argv[2], .password = argv[3], .on_message = on_message, .context = &trader};
    char why[256];
    struct rs_client *client = rs_client_create(&options, why, sizeof(why));
    if (!client) {
        fprintf(stderr, "%s\n", why);
        return 2;
    }
    int result = rs_client_login(client, 5000);
    if (result == 0)
        result = trade(client, &trader, argv[4], strtod(argv[5], NULL));
    if (result < 0)
        fprintf(stderr, "%s\n", rs_client_why(client));
    rs_client_destroy(client);
    return result < 0;
}
