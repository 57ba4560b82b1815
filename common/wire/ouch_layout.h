/*
 * The layouts of OUCH 5.0 as tables: every message with its type letter, length and fields, each field with its offset.
 *
 * Everything else comes from here: the structs and codecs of wire/ouch.h, the assertions that offsets follow each other
 * without gaps, docs/protocol.md (a test compares the two) and the tests' random messages.
 *
 * A row of a message list: X(name, NAME, type letter, fixed bytes, appendage, title). The fixed bytes count the type
 * and, where the appendage is ALWAYS, the two bytes of its length. Appendages:
 *   - ALWAYS: the Appendage Length is always there, 0 without options
 *   - OPTIONAL: length and appendage may be left out as a whole
 *   - NEVER: there is none
 *
 * A row of a field list: X(message, kind, name, offset, bytes, meaning). Kinds: letter (one byte), u16, u32, u64
 * (big-endian), text (ASCII, left-justified, padded with spaces). Prices have four decimals: 10000 is 1.
 */
#ifndef RINGSIDE_WIRE_OUCH_LAYOUT_H
#define RINGSIDE_WIRE_OUCH_LAYOUT_H

/* Client to exchange. */
#define OUCH_MESSAGES_IN(X)                                                                                            \
    X(enter, ENTER, 'O', 47, ALWAYS, "Enter Order")                                                                    \
    X(replace, REPLACE, 'U', 40, ALWAYS, "Replace Order")                                                              \
    X(cancel, CANCEL, 'X', 9, OPTIONAL, "Cancel Order")                                                                \
    X(modify, MODIFY, 'M', 10, OPTIONAL, "Modify Order")                                                               \
    X(mass_cancel, MASS_CANCEL, 'C', 19, ALWAYS, "Mass Cancel")                                                        \
    X(disable, DISABLE, 'D', 11, ALWAYS, "Disable Order Entry")                                                        \
    X(enable, ENABLE, 'E', 11, ALWAYS, "Enable Order Entry")                                                           \
    X(account_query, ACCOUNT_QUERY, 'Q', 1, OPTIONAL, "Account Query")

/* Exchange to client. */
#define OUCH_MESSAGES_OUT(X)                                                                                           \
    X(system_event, SYSTEM_EVENT, 'S', 10, NEVER, "System Event")                                                      \
    X(accepted, ACCEPTED, 'A', 64, ALWAYS, "Order Accepted")                                                           \
    X(replaced, REPLACED, 'U', 68, ALWAYS, "Order Replaced")                                                           \
    X(canceled, CANCELED, 'C', 18, OPTIONAL, "Order Canceled")                                                         \
    X(self_match_canceled, SELF_MATCH_CANCELED, 'D', 32, OPTIONAL, "AIQ Canceled")                                     \
    X(executed, EXECUTED, 'E', 36, ALWAYS, "Order Executed")                                                           \
    X(broken, BROKEN, 'B', 36, OPTIONAL, "Broken Trade")                                                               \
    X(rejected, REJECTED, 'J', 29, OPTIONAL, "Rejected")                                                               \
    X(cancel_pending, CANCEL_PENDING, 'P', 13, OPTIONAL, "Cancel Pending")                                             \
    X(cancel_rejected, CANCEL_REJECTED, 'I', 13, OPTIONAL, "Cancel Reject")                                            \
    X(priority_updated, PRIORITY_UPDATED, 'T', 30, OPTIONAL, "Order Priority Update")                                  \
    X(modified, MODIFIED, 'M', 18, OPTIONAL, "Order Modified")                                                         \
    X(restated, RESTATED, 'R', 16, ALWAYS, "Order Restated")                                                           \
    X(mass_canceled, MASS_CANCELED, 'X', 27, ALWAYS, "Mass Cancel Response")                                           \
    X(disabled, DISABLED, 'G', 19, ALWAYS, "Disable Order Entry Response")                                             \
    X(enabled, ENABLED, 'K', 19, ALWAYS, "Enable Order Entry Response")                                                \
    X(account_answer, ACCOUNT_ANSWER, 'Q', 13, OPTIONAL, "Account Query Response")

