#include "market.h"

#include "base/bytes.h"
#include "base/require.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const market_symbols[MARKET_INSTRUMENTS + 1] = {"", "AAPL", "MSFT", "BRK'B", "LONGNAME", "Z"};
const char *const market_users[MARKET_SESSIONS + 1] = {"", "ANNA", "BERT", "O'DEA", "DORA12", "E", "FRED", "GUS"};

#define TIME_FIRST_NS UINT64_C(1795590000123456789)

uint32_t market_random(struct market *market, uint32_t below)
{
    market->random ^= market->random << 13;
    market->random ^= market->random >> 7;
    market->random ^= market->random << 17;
    return (uint32_t)((market->random >> 16) % below);
}

static struct event *emit(struct market *market, uint8_t kind)
{
    REQUIRE(market->event_count < market->event_max);
    struct event *event = &market->events[market->event_count++];
    memset(event, 0, sizeof(*event));
    event->event_seq = market->event_count;
    event->command_seq = market->next_command;
    event->time_ns = market->time_ns;
    event->kind = kind;
    return event;
}

static void begin_command(struct market *market)
{
    market->next_command++;
    market->time_ns += market_random(market, 5000000);
    if (!market->is_one_day && market_random(market, 2000) == 0)
        market->time_ns += UINT64_C(3600000000000) * market_random(market, 50);
}

static struct event *emit_order(struct market *market, const struct market_order *order, uint8_t kind)
{
    struct event *event = emit(market, kind);
    event->instrument = order->instrument;
    event->session = order->session;
    event->user_ref = order->user_ref;
    event->side = (uint8_t)order->side;
    return event;
}

static void emit_top(struct market *market, uint32_t instrument)
{
    struct event *event = emit(market, EVENT_BOOK_TOP);
    bool has_bid = market_random(market, 4) != 0;
    event->instrument = instrument;
    text_pad(event->top.symbol, SYMBOL_BYTES, market_symbols[instrument]);
    event->top.bid_ticks = has_bid ? (int32_t)market_random(market, 2000000) + 1 : 0;
    event->top.bid_quantity = has_bid ? market_random(market, 100000) + 1 : 0;
    event->top.ask_ticks = 1990000000;
    event->top.ask_quantity = UINT64_C(5000000000);
    market->last_top[instrument] = market->event_count;
}

/* ---- orders ---- */

static void touch(struct market_order *order, const struct event *event)
{
    order->updated_ns = event->time_ns;
    order->event_seq = event->event_seq;
}

static void drop_live(struct market *market, uint32_t place)
{
    market->live[place] = market->live[--market->live_count];
}

static struct market_order *new_order(struct market *market, uint32_t instrument)
{
    REQUIRE(market->order_count < market->order_max);
    struct market_order *order = &market->orders[market->order_count++];
    memset(order, 0, sizeof(*order));
    order->order_ref = market->next_ref++;
    order->session = 1 + market_random(market, MARKET_SESSIONS);
    order->user_ref = market->next_user_ref++;
    order->instrument = instrument;
    order->side = "BSTE"[market_random(market, 4)];
    order->time_in_force = "03"[market_random(market, 2)];
    order->quantity = order->leaves = 1 + market_random(market, 999);
    order->price_ticks =
        market_random(market, 10) == 0 ? PRICE_TICKS_MARKET : (int32_t)market_random(market, 1999999901);
    order->state = "live";
    snprintf(order->client_order_id, sizeof(order->client_order_id), "c\\%.10u'", market_random(market, 1000000));
    return order;
}

static void fill_accepted(struct event *event, struct market_order *order)
{
    struct event_accepted *accepted = &event->accepted;
    accepted->order_ref = order->order_ref;
    text_pad(accepted->symbol, SYMBOL_BYTES, market_symbols[order->instrument]);
    text_pad(accepted->firm, FIRM_BYTES, order->session % 2 ? "FIRM" : "");
    text_pad(accepted->client_order_id, CLIENT_ORDER_ID_BYTES, order->client_order_id);
    accepted->price_ticks = order->price_ticks;
    accepted->quantity = order->quantity;
    accepted->time_in_force = (uint8_t)order->time_in_force;
    accepted->display = 'Y';
    accepted->capacity = 'P';
    order->entered_ns = event->time_ns;
    order->entered_seq = event->event_seq;
    touch(order, event);
}

