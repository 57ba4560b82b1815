/* The generator's requests of sessions: orders of each kind, and what is asked about them. */
#include "generate.h"

#include <string.h>

/* The second instrument trades in lots. */
uint32_t generate_lot(uint32_t instrument)
{
    return instrument == 2 ? 5 : 1;
}

int32_t generate_price(struct generator *generator)
{
    struct random *random = &generator->random;
    if (random_chance(random, generator->far_percent))
        return generator->tick * (int32_t)(1 + random_below(random, 1999999900u / (uint32_t)generator->tick));
    if (random_chance(random, 1)) /* the market moves */
        generator->middle += (int32_t)random_below(random, 2000) - (generator->middle > 1100 ? 1000 : 0);
    int32_t ticks =
        generator->middle - generator->spread + (int32_t)random_below(random, 2 * (uint32_t)generator->spread + 1);
    return generator->tick * (ticks > 0 ? ticks : 1);
}

/* A few lots, at most `max`; mostly a multiple of the lot. */
static uint32_t lots(struct generator *generator, uint32_t instrument, uint32_t max)
{
    uint32_t lot = random_chance(&generator->random, 98) ? generate_lot(instrument) : 1;
    return lot * (1 + random_below(&generator->random, max / lot ? max / lot : 1));
}

/* ---- one order ----------------------------------------------------------------------------------------------------
 */

static void give_time_in_force(struct generator *generator, struct command_order *order, uint8_t state)
{
    struct random *random = &generator->random;
    const struct profile *profile = generator->profile;
    order->time_in_force = state == 'X' ? random_letter(random, "EEEE50") : random_chance(random, 8) ? '5' : '0';
    bool may_be_immediate = state == 'O' || state == 'X' || random_chance(random, 5);
    if (may_be_immediate && random_chance(random, profile->immediate))
        order->time_in_force = '3';
    if (may_be_immediate && random_chance(random, profile->market))
        order->price_ticks = PRICE_TICKS_MARKET;
    if (random_chance(random, profile->expires)) {
        order->time_in_force = '6';
        order->expire_s = 1 + random_below(random, random_chance(random, 80) ? 10 : 86399);
        order->options |= OPTION_EXPIRE_TIME;
    }
}

static void give_trigger(struct generator *generator, struct command_order *order, uint8_t kind)
{
    struct random *random = &generator->random;
    order->options |= OPTION_TRIGGER;
    order->trigger_kind = kind;
    order->trigger_ticks = kind == 'S'
                               ? generate_price(generator)
                               : generator->tick * (int32_t)(1 + random_below(random, (uint32_t)generator->spread));
    if (random_chance(random, 40))
        order->price_ticks = PRICE_TICKS_MARKET;
}

static void give_peg(struct generator *generator, struct command_order *order)
{
    struct random *random = &generator->random;
    order->options |= OPTION_PRICE_TYPE;
    order->price_type = random_letter(random, "RPMm");
    order->display = 'N';
    if (random_chance(random, 50))
        order->price_ticks = PRICE_TICKS_MARKET;
    if (random_chance(random, 50)) {
        int32_t width = generator->tick * (1 + generator->spread / 2);
        order->peg_offset_ticks = (int32_t)random_below(random, 2 * (uint32_t)width + 1) - width;
        order->options |= OPTION_PEG_OFFSET;
    }
}

static void give_cross(struct generator *generator, struct command_order *order, uint8_t state)
{
    struct random *random = &generator->random;
    order->cross_type = state == 'P'   ? random_letter(random, "OC")
                        : state == 'H' ? random_letter(random, "HHC")
                        : state == 'O' ? 'C'
                                       : 'O';
    order->time_in_force = random_letter(random, "03");
    order->expire_s = 0;
    order->options &= ~(uint32_t)OPTION_EXPIRE_TIME;
    if (random_chance(random, 35)) {
        order->price_ticks = PRICE_TICKS_MARKET;
    } else if (random_chance(random, 40)) {
        order->handle_inst = 'I';
        order->options |= OPTION_HANDLE_INST;
        order->price_ticks = generate_price(generator);
    }
}

