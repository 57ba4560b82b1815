/*
 * A person's order as a request: `100 AAPL @ 585.33` and the options beside it.
 *
 *     order    = quantity symbol at price          replace = ref quantity at price
 *     at       = "@" | "at", also in one piece with the price: "@585.33"
 *     price    = "market" | digits [ "." 1 to 4 digits ]
 *
 * Prices are read as digits, never as a floating number: what was typed is what is sent.
 */
#include "order_cli.h"

#include <string.h>

#define PRICE_UNIT    10000u
#define EXPIRE_S_MAX  86399u
#define OFFSET_MAX    OUCH_PRICE_MAX
#define REF_MAX       4294967294u
#define NOTHING_GIVEN "nothing"

/* ---- numbers ---- */

bool order_number_read(const char *text, uint32_t min, uint32_t max, uint32_t *ret)
{
    uint64_t number = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && number <= UINT32_MAX; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    if (at == text || *at != '\0' || number < min || number > max)
        return false;
    *ret = (uint32_t)number;
    return true;
}

bool order_price_read(const char *text, uint64_t *ret)
{
    uint64_t price = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && price <= OUCH_PRICE_MAX; at++)
        price = price * 10 + (uint64_t)(*at - '0');
    if (at == text)
        return false;
    price *= PRICE_UNIT;
    if (*at == '.' && at[1] != '\0')
        for (uint64_t unit = PRICE_UNIT / 10; *++at >= '0' && *at <= '9' && unit > 0; unit /= 10)
            price += unit * (uint64_t)(*at - '0');
    if (*at != '\0' || price > OUCH_PRICE_MAX)
        return false;
    *ret = price;
    return true;
}

static int price_wrong(struct error *error, const char *where, const char *text)
{
    return error_set(error, ERROR_INVALID, where,
                     "%s is no price: digits, with up to four behind a point, from 0.0001 to 199999.99", text);
}

static int take_price(uint64_t *ret, const char *where, const char *text, struct error *error)
{
    uint64_t price;
    if (!order_price_read(text, &price) || price == 0)
        return price_wrong(error, where, text);
    *ret = price;
    return 0;
}

static int take_number(uint32_t *ret, const char *where, const char *text, uint32_t max, struct error *error)
{
    if (order_number_read(text, 1, max, ret))
        return 0;
    return error_set(error, ERROR_INVALID, where, "%s is no number from 1 to %u", *text ? text : NOTHING_GIVEN, max);
}

/* ---- `@ PRICE`, the end of an order ---- */

static int take_at_price(uint64_t *ret, const char *const *words, uint32_t count, struct error *error)
{
    const char *price = NULL;
    if (count == 1 && words[0][0] == '@' && words[0][1] != '\0')
        price = words[0] + 1;
    if (count == 2 && (strcmp(words[0], "@") == 0 || strcmp(words[0], "at") == 0))
        price = words[1];
    if (!price)
        return error_set(error, ERROR_INVALID, "PRICE", "an order ends with its price: @ 585.33, or @ market");
    if (strcmp(price, "market") == 0) {
        *ret = RS_PRICE_MARKET;
        return 0;
    }
    return take_price(ret, "PRICE", price, error);
}

/* ---- options ---- */

struct choice {
    const char *word;
    char letter;
};

static const struct choice tifs[] = {{"day", '0'}, {"ioc", '3'},      {"fok", '3'}, {"gtx", '5'},
                                     {"gtt", '6'}, {"extended", 'E'}, {NULL, 0}};
static const struct choice pegs[] = {{"primary", 'R'}, {"market", 'P'}, {"midpoint", 'M'}, {NULL, 0}};
static const struct choice capacities[] = {
    {"agency", 'A'}, {"principal", 'P'}, {"riskless", 'R'}, {"other", 'O'}, {NULL, 0}};
static const struct choice self_matches[] = {{"oldest", 'O'}, {"newest", 'W'}, {"decrement", 'D'}, {NULL, 0}};

