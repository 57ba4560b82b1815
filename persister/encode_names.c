#include "encode_names.h"

#include "base/require.h"
#include "encode_copy.h"
#include "record/command.h"
#include "record/event.h"

#include <stddef.h>

/* Tables as macros, so that the length of each name is checked when it is compiled. */
#define SIDES(X) X('B', "buy") X('S', "sell") X('T', "sell short") X('E', "sell short exempt")
#define TIMES_IN_FORCE(X)                                                                                              \
    X('0', "day")                                                                                                      \
    X('3', "immediate or cancel")                                                                                      \
    X('5', "extended hours")                                                                                           \
    X('6', "good till time")                                                                                           \
    X('E', "after hours")
#define DISPLAYS(X)   X('Y', "visible") X('N', "hidden") X('A', "attributable") X('Z', "conformant")
#define CAPACITIES(X) X('A', "agency") X('P', "principal") X('R', "riskless") X('O', "other")
#define LIQUIDITIES(X)                                                                                                 \
    X('A', "added")                                                                                                    \
    X('R', "removed")                                                                                                  \
    X('O', "opening cross")                                                                                            \
    X('C', "closing cross")                                                                                            \
    X('H', "halt or IPO cross")                                                                                        \
    X('K', "halt cross")                                                                                               \
    X('M', "opening imbalance only")                                                                                   \
    X('L', "closing imbalance only")                                                                                   \
    X('i', "after-hours closing cross")                                                                                \
    X('J', "added hidden")                                                                                             \
    X('u', "added from reserve")                                                                                       \
    X('k', "added at midpoint")                                                                                        \
    X('m', "removed at midpoint")                                                                                      \
    X('N', "passive midpoint")                                                                                         \
    X('n', "midpoint extended life")                                                                                   \
    X('0', "supplemental")                                                                                             \
    X('7', "added, improved NBBO")                                                                                     \
    X('8', "added, set QBBO")                                                                                          \
    X('e', "added retail")
#define MARKET_STATES(X) X('P', "pre-open") X('O', "open") X('H', "halted") X('C', "closed") X('X', "extended")
#define CANCEL_REASONS(X)                                                                                              \
    X('U', "user requested")                                                                                           \
    X('I', "immediate or cancel")                                                                                      \
    X('T', "timeout")                                                                                                  \
    X('S', "supervisory")                                                                                              \
    X('D', "regulatory restriction")                                                                                   \
    X('Q', "self-match prevention")                                                                                    \
    X('Z', "system")                                                                                                   \
    X('K', "market collars")                                                                                           \
    X('H', "halted")                                                                                                   \
    X('X', "open protection")                                                                                          \
    X('E', "closed")                                                                                                   \
    X('F', "post-only would slide (NMS)")                                                                              \
    X('G', "post-only would slide")                                                                                    \
    X('e', "direct listing over-allocation")