#define OUCH_ENTER_FIELDS(X, m)                                                                                        \
    X(m, u32, user_ref, 1, 4, "UserRefNum")                                                                            \
    X(m, letter, side, 5, 1, "B buy, S sell, T sell short, E sell short exempt")                                       \
    X(m, u32, quantity, 6, 4, "shares, 1 to 999,999")                                                                  \
    X(m, text, symbol, 10, 8, "instrument")                                                                            \
    X(m, u64, price, 18, 8, "limit, or 0x7fffffff for a market order")                                                 \
    X(m, letter, time_in_force, 26, 1, "0 day, 3 IOC, 5 GTX, 6 GTT, E after hours")                                    \
    X(m, letter, display, 27, 1, "Y visible, N hidden, A attributable")                                                \
    X(m, letter, capacity, 28, 1, "A agency, P principal, R riskless, O other")                                        \
    X(m, letter, sweep, 29, 1, "inter-market sweep: Y, N")                                                             \
    X(m, letter, cross_type, 30, 1, "N continuous, O, C, H, S, R, E, A crosses")                                       \
    X(m, text, client_order_id, 31, 14, "ClOrdID, echoed")

#define OUCH_REPLACE_FIELDS(X, m)                                                                                      \
    X(m, u32, orig_user_ref, 1, 4, "UserRefNum of the order to replace")                                               \
    X(m, u32, user_ref, 5, 4, "UserRefNum of the new order")                                                           \
    X(m, u32, quantity, 9, 4, "total of the chain, executed shares included")                                          \
    X(m, u64, price, 13, 8, "limit, or 0x7fffffff for a market order")                                                 \
    X(m, letter, time_in_force, 21, 1, "0 day, 3 IOC, 5 GTX, 6 GTT")                                                   \
    X(m, letter, display, 22, 1, "Y visible, N hidden, A attributable")                                                \
    X(m, letter, sweep, 23, 1, "inter-market sweep: Y, N")                                                             \
    X(m, text, client_order_id, 24, 14, "ClOrdID, echoed")

#define OUCH_CANCEL_FIELDS(X, m)                                                                                       \
    X(m, u32, user_ref, 1, 4, "UserRefNum of the order")                                                               \
    X(m, u32, quantity, 5, 4, "new total of the order; 0 cancels all that is left")

#define OUCH_MODIFY_FIELDS(X, m)                                                                                       \
    X(m, u32, user_ref, 1, 4, "UserRefNum of the order")                                                               \
    X(m, letter, side, 5, 1, "new side: S to E, S to T, E to T only")                                                  \
    X(m, u32, quantity, 6, 4, "new total of the order")

#define OUCH_MASS_CANCEL_FIELDS(X, m)                                                                                  \
    X(m, u32, user_ref, 1, 4, "UserRefNum, consumed")                                                                  \
    X(m, text, firm, 5, 4, "whose orders")                                                                             \
    X(m, text, symbol, 9, 8, "instrument; spaces: all")

#define OUCH_DISABLE_FIELDS(X, m)                                                                                      \
    X(m, u32, user_ref, 1, 4, "UserRefNum, consumed")                                                                  \
    X(m, text, firm, 5, 4, "whose order entry")

#define OUCH_ENABLE_FIELDS(X, m)                                                                                       \
    X(m, u32, user_ref, 1, 4, "UserRefNum, consumed")                                                                  \
    X(m, text, firm, 5, 4, "whose order entry")

#define OUCH_ACCOUNT_QUERY_FIELDS(X, m) /* the type alone */

#define OUCH_SYSTEM_EVENT_FIELDS(X, m)                                                                                 \
    X(m, u64, timestamp_ns, 1, 8, "ns since midnight")                                                                 \
    X(m, letter, event, 9, 1, "S start of day, E end of day")

