/*
 * Events -> OUCH 5.0 messages.
 *
 * Rules
 *   1. Accepted, Replaced, Executed, Restated and the answers to mass requests always have an Appendage Length; the
 * others where the event says so (EVENT_HAS_APPENDAGE, EVENT_MAKER_APPENDAGE for the maker's message of a trade).
 *   2. The appendage repeats the options that the order has, and the channel (tag 28) of whoever uses one.
 *   3. Timestamps are ns since midnight of the trading day: the event's time less midnight_ns.
 */
#include "session_encode.h"

#include "base/require.h"
#include "wire/ouch.h"
#include "wire/soup.h"

#include <string.h>

_Static_assert(SOUP_HEADER_BYTES + OUCH_MESSAGE_BYTES_MAX <= SESSION_PACKET_BYTES_MAX, "room for the longest message");

static inline uint64_t price_of(int32_t price_ticks)
{
    return (uint32_t)price_ticks;
}

static inline uint8_t letter_of(uint32_t bits, uint32_t value, char yes, char no)
{
    return (uint8_t)(bits & value ? yes : no);
}

/* ---- appendages ---- */

/* An appendage in the making. */
struct appendage {
    struct ouch_options options;
    uint8_t bytes[OUCH_OPTIONS_BYTES_MAX];
};

static struct ouch_appendage made(struct appendage *appendage)
{
    uint32_t count = ouch_options_encode(appendage->bytes, &appendage->options);
    return (struct ouch_appendage){.bytes = appendage->bytes, .count = (uint16_t)count, .present = true};
}

/* One that has the channel or nothing, in `bytes`. */
static inline struct ouch_appendage channel_alone(uint8_t bytes[3], uint8_t user_ref_index, bool present)
{
    bytes[0] = 2;
    bytes[1] = OUCH_TAG_USER_REF_INDEX;
    bytes[2] = user_ref_index;
    return (struct ouch_appendage){.bytes = bytes, .count = user_ref_index ? 3 : 0, .present = present};
}

static inline struct ouch_appendage taker_channel(uint8_t bytes[3], const struct event *event)
{
    return channel_alone(bytes, event->user_ref_index, (event->flags & EVENT_HAS_APPENDAGE) != 0);
}

static void channel_set(struct ouch_options *options, uint8_t user_ref_index)
{
    options->user_ref_index = user_ref_index;
    if (user_ref_index != 0)
        options->present |= OUCH_HAS_USER_REF_INDEX;
}

/* The options whose values are bits of the order's. */
static void flags_set(struct ouch_options *options, uint32_t bits)
{
    options->customer_type = letter_of(bits, OPTION_IS_RETAIL, 'R', 'N');
    options->post_only = letter_of(bits, OPTION_IS_POST_ONLY, 'P', 'N');
    options->trade_now = letter_of(bits, OPTION_IS_TRADE_NOW, 'Y', 'N');
    options->shares_located = letter_of(bits, OPTION_IS_LOCATED, 'Y', 'N');
    options->present |= (bits & OPTION_CUSTOMER_TYPE ? OUCH_HAS_CUSTOMER_TYPE : 0u) |
                        (bits & OPTION_POST_ONLY ? OUCH_HAS_POST_ONLY : 0u) |
                        (bits & OPTION_TRADE_NOW ? OUCH_HAS_TRADE_NOW : 0u) |
                        (bits & OPTION_SHARES_LOCATED ? OUCH_HAS_SHARES_LOCATED : 0u);
}