#define BREAK_REASONS(X) X('E', "erroneous") X('C', "consent") X('S', "supervisory") X('X', "external")
#define REJECT_REASONS(X)                                                                                              \
    X(0x01, "quote unavailable")                                                                                       \
    X(0x02, "destination closed")                                                                                      \
    X(0x03, "invalid display")                                                                                         \
    X(0x04, "invalid max floor")                                                                                       \
    X(0x05, "invalid peg type")                                                                                        \
    X(0x06, "fat finger")                                                                                              \
    X(0x07, "halted")                                                                                                  \
    X(0x08, "ISO not allowed")                                                                                         \
    X(0x09, "invalid side")                                                                                            \
    X(0x0a, "processing error")                                                                                        \
    X(0x0b, "cancel pending")                                                                                          \
    X(0x0c, "firm not authorized")                                                                                     \
    X(0x0d, "invalid min quantity")                                                                                    \
    X(0x0e, "no closing reference price")                                                                              \
    X(0x0f, "other")                                                                                                   \
    X(0x10, "cancel not allowed")                                                                                      \
    X(0x11, "pegging not allowed")                                                                                     \
    X(0x12, "crossed market")                                                                                          \
    X(0x13, "invalid quantity")                                                                                        \
    X(0x14, "invalid cross order")                                                                                     \
    X(0x15, "replace not allowed")                                                                                     \
    X(0x16, "routing not allowed")                                                                                     \
    X(0x17, "invalid symbol")                                                                                          \
    X(0x18, "test")                                                                                                    \
    X(0x19, "late LOC too aggressive")                                                                                 \
    X(0x1a, "retail not allowed")                                                                                      \
    X(0x1b, "invalid midpoint post-only price")                                                                        \
    X(0x1c, "invalid destination")                                                                                     \
    X(0x1d, "invalid price")                                                                                           \
    X(0x1e, "shares exceed threshold")                                                                                 \
    X(0x1f, "exceeds maximum notional")                                                                                \
    X(0x20, "risk: aggregate exposure")                                                                                \
    X(0x21, "risk: market impact")                                                                                     \
    X(0x22, "risk: restricted stock")                                                                                  \
    X(0x23, "risk: short sell restricted")                                                                             \
    X(0x24, "risk: ISO not allowed")                                                                                   \
    X(0x25, "risk: ADV limit")                                                                                         \
    X(0x26, "risk: fat finger")                                                                                        \
    X(0x27, "risk: locate required")                                                                                   \
    X(0x28, "risk: symbol message rate")                                                                               \
    X(0x29, "risk: port message rate")                                                                                 \
    X(0x2a, "risk: duplicate message rate")                                                                            \
    X(0x2b, "risk: short sell not allowed")                                                                            \
    X(0x2c, "risk: market order not allowed")                                                                          \
    X(0x2d, "risk: pre-market not allowed")                                                                            \
    X(0x2e, "risk: post-market not allowed")                                                                           \
    X(0x2f, "risk: exempt not allowed")                                                                                \
    X(0x30, "risk: single order notional")                                                                             \
    X(0x31, "risk: max quantity")                                                                                      \
    X(0x32, "Reg SHO state not available")

#define LOGIN_REASONS(X)                                                                                               \
    X('A', "not authorized")                                                                                           \
    X('S', "session not available")
#define LOGOUT_REASONS(X)                                                                                              \
    X('L', "logged out")                                                                                               \
    X('D', "disconnected")                                                                                             \
    X('T', "timed out")                                                                                                \
    X('S', "ended by the exchange")
#define REFUSALS(X)                                                                                                    \
    X(1, "not connected")                                                                                              \
    X(2, "unknown kind")                                                                                               \
    X(4, "a day is open")                                                                                              \
    X(5, "no day is open")                                                                                             \
    X(6, "not after the last day")                                                                                     \
    X(7, "exists, or is done already")                                                                                 \
    X(8, "no room")                                                                                                    \
    X(9, "invalid value")                                                                                              \
    X(10, "unknown instrument")                                                                                        \
    X(11, "unknown trade")                                                                                             \
    X(12, "unknown user")

#define UNKNOWN "unknown"

#define X(value, name)                                                                                                 \
    _Static_assert(sizeof(name) - 1 <= COPY_TEXT_BYTES_MAX && (value) < 256, "a name fits its field: " name);
SIDES(X)
TIMES_IN_FORCE(X)
DISPLAYS(X)
CAPACITIES(X)
LIQUIDITIES(X)
MARKET_STATES(X)
CANCEL_REASONS(X)
BREAK_REASONS(X)
LOGIN_REASONS(X)
LOGOUT_REASONS(X)
REFUSALS(X)
REJECT_REASONS(X)
#undef X

#define X(value, name) [value] = (name),
#define NAMES(function, table)                                                                                         \
    const char *function(uint8_t letter)                                                                               \
    {                                                                                                                  \
        static const char *const names[256] = {table(X)};                                                              \
        if (letter == 0)                                                                                               \
            return NULL;                                                                                               \
        return names[letter] ? names[letter] : UNKNOWN;                                                                \
    }
