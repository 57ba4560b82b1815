/*
 * The payload of a stream entry: a batch of consecutive events in MessagePack.
 *
 *   [ 1, first event_seq, [ [kind, time_ns, ...], [kind, time_ns, ...], ... ] ]
 *
 * The first element is the version of this schema; event i of the list has the number first + i. What follows kind and
 * time depends on the kind: PAYLOAD_KINDS lists it, docs/stores.md prints that, and a test compares the two.
 *
 * Rules
 *   1. Prices are ticks (ten-thousandths), letters are those of OUCH as text of one byte, text has no padding. A letter
 *      that is not there is nil; numbers that are not there are 0.
 *   2. New fields are added behind the others of their kind, new kinds may appear: a reader takes what it knows. What
 *      would break a reader raises PAYLOAD_VERSION.
 *
 * No system calls, no allocation.
 */
#ifndef RINGSIDE_PERSISTER_ENCODE_PAYLOAD_H
#define RINGSIDE_PERSISTER_ENCODE_PAYLOAD_H

#include "encode_symbols.h"

#include <stddef.h>
#include <stdint.h>

#define PAYLOAD_VERSION         1
#define PAYLOAD_HEAD_BYTES      16  /* at most, before the first event */
#define PAYLOAD_EVENT_BYTES_MAX 192 /* of one event */

/* NOLINTBEGIN(bugprone-macro-parentheses): lists of members cannot stand in parentheses */
/*
 * N: number, P: price in ticks, L: letter, T: text of a fixed field, S: symbol of the instrument named; then the name,
 * and the member of struct event.
 */
#define PAYLOAD_ORDER(N, P, L, T, S, body)                                                                             \
    N(order_ref, body.order_ref)                                                                                       \
    N(session, session)                                                                                                \
    N(user_ref, user_ref)                                                                                              \
    N(instrument, instrument)                                                                                          \
    T(symbol, body.symbol)                                                                                             \
    L(side, side)                                                                                                      \
    P(price_ticks, body.price_ticks)                                                                                   \
    N(quantity, body.quantity)                                                                                         \
    L(state, reason)                                                                                                   \
    L(time_in_force, body.time_in_force)                                                                               \
    L(display, body.display)                                                                                           \
    L(capacity, body.capacity)                                                                                         \
    T(firm, body.firm)                                                                                                 \
    T(client_order_id, body.client_order_id)
#define PAYLOAD_ACCEPTED(N, P, L, T, S)                                                                                \
    PAYLOAD_ORDER(N, P, L, T, S, accepted)                                                                             \
    N(min_quantity, accepted.min_quantity) N(max_floor, accepted.max_floor)
#define PAYLOAD_REPLACED(N, P, L, T, S)                                                                                \
    PAYLOAD_ORDER(N, P, L, T, S, replaced)                                                                             \
    N(previous_order_ref, replaced.previous_order_ref) N(target_user_ref, replaced.target_user_ref)
#define PAYLOAD_CUT(N, P, L, T, S)                                                                                     \
    N(order_ref, cut.order_ref)                                                                                        \
    N(session, session)                                                                                                \
    N(user_ref, user_ref)                                                                                              \
    N(instrument, instrument)                                                                                          \
    L(side, side)                                                                                                      \
    P(price_ticks, cut.price_ticks)                                                                                    \
    N(decrement, cut.decrement)                                                                                        \
    N(leaves, cut.leaves_quantity)                                                                                     \
    L(reason, reason)
#define PAYLOAD_SELF_MATCH(N, P, L, T, S)                                                                              \
    PAYLOAD_CUT(N, P, L, T, S)                                                                                         \
    N(prevented_quantity, cut.prevented_quantity)                                                                      \
    P(prevented_ticks, cut.prevented_ticks)                                                                            \
    L(liquidity, cut.liquidity)                                                                                        \
    L(self_match, cut.self_match)
#define PAYLOAD_UPDATE(N, P, L, T, S)                                                                                  \
    PAYLOAD_CUT(N, P, L, T, S)                                                                                         \
    N(previous_order_ref, cut.previous_order_ref)                                                                      \
    L(display, cut.display)                                                                                            \
    N(display_quantity, cut.display_quantity)