static int take_choice(char *ret, const char *where, const struct choice *choices, const char *word,
                       struct error *error)
{
    char list[128] = "";
    size_t bytes = 0;
    for (; choices->word; choices++) {
        if (strcmp(choices->word, word) == 0) {
            *ret = choices->letter;
            return 0;
        }
        bytes += (size_t)snprintf(list + bytes, sizeof(list) - bytes, "%s%s", bytes > 0 ? ", " : "", choices->word);
    }
    return error_set(error, ERROR_INVALID, where, "%s is none of: %s", *word ? word : NOTHING_GIVEN, list);
}

static int take_time(struct order_request *request, const struct order_words *words, struct error *error)
{
    struct rs_order *order = &request->order;
    struct ouch_options *options = &order->options;
    int result = 0;
    request->says_tif = words->tif || words->expire;
    if (words->tif)
        result = take_choice(&order->time_in_force, "--tif", tifs, words->tif, error);
    if (result == 0 && words->expire) {
        result = take_number(&options->expire_s, "--expire", words->expire, EXPIRE_S_MAX, error);
        if (result == 0 && words->tif && order->time_in_force != '6')
            result = error_set(error, ERROR_INVALID, "--expire", "goes with --tif gtt, or without --tif");
        order->time_in_force = '6';
        options->present |= OUCH_HAS_EXPIRE_S;
    } else if (result == 0 && order->time_in_force == '6') {
        result = error_set(error, ERROR_INVALID, "--tif", "gtt needs --expire SECONDS");
    }
    if (result == 0 && words->tif && strcmp(words->tif, "fok") == 0) {
        if (words->min)
            return error_set(error, ERROR_INVALID, "--min", "is the whole quantity with --tif fok already");
        options->min_quantity = order->quantity;
        options->present |= OUCH_HAS_MIN_QUANTITY;
        request->is_whole = true;
    }
    return result;
}

static int take_quantities(struct rs_order *order, const struct order_words *words, struct error *error)
{
    struct ouch_options *options = &order->options;
    int result = 0;
    if (words->min) {
        result = take_number(&options->min_quantity, "--min", words->min, order->quantity, error);
        options->present |= OUCH_HAS_MIN_QUANTITY;
    }
    if (result == 0 && words->display) {
        result = take_number(&options->max_floor, "--display", words->display, order->quantity, error);
        options->present |= OUCH_HAS_MAX_FLOOR;
    }
    if (result == 0 && words->display && words->hidden)
        result = error_set(error, ERROR_INVALID, "--display", "and --hidden exclude each other");
    return result;
}

static int take_trigger(struct rs_order *order, const struct order_words *words, struct error *error)
{
    struct ouch_options *options = &order->options;
    if (words->stop && words->trail)
        return error_set(error, ERROR_INVALID, "--trail", "and --stop exclude each other");
    if (words->stop) {
        options->trigger = 'S';
        options->present |= OUCH_HAS_TRIGGER | OUCH_HAS_TRIGGER_PRICE;
        return take_price(&options->trigger_price, "--stop", words->stop, error);
    }
    if (words->trail) {
        options->trigger = 'T';
        options->present |= OUCH_HAS_TRIGGER | OUCH_HAS_TRAIL_OFFSET;
        return take_price(&options->trail_offset, "--trail", words->trail, error);
    }
    return 0;
}

/* Pegged orders are never displayed, so that need not be said. */
static int take_peg(struct rs_order *order, const struct order_words *words, struct error *error)
{
    struct ouch_options *options = &order->options;
    char letter = 0;
    uint64_t size = 0;
    if (!words->peg)
        return words->offset ? error_set(error, ERROR_INVALID, "--offset", "goes with --peg") : 0;
    int result = take_choice(&letter, "--peg", pegs, words->peg, error);
    if (result < 0)
        return result;
    options->price_type = (uint8_t)letter;
    options->present |= OUCH_HAS_PRICE_TYPE;
    order->display = 'N';
    if (!words->offset)
        return 0;
    bool minus = words->offset[0] == '-';
    if (!order_price_read(words->offset + (minus || words->offset[0] == '+'), &size) || size > OFFSET_MAX)
        return price_wrong(error, "--offset", words->offset);
    options->peg_offset = minus ? -(int32_t)size : (int32_t)size;
    options->present |= OUCH_HAS_PEG_OFFSET;
    return 0;
}