NAMES(name_side, SIDES)
NAMES(name_time_in_force, TIMES_IN_FORCE)
NAMES(name_display, DISPLAYS)
NAMES(name_capacity, CAPACITIES)
NAMES(name_liquidity, LIQUIDITIES)
NAMES(name_market_state, MARKET_STATES)
NAMES(name_cancel_reason, CANCEL_REASONS)
NAMES(name_break_reason, BREAK_REASONS)
NAMES(name_login_reason, LOGIN_REASONS)
NAMES(name_logout_reason, LOGOUT_REASONS)
NAMES(name_refusal, REFUSALS)

const char *name_reject_reason(uint16_t reason)
{
    static const char *const names[] = {REJECT_REASONS(X)};
    if (reason == 0)
        return NULL;
    return reason < ARRAY_COUNT(names) && names[reason] ? names[reason] : UNKNOWN;
}
#undef X

const char *name_request(uint8_t command_kind)
{
    switch ((enum command_kind)command_kind) {
    case COMMAND_ENTER:
        return "enter";
    case COMMAND_REPLACE:
        return "replace";
    case COMMAND_CANCEL:
        return "cancel";
    case COMMAND_MODIFY:
        return "modify";
    case COMMAND_MASS_CANCEL:
        return "mass cancel";
    case COMMAND_DISABLE:
        return "disable";
    case COMMAND_ENABLE:
        return "enable";
    case COMMAND_ACCOUNT_QUERY:
        return "account query";
    case COMMAND_REFUSED:
    case COMMAND_LOGIN:
    case COMMAND_LOGOUT:
    case COMMAND_TENURE_BEGINS:
    case COMMAND_TICK:
    case COMMAND_DAY_START:
    case COMMAND_DAY_END:
    case COMMAND_INSTRUMENT_ADD:
    case COMMAND_MARKET_STATE:
    case COMMAND_INSTRUMENT_LIMITS:
    case COMMAND_FIRM_LIMITS:
    case COMMAND_TRADE_BREAK:
    case COMMAND_SESSION_BLOCK:
    case COMMAND_SNAPSHOT_MARK:
    case COMMAND_SESSION_KICK:
    case COMMAND_GATEWAY_DEAD:
    case COMMAND_FIRM_SWITCH:
    case COMMAND_ORDERS_CANCEL:
        return UNKNOWN;
    default:
        return command_kind == 0 ? NULL : UNKNOWN;
    }
}

const char *name_login_result(uint8_t event_kind)
{
    switch (event_kind) {
    case EVENT_LOGIN_ACCEPTED:
        return "accepted";
    case EVENT_LOGIN_REFUSED:
        return "refused";
    case EVENT_SESSION_CLOSED:
        return "closed";
    default:
        return UNKNOWN;
    }
}

const char *name_action(uint8_t command_kind, uint8_t flag)
{
    static const char *const names[] = {
        [COMMAND_TICK] = "tick",
        [COMMAND_DAY_START] = "day start",
        [COMMAND_DAY_END] = "day end",
        [COMMAND_INSTRUMENT_ADD] = "instrument add",
        [COMMAND_MARKET_STATE] = "market state",
        [COMMAND_INSTRUMENT_LIMITS] = "instrument limits",
        [COMMAND_FIRM_LIMITS] = "firm limits",
        [COMMAND_TRADE_BREAK] = "trade break",
        [COMMAND_SESSION_BLOCK] = "user unblock",
        [COMMAND_SNAPSHOT_MARK] = "snapshot mark",
        [COMMAND_SESSION_KICK] = "user kick",
        [COMMAND_GATEWAY_DEAD] = "gateway dead",
        [COMMAND_FIRM_SWITCH] = "firm enable",
        [COMMAND_ORDERS_CANCEL] = "orders cancel",
    };
    if (flag != 0 && command_kind == COMMAND_SESSION_BLOCK)
        return "user block";
    if (flag != 0 && command_kind == COMMAND_FIRM_SWITCH)
        return "firm disable";
    return command_kind < ARRAY_COUNT(names) && names[command_kind] ? names[command_kind] : UNKNOWN;
}
