/*
 * Lines of [instruments]: `AAPL = tick 0.01 lot 1 reference 585.33`, and of [firms]: `FRMA = quantity_max 10000`, every
 * part optional.
 *
 * Rules
 *   1. Decimals are read digit by digit into ten-thousandths; a fifth decimal is refused, not rounded.
 *   2. A part left out has its default: tick 0.01, lot 1, no reference.
 *   3. The order of the lines is the order of the engine's numbers, so an override keeps its line's place.
 */
#include "base/bytes.h"
#include "base/units.h"
#include "config/option.h"

#include <stdlib.h>
#include <string.h>

#define TICK_TICKS_DEFAULT 100
#define PRICE_TICKS_LIMIT  1999999900 /* the highest limit price of OUCH 5.0, as in record/command.h */
#define QUANTITY_LIMIT     999999
#define WORD_BYTES         32

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits, and at most `decimals` of them after a point, scaled to a whole number no larger than max. */
static bool parse_decimal(const char *text, uint32_t decimals, uint64_t max, uint64_t *ret_scaled)
{
    uint64_t scaled = 0;
    uint32_t digit_count = 0;
    uint32_t decimal_count = 0;
    bool after_point = false;
    for (; *text; text++) {
        if (*text == '.' && !after_point && decimals > 0) {
            after_point = true;
            continue;
        }
        if (!is_digit(*text) || (after_point && ++decimal_count > decimals))
            return false;
        digit_count++;
        scaled = scaled * 10 + (uint64_t)(*text - '0');
        if (scaled > max)
            return false;
    }
    for (; decimal_count < decimals; decimal_count++)
        scaled *= 10;
    if (digit_count == 0 || scaled > max)
        return false;
    *ret_scaled = scaled;
    return true;
}

static bool symbol_valid(const char *symbol)
{
    size_t length = strlen(symbol);
    if (length == 0 || length > sizeof(((struct config_instrument *)0)->symbol))
        return false;
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-+/_^";
    return strspn(symbol, allowed) == length;
}

/* Takes the next word off *text; false at its end. A word too long is cut, and then means nothing. */
static bool next_word(const char **text, char word[WORD_BYTES])
{
    *text += strspn(*text, " \t");
    size_t length = strcspn(*text, " \t");
    size_t copied = length < WORD_BYTES - 1 ? length : WORD_BYTES - 1;
    memcpy(word, *text, copied);
    word[copied] = '\0';
    *text += length;
    return length > 0;
}

/* ---- parts --------------------------------------------------------------------------------------------------------
 */

static bool price_read(const char *number, int32_t *ret_ticks)
{
    uint64_t scaled = 0;
    if (!parse_decimal(number, 4, PRICE_TICKS_LIMIT, &scaled) || scaled == 0)
        return false;
    *ret_ticks = (int32_t)scaled;
    return true;
}

static bool quantity_read(const char *number, uint32_t *ret_quantity)
{
    uint64_t scaled = 0;
    if (!parse_decimal(number, 0, QUANTITY_LIMIT, &scaled) || scaled == 0)
        return false;
    *ret_quantity = (uint32_t)scaled;
    return true;
}

static bool notional_read(const char *number, uint64_t *ret_notional)
{
    uint64_t scaled = 0;
    if (!parse_decimal(number, 4, UINT64_MAX / 10 - 1, &scaled) || scaled == 0)
        return false;
    *ret_notional = scaled;
    return true;
}

static bool state_read(const char *word, uint8_t *ret_state)
{
    static const struct {
        const char *name;
        char letter;
    } states[] = {{"open", 'O'}, {"pre-open", 'P'}, {"halted", 'H'}, {"closed", 'C'}, {"extended", 'X'}};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(word, states[i].name) == 0) {
            *ret_state = (uint8_t)states[i].letter;
            return true;
        }
    }
    return false;
}

/* What must be said of a word that is none of them, or NULL. */
static const char *part_read(struct config_instrument *instrument, const char *part, const char *word)
{
    static const char price[] = "is not a price of at most four decimals";
    if (strcmp(part, "tick") == 0)
        return price_read(word, &instrument->tick_ticks) ? NULL : "is not a price from 0.0001 on";
    if (strcmp(part, "lot") == 0)
        return quantity_read(word, &instrument->lot_quantity) ? NULL : "is not a quantity from 1 to 999999";
    if (strcmp(part, "reference") == 0)
        return price_read(word, &instrument->reference_ticks) ? NULL : price;
    if (strcmp(part, "collar") == 0)
        return price_read(word, &instrument->collar_ticks) ? NULL : price;
    if (strcmp(part, "fat_finger") == 0)
        return price_read(word, &instrument->fat_finger_ticks) ? NULL : price;
    if (strcmp(part, "quantity_max") == 0)
        return quantity_read(word, &instrument->quantity_max) ? NULL : "is not a quantity from 1 to 999999";
    if (strcmp(part, "notional_max") == 0)
        return notional_read(word, &instrument->notional_max) ? NULL : "is not an amount of at most four decimals";
    if (strcmp(part, "state") == 0)
        return state_read(word, &instrument->market_state) ? NULL
                                                           : "is none of open, pre-open, halted, closed, extended";
    return "";
}