#define PAYLOAD_TRADE(N, P, L, T, S)                                                                                   \
    N(match_number, trade.match_number)                                                                                \
    N(instrument, instrument)                                                                                          \
    S(symbol, instrument)                                                                                              \
    P(price_ticks, trade.price_ticks)                                                                                  \
    N(quantity, trade.quantity)                                                                                        \
    N(order_ref, trade.order_ref)                                                                                      \
    N(session, session)                                                                                                \
    N(user_ref, user_ref)                                                                                              \
    L(side, side)                                                                                                      \
    N(leaves, trade.leaves_quantity)                                                                                   \
    L(liquidity, trade.liquidity)                                                                                      \
    N(maker_order_ref, trade.maker_order_ref)                                                                          \
    N(maker_session, trade.maker_session)                                                                              \
    N(maker_user_ref, trade.maker_user_ref)                                                                            \
    L(maker_side, trade.maker_side)                                                                                    \
    N(maker_leaves, trade.maker_leaves_quantity)                                                                       \
    L(maker_liquidity, trade.maker_liquidity)
#define PAYLOAD_BROKEN(N, P, L, T, S) PAYLOAD_TRADE(N, P, L, T, S) L(reason, reason)
#define PAYLOAD_REJECTED(N, P, L, T, S)                                                                                \
    N(session, session)                                                                                                \
    N(user_ref, user_ref)                                                                                              \
    N(refused_kind, refused.refused_kind)                                                                              \
    N(reason_code, refused.reason)                                                                                     \
    T(client_order_id, refused.client_order_id)
#define PAYLOAD_MASS(N, P, L, T, S)                                                                                    \
    N(session, session) N(user_ref, user_ref) T(symbol, mass.symbol) T(firm, mass.firm) L(side, side)
#define PAYLOAD_ANSWER(N, P, L, T, S) N(session, session) N(user_ref, user_ref)
#define PAYLOAD_SYSTEM(N, P, L, T, S) N(session, session) L(code, reason)
#define PAYLOAD_OPTIONS(N, P, L, T, S)                                                                                 \
    N(min_quantity, options.min_quantity)                                                                              \
    N(max_floor, options.max_floor)                                                                                    \
    P(peg_offset_ticks, options.peg_offset_ticks)                                                                      \
    N(random_reserve, options.random_reserve)                                                                          \
    N(expire_s, options.expire_s)                                                                                      \
    P(trigger_ticks, options.trigger_ticks)                                                                            \
    N(group, options.group)                                                                                            \
    L(trigger_kind, options.trigger_kind)                                                                              \
    L(self_match, options.self_match)                                                                                  \
    N(display_quantity, options.display_quantity)                                                                      \
    P(display_ticks, options.display_ticks)                                                                            \
    N(secondary_order_ref, options.secondary_order_ref)
#define PAYLOAD_SESSION(N, P, L, T, S)                                                                                 \
    N(session, session)                                                                                                \
    T(user, login.user)                                                                                                \
    T(firm, login.firm)                                                                                                \
    N(gateway, login.gateway)                                                                                          \
    N(tenure, login.tenure)                                                                                            \
    N(connection, login.connection)                                                                                    \
    N(message_next, login.message_next)                                                                                \
    N(user_ref_next, login.user_ref_next)                                                                              \
    N(date, login.date)                                                                                                \
    L(reason, reason)
#define PAYLOAD_DAY(N, P, L, T, S) N(date, day.date) N(midnight_ns, day.midnight_ns)
#define PAYLOAD_ADMIN(N, P, L, T, S)                                                                                   \
    N(instrument, instrument)                                                                                          \
    T(symbol, admin.symbol)                                                                                            \
    P(tick_ticks, admin.tick_ticks)                                                                                    \
    N(lot_quantity, admin.lot_quantity)                                                                                \
    P(reference_ticks, admin.reference_ticks)                                                                          \
    P(collar_ticks, admin.collar_ticks)                                                                                \
    P(fat_finger_ticks, admin.fat_finger_ticks)                                                                        \
    N(quantity_max, admin.quantity_max)                                                                                \
    N(notional_max, admin.notional_max)                                                                                \
    T(firm, admin.firm)                                                                                                \
    L(market_state, admin.market_state)                                                                                \
    N(refused_kind, admin.refused_kind)                                                                                \
    N(refused_why, admin.refused_why)
#define PAYLOAD_TOP(N, P, L, T, S)                                                                                     \
    N(instrument, instrument)                                                                                          \
    T(symbol, top.symbol)                                                                                              \
    P(bid_ticks, top.bid_ticks)                                                                                        \
    N(bid_quantity, top.bid_quantity)                                                                                  \
    P(ask_ticks, top.ask_ticks)                                                                                        \
    N(ask_quantity, top.ask_quantity)
