/* The generator's bad requests: one or two fields of a good one that are wrong, or at an edge. */
#include "generate.h"

#include <string.h>

static void spoil_letter(struct random *random, struct command_order *order)
{
    switch (random_below(random, 8)) {
    case 0:
        order->side = (uint8_t)random_next(random);
        break;
    case 1:
        order->time_in_force = random_letter(random, "0356E?9");
        break;
    case 2:
        order->display = random_letter(random, "NZ?AY");
        break;
    case 3:
        order->capacity = random_letter(random, "PRO?");
        break;
    case 4:
        order->cross_type = random_letter(random, "OCHSREA?N");
        break;
    case 5:
        order->price_type = random_letter(random, "PMRQmX L");
        break;
    case 6:
        order->handle_inst = random_letter(random, "IOTQBDR ");
        break;
    default:
        memcpy(order->firm, random_chance(random, 50) ? "ABCD" : "QRST", FIRM_BYTES);
        break;
    }
}

static void spoil_bits(struct random *random, struct command_order *order)
{
    static const uint32_t bits[] = {OPTION_IS_SWEEP,  OPTION_IS_POST_ONLY,
                                    OPTION_POST_ONLY, OPTION_IS_TRADE_NOW,
                                    OPTION_TRIGGER,   OPTION_SELF_MATCH,
                                    OPTION_IS_RETAIL, OPTION_CUSTOMER_TYPE,
                                    OPTION_TRADE_NOW, OPTION_SHARES_LOCATED | OPTION_IS_LOCATED};
    order->options ^= bits[random_below(random, 10)];
}

/* What comes as an option: a value, and its tag. */
static void spoil_option(struct random *random, struct command_order *order)
{
    static const int32_t offsets[] = {0, 1, -1, 50, -50, INT32_MAX, INT32_MIN, PRICE_TICKS_MAX, -PRICE_TICKS_MAX};
    switch (random_below(random, 9)) {
    case 0:
        order->min_quantity = random_chance(random, 80) ? random_below(random, 12) : UINT32_MAX;
        order->options |= OPTION_MIN_QUANTITY;
        break;
    case 1:
        order->max_floor = random_chance(random, 80) ? random_below(random, 12) : UINT32_MAX;
        order->options |= OPTION_MAX_FLOOR;
        break;
    case 2:
        order->random_reserve = random_chance(random, 80) ? random_below(random, 12) : UINT32_MAX;
        order->options |= OPTION_RANDOM_RESERVE;
        break;
    case 3:
        order->peg_offset_ticks = offsets[random_below(random, 9)];
        order->options |= OPTION_PEG_OFFSET;
        break;
    case 4:
        order->expire_s = (uint32_t[]){0, 1, 86399, 86400, UINT32_MAX}[random_below(random, 5)];
        order->options |= OPTION_EXPIRE_TIME;
        break;
    case 5:
        order->trigger_ticks = (int32_t[]){0, 1, 2, -1, PRICE_TICKS_MAX, INT32_MAX}[random_below(random, 6)];
        order->options |= OPTION_TRIGGER;
        break;
    case 6:
        order->trigger_kind = random_letter(random, "STXs");
        order->options |= OPTION_TRIGGER;
        break;
    case 7:
        order->self_match = random_letter(random, "OWDYowdyXN ");
        order->options |= OPTION_SELF_MATCH;
        break;
    default:
        spoil_bits(random, order);
        break;
    }
}

static void spoil_once(struct random *random, struct command *command)
{
    static const int32_t prices[] = {0, -1, 1, 1999999900, 1999999901, 2000000000, INT32_MIN, 3, PRICE_TICKS_MARKET};
    static const uint32_t quantities[] = {0, 999999, 1000000, UINT32_MAX, 1, 3};
    struct command_order *order = &command->order;
    uint32_t choice = random_below(random, 22);
    if (choice < 8)
        spoil_letter(random, order);
    else if (choice < 17)
        spoil_option(random, order);
    else if (choice == 17)
        order->price_ticks = prices[random_below(random, 9)];
    else if (choice == 18)
        order->quantity = quantities[random_below(random, 6)];
    else if (choice == 19 && command->kind != COMMAND_REPLACE)
        order->instrument = random_below(random, 8);
    else if (choice == 20)
        command->session = random_below(random, 8);
    else
        command->tenure = random_below(random, 4);
}

void generate_bad(struct random *random, struct command *command)
{
    if (command->kind == COMMAND_REFUSED) /* there is nothing in it to be judged */
        return;
    spoil_once(random, command);
    if (random_chance(random, 30))
        spoil_once(random, command);
    /* Two large orders with small reserves would have a million things to say. */
    if (command->order.quantity > 10000 && command->order.max_floor < 1000)
        command->order.max_floor = 0;
}
