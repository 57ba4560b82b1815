/* A trader's program in one page: buys 100 shares of a symbol, waits a moment for fills, and cancels what is left. */
#include "client/ringside_trader.h"

#include <stdio.h>
#include <stdlib.h>

struct mine {
    uint32_t filled;
    uint32_t left;
};

static void on_ready(void *context, uint32_t user_ref_next)
{
    (void)context;
    printf("ready; my next number is %u\n", user_ref_next);
}

static void on_gone(void *context, int error, const char *why, uint32_t retry_ms)
{
    (void)context;
    (void)error;
    fprintf(stderr, "no connection (%s); again in %u ms\n", why, retry_ms);
}

static void on_accepted(void *context, uint64_t sequence, const struct ouch_accepted *accepted,
                        const struct ouch_options *options)
{
    struct mine *mine = context;
    (void)sequence;
    (void)options;
    mine->left = accepted->state == 'L' ? accepted->quantity : 0;
    printf("order %u is accepted: %u at %.4f\n", accepted->user_ref, accepted->quantity,
           (double)accepted->price / 10000);
}

static void on_executed(void *context, uint64_t sequence, const struct ouch_executed *executed,
                        const struct ouch_options *options)
{
    struct mine *mine = context;
    (void)sequence;
    (void)options;
    mine->filled += executed->quantity;
    mine->left -= executed->quantity;
    printf("order %u trades: %u at %.4f\n", executed->user_ref, executed->quantity, (double)executed->price / 10000);
}

static void on_canceled(void *context, uint64_t sequence, const struct ouch_canceled *canceled,
                        const struct ouch_options *options)
{
    struct mine *mine = context;
    (void)sequence;
    (void)options;
    mine->left -= canceled->quantity;
    printf("order %u is canceled: %u\n", canceled->user_ref, canceled->quantity);
}

static void on_rejected(void *context, uint64_t sequence, const struct ouch_rejected *rejected,
                        const struct ouch_options *options)
{
    (void)context;
    (void)sequence;
    (void)options;
    printf("order %u is rejected: %s\n", rejected->user_ref, ouch_reject_text(rejected->reason));
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: %s HOST:PORT[,HOST:PORT...] USER PASSWORD SYMBOL PRICE\n", argv[0]);
        return 2;
    }
    char why[256];
    uint32_t user_ref = 0;
    struct mine mine = {0};
    const struct rs_trader_options options = {
        .client = {.addresses = argv[1], .user = argv[2], .password = argv[3], .context = &mine},
        .callbacks = {on_ready, on_gone, .on_accepted = on_accepted, .on_executed = on_executed,
                      .on_canceled = on_canceled, .on_rejected = on_rejected}};
    const struct rs_order order = {
        .side = 'B', .symbol = argv[4], .quantity = 100, .price = (uint64_t)(strtod(argv[5], NULL) * 10000 + 0.5)};
    struct rs_trader *trader = rs_trader_create(&options, why, sizeof(why));
    int result = trader ? rs_trader_ready_wait(trader, 5000) : RS_CLIENT_INVALID;
    if (result == 0)
        result = rs_trader_enter(trader, &order, &user_ref);
    if (result == 0)
        result = rs_trader_settle(trader, 5000);
    if (result == 0 && mine.left > 0 && (result = rs_trader_poll(trader, 500)) >= 0)
        result = rs_trader_cancel(trader, user_ref, 0); /* too late for what has traded meanwhile: then ignored */
    if (result == 0)
        result = rs_trader_settle(trader, 5000);
    if (result < 0)
        fprintf(stderr, "%s\n", trader ? rs_trader_why(trader) : why);
    else
        printf("%u traded\n", mine.filled);
    rs_trader_destroy(trader);
    return result < 0;
}