static void give_minimum(struct generator *generator, struct command_order *order)
{
    struct random *random = &generator->random;
    if (order->time_in_force != '3')
        order->display = 'N';
    order->min_quantity =
        random_chance(random, 35) ? order->quantity : lots(generator, order->instrument, order->quantity);
    order->options |= OPTION_MIN_QUANTITY;
}

static void give_reserve(struct generator *generator, struct command_order *order)
{
    struct random *random = &generator->random;
    order->max_floor = lots(generator, order->instrument, 1 + order->quantity / 2);
    order->options |= OPTION_MAX_FLOOR;
    if (random_chance(random, 50)) {
        order->random_reserve = order->max_floor - generate_lot(order->instrument);
        order->options |= OPTION_RANDOM_RESERVE;
    }
}

/* What goes with any of them. */
static void give_options(struct generator *generator, struct command_order *order)
{
    struct random *random = &generator->random;
    const struct profile *profile = generator->profile;
    bool plain = order->cross_type == 'N';
    if (plain && random_chance(random, profile->hidden))
        order->display = 'N';
    if (plain && order->trigger_kind == 0 && random_chance(random, profile->minimum))
        give_minimum(generator, order);
    else if (plain && order->display != 'N' && random_chance(random, profile->reserve))
        give_reserve(generator, order);
    if (plain && random_chance(random, profile->post_only))
        order->options |= OPTION_POST_ONLY | OPTION_IS_POST_ONLY;
    if (random_chance(random, profile->self_match)) {
        order->self_match = random_letter(random, "OWDYowdy");
        order->options |= OPTION_SELF_MATCH;
    }
    if (random_chance(random, 5))
        order->options |= OPTION_CUSTOMER_TYPE | (random_chance(random, 50) ? OPTION_IS_RETAIL : 0);
    if (random_chance(random, 3))
        order->options |= OPTION_SHARES_LOCATED | OPTION_IS_LOCATED;
}

/* ENTER, and what of it REPLACE has too. */
static void give_order(struct generator *generator, struct command_order *order)
{
    struct random *random = &generator->random;
    const struct profile *profile = generator->profile;
    uint8_t state = generator->states[order->instrument % GENERATOR_INSTRUMENTS_MAX];
    uint32_t dice = random_below(random, 100);
    order->quantity = lots(generator, order->instrument, generator->quantity_max);
    order->price_ticks = generate_price(generator);
    order->display = random_chance(random, 90) ? 'Y' : 'A';
    order->cross_type = 'N';
    order->price_type = random_letter(random, "LL ");
    order->handle_inst = ' ';
    give_time_in_force(generator, order, state);
    if (dice < profile->stop)
        give_trigger(generator, order, 'S');
    else if ((dice -= profile->stop) < profile->trailing)
        give_trigger(generator, order, 'T');
    else if ((dice -= profile->trailing) < profile->peg)
        give_peg(generator, order);
    else if (dice - profile->peg < profile->cross || random_chance(random, state == 'O' ? 0 : profile->cross))
        give_cross(generator, order, state);
    give_options(generator, order);
}

/* The firm that the order names: none, the user's, or of a user who has none any. */
static void give_firm(struct generator *generator, const struct command *command, char firm[FIRM_BYTES])
{
    static const char firms[3][FIRM_BYTES + 1] = {"WXYZ", "ABCD", "    "};
    memset(firm, ' ', FIRM_BYTES);
    if (random_chance(&generator->random, 60))
        return;
    uint32_t choice = command->session % 3 == 2 ? random_below(&generator->random, 3) : command->session % 3;
    memcpy(firm, firms[choice], FIRM_BYTES);
}

/* ---- requests -----------------------------------------------------------------------------------------------------
 */