/* The options whose values are in the continuation. */
static void rare_set(struct ouch_options *options, uint32_t bits, const struct event_options *rare)
{
    bool trailing = rare->trigger_kind == 'T';
    options->peg_offset = rare->peg_offset_ticks;
    options->random_reserve = rare->random_reserve;
    options->expire_s = rare->expire_s;
    options->trigger = rare->trigger_kind ? rare->trigger_kind : 'N';
    options->trigger_price = price_of(rare->trigger_ticks);
    options->trail_offset = price_of(rare->trigger_ticks);
    options->self_match = rare->self_match ? rare->self_match : 'N';
    options->present |= (bits & OPTION_PEG_OFFSET ? OUCH_HAS_PEG_OFFSET : 0u) |
                        (bits & OPTION_RANDOM_RESERVE ? OUCH_HAS_RANDOM_RESERVE : 0u) |
                        (bits & OPTION_EXPIRE_TIME && rare->expire_s != 0 ? OUCH_HAS_EXPIRE_S : 0u) |
                        (bits & OPTION_SELF_MATCH ? OUCH_HAS_SELF_MATCH : 0u);
    if (bits & OPTION_TRIGGER)
        options->present |= OUCH_HAS_TRIGGER;
    if (bits & OPTION_TRIGGER && rare->trigger_kind != 0)
        options->present |= trailing ? OUCH_HAS_TRAIL_OFFSET : OUCH_HAS_TRIGGER_PRICE;
}

static struct ouch_appendage accepted_options(struct appendage *appendage, const struct event *event,
                                              const struct event *more)
{
    const struct event_accepted *accepted = &event->accepted;
    struct ouch_options *options = &appendage->options;
    uint32_t bits = accepted->options;
    memcpy(options->firm, accepted->firm, FIRM_BYTES);
    options->min_quantity = accepted->min_quantity;
    options->max_floor = accepted->max_floor;
    options->price_type = accepted->price_type;
    options->handle_inst = accepted->handle_inst;
    options->group = accepted->group;
    options->present =
        (bits & OPTION_FIRM ? OUCH_HAS_FIRM : 0u) | (bits & OPTION_MIN_QUANTITY ? OUCH_HAS_MIN_QUANTITY : 0u) |
        (bits & OPTION_MAX_FLOOR ? OUCH_HAS_MAX_FLOOR : 0u) | (bits & OPTION_PRICE_TYPE ? OUCH_HAS_PRICE_TYPE : 0u) |
        (bits & OPTION_HANDLE_INST ? OUCH_HAS_HANDLE_INST : 0u) | (bits & OPTION_GROUP ? OUCH_HAS_GROUP : 0u);
    flags_set(options, bits);
    if (more)
        rare_set(options, bits, &more->options);
    channel_set(options, event->user_ref_index);
    return made(appendage);
}

/* A Replaced repeats less than an Accepted does, and what it has no place for is in the continuation. */
static struct ouch_appendage replaced_options(struct appendage *appendage, const struct event *event,
                                              const struct event *more)
{
    const uint32_t repeated = OUCH_HAS_FIRM | OUCH_HAS_MIN_QUANTITY | OUCH_HAS_MAX_FLOOR | OUCH_HAS_PRICE_TYPE |
                              OUCH_HAS_POST_ONLY | OUCH_HAS_EXPIRE_S | OUCH_HAS_TRADE_NOW | OUCH_HAS_HANDLE_INST |
                              OUCH_HAS_TRIGGER | OUCH_HAS_TRIGGER_PRICE | OUCH_HAS_TRAIL_OFFSET | OUCH_HAS_SELF_MATCH;
    const struct event_replaced *replaced = &event->replaced;
    struct ouch_options *options = &appendage->options;
    uint32_t bits = replaced->options;
    memcpy(options->firm, replaced->firm, FIRM_BYTES);
    options->price_type = replaced->price_type;
    options->handle_inst = replaced->handle_inst;
    options->present = (bits & OPTION_FIRM ? OUCH_HAS_FIRM : 0u) |
                       (bits & OPTION_PRICE_TYPE ? OUCH_HAS_PRICE_TYPE : 0u) |
                       (bits & OPTION_HANDLE_INST ? OUCH_HAS_HANDLE_INST : 0u);
    flags_set(options, bits);
    if (more) {
        options->min_quantity = more->options.min_quantity;
        options->max_floor = more->options.max_floor;
        options->present |= (bits & OPTION_MIN_QUANTITY ? OUCH_HAS_MIN_QUANTITY : 0u) |
                            (bits & OPTION_MAX_FLOOR ? OUCH_HAS_MAX_FLOOR : 0u);
        rare_set(options, bits, &more->options);
    }
    options->present &= repeated;
    channel_set(options, event->user_ref_index);
    return made(appendage);
}