static void trade(struct market *market, struct market_order *taker)
{
    uint32_t place = market_random(market, market->live_count);
    struct market_order *maker = &market->orders[market->live[place]];
    uint32_t most = taker->leaves < maker->leaves ? taker->leaves : maker->leaves;
    uint32_t quantity = 1 + market_random(market, most);
    int32_t price = maker->price_ticks == PRICE_TICKS_MARKET ? 1000000 : maker->price_ticks;
    struct event *event = emit_order(market, taker, EVENT_EXECUTED);
    struct market_order *const sides[] = {taker, maker};
    for (int i = 0; i < 2; i++) {
        sides[i]->leaves -= quantity;
        sides[i]->executed += quantity;
        sides[i]->value_ticks += (uint64_t)price * quantity;
        sides[i]->state = sides[i]->leaves == 0 ? "filled" : "live";
        touch(sides[i], event);
    }
    event->instrument = maker->instrument;
    event->trade = (struct event_trade){.order_ref = taker->order_ref,
                                        .maker_order_ref = maker->order_ref,
                                        .match_number = market->next_match++,
                                        .price_ticks = price,
                                        .quantity = quantity,
                                        .leaves_quantity = taker->leaves,
                                        .maker_leaves_quantity = maker->leaves,
                                        .maker_session = maker->session,
                                        .maker_user_ref = maker->user_ref,
                                        .maker_side = (uint8_t)maker->side,
                                        .liquidity = 'R',
                                        .maker_liquidity = 'A'};
    market->trade_count++;
    market->last_trade[event->instrument] = market->event_count;
    if (maker->leaves == 0)
        drop_live(market, place);
}

static void keep_live(struct market *market, const struct market_order *order)
{
    if (order->leaves > 0)
        market->live[market->live_count++] = (uint32_t)(order - market->orders);
}

/* One in eight has options that take an event of their own. */
static void add_options(struct market *market, struct market_order *order, struct event *accepted)
{
    if (market_random(market, 8) != 0)
        return;
    accepted->flags |= EVENT_CONTINUED;
    struct event *event = emit(market, EVENT_ORDER_OPTIONS);
    order->min_quantity = event->options.min_quantity = market_random(market, 50);
    order->expire_s = event->options.expire_s = market_random(market, 3);
    order->peg_offset_ticks = event->options.peg_offset_ticks = -(int32_t)market_random(market, 20000);
}

static void enter(struct market *market)
{
    struct market_order *order = new_order(market, 1 + market_random(market, MARKET_INSTRUMENTS));
    struct event *event = emit_order(market, order, EVENT_ACCEPTED);
    bool is_dead = market_random(market, 50) == 0;
    event->reason = is_dead ? 'D' : 'L';
    fill_accepted(event, order);
    add_options(market, order, event);
    if (is_dead) {
        order->leaves = 0;
        order->canceled = order->quantity;
        order->state = "dead";
    }
    while (order->leaves > 0 && market->live_count > 0 && market_random(market, 3) == 0)
        trade(market, order);
    keep_live(market, order);
    emit_top(market, order->instrument);
}

static void cancel(struct market *market)
{
    uint32_t place = market_random(market, market->live_count);
    struct market_order *order = &market->orders[market->live[place]];
    bool is_self_match = market_random(market, 10) == 0;
    struct event *event = emit_order(market, order, is_self_match ? EVENT_SELF_MATCH_CANCELED : EVENT_CANCELED);
    uint32_t decrement = market_random(market, 3) == 0 ? 1 + market_random(market, order->leaves) : order->leaves;
    order->leaves -= decrement;
    order->canceled += decrement;
    event->reason = is_self_match ? 'Q' : 'U';
    event->cut.order_ref = order->order_ref;
    event->cut.decrement = decrement;
    event->cut.leaves_quantity = order->leaves;
    touch(order, event);
    if (order->leaves > 0)
        return;
    order->state = "canceled";
    order->reason = (char)event->reason;
    drop_live(market, place);
}

static void replace(struct market *market)
{
    uint32_t place = market_random(market, market->live_count);
    struct market_order *before = &market->orders[market->live[place]];
    struct market_order *order = new_order(market, before->instrument);
    order->session = before->session;
    order->side = before->side;
    order->previous_order_ref = before->order_ref;
    struct event *event = emit_order(market, order, EVENT_REPLACED);
    event->reason = 'L';
    fill_accepted(event, order);
    event->replaced.target_user_ref = before->user_ref;
    event->replaced.previous_order_ref = before->order_ref;
    before->leaves = 0;
    before->state = "replaced";
    touch(before, event);
    add_options(market, order, event);
    drop_live(market, place);
    keep_live(market, order);
}

/* A new price, every other time under a new number. */
static void reprice(struct market *market)
{
    struct market_order *order = &market->orders[market->live[market_random(market, market->live_count)]];
    struct event *event = emit_order(market, order, EVENT_PRIORITY_UPDATED);
    event->cut.previous_order_ref = order->order_ref;
    if (market_random(market, 2) == 0)
        order->order_ref = market->next_ref++;
    order->price_ticks = (int32_t)market_random(market, 1000000000);
    event->cut.order_ref = order->order_ref;
    event->cut.price_ticks = order->price_ticks;
    event->cut.leaves_quantity = order->leaves;
    event->cut.display = 'Y';
    touch(order, event);
}