static int take_text(const char *where, const char *text, size_t bytes_max, struct error *error)
{
    size_t bytes = strlen(text);
    bool printable = bytes > 0;
    for (const char *at = text; *at; at++)
        printable = printable && *at >= '!' && *at <= '~';
    if (printable && bytes <= bytes_max)
        return 0;
    return error_set(error, ERROR_INVALID, where, "%s has not 1 to %zu letters, digits or signs",
                     bytes > 0 && printable ? text : "the text", bytes_max);
}

static int take_rest(struct rs_order *order, const struct order_words *words, struct error *error)
{
    struct ouch_options *options = &order->options;
    int result = 0;
    if (words->hidden)
        order->display = 'N';
    if (words->post_only) {
        options->post_only = 'P';
        options->present |= OUCH_HAS_POST_ONLY;
    }
    if (words->self_match) {
        char letter = 0;
        result = take_choice(&letter, "--self-match", self_matches, words->self_match, error);
        options->self_match = (uint8_t)letter;
        options->present |= OUCH_HAS_SELF_MATCH;
    }
    if (result == 0 && words->capacity)
        result = take_choice(&order->capacity, "--capacity", capacities, words->capacity, error);
    if (result == 0 && words->firm && (result = take_text("--firm", words->firm, OUCH_FIRM_BYTES, error)) == 0) {
        text_pad(options->firm, OUCH_FIRM_BYTES, words->firm);
        options->present |= OUCH_HAS_FIRM;
    }
    if (result == 0 && words->id)
        result = take_text("--id", words->id, OUCH_CLIENT_ORDER_ID_BYTES, error);
    order->client_order_id = words->id;
    return result;
}

static int take_options(struct order_request *request, const struct order_words *words, struct error *error)
{
    int result = take_time(request, words, error);
    if (result == 0)
        result = take_quantities(&request->order, words, error);
    if (result == 0)
        result = take_trigger(&request->order, words, error);
    if (result == 0)
        result = take_peg(&request->order, words, error);
    if (result == 0)
        result = take_rest(&request->order, words, error);
    request->says_display = request->order.display != 0;
    return result;
}

/* ---- requests ---- */

int order_parse_enter(struct order_request *ret, char side, const char *const *words, uint32_t count,
                      const struct order_words *options, struct error *error)
{
    struct order_request request = {.order.side = side};
    struct rs_order *order = &request.order;
    if (count < 3)
        return error_set(error, ERROR_INVALID, "the order",
                         "is not whole: QUANTITY SYMBOL @ PRICE, as 100 AAPL @ 585.33");
    int result = take_number(&order->quantity, "QUANTITY", words[0], OUCH_QUANTITY_MAX, error);
    if (result == 0)
        result = take_text("SYMBOL", words[1], OUCH_SYMBOL_BYTES, error);
    if (result == 0)
        result = take_at_price(&order->price, words + 2, count - 2, error);
    if (result == 0)
        result = take_options(&request, options, error);
    if (result < 0)
        return result;
    order->symbol = words[1];
    if (options->exempt)
        order->side = 'E';
    *ret = request;
    return 0;
}

int order_parse_replace(struct order_request *ret, const char *const *words, uint32_t count,
                        const struct order_words *options, struct error *error)
{
    struct order_request request = {0};
    if (count < 3)
        return error_set(error, ERROR_INVALID, "the order", "is not whole: REF QUANTITY @ PRICE, as 7 200 @ 586");
    int result = take_number(&request.target, "REF", words[0], REF_MAX, error);
    if (result == 0)
        result = take_number(&request.order.quantity, "QUANTITY", words[1], OUCH_QUANTITY_MAX, error);
    if (result == 0)
        result = take_at_price(&request.order.price, words + 2, count - 2, error);
    if (result == 0)
        result = take_options(&request, options, error);
    if (result == 0)
        *ret = request;
    return result;
}

int order_parse_cancel(struct order_request *ret, const char *const *words, uint32_t count, struct error *error)
{
    struct order_request request = {0};
    if (count < 1 || count > 2)
        return error_set(error, ERROR_INVALID, "REF", "is missing: the number that was told when the order was given");
    int result = take_number(&request.target, "REF", words[0], REF_MAX, error);
    if (result == 0 && count == 2)
        result = take_number(&request.quantity, "TOTAL", words[1], OUCH_QUANTITY_MAX, error);
    if (result == 0)
        *ret = request;
    return result;
}
