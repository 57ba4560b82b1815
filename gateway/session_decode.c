/*
 * OUCH 5.0 requests: bytes -> command.
 *
 * Rules
 *   1. Values of an order's fields (side, prices, quantities, letters) are the engine's to judge and pass as they are.
 *      Judged here is what the record cannot hold: unknown options, values of a wrong size, prices beyond 32 bits.
 *   2. A request that cannot be expressed becomes REFUSED with OUCH's reason (ENTER and the mass requests), or, for a
 *      REPLACE, itself with a price that is none, since invalid details cancel the original (case 2 of OUCH 5.0's
 *      Replace). CANCEL, MODIFY and ACCOUNT_QUERY have no refusal in OUCH, so theirs is a debug packet.
 *   3. COMMAND_HAS_APPENDAGE is set where the optional Appendage Length was there, and on the other requests where it was
 *      not 0. (A captured stream of the real thing answers an order with options by a Canceled without the field.)
 *   4. A client order id is padded with spaces; zeros at its end count as spaces, other bytes must be printable.
 */
#include "session_decode.h"

#include "base/bytes.h"
#include "base/require.h"
#include "session.h"
#include "wire/ouch.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define PRICE_MARKET_OTHER 2000000000u /* $200,000.0000 means market too */
#define PRICE_TICKS_NONE   (-1)

enum reason {
    REASON_NONE = 0,
    REASON_INVALID_DISPLAY_QUANTITY = 0x0004,
    REASON_INVALID_PEG = 0x0005,
    REASON_FIRM = 0x000c,
    REASON_MIN_QUANTITY = 0x000d,
    REASON_OTHER = 0x000f,
    REASON_ROUTING = 0x0016,
    REASON_PRICE = 0x001d,
};

static const char cut_short[] = "the message is shorter than its fields";
static const char appendage_broken[] = "Appendage Length does not fit the message";
static const char option_refused[] = "an option that this message cannot have";
static const char id_unprintable[] = "the client order id is not printable";
static const char firm_unprintable[] = "the firm is not printable";

/* A price of 8 bytes; false if it is beyond any. */
static inline bool price_take(const uint8_t *bytes, int32_t *ret_ticks)
{
    uint64_t price = load_be64(bytes);
    if (LIKELY(price < PRICE_TICKS_MARKET)) {
        *ret_ticks = price == PRICE_MARKET_OTHER ? PRICE_TICKS_MARKET : (int32_t)price;
        return true;
    }
    bool market = price == PRICE_TICKS_MARKET || price == UINT64_MAX || price == INT64_MAX;
    *ret_ticks = market ? PRICE_TICKS_MARKET : PRICE_TICKS_NONE;
    return market;
}

/* Bytes from ' ' to '~' only, eight at a time. */
static inline bool printable8(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    const uint64_t high = 0x8080808080808080u;
    return ((word | (word - 0x2020202020202020u) | (word + 0x0101010101010101u)) & high) == 0;
}

static bool text_take_slowly(char *field, size_t field_bytes, const uint8_t *bytes)
{
    size_t length = field_bytes;
    while (length > 0 && bytes[length - 1] == 0)
        length--;
    memset(field, ' ', field_bytes);
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] < ' ' || bytes[i] > '~')
            return false;
        field[i] = (char)bytes[i];
    }
    return true;
}

static inline bool client_order_id_take(char field[CLIENT_ORDER_ID_BYTES], const uint8_t *bytes)
{
    if (UNLIKELY(!printable8(bytes) || !printable8(bytes + CLIENT_ORDER_ID_BYTES - 8)))
        return text_take_slowly(field, CLIENT_ORDER_ID_BYTES, bytes);
    memcpy(field, bytes, CLIENT_ORDER_ID_BYTES);
    return true;
}

/* ---- options ---- */

/* A letter of `letters`, its place in it; -1 if it is none of them. */
static int letter_place(const char *letters, uint8_t letter)
{
    for (int i = 0; letters[i]; i++) {
        if ((uint8_t)letters[i] == letter)
            return i;
    }
    return -1;
}