#define OUCH_ACCEPTED_FIELDS(X, m)                                                                                     \
    X(m, u64, timestamp_ns, 1, 8, "ns since midnight")                                                                 \
    X(m, u32, user_ref, 9, 4, "UserRefNum of the order")                                                               \
    X(m, letter, side, 13, 1, "as entered")                                                                            \
    X(m, u32, quantity, 14, 4, "shares accepted")                                                                      \
    X(m, text, symbol, 18, 8, "instrument")                                                                            \
    X(m, u64, price, 26, 8, "accepted; may be better than entered")                                                    \
    X(m, letter, time_in_force, 34, 1, "as entered")                                                                   \
    X(m, letter, display, 35, 1, "as entered, or Z conformant")                                                        \
    X(m, u64, order_ref, 36, 8, "Order Reference Number, day-unique")                                                  \
    X(m, letter, capacity, 44, 1, "as entered")                                                                        \
    X(m, letter, sweep, 45, 1, "as entered")                                                                           \
    X(m, letter, cross_type, 46, 1, "as entered")                                                                      \
    X(m, letter, state, 47, 1, "L live, D dead: nothing more follows")                                                 \
    X(m, text, client_order_id, 48, 14, "as entered")

#define OUCH_REPLACED_FIELDS(X, m)                                                                                     \
    X(m, u64, timestamp_ns, 1, 8, "ns since midnight")                                                                 \
    X(m, u32, orig_user_ref, 9, 4, "UserRefNum of the order that was replaced")                                        \
    X(m, u32, user_ref, 13, 4, "UserRefNum of the new order")                                                          \
    X(m, letter, side, 17, 1, "of the chain")                                                                          \
    X(m, u32, quantity, 18, 4, "shares left exposed")                                                                  \
    X(m, text, symbol, 22, 8, "instrument")                                                                            \
    X(m, u64, price, 30, 8, "accepted")                                                                                \
    X(m, letter, time_in_force, 38, 1, "as requested")                                                                 \
    X(m, letter, display, 39, 1, "as requested, or Z conformant")                                                      \
    X(m, u64, order_ref, 40, 8, "Order Reference Number of the new order")                                             \
    X(m, letter, capacity, 48, 1, "of the chain")                                                                      \
    X(m, letter, sweep, 49, 1, "as requested")                                                                         \
    X(m, letter, cross_type, 50, 1, "of the chain")                                                                    \
    X(m, letter, state, 51, 1, "L live, D dead: nothing more follows")                                                 \
    X(m, text, client_order_id, 52, 14, "as requested")

#define OUCH_CANCELED_FIELDS(X, m)                                                                                     \
    X(m, u64, timestamp_ns, 1, 8, "ns since midnight")                                                                 \
    X(m, u32, user_ref, 9, 4, "UserRefNum of the order")                                                               \
    X(m, u32, quantity, 13, 4, "shares taken off now")                                                                 \
    X(m, letter, reason, 17, 1, "cancel reason")

#define OUCH_SELF_MATCH_CANCELED_FIELDS(X, m)                                                                          \
    X(m, u64, timestamp_ns, 1, 8, "ns since midnight")                                                                 \
    X(m, u32, user_ref, 9, 4, "UserRefNum of the order")                                                               \
    X(m, u32, quantity, 13, 4, "shares taken off now")                                                                 \
    X(m, letter, reason, 17, 1, "Q")                                                                                   \
    X(m, u32, prevented_quantity, 18, 4, "shares kept from trading")                                                   \
    X(m, u64, prevented_price, 22, 8, "price they would have had")                                                     \
    X(m, letter, liquidity, 30, 1, "liquidity flag")                                                                   \
    X(m, letter, strategy, 31, 1, "O, W, D, Y of the firm; o, w, d, y of the organisation")

#define OUCH_EXECUTED_FIELDS(X, m)                                                                                     \
    X(m, u64, timestamp_ns, 1, 8, "ns since midnight")                                                                 \
    X(m, u32, user_ref, 9, 4, "UserRefNum of the order")                                                               \
    X(m, u32, quantity, 13, 4, "shares of this trade")                                                                 \
    X(m, u64, price, 17, 8, "of this trade")                                                                           \
    X(m, letter, liquidity, 25, 1, "liquidity flag: A added, R removed, ...")                                          \
    X(m, u64, match_number, 26, 8, "the same for both sides, day-unique")