/* Without options and channel, which is how most orders are, the appendage is empty and costs nothing. */
static inline bool is_plain(uint32_t bits, const struct event *event)
{
    return (bits & ~(uint32_t)OPTION_IS_SWEEP) == 0 && event->user_ref_index == 0;
}

/* ---- messages: each writes one and returns its bytes ---- */

static inline uint32_t accepted_put(uint8_t *out, const struct event *event, const struct event *more, uint64_t time_ns)
{
    const struct event_accepted *accepted = &event->accepted;
    struct ouch_accepted message = {
        .timestamp_ns = time_ns,
        .user_ref = event->user_ref,
        .side = event->side,
        .quantity = accepted->quantity,
        .price = price_of(accepted->price_ticks),
        .time_in_force = accepted->time_in_force,
        .display = accepted->display,
        .order_ref = accepted->order_ref,
        .capacity = accepted->capacity,
        .sweep = letter_of(accepted->options, OPTION_IS_SWEEP, 'Y', 'N'),
        .cross_type = accepted->cross_type,
        .state = event->reason,
    };
    memcpy(message.symbol, accepted->symbol, SYMBOL_BYTES);
    memcpy(message.client_order_id, accepted->client_order_id, CLIENT_ORDER_ID_BYTES);
    if (LIKELY(is_plain(accepted->options, event)))
        return ouch_encode_accepted(out, &message);
    struct appendage appendage = {0};
    message.appendage = accepted_options(&appendage, event, more);
    return ouch_encode_accepted(out, &message);
}

static inline uint32_t replaced_put(uint8_t *out, const struct event *event, const struct event *more, uint64_t time_ns)
{
    const struct event_replaced *replaced = &event->replaced;
    struct ouch_replaced message = {
        .timestamp_ns = time_ns,
        .orig_user_ref = replaced->target_user_ref,
        .user_ref = event->user_ref,
        .side = event->side,
        .quantity = replaced->quantity,
        .price = price_of(replaced->price_ticks),
        .time_in_force = replaced->time_in_force,
        .display = replaced->display,
        .order_ref = replaced->order_ref,
        .capacity = replaced->capacity,
        .sweep = letter_of(replaced->options, OPTION_IS_SWEEP, 'Y', 'N'),
        .cross_type = replaced->cross_type,
        .state = event->reason,
    };
    memcpy(message.symbol, replaced->symbol, SYMBOL_BYTES);
    memcpy(message.client_order_id, replaced->client_order_id, CLIENT_ORDER_ID_BYTES);
    if (LIKELY(is_plain(replaced->options, event)))
        return ouch_encode_replaced(out, &message);
    struct appendage appendage = {0};
    message.appendage = replaced_options(&appendage, event, more);
    return ouch_encode_replaced(out, &message);
}

static inline uint32_t canceled_put(uint8_t *out, const struct event *event, uint64_t time_ns)
{
    uint8_t channel[3];
    const struct ouch_canceled message = {
        .timestamp_ns = time_ns,
        .user_ref = event->user_ref,
        .quantity = event->cut.decrement,
        .reason = event->reason,
        .appendage = taker_channel(channel, event),
    };
    return ouch_encode_canceled(out, &message);
}

static uint32_t self_match_canceled_put(uint8_t *out, const struct event *event, uint64_t time_ns)
{
    uint8_t channel[3];
    const struct ouch_self_match_canceled message = {
        .timestamp_ns = time_ns,
        .user_ref = event->user_ref,
        .quantity = event->cut.decrement,
        .reason = event->reason,
        .prevented_quantity = event->cut.prevented_quantity,
        .prevented_price = price_of(event->cut.prevented_ticks),
        .liquidity = event->cut.liquidity,
        .strategy = event->cut.self_match,
        .appendage = taker_channel(channel, event),
    };
    return ouch_encode_self_match_canceled(out, &message);
}

