/* A message of the exchange as one line for a person. */
#include "order_cli.h"

typedef unsigned long long ull;

/* ---- words ---- */

const char *order_price_text(uint64_t price, char text[ORDER_PRICE_BYTES])
{
    if (price == RS_PRICE_MARKET) {
        snprintf(text, ORDER_PRICE_BYTES, "market");
        return text;
    }
    int length = snprintf(text, ORDER_PRICE_BYTES, "%llu.%04llu", (ull)(price / 10000), (ull)(price % 10000));
    for (int zeros = 0; zeros < 2 && text[length - 1] == '0'; zeros++)
        text[--length] = '\0';
    return text;
}

const char *order_time_text(uint64_t timestamp_ns, char text[ORDER_TIME_BYTES])
{
    uint64_t us = timestamp_ns / 1000;
    uint64_t s = us / 1000000;
    snprintf(text, ORDER_TIME_BYTES, "%02u:%02u:%02u.%06u", (unsigned)(s / 3600 % 100), (unsigned)(s / 60 % 60),
             (unsigned)(s % 60), (unsigned)(us % 1000000));
    return text;
}

const char *order_side_text(uint8_t side)
{
    switch (side) {
    case 'B':
        return "buy";
    case 'S':
        return "sell";
    case 'T':
        return "short";
    case 'E':
        return "short exempt";
    default:
        return "?";
    }
}

const char *order_tif_text(uint8_t time_in_force)
{
    switch (time_in_force) {
    case '0':
        return "day";
    case '3':
        return "ioc";
    case '5':
        return "gtx";
    case '6':
        return "gtt";
    case 'E':
        return "extended";
    default:
        return "?";
    }
}

/* ---- lines: what follows number, time and order ---- */

/* Whatever the exchange sends, the terminal is sent text. */
static int printable(int letter)
{
    return letter >= ' ' && letter <= '~' ? letter : '?';
}

static void show_trim(char *text, const char *field, size_t field_bytes)
{
    text_trim(text, field, field_bytes);
    for (; *text; text++)
        *text = (char)printable(*text);
}

#define TEXT(name, field)                                                                                              \
    char name[sizeof(field) + 1];                                                                                      \
    show_trim(name, field, sizeof(field))

/* What makes the order more than a limit. */
static void show_order_options(FILE *to, struct ouch_appendage appendage)
{
    struct ouch_options options = {0};
    char price[ORDER_PRICE_BYTES];
    if (ouch_options_decode(appendage, OUCH_PLACES_ALL, &options))
        return;
    if (options.present & OUCH_HAS_TRIGGER_PRICE)
        fprintf(to, ", stop %s", order_price_text(options.trigger_price, price));
    if (options.present & OUCH_HAS_TRAIL_OFFSET)
        fprintf(to, ", trails by %s", order_price_text(options.trail_offset, price));
    if ((options.present & OUCH_HAS_PRICE_TYPE) && options.price_type != 'L')
        fprintf(to, ", peg %c", printable(options.price_type));
    if (options.present & OUCH_HAS_MIN_QUANTITY && options.min_quantity > 0)
        fprintf(to, ", at least %u", options.min_quantity);
    if (options.present & OUCH_HAS_MAX_FLOOR && options.max_floor > 0)
        fprintf(to, ", shows %u", options.max_floor);
    if ((options.present & OUCH_HAS_POST_ONLY) && options.post_only == 'P')
        fputs(", post only", to);
    if ((options.present & OUCH_HAS_EXPIRE_S) && options.expire_s > 0)
        fprintf(to, ", for %u s", options.expire_s);
}

static void show_accepted(FILE *to, const struct ouch_accepted *m)
{
    char price[ORDER_PRICE_BYTES];
    TEXT(symbol, m->symbol);
    fprintf(to, "accepted     %s %u %s @ %s %s%s%s", order_side_text(m->side), m->quantity, symbol,
            order_price_text(m->price, price), order_tif_text(m->time_in_force), m->display == 'N' ? " hidden" : "",
            m->state == 'D' ? ", dead at once" : "");
    show_order_options(to, m->appendage);
}

static void show_replaced(FILE *to, const struct ouch_replaced *m)
{
    char price[ORDER_PRICE_BYTES];
    TEXT(symbol, m->symbol);
    fprintf(to, "replaces %-4u %s %u %s @ %s %s%s%s", m->orig_user_ref, order_side_text(m->side), m->quantity, symbol,
            order_price_text(m->price, price), order_tif_text(m->time_in_force), m->display == 'N' ? " hidden" : "",
            m->state == 'D' ? ", dead at once" : "");
    show_order_options(to, m->appendage);
}

static void show_canceled(FILE *to, const struct ouch_canceled *m)
{
    fprintf(to, "canceled     %u: %s", m->quantity, ouch_cancel_text(m->reason));
}

static void show_self_match_canceled(FILE *to, const struct ouch_self_match_canceled *m)
{
    char price[ORDER_PRICE_BYTES];
    fprintf(to, "canceled     %u: %s, kept from trading %u @ %s", m->quantity, ouch_cancel_text(m->reason),
            m->prevented_quantity, order_price_text(m->prevented_price, price));
}

