/*
 * What a member may not send, and how it is told so. Judged here because the settings are the gateway's; answered like
 * everything else: the request becomes a REFUSED command with OUCH's reason, goes down the pipeline, uses up its
 * UserRefNum and comes back as an event. So the stream can be made again from events alone, whatever the settings are
 * by then.
 *
 * Rules
 *   1. Judged are new orders and replacements, in this order: rate of the port, restricted symbol, firm, quantity,
 *      notional, rate of the symbol, rate of equal orders. A replacement names neither symbol nor firm; for it the
 *      rules that need one are left out. Of the mass requests only the firm is judged.
 *   2. Cancel, Modify, Mass Cancel and queries are never held back by a rate: a limit must not keep a member from
 *      having less at risk.
 *   3. A replacement that is refused leaves the original as it is.
 *   4. Every order counts for the port's rate, whatever becomes of it; what that rate refuses does not count.
 *   5. Buckets belong to the session, not to the connection, and are full when the gateway starts.
 *
 * Connections without limits do not come here.
 */
#include "gateway_state.h"

#include "wire/ouch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RATES_COUNT 65536u /* buckets of (session, symbol) and (session, equal orders) at one time */

int limits_open(struct gateway *gateway, struct error *error)
{
    size_t ports = (size_t)gateway->config->engine_sessions_max + 1;
    gateway->port_full_ns = calloc(ports, sizeof(*gateway->port_full_ns));
    if (!gateway->port_full_ns)
        return error_system(error, ENOMEM, "engine.sessions_max", "no memory for %zu sessions", ports);
    return rate_table_open(&gateway->rates, RATES_COUNT, error);
}

void limits_close(struct gateway *gateway)
{
    free(gateway->port_full_ns);
    rate_table_close(&gateway->rates);
}

void limits_bind(struct gateway *gateway, struct connection *connection)
{
    connection->member = member_find(&gateway->members, connection->login.user);
    connection->limited = connection->member->is_limited || connection->any_firm;
}

/* ---- rules: 0, or the reason ---- */

static bool is_blank(const char firm[FIRM_BYTES])
{
    uint32_t word;
    memcpy(&word, firm, sizeof(word));
    return word == 0 || word == 0x20202020u;
}

/* Where the engine takes any firm from this session, a request that names none gets the account's. */
static uint16_t firm_judge(const struct gateway *gateway, const struct connection *connection, char firm[FIRM_BYTES])
{
    const struct member *member = connection->member;
    if (!connection->any_firm && member->firms.count == 0)
        return 0;
    const char *meant = is_blank(firm) ? connection->firm : firm;
    if (!member_has_firm(&gateway->members, member, connection->firm, meant))
        return OUCH_REJECT_FIRM_NOT_AUTHORIZED;
    if (connection->any_firm && is_blank(firm))
        memcpy(firm, connection->firm, FIRM_BYTES);
    return 0;
}

/* symbol NULL: not known, so a market order has no price. */
static uint16_t size_judge(const struct gateway *gateway, const struct member *member,
                           const struct command_order *order, const char *symbol)
{
    if (member->quantity_max != 0 && order->quantity > member->quantity_max)
        return OUCH_REJECT_RISK_QUANTITY;
    if (member->notional_max == 0)
        return 0;
    int32_t price_ticks = order->price_ticks;
    if (price_ticks == PRICE_TICKS_MARKET)
        price_ticks = symbol ? instruments_reference(&gateway->instruments, symbol) : 0;
    bool over = price_ticks > 0 && (uint64_t)price_ticks * order->quantity > member->notional_max;
    return over ? OUCH_REJECT_RISK_NOTIONAL : 0;
}

static uint16_t rates_judge(struct gateway *gateway, const struct connection *connection,
                            const struct command_order *order, const char *symbol, uint64_t now_ns)
{
    const struct member *member = connection->member;
    uint64_t word;
    memcpy(&word, symbol, sizeof(word));
    uint64_t of_symbol = rate_key(connection->session.number, word);
    if (!rate_table_take(&gateway->rates, of_symbol, &member->symbol_orders, now_ns))
        return OUCH_REJECT_RISK_SYMBOL_RATE;
    uint64_t size = (uint64_t)order->quantity << 32 | (uint32_t)order->price_ticks;
    uint64_t of_equal = rate_key(rate_key(of_symbol, order->side), size);
    if (!rate_table_take(&gateway->rates, of_equal, &member->same_orders, now_ns))
        return OUCH_REJECT_RISK_DUPLICATE_RATE;
    return 0;
}

static uint16_t enter_judge(struct gateway *gateway, const struct connection *connection, struct command_order *order,
                            const char *symbol, uint64_t now_ns)
{
    if (member_is_restricted(&gateway->members, connection->member, symbol))
        return OUCH_REJECT_RISK_RESTRICTED_STOCK;
    uint16_t reason = firm_judge(gateway, connection, order->firm);
    if (reason == 0)
        reason = size_judge(gateway, connection->member, order, symbol);
    return reason != 0 ? reason : rates_judge(gateway, connection, order, symbol, now_ns);
}

/* ---- commands ---- */

static bool port_has(struct gateway *gateway, const struct connection *connection, uint64_t now_ns)
{
    return rate_take(&gateway->port_full_ns[connection->session.number], &connection->member->orders, now_ns);
}

/* What was refused already, for a reason of its own, is an order that counts all the same. */
static void refused_judge(struct gateway *gateway, struct connection *connection, struct command *command,
                          uint64_t now_ns)
{
    bool is_order = command->refused.refused_kind == COMMAND_ENTER || command->refused.refused_kind == COMMAND_REPLACE;
    if (!is_order || port_has(gateway, connection, now_ns))
        return;
    command->refused.reason = OUCH_REJECT_RISK_PORT_RATE;
    connection->limit_refusals++;
    gateway->counts.limit_refusals++;
}

void limits_judge(struct gateway *gateway, struct connection *connection, struct command *command, const char *symbol,
                  uint64_t now_ns)
{
    uint16_t reason = 0;
    switch (command->kind) {
    case COMMAND_ENTER:
        reason = port_has(gateway, connection, now_ns)
                     ? enter_judge(gateway, connection, &command->order, symbol, now_ns)
                     : OUCH_REJECT_RISK_PORT_RATE;
        break;
    case COMMAND_REPLACE:
        reason = port_has(gateway, connection, now_ns) ? size_judge(gateway, connection->member, &command->order, NULL)
                                                       : OUCH_REJECT_RISK_PORT_RATE;
        break;
    case COMMAND_MASS_CANCEL:
    case COMMAND_DISABLE:
    case COMMAND_ENABLE:
        reason = firm_judge(gateway, connection, command->order.firm);
        break;
    case COMMAND_REFUSED:
        refused_judge(gateway, connection, command, now_ns);
        return;
    default:
        return;
    }
    if (reason == 0)
        return;
    command_make_refused(command, reason);
    connection->limit_refusals++;
    gateway->counts.limit_refusals++;
}