static inline uint32_t executed_put(uint8_t *out, const struct event *event, enum session_side side, uint64_t time_ns)
{
    const struct event_trade *trade = &event->trade;
    bool maker = side == SESSION_MAKER;
    uint8_t channel[3];
    const struct ouch_executed message = {
        .timestamp_ns = time_ns,
        .user_ref = maker ? trade->maker_user_ref : event->user_ref,
        .quantity = trade->quantity,
        .price = price_of(trade->price_ticks),
        .liquidity = maker ? trade->maker_liquidity : trade->liquidity,
        .match_number = trade->match_number,
        .appendage = channel_alone(channel, maker ? trade->maker_user_ref_index : event->user_ref_index, true),
    };
    return ouch_encode_executed(out, &message);
}

/* The event has no client order ids, so a Broken Trade has spaces there: the UserRefNum says which order it is. */
static uint32_t broken_put(uint8_t *out, const struct event *event, enum session_side side, uint64_t time_ns)
{
    const struct event_trade *trade = &event->trade;
    bool maker = side == SESSION_MAKER;
    uint8_t channel[3];
    bool present = (event->flags & (maker ? EVENT_MAKER_APPENDAGE : EVENT_HAS_APPENDAGE)) != 0;
    struct ouch_broken message = {
        .timestamp_ns = time_ns,
        .user_ref = maker ? trade->maker_user_ref : event->user_ref,
        .match_number = trade->match_number,
        .reason = event->reason,
        .appendage = channel_alone(channel, maker ? trade->maker_user_ref_index : event->user_ref_index, present),
    };
    memset(message.client_order_id, ' ', CLIENT_ORDER_ID_BYTES);
    return ouch_encode_broken(out, &message);
}

static uint32_t rejected_put(uint8_t *out, const struct event *event, uint64_t time_ns)
{
    uint8_t channel[3];
    struct ouch_rejected message = {
        .timestamp_ns = time_ns,
        .user_ref = event->user_ref,
        .reason = event->refused.reason,
        .appendage = taker_channel(channel, event),
    };
    memcpy(message.client_order_id, event->refused.client_order_id, CLIENT_ORDER_ID_BYTES);
    if (message.client_order_id[0] == '\0') /* of a request that has none */
        memset(message.client_order_id, ' ', CLIENT_ORDER_ID_BYTES);
    return ouch_encode_rejected(out, &message);
}

static uint32_t cancel_pending_put(uint8_t *out, const struct event *event, uint64_t time_ns)
{
    uint8_t channel[3];
    const struct ouch_cancel_pending message = {
        .timestamp_ns = time_ns, .user_ref = event->user_ref, .appendage = taker_channel(channel, event)};
    return ouch_encode_cancel_pending(out, &message);
}

static uint32_t cancel_rejected_put(uint8_t *out, const struct event *event, uint64_t time_ns)
{
    uint8_t channel[3];
    const struct ouch_cancel_rejected message = {
        .timestamp_ns = time_ns, .user_ref = event->user_ref, .appendage = taker_channel(channel, event)};
    return ouch_encode_cancel_rejected(out, &message);
}

static uint32_t priority_updated_put(uint8_t *out, const struct event *event, uint64_t time_ns)
{
    uint8_t channel[3];
    const struct ouch_priority_updated message = {
        .timestamp_ns = time_ns,
        .user_ref = event->user_ref,
        .price = price_of(event->cut.price_ticks),
        .display = event->cut.display,
        .order_ref = event->cut.order_ref,
        .appendage = taker_channel(channel, event),
    };
    return ouch_encode_priority_updated(out, &message);
}