static void show_executed(FILE *to, const struct ouch_executed *m)
{
    char price[ORDER_PRICE_BYTES];
    fprintf(to, "executed     %u @ %s, match %llu, liquidity %c", m->quantity, order_price_text(m->price, price),
            (ull)m->match_number, printable(m->liquidity));
}

static void show_broken(FILE *to, const struct ouch_broken *m)
{
    fprintf(to, "trade broken match %llu, reason %c", (ull)m->match_number, printable(m->reason));
}

static void show_rejected(FILE *to, const struct ouch_rejected *m)
{
    fprintf(to, "rejected     %s (%04x)", ouch_reject_text(m->reason), m->reason);
}

static void show_cancel_pending(FILE *to, const struct ouch_cancel_pending *m)
{
    (void)m;
    fputs("a cancel is pending", to);
}

static void show_cancel_rejected(FILE *to, const struct ouch_cancel_rejected *m)
{
    (void)m;
    fputs("cancel rejected", to);
}

static void show_priority_updated(FILE *to, const struct ouch_priority_updated *m)
{
    char price[ORDER_PRICE_BYTES];
    fprintf(to, "new place    @ %s%s", order_price_text(m->price, price), m->display == 'N' ? " hidden" : "");
}

static void show_modified(FILE *to, const struct ouch_modified *m)
{
    fprintf(to, "modified     %s, %u open", order_side_text(m->side), m->quantity);
}

static void show_restated(FILE *to, const struct ouch_restated *m)
{
    fprintf(to, "restated     %s", m->reason == 'R' ? "display refreshed" : "displayed price changed");
}

static void show_mass_canceled(FILE *to, const struct ouch_mass_canceled *m)
{
    TEXT(firm, m->firm);
    TEXT(symbol, m->symbol);
    fprintf(to, "mass cancel  of %s, %s", firm, symbol[0] ? symbol : "all symbols");
}

static void show_disabled(FILE *to, const struct ouch_disabled *m)
{
    TEXT(firm, m->firm);
    fprintf(to, "disabled     order entry of %s", firm);
}

static void show_enabled(FILE *to, const struct ouch_enabled *m)
{
    TEXT(firm, m->firm);
    fprintf(to, "enabled      order entry of %s", firm);
}

static void show_account_answer(FILE *to, const struct ouch_account_answer *m)
{
    fprintf(to, "account      next number %u", m->user_ref_next);
}

static void show_system_event(FILE *to, const struct ouch_system_event *m)
{
    fprintf(to, "%s", m->event == 'S' ? "the day begins" : "the day ends");
}

/* NOLINTBEGIN(bugprone-macro-parentheses): names of members and of messages */
#define X(name, NAME, letter, fixed_bytes, appendage_rule, title)                                                      \
    static bool line_##name(FILE *to, const uint8_t *message, size_t message_bytes)                                    \
    {                                                                                                                  \
        struct ouch_##name decoded;                                                                                    \
        if (ouch_decode_##name(message, message_bytes, &decoded))                                                      \
            return false;                                                                                              \
        show_##name(to, &decoded);                                                                                     \
        return true;                                                                                                   \
    }
OUCH_MESSAGES_OUT(X)
#undef X
/* NOLINTEND(bugprone-macro-parentheses) */

static bool show_line(FILE *to, const uint8_t *message, size_t message_bytes)
{
    switch (message[0]) {
#define X(name, NAME, letter, fixed_bytes, appendage_rule, title)                                                      \
    case letter:                                                                                                       \
        return line_##name(to, message, message_bytes);
        OUCH_MESSAGES_OUT(X)
#undef X
    default:
        return false;
    }
}

/* The order that a message is about; 0: none. */
static uint32_t order_of(const uint8_t *message, size_t message_bytes)
{
    if (message[0] == OUCH_TYPE_SYSTEM_EVENT || message[0] == OUCH_TYPE_ACCOUNT_ANSWER)
        return 0;
    size_t at = message[0] == OUCH_TYPE_REPLACED ? offsetof(struct ouch_wire_replaced, user_ref)
                                                 : offsetof(struct ouch_wire_accepted, user_ref);
    return message_bytes >= at + 4 ? load_be32(message + at) : 0;
}

void order_show_text(FILE *to, uint64_t sequence, const uint8_t *message, size_t message_bytes)
{
    char time[ORDER_TIME_BYTES];
    if (message_bytes < 9) {
        fprintf(to, "%llu  a message that is cut short\n", (ull)sequence);
        return;
    }
    uint32_t user_ref = order_of(message, message_bytes);
    fprintf(to, "%s  ", order_time_text(load_be64(message + 1), time));
    if (user_ref != 0)
        fprintf(to, "order %-6u ", user_ref);
    if (!show_line(to, message, message_bytes))
        fprintf(to, "message %llu, of type %c, is not known here", (ull)sequence, printable(message[0]));
    putc('\n', to);
}