static int part_parse(struct config_instrument *instrument, const char *part, const char *word, const char *where,
                      struct error *error)
{
    const char *why = part_read(instrument, part, word);
    if (!why)
        return 0;
    if (*why != '\0')
        return error_set(error, ERROR_INVALID, where, "%s '%s' %s", part, word, why);
    return error_set(error, ERROR_INVALID, where,
                     "'%s' is none of tick, lot, reference, collar, fat_finger, quantity_max, notional_max, state",
                     part);
}

int config_instrument_parse(struct config_instrument *ret, const char *symbol, const char *value, const char *where,
                            struct error *error)
{
    if (!symbol_valid(symbol))
        return error_set(error, ERROR_INVALID, where, "symbol '%s' is not one to eight letters, digits or .-+/_^",
                         symbol);
    struct config_instrument instrument = {.tick_ticks = TICK_TICKS_DEFAULT, .lot_quantity = 1};
    text_pad(instrument.symbol, sizeof(instrument.symbol), symbol);
    char part[WORD_BYTES];
    char number[WORD_BYTES];
    while (next_word(&value, part)) {
        if (!next_word(&value, number))
            return error_set(error, ERROR_INVALID, where, "'%s' is followed by nothing", part);
        int result = part_parse(&instrument, part, number, where, error);
        if (result < 0)
            return result;
    }
    *ret = instrument;
    return 0;
}

int config_instrument_add(struct config *config, const struct config_instrument *instrument, const char *where,
                          struct error *error)
{
    uint32_t count = config->instrument_count;
    if (count == CONFIG_INSTRUMENTS_MAX)
        return error_set(error, ERROR_FULL, where, "more than %d instruments", CONFIG_INSTRUMENTS_MAX);
    bool full = (count & (count - 1)) == 0; /* room is doubled at each power of two */
    if (full) {
        size_t capacity = count == 0 ? 1 : 2 * (size_t)count;
        struct config_instrument *larger = realloc(config->instruments, capacity * sizeof(*larger));
        if (!larger)
            return error_set(error, ERROR_FULL, where, "no memory for %zu instruments", capacity);
        config->instruments = larger;
    }
    config->instruments[count] = *instrument;
    config->instrument_count = count + 1;
    return 0;
}

int config_instrument_put(struct config *config, const struct config_instrument *instrument, const char *where,
                          struct error *error)
{
    for (uint32_t i = 0; i < config->instrument_count; i++) {
        if (memcmp(config->instruments[i].symbol, instrument->symbol, sizeof(instrument->symbol)) == 0) {
            config->instruments[i] = *instrument;
            return 0;
        }
    }
    return config_instrument_add(config, instrument, where, error);
}

/* ---- firms --------------------------------------------------------------------------------------------------------
 */

int config_firm_parse(struct config_firm *ret, const char *firm, const char *value, const char *where,
                      struct error *error)
{
    if (!symbol_valid(firm) || strlen(firm) > sizeof(ret->firm))
        return error_set(error, ERROR_INVALID, where, "firm '%s' is not one to four letters, digits or .-+/_^", firm);
    struct config_firm parsed = {0};
    text_pad(parsed.firm, sizeof(parsed.firm), firm);
    char part[WORD_BYTES];
    char word[WORD_BYTES];
    while (next_word(&value, part)) {
        bool is_quantity = strcmp(part, "quantity_max") == 0;
        bool is_known = is_quantity || strcmp(part, "notional_max") == 0;
        if (!is_known)
            return error_set(error, ERROR_INVALID, where, "'%s' is none of quantity_max, notional_max", part);
        if (!next_word(&value, word))
            return error_set(error, ERROR_INVALID, where, "'%s' is followed by nothing", part);
        if (is_quantity ? !quantity_read(word, &parsed.quantity_max) : !notional_read(word, &parsed.notional_max))
            return error_set(error, ERROR_INVALID, where, "%s '%s' is not a limit", part, word);
    }
    *ret = parsed;
    return 0;
}

int config_firm_put(struct config *config, const struct config_firm *firm, bool replaces, const char *where,
                    struct error *error)
{
    uint32_t place = 0;
    while (place < config->firm_count && memcmp(config->firms[place].firm, firm->firm, sizeof(firm->firm)) != 0)
        place++;
    if (place < config->firm_count && !replaces)
        return error_set(error, ERROR_INVALID, where, "firm %.4s is given twice", firm->firm);
    if (place == CONFIG_FIRMS_MAX)
        return error_set(error, ERROR_FULL, where, "more than %d firms", CONFIG_FIRMS_MAX);
    if (!config->firms)
        config->firms = calloc(CONFIG_FIRMS_MAX, sizeof(*config->firms));
    if (!config->firms)
        return error_set(error, ERROR_FULL, where, "no memory for firms");
    config->firms[place] = *firm;
    config->firm_count += place == config->firm_count;
    return 0;
}