/* Of whom the request is, and its number. */
static void begin_request(struct generator *generator, struct command *command, uint8_t kind)
{
    struct random *random = &generator->random;
    command->kind = kind;
    command->gateway = 1;
    command->tenure = 1;
    command->session = 1 + random_below(random, generator->sessions);
    command->flags = random_chance(random, 20) ? COMMAND_HAS_APPENDAGE : 0;
    if (random_chance(random, generator->profile->channel)) {
        command->order.user_ref_index = (uint8_t)random_below(random, 4);
        command->order.options |= OPTION_USER_REF_INDEX;
    }
    for (uint32_t i = 0; i < CLIENT_ORDER_ID_BYTES; i++)
        command->order.client_order_id[i] = (char)('A' + random_below(random, 26));
    memset(command->order.firm, ' ', FIRM_BYTES);
}

/* Mostly the next number; sometimes one that was, or far ahead. */
static void number_request(struct generator *generator, struct command *command)
{
    struct random *random = &generator->random;
    uint32_t *user_ref = &generator->user_refs[command->session];
    if (random_chance(random, 97))
        *user_ref += random_chance(random, 95) ? 1 : random_below(random, 20);
    command->user_ref = *user_ref;
}

/* The order can be asked about from now on. */
static void remember(struct generator *generator, const struct command *command)
{
    uint32_t at = generator->recent_count++ % GENERATOR_RECENT_MAX;
    generator->recent[at].session = command->session;
    generator->recent[at].user_ref = command->user_ref;
    generator->recent[at].user_ref_index = command->order.user_ref_index;
}

/* It is about one of the recent orders. */
static void give_target(struct generator *generator, struct command *command)
{
    struct random *random = &generator->random;
    uint32_t count = generator->recent_count < GENERATOR_RECENT_MAX ? generator->recent_count : GENERATOR_RECENT_MAX;
    if (count == 0)
        return;
    uint32_t back = random_below(random, random_chance(random, 60) ? (count < 12 ? count : 12) : count);
    uint32_t at = (generator->recent_count - 1 - back) % GENERATOR_RECENT_MAX;
    command->session = generator->recent[at].session;
    command->order.user_ref_index = generator->recent[at].user_ref_index;
    command->order.target_user_ref = generator->recent[at].user_ref;
}

static void enter(struct generator *generator, struct command *command)
{
    struct random *random = &generator->random;
    struct command_order *order = &command->order;
    order->instrument = 1 + random_below(random, generator->instruments + (random_chance(random, 3) ? 1 : 0));
    order->side = random_chance(random, 50) ? 'B' : random_letter(random, "SSTE");
    order->capacity = random_letter(random, "AAPRO");
    give_order(generator, order);
    give_firm(generator, command, order->firm);
    if (random_chance(random, 30)) {
        order->group = random_below(random, 3);
        order->options |= OPTION_GROUP;
    }
    number_request(generator, command);
    remember(generator, command);
}

/* Of the options only some are said again; what is not said has no value. */
static void keep_some_options(struct random *random, struct command_order *order)
{
    if (random_chance(random, 50)) {
        order->options &= ~(uint32_t)(OPTION_MIN_QUANTITY | OPTION_MAX_FLOOR | OPTION_RANDOM_RESERVE);
        order->min_quantity = order->max_floor = order->random_reserve = 0;
    }
    if (random_chance(random, 50)) {
        order->options &= ~(uint32_t)(OPTION_PRICE_TYPE | OPTION_PEG_OFFSET);
        order->price_type = 'L';
        order->peg_offset_ticks = 0;
    }
    if (random_chance(random, 60)) {
        order->options &= ~(uint32_t)OPTION_TRIGGER;
        order->trigger_kind = 0;
        order->trigger_ticks = 0;
    } else if (random_chance(random, 20)) {
        order->options |= OPTION_TRIGGER | OPTION_POST_ONLY; /* from now on none */
    }
    if (random_chance(random, 50)) {
        order->options &= ~(uint32_t)OPTION_EXPIRE_TIME;
        order->expire_s = 0;
    }
    if (random_chance(random, 50)) {
        order->options &= ~(uint32_t)OPTION_SELF_MATCH;
        order->self_match = 0;
    }
}