static void modify(struct market *market)
{
    struct market_order *order = &market->orders[market->live[market_random(market, market->live_count)]];
    if (order->leaves < 2)
        return;
    struct event *event = emit_order(market, order, EVENT_MODIFIED);
    order->leaves--;
    order->canceled++;
    order->side = order->side == 'S' ? 'T' : order->side;
    event->side = (uint8_t)order->side;
    event->cut.order_ref = order->order_ref;
    event->cut.decrement = 1;
    event->cut.leaves_quantity = order->leaves;
    touch(order, event);
}

/* ---- the rest ---- */

static void reject(struct market *market)
{
    struct event *event = emit(market, EVENT_REJECTED);
    event->session = 1 + market_random(market, MARKET_SESSIONS);
    event->user_ref = market->next_user_ref++;
    event->refused.reason = (uint16_t)(1 + market_random(market, 0x40));
    event->refused.refused_kind = COMMAND_ENTER;
    memcpy(event->refused.client_order_id, "\xff\x01 \xc3\xa9 id        ", CLIENT_ORDER_ID_BYTES); /* must do no harm */
    market->rejection_count++;
}

static void take_back(struct market *market)
{
    for (uint32_t instrument = 1; instrument <= MARKET_INSTRUMENTS; instrument++) {
        if (market->last_trade[instrument] == 0)
            continue;
        struct event traded = market->events[market->last_trade[instrument] - 1];
        struct event *event = emit(market, EVENT_BROKEN);
        event->trade = traded.trade;
        event->instrument = instrument;
        event->session = traded.session;
        event->side = traded.side;
        event->reason = 'C';
        market->break_count++;
        return;
    }
}

static void log_in_or_out(struct market *market)
{
    uint32_t session = 1 + market_random(market, MARKET_SESSIONS);
    struct market_login *login = &market->logins[session];
    struct event *event = emit(market, login->is_connected ? EVENT_SESSION_CLOSED : EVENT_LOGIN_ACCEPTED);
    event->session = session;
    text_pad(event->login.user, USER_BYTES, market_users[session]);
    text_pad(event->login.firm, FIRM_BYTES, "FIRM");
    event->login.gateway = 1;
    login->logins += !login->is_connected;
    login->is_connected = !login->is_connected;
}

static void step(struct market *market)
{
    begin_command(market);
    uint32_t dice = market_random(market, 100);
    if (market->live_count == 0 || dice < 50)
        enter(market);
    else if (dice < 75)
        cancel(market);
    else if (dice < 85)
        replace(market);
    else if (dice < 89)
        reprice(market);
    else if (dice < 93)
        modify(market);
    else if (dice < 96)
        reject(market);
    else if (dice < 97)
        take_back(market);
    else if (dice < 98)
        log_in_or_out(market);
    else
        emit(market, EVENT_CHECKPOINT)->checkpoint.command_seq = market->next_command;
}

void market_idle_until(struct market *market, uint32_t event_seq, uint32_t date)
{
    begin_command(market);
    while (market->event_count + 1 < event_seq)
        emit_top(market, 1 + market_random(market, MARKET_INSTRUMENTS));
    begin_command(market);
    emit(market, EVENT_DAY_STARTED)->day = (struct event_day){.date = date};
}

void market_run(struct market *market, uint32_t events)
{
    uint32_t until = market->event_count + events;
    while (market->event_count < until)
        step(market);
}

void market_init(struct market *market, uint64_t seed, uint32_t event_max)
{
    memset(market, 0, sizeof(*market));
    market->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    market->next_ref = market->next_match = market->next_user_ref = 1;
    market->time_ns = TIME_FIRST_NS + seed;
    market->event_max = event_max;
    market->order_max = event_max;
    market->events = calloc(event_max, sizeof(*market->events));
    market->orders = calloc(event_max, sizeof(*market->orders));
    market->live = calloc(event_max, sizeof(*market->live));
    REQUIRE(market->events && market->orders && market->live);
    begin_command(market);
    emit(market, EVENT_DAY_STARTED)->day = (struct event_day){.date = 20261123};
    for (uint32_t i = 1; i <= MARKET_INSTRUMENTS; i++) {
        struct event *event = emit(market, EVENT_INSTRUMENT_ADDED);
        event->instrument = i;
        text_pad(event->admin.symbol, SYMBOL_BYTES, market_symbols[i]);
        event->admin.tick_ticks = 100;
        event->admin.lot_quantity = 1;
        event->admin.market_state = 'O';
    }
    for (uint32_t session = 1; session <= MARKET_SESSIONS; session++)
        while (market->logins[session].logins == 0)
            log_in_or_out(market);
}

void market_finish(struct market *market)
{
    free(market->events);
    free(market->orders);
    free(market->live);
}