#define PAYLOAD_ACTED(N, P, L, T, S)                                                                                   \
    N(operator_id, acted.operator_id)                                                                                  \
    T(operator_name, acted.operator_name)                                                                              \
    N(request, user_ref)                                                                                               \
    N(asked_kind, acted.kind)                                                                                          \
    N(refused_why, acted.why)                                                                                          \
    N(flag, acted.flag)                                                                                                \
    N(instrument, instrument)                                                                                          \
    T(user, acted.user)                                                                                                \
    T(firm, acted.firm)                                                                                                \
    L(market_state, acted.market_state)                                                                                \
    N(match_number, acted.match_number)                                                                                \
    N(target_gateway, acted.target_gateway)
#define PAYLOAD_CHECKPOINT(N, P, L, T, S)                                                                              \
    N(command_seq, checkpoint.command_seq)                                                                             \
    N(event_hash, checkpoint.event_hash)                                                                               \
    N(state_hash, checkpoint.state_hash)                                                                               \
    N(live_order_count, checkpoint.live_order_count)

/* kind, its fields behind kind and time_ns */
#define PAYLOAD_KINDS(X)                                                                                               \
    X(ACCEPTED, PAYLOAD_ACCEPTED)                                                                                      \
    X(REPLACED, PAYLOAD_REPLACED)                                                                                      \
    X(CANCELED, PAYLOAD_CUT)                                                                                           \
    X(SELF_MATCH_CANCELED, PAYLOAD_SELF_MATCH)                                                                         \
    X(EXECUTED, PAYLOAD_TRADE)                                                                                         \
    X(BROKEN, PAYLOAD_BROKEN)                                                                                          \
    X(REJECTED, PAYLOAD_REJECTED)                                                                                      \
    X(CANCEL_PENDING, PAYLOAD_CUT)                                                                                     \
    X(CANCEL_REJECTED, PAYLOAD_CUT)                                                                                    \
    X(PRIORITY_UPDATED, PAYLOAD_UPDATE)                                                                                \
    X(MODIFIED, PAYLOAD_UPDATE)                                                                                        \
    X(RESTATED, PAYLOAD_UPDATE)                                                                                        \
    X(MASS_CANCELED, PAYLOAD_MASS)                                                                                     \
    X(ENTRY_DISABLED, PAYLOAD_MASS)                                                                                    \
    X(ENTRY_ENABLED, PAYLOAD_MASS)                                                                                     \
    X(ACCOUNT_ANSWER, PAYLOAD_ANSWER)                                                                                  \
    X(SYSTEM_EVENT, PAYLOAD_SYSTEM)                                                                                    \
    X(ORDER_OPTIONS, PAYLOAD_OPTIONS)                                                                                  \
    X(LOGIN_ACCEPTED, PAYLOAD_SESSION)                                                                                 \
    X(LOGIN_REFUSED, PAYLOAD_SESSION)                                                                                  \
    X(SESSION_CLOSED, PAYLOAD_SESSION)                                                                                 \
    X(DAY_STARTED, PAYLOAD_DAY)                                                                                        \
    X(DAY_ENDED, PAYLOAD_DAY)                                                                                          \
    X(INSTRUMENT_ADDED, PAYLOAD_ADMIN)                                                                                 \
    X(MARKET_STATE_CHANGED, PAYLOAD_ADMIN)                                                                             \
    X(LIMITS_CHANGED, PAYLOAD_ADMIN)                                                                                   \
    X(BOOK_TOP, PAYLOAD_TOP)                                                                                           \
    X(COMMAND_REFUSED, PAYLOAD_ADMIN)                                                                                  \
    X(CHECKPOINT, PAYLOAD_CHECKPOINT)                                                                                  \
    X(OPERATOR_ACTED, PAYLOAD_ACTED)

/* NOLINTEND(bugprone-macro-parentheses) */

/* The names of a kind's fields with their types, "kind number, time_ns number, ...", for the document; or NULL. */
const char *payload_fields(uint8_t kind);

/* Writes one event at `at` (PAYLOAD_EVENT_BYTES_MAX free) and returns the place behind it. */
uint8_t *payload_event(uint8_t *at, const struct event *event, const struct symbol_table *symbols);

/* Writes the head of a payload of `count` events; returns its bytes, PAYLOAD_HEAD_BYTES at most. */
size_t payload_head(uint8_t head[PAYLOAD_HEAD_BYTES], uint64_t first_seq, uint32_t count);

#endif
