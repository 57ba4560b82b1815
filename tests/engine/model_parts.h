/* What the files of the reference model have in common. */
#ifndef RINGSIDE_TESTS_ENGINE_MODEL_PARTS_H
#define RINGSIDE_TESTS_ENGINE_MODEL_PARTS_H

#include "model.h"

#include <string.h>

static inline bool sells(uint8_t side)
{
    return side != 'B';
}

static inline bool blank(const char firm[FIRM_BYTES])
{
    return memcmp(firm, "    ", FIRM_BYTES) == 0 || memcmp(firm, "\0\0\0\0", FIRM_BYTES) == 0;
}

static inline bool one_of(uint8_t letter, const char *letters)
{
    return letter != 0 && strchr(letters, letter) != NULL;
}

static inline uint32_t smaller(uint32_t left, uint32_t right)
{
    return left < right ? left : right;
}

static inline bool continuous(const struct model_instrument *instrument)
{
    return instrument->state == 'O' || instrument->state == 'X';
}

static inline bool pegged(const struct model_order *order)
{
    return one_of(order->price_type, "PMmR");
}

static inline bool immediate(const struct model_order *order)
{
    return order->time_in_force == '3' || (!pegged(order) && order->limit_ticks == PRICE_TICKS_MARKET);
}

static inline bool at_a_price(const struct model_order *order)
{
    return order->place >= MODEL_DISPLAYED_BIDS && order->place <= MODEL_HIDDEN_ASKS;
}

static inline uint32_t gone(const struct model_order *order)
{
    return order->size - order->leaves;
}

/* model_events.c: what is told */
struct event *model_add_event(struct model *model, uint8_t kind);
void model_to_session(struct model *model, struct event *event, uint32_t session);
void model_answer(struct model *model, struct event *event);
void model_to_order(struct model *model, struct event *event, const struct model_order *order);
void model_about(struct event *event, const struct model_order *order);
void model_refuse(struct model *model, enum engine_refusal why);
void model_reject(struct model *model, uint16_t reason);
void model_told_order(struct model *model, const struct model_order *order, uint8_t kind);
void model_told_priority(struct model *model, const struct model_order *order, uint64_t previous_order_ref);
void model_told_refill(struct model *model, const struct model_order *order, uint64_t previous_order_ref);
int32_t model_told_price(const struct model_order *order);
void model_report_top(struct model *model, uint32_t instrument);

/* model_books.c: where orders stand */
void model_join(struct model *model, struct model_order *order, enum model_place place);
void model_join_price(struct model *model, struct model_order *order);
void model_leave(struct model_order *order);
struct model_order *model_first(struct model *model, uint32_t instrument, enum model_place place);
struct model_order *model_next(struct model *model, const struct model_order *order);
struct model_order *model_first_maker(struct model *model, uint32_t instrument, bool of_sellers);
struct model_order *model_next_maker(struct model *model, const struct model_order *order);
int32_t model_best_price(struct model *model, uint32_t instrument, bool of_sellers);
struct model_order *model_find_order(struct model *model, uint32_t user_ref);

/* model_conditions.c: what an order may not be. 0: nothing against it. Quantity is the request's, left what is left. */
uint16_t model_conditions(const struct model *model, const struct model_order *order, uint32_t left);
uint16_t model_firm_reason(const struct model *model, const struct model_order *order);

/* model_requests.c and model_firms.c: what sessions ask for */
uint32_t *model_user_ref_last(struct model *model);
void model_request(struct model *model);
struct model_firm *model_make_firm(struct model *model, const char firm[FIRM_BYTES]);
void model_mass_cancel(struct model *model);
void model_disable_or_enable(struct model *model);

/* model_arrive.c and model_match.c: an order meets the book */
void model_arrive(struct model *model, struct model_order *order);
void model_arrive_from_step_4(struct model *model, struct model_order *order);
bool model_peg_price(struct model *model, const struct model_order *order, int32_t *ret_ticks);
bool model_takes(const struct model *model, const struct model_order *taker, int32_t price_ticks);
bool model_prevented(const struct model_order *taker, const struct model_order *maker);
bool model_minimum_unmet(const struct model_order *maker, uint32_t quantity);
uint32_t model_available(struct model *model, const struct model_order *taker);
void model_match(struct model *model, struct model_order *taker);
void model_execute(struct model *model, struct model_order *taker, struct model_order *maker, uint32_t quantity,
                   int32_t price_ticks, const char liquidity[2]);
void model_refill_or_leave(struct model *model, struct model_order *order);

/* model_after.c: what follows a trade */
void model_tick_at_hand(struct model *model, uint32_t instrument, int32_t price_ticks);
void model_follow(struct model *model, uint32_t instrument);

/* What follows, and its BOOK_TOP: the end of a command's dealings with one book. */
void model_settle_book(struct model *model, uint32_t instrument);

/* model_states.c and model_auction.c */
void model_market_state(struct model *model);
void model_park(struct model *model, struct model_order *order);
void model_auction(struct model *model, uint32_t instrument, char kind, const char *cross_types);

/* model_cancels.c */
void model_canceled(struct model *model, struct model_order *order, uint32_t leaves, char reason, bool answers);
void model_cancel(struct model *model);
void model_modify(struct model *model);

/* Whether an order is one of those to be canceled; `asked` is what the caller gave. */
typedef bool model_chosen(const struct model *model, const struct model_order *order, const void *asked);
void model_cancel_of_book(struct model *model, uint32_t instrument, char reason, model_chosen *chosen,
                          const void *asked);
void model_cancel_of_books(struct model *model, char reason, model_chosen *chosen, const void *asked);

/* model_sessions.c, model_day.c and model_admin.c: what gateways and operators ask for */
void model_login(struct model *model);
void model_logout(struct model *model);
void model_tenure_begins(struct model *model);
void model_away_too_long(struct model *model);
void model_session_block(struct model *model);
void model_session_kick(struct model *model);
void model_gateway_dead(struct model *model);
uint32_t model_find_user(const struct model *model, const char user[USER_BYTES]);
void model_system_event(struct model *model, uint32_t session, char code);
void model_day_start(struct model *model);
void model_day_end(struct model *model);
void model_time_passes(struct model *model);
void model_trade_break(struct model *model);
void model_instrument_add(struct model *model);
void model_instrument_limits(struct model *model);
void model_firm_limits(struct model *model);
void model_firm_switch(struct model *model);
void model_orders_cancel(struct model *model);
void model_told_act(const struct model *model, struct event_acted *acted);

/* What is so already is passed over: of the configuration, or of an operator who says so. */
bool model_is_idempotent(const struct model *model);

/* meant_instrument becomes what the command names, by number or symbol, 0 if neither. false: there is no such. */
bool model_means_instrument(struct model *model);
void model_told_instrument(struct model *model, uint32_t instrument, uint8_t kind);

#endif