static void replace(struct generator *generator, struct command *command)
{
    struct random *random = &generator->random;
    struct command_order *order = &command->order;
    order->instrument = 1; /* for its state and lot */
    give_order(generator, order);
    order->cross_type = 0;
    order->instrument = 0;
    order->options |= OPTION_PRICE_TYPE;
    keep_some_options(random, order);
    if (random_chance(random, 40)) /* as it may stand, hidden or not */
        order->display = random_letter(random, "YN");
    if (random_chance(random, 30))
        order->quantity += generator->quantity_max;
    if (random_chance(random, 20)) {
        order->replace_group = random_below(random, 3);
        order->options |= OPTION_GROUP;
    }
    give_target(generator, command);
    number_request(generator, command);
    remember(generator, command);
}

static void cancel_or_modify(struct generator *generator, struct command *command)
{
    struct random *random = &generator->random;
    command->order.quantity = random_chance(random, 40) ? 0 : 1 + random_below(random, generator->quantity_max);
    if (command->kind == COMMAND_MODIFY) {
        command->order.side = random_letter(random, "BBSTEET");
        if (command->order.quantity == 0 && random_chance(random, 80))
            command->order.quantity = generator->quantity_max;
    }
    command->order.firm[0] = command->order.firm[1] = command->order.firm[2] = command->order.firm[3] = 0;
    give_target(generator, command);
}

static void mass_request(struct generator *generator, struct command *command)
{
    struct random *random = &generator->random;
    struct command_order *order = &command->order;
    give_firm(generator, command, order->firm);
    if (random_chance(random, 20))
        memcpy(order->firm, random_chance(random, 50) ? "ABCD" : "WXYZ", FIRM_BYTES);
    if (command->kind == COMMAND_MASS_CANCEL) {
        order->instrument = random_below(random, generator->instruments + 1);
        order->side = random_letter(random, "  BSTE");
        if (random_chance(random, 30)) {
            order->group = random_below(random, 3);
            order->options |= OPTION_GROUP;
        }
    }
    number_request(generator, command);
}

static void refused_request(struct generator *generator, struct command *command)
{
    struct random *random = &generator->random;
    uint8_t channel = command->order.user_ref_index;
    char id[CLIENT_ORDER_ID_BYTES];
    memcpy(id, command->order.client_order_id, CLIENT_ORDER_ID_BYTES);
    memset(&command->refused, 0, sizeof(command->refused));
    command->refused.user_ref_index = channel;
    command->refused.reason = (uint16_t)(1 + random_below(random, 40));
    command->refused.refused_kind = (uint8_t)(1 + random_below(random, 8));
    memcpy(command->refused.client_order_id, id, CLIENT_ORDER_ID_BYTES);
    number_request(generator, command);
}

void generate_request(struct generator *generator, struct command *command)
{
    static const struct {
        uint32_t below;
        uint8_t kind;
    } mix[] = {{620, COMMAND_ENTER},  {740, COMMAND_CANCEL},      {880, COMMAND_REPLACE},
               {945, COMMAND_MODIFY}, {955, COMMAND_MASS_CANCEL}, {960, COMMAND_DISABLE},
               {980, COMMAND_ENABLE}, {990, COMMAND_REFUSED},     {1000, COMMAND_ACCOUNT_QUERY}};
    uint32_t dice = random_below(&generator->random, 1000);
    uint32_t at = 0;
    while (dice >= mix[at].below)
        at++;
    begin_request(generator, command, mix[at].kind);
    if (mix[at].kind == COMMAND_ENTER)
        enter(generator, command);
    else if (mix[at].kind == COMMAND_REPLACE)
        replace(generator, command);
    else if (mix[at].kind == COMMAND_CANCEL || mix[at].kind == COMMAND_MODIFY)
        cancel_or_modify(generator, command);
    else if (mix[at].kind == COMMAND_REFUSED)
        refused_request(generator, command);
    else if (mix[at].kind != COMMAND_ACCOUNT_QUERY)
        mass_request(generator, command);
}