static uint32_t modified_put(uint8_t *out, const struct event *event, uint64_t time_ns)
{
    uint8_t channel[3];
    const struct ouch_modified message = {
        .timestamp_ns = time_ns,
        .user_ref = event->user_ref,
        .side = event->side,
        .quantity = event->cut.leaves_quantity,
        .appendage = taker_channel(channel, event),
    };
    return ouch_encode_modified(out, &message);
}

static uint32_t restated_put(uint8_t *out, const struct event *event, uint64_t time_ns)
{
    struct appendage appendage = {0};
    struct ouch_options *options = &appendage.options;
    options->secondary_order_ref = event->cut.order_ref;
    options->display_quantity = event->cut.display_quantity;
    options->present = OUCH_HAS_SECONDARY_ORDER_REF | OUCH_HAS_DISPLAY_QUANTITY;
    channel_set(options, event->user_ref_index);
    const struct ouch_restated message = {
        .timestamp_ns = time_ns,
        .user_ref = event->user_ref,
        .reason = event->reason,
        .appendage = made(&appendage),
    };
    return ouch_encode_restated(out, &message);
}

static uint32_t mass_canceled_put(uint8_t *out, const struct event *event, uint64_t time_ns)
{
    struct appendage appendage = {0};
    struct ouch_options *options = &appendage.options;
    options->group = event->mass.group;
    options->side = event->side;
    options->present = (event->mass.options & OPTION_GROUP ? OUCH_HAS_GROUP : 0u) | (event->side ? OUCH_HAS_SIDE : 0u);
    channel_set(options, event->user_ref_index);
    struct ouch_mass_canceled message = {
        .timestamp_ns = time_ns, .user_ref = event->user_ref, .appendage = made(&appendage)};
    memcpy(message.firm, event->mass.firm, FIRM_BYTES);
    memcpy(message.symbol, event->mass.symbol, SYMBOL_BYTES);
    return ouch_encode_mass_canceled(out, &message);
}

static uint32_t disabled_put(uint8_t *out, const struct event *event, uint64_t time_ns)
{
    uint8_t channel[3];
    struct ouch_disabled message = {.timestamp_ns = time_ns,
                                    .user_ref = event->user_ref,
                                    .appendage = channel_alone(channel, event->user_ref_index, true)};
    memcpy(message.firm, event->mass.firm, FIRM_BYTES);
    return ouch_encode_disabled(out, &message);
}

static uint32_t enabled_put(uint8_t *out, const struct event *event, uint64_t time_ns)
{
    uint8_t channel[3];
    struct ouch_enabled message = {.timestamp_ns = time_ns,
                                   .user_ref = event->user_ref,
                                   .appendage = channel_alone(channel, event->user_ref_index, true)};
    memcpy(message.firm, event->mass.firm, FIRM_BYTES);
    return ouch_encode_enabled(out, &message);
}

static uint32_t account_answer_put(uint8_t *out, const struct event *event, uint64_t time_ns)
{
    uint8_t channel[3];
    const struct ouch_account_answer message = {
        .timestamp_ns = time_ns, .user_ref_next = event->user_ref, .appendage = taker_channel(channel, event)};
    return ouch_encode_account_answer(out, &message);
}

static uint32_t system_event_put(uint8_t *out, const struct event *event, uint64_t time_ns)
{
    const struct ouch_system_event message = {.timestamp_ns = time_ns, .event = event->reason};
    return ouch_encode_system_event(out, &message);
}