#define OUCH_BROKEN_FIELDS(X, m)                                                                                       \
    X(m, u64, timestamp_ns, 1, 8, "ns since midnight")                                                                 \
    X(m, u32, user_ref, 9, 4, "UserRefNum of the order")                                                               \
    X(m, u64, match_number, 13, 8, "of the trade")                                                                     \
    X(m, letter, reason, 21, 1, "E erroneous, C consent, S supervisory, X external")                                   \
    X(m, text, client_order_id, 22, 14, "spaces: user_ref says which order")

#define OUCH_REJECTED_FIELDS(X, m)                                                                                     \
    X(m, u64, timestamp_ns, 1, 8, "ns since midnight")                                                                 \
    X(m, u32, user_ref, 9, 4, "UserRefNum of the request; used up")                                                    \
    X(m, u16, reason, 13, 2, "reject reason")                                                                          \
    X(m, text, client_order_id, 15, 14, "of the request")

#define OUCH_CANCEL_PENDING_FIELDS(X, m)                                                                               \
    X(m, u64, timestamp_ns, 1, 8, "ns since midnight")                                                                 \
    X(m, u32, user_ref, 9, 4, "UserRefNum of the order")

#define OUCH_CANCEL_REJECTED_FIELDS(X, m)                                                                              \
    X(m, u64, timestamp_ns, 1, 8, "ns since midnight")                                                                 \
    X(m, u32, user_ref, 9, 4, "UserRefNum of the order")

#define OUCH_PRIORITY_UPDATED_FIELDS(X, m)                                                                             \
    X(m, u64, timestamp_ns, 1, 8, "ns since midnight")                                                                 \
    X(m, u32, user_ref, 9, 4, "UserRefNum of the order")                                                               \
    X(m, u64, price, 13, 8, "new price")                                                                               \
    X(m, letter, display, 21, 1, "new display")                                                                        \
    X(m, u64, order_ref, 22, 8, "new Order Reference Number")

#define OUCH_MODIFIED_FIELDS(X, m)                                                                                     \
    X(m, u64, timestamp_ns, 1, 8, "ns since midnight")                                                                 \
    X(m, u32, user_ref, 9, 4, "UserRefNum of the order")                                                               \
    X(m, letter, side, 13, 1, "new side")                                                                              \
    X(m, u32, quantity, 14, 4, "shares still open")

#define OUCH_RESTATED_FIELDS(X, m)                                                                                     \
    X(m, u64, timestamp_ns, 1, 8, "ns since midnight")                                                                 \
    X(m, u32, user_ref, 9, 4, "UserRefNum of the order")                                                               \
    X(m, letter, reason, 13, 1, "R display refreshed, P displayed price changed")

#define OUCH_MASS_CANCELED_FIELDS(X, m)                                                                                \
    X(m, u64, timestamp_ns, 1, 8, "ns since midnight")                                                                 \
    X(m, u32, user_ref, 9, 4, "UserRefNum of the request")                                                             \
    X(m, text, firm, 13, 4, "as requested; blank: the session's")                                                      \
    X(m, text, symbol, 17, 8, "as requested")

#define OUCH_DISABLED_FIELDS(X, m)                                                                                     \
    X(m, u64, timestamp_ns, 1, 8, "ns since midnight")                                                                 \
    X(m, u32, user_ref, 9, 4, "UserRefNum of the request")                                                             \
    X(m, text, firm, 13, 4, "as requested; blank: the session's")

#define OUCH_ENABLED_FIELDS(X, m)                                                                                      \
    X(m, u64, timestamp_ns, 1, 8, "ns since midnight")                                                                 \
    X(m, u32, user_ref, 9, 4, "UserRefNum of the request")                                                             \
    X(m, text, firm, 13, 4, "as requested; blank: the session's")

#define OUCH_ACCOUNT_ANSWER_FIELDS(X, m)                                                                               \
    X(m, u64, timestamp_ns, 1, 8, "ns since midnight")                                                                 \
    X(m, u32, user_ref_next, 9, 4, "lowest UserRefNum that may be used next")

#endif