/* An option that is yes or no: letters are "no, yes" and, where there is one, the default, which is as if not given. */
static uint16_t flag_take(struct command_order *order, uint8_t letter, const char *letters, uint32_t option,
                          uint32_t value)
{
    int place = letter_place(letters, letter);
    if (place < 0)
        return REASON_OTHER;
    order->options &= ~(option | value);
    if (place < 2)
        order->options |= option | (place == 1 ? value : 0);
    return REASON_NONE;
}

static uint16_t number_take(struct command_order *order, const uint8_t *value, uint32_t option, uint32_t *field)
{
    *field = load_be32(value);
    order->options |= option;
    return REASON_NONE;
}

static uint16_t signed_take(struct command_order *order, const uint8_t *value, uint32_t option, int32_t *field)
{
    *field = (int32_t)load_be32(value);
    order->options |= option;
    return REASON_NONE;
}

static uint16_t letter_take(struct command_order *order, uint8_t letter, const char *letters, uint32_t option,
                            uint8_t *field, uint16_t reason)
{
    if (letter_place(letters, letter) < 0)
        return reason;
    *field = letter;
    order->options |= option;
    return REASON_NONE;
}

static uint16_t firm_take(struct command_order *order, const uint8_t *value)
{
    if (!text_take_slowly(order->firm, FIRM_BYTES, value))
        return REASON_FIRM;
    order->options |= OPTION_FIRM;
    return REASON_NONE;
}

static uint16_t trigger_take(struct command_order *order, const uint8_t *value)
{
    order->options |= OPTION_TRIGGER;
    return price_take(value, &order->trigger_ticks) ? REASON_NONE : REASON_PRICE;
}

/* One element; tag and size have been checked against the table below. */
static uint16_t option_take(struct command_order *order, uint8_t tag, const uint8_t *value)
{
    switch (tag) {
    case OUCH_TAG_FIRM:
        return firm_take(order, value);
    case OUCH_TAG_MIN_QTY:
        return number_take(order, value, OPTION_MIN_QUANTITY, &order->min_quantity);
    case OUCH_TAG_CUSTOMER_TYPE:
        return flag_take(order, *value, "NR ", OPTION_CUSTOMER_TYPE, OPTION_IS_RETAIL);
    case OUCH_TAG_MAX_FLOOR:
        return number_take(order, value, OPTION_MAX_FLOOR, &order->max_floor);
    case OUCH_TAG_PRICE_TYPE:
        return letter_take(order, *value, "LPMRQm", OPTION_PRICE_TYPE, &order->price_type, REASON_INVALID_PEG);
    case OUCH_TAG_PEG_OFFSET:
        return signed_take(order, value, OPTION_PEG_OFFSET, &order->peg_offset_ticks);
    case OUCH_TAG_POST_ONLY:
        return flag_take(order, *value, "NP", OPTION_POST_ONLY, OPTION_IS_POST_ONLY);
    case OUCH_TAG_RANDOM_RESERVES:
        return number_take(order, value, OPTION_RANDOM_RESERVE, &order->random_reserve);
    case OUCH_TAG_EXPIRE_TIME:
        return number_take(order, value, OPTION_EXPIRE_TIME, &order->expire_s);
    case OUCH_TAG_TRADE_NOW:
        return flag_take(order, *value, "NY ", OPTION_TRADE_NOW, OPTION_IS_TRADE_NOW);
    case OUCH_TAG_HANDLE_INST:
        return letter_take(order, *value, " IOTQBDR", OPTION_HANDLE_INST, &order->handle_inst, REASON_OTHER);
    case OUCH_TAG_SHARES_LOCATED:
        return flag_take(order, *value, "NY", OPTION_SHARES_LOCATED, OPTION_IS_LOCATED);
    case OUCH_TAG_SIDE:
        order->side = *value;
        return REASON_NONE;
    case OUCH_TAG_USER_REF_IDX:
        order->user_ref_index = *value;
        order->options |= OPTION_USER_REF_INDEX;
        return REASON_NONE;
    default:
        return REASON_OTHER;
    }
}