/* The kinds that are seldom; 0: no message. */
static uint32_t seldom_put(uint8_t *out, const struct event *event, enum session_side side, uint64_t time_ns)
{
    switch (event->kind) {
    case EVENT_SELF_MATCH_CANCELED:
        return self_match_canceled_put(out, event, time_ns);
    case EVENT_BROKEN:
        return broken_put(out, event, side, time_ns);
    case EVENT_REJECTED:
        return rejected_put(out, event, time_ns);
    case EVENT_CANCEL_PENDING:
        return cancel_pending_put(out, event, time_ns);
    case EVENT_CANCEL_REJECTED:
        return cancel_rejected_put(out, event, time_ns);
    case EVENT_PRIORITY_UPDATED:
        return priority_updated_put(out, event, time_ns);
    case EVENT_MODIFIED:
        return modified_put(out, event, time_ns);
    case EVENT_RESTATED:
        return restated_put(out, event, time_ns);
    case EVENT_MASS_CANCELED:
        return mass_canceled_put(out, event, time_ns);
    case EVENT_ENTRY_DISABLED:
        return disabled_put(out, event, time_ns);
    case EVENT_ENTRY_ENABLED:
        return enabled_put(out, event, time_ns);
    case EVENT_ACCOUNT_ANSWER:
        return account_answer_put(out, event, time_ns);
    case EVENT_SYSTEM_EVENT:
        return system_event_put(out, event, time_ns);
    default:
        return 0;
    }
}

static inline uint32_t message_put(uint8_t *out, const struct event *event, const struct event *more,
                                   enum session_side side, uint64_t time_ns)
{
    switch (event->kind) {
    case EVENT_ACCEPTED:
        return accepted_put(out, event, more, time_ns);
    case EVENT_EXECUTED:
        return executed_put(out, event, side, time_ns);
    case EVENT_CANCELED:
        return canceled_put(out, event, time_ns);
    case EVENT_REPLACED:
        return replaced_put(out, event, more, time_ns);
    default:
        return seldom_put(out, event, side, time_ns);
    }
}

uint32_t session_encode(uint8_t packet[SESSION_PACKET_BYTES_MAX], const struct event *event,
                        const struct event *options, enum session_side side, uint64_t midnight_ns)
{
    uint32_t bytes = message_put(packet + SOUP_HEADER_BYTES, event, options, side, event->time_ns - midnight_ns);
    if (UNLIKELY(bytes == 0))
        return 0;
    soup_put_header(packet, SOUP_SEQUENCED, bytes);
    return SOUP_HEADER_BYTES + bytes;
}

/* Bytes of each type of message, and whether an Appendage Length is always among them, or may be behind them. */
static const uint8_t fixed_bytes[UINT8_MAX + 1] = {
#define X(name, NAME, letter, bytes, presence, title) [letter] = (bytes),
    OUCH_MESSAGES_OUT(X)
#undef X
};

enum { LENGTH_NEVER = 0, LENGTH_OPTIONAL = 0, LENGTH_ALWAYS = 1 };

static const bool has_length[UINT8_MAX + 1] = {
#define X(name, NAME, letter, bytes, presence, title) [letter] = LENGTH_##presence,
    OUCH_MESSAGES_OUT(X)
#undef X
};

uint32_t session_encode_copy(uint8_t packet[SESSION_COPY_BYTES_MAX], const struct event *event,
                             const struct event *options, enum session_side side, uint64_t midnight_ns,
                             const char user[USER_BYTES])
{
    uint32_t bytes = session_encode(packet, event, options, side, midnight_ns);
    uint8_t *message = packet + SOUP_HEADER_BYTES;
    if (bytes == 0 || message[0] == OUCH_TYPE_SYSTEM_EVENT)
        return bytes;
    uint32_t behind = fixed_bytes[message[0]] + (has_length[message[0]] ? 0u : 2u); /* its appendage */
    if (bytes - SOUP_HEADER_BYTES < behind) {
        store_be16(packet + bytes, 0);
        bytes += 2;
    }
    uint8_t *option = packet + bytes;
    option[0] = 1 + USER_BYTES;
    option[1] = OUCH_TAG_USER;
    memcpy(option + 2, user, USER_BYTES);
    bytes += 2 + USER_BYTES;
    store_be16(message + behind - 2, (uint16_t)(bytes - SOUP_HEADER_BYTES - behind));
    soup_put_header(packet, SOUP_SEQUENCED, bytes - SOUP_HEADER_BYTES);
    return bytes;
}
