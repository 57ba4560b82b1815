#include "generate.h"

#include <string.h>

void generator_init(struct generator *generator, uint64_t seed, struct engine_limits *ret_limits)
{
    *generator = (struct generator){.random = {seed * 2654435761u + 1}};
    struct random *random = &generator->random;
    generator->sessions = 1 + random_below(random, 5);
    generator->instruments = 1 + random_below(random, 3);
    generator->bad_percent = random_chance(random, 50) ? 0 : random_below(random, 30);
    generator->tick = (int32_t[]){1, 1, 100, 7, 2500}[random_below(random, 5)];
    generator->middle = 50 + (int32_t)random_below(random, 5000);
    generator->spread = 1 + (int32_t)random_below(random, random_chance(random, 50) ? 6 : 400);
    generator->far_percent = random_chance(random, 50) ? 0 : random_below(random, 40);
    generator->quantity_max = random_chance(random, 50) ? 10 : 200;
    generator->date = 20261123;
    *ret_limits = (struct engine_limits){
        .orders_max = random_chance(random, 30) ? 1 + random_below(random, 20) : 2048,
        .instruments_max = generator->instruments + random_below(random, 2),
        .sessions_max = generator->sessions + random_below(random, 2),
        .levels_max = 64u << random_below(random, random_chance(random, 50) ? 2 : 9),
        .channels_max = random_chance(random, 30) ? 1 : 0,
        .pages_max = random_chance(random, 50) ? 1 + random_below(random, 8) : 0,
        .far_levels_max = 2048,
        .checkpoint_commands = random_chance(random, 50) ? 1 + random_below(random, 50) : UINT32_MAX,
        .report_tops = random_chance(random, 70),
    };
}

static uint8_t letter(struct random *random, const char *letters)
{
    return (uint8_t)letters[random_below(random, (uint32_t)strlen(letters))];
}

static int32_t price(struct generator *generator)
{
    struct random *random = &generator->random;
    if (random_chance(random, 3))
        return PRICE_TICKS_MARKET;
    if (random_chance(random, generator->far_percent))
        return generator->tick * (int32_t)(1 + random_below(random, 1999999900u / (uint32_t)generator->tick));
    if (random_chance(random, 2)) /* the market moves */
        generator->middle += (int32_t)random_below(random, 2000) - (generator->middle > 1100 ? 1000 : 0);
    int32_t ticks =
        generator->middle - generator->spread + (int32_t)random_below(random, 2 * (uint32_t)generator->spread);
    return generator->tick * (ticks > 0 ? ticks : 1);
}

/* One letter that OUCH or this engine does not allow, or an edge of what they do. */
static void spoil_letter(struct random *random, struct command_order *order)
{
    switch (random_below(random, 8)) {
    case 0:
        order->side = (uint8_t)random_next(random);
        break;
    case 1:
        order->time_in_force = letter(random, "56E?9");
        break;
    case 2:
        order->display = letter(random, "NZ?A");
        break;
    case 3:
        order->capacity = letter(random, "PRO?");
        break;
    case 4:
        order->cross_type = letter(random, "OCHSREA?");
        break;
    case 5:
        order->price_type = letter(random, "PMRQmX L");
        break;
    case 6:
        order->handle_inst = letter(random, "IOTQBDR ");
        break;
    default:
        memcpy(order->firm, random_chance(random, 50) ? "ABCD" : "WXYZ", FIRM_BYTES);
        break;
    }
}

/* The same for what comes as an option. */
static void spoil_option(struct random *random, struct command_order *order)
{
    static const uint32_t option_bits[] = {OPTION_IS_SWEEP,  OPTION_IS_POST_ONLY,
                                           OPTION_POST_ONLY, OPTION_IS_TRADE_NOW,
                                           OPTION_TRIGGER,   OPTION_SELF_MATCH,
                                           OPTION_IS_RETAIL, OPTION_CUSTOMER_TYPE,
                                           OPTION_TRADE_NOW, OPTION_SHARES_LOCATED | OPTION_IS_LOCATED};
    switch (random_below(random, 9)) {
    case 0:
        order->min_quantity = random_below(random, 3);
        break;
    case 1:
        order->max_floor = random_below(random, 3);
        break;
    case 2:
        order->random_reserve = random_below(random, 3);
        break;
    case 3:
        order->peg_offset_ticks = (int32_t)random_below(random, 5) - 2;
        break;
    case 4:
        order->expire_s = random_below(random, 3);
        break;
    case 5:
        order->trigger_ticks = (int32_t)random_below(random, 3);
        break;
    case 6:
        order->trigger_kind = letter(random, "ST");
        break;
    case 7:
        order->self_match = letter(random, "OWDYowdy");
        break;
    default:
        order->options |= option_bits[random_below(random, 10)];
        break;
    }
}

/* One field of an order that is wrong, or at an edge. */
static void spoil(struct random *random, struct command *command)
{
    static const int32_t prices[] = {0, -1, 1, 1999999900, 1999999901, 2000000000, INT32_MIN, 3};
    static const uint32_t quantities[] = {0, 999999, 1000000, UINT32_MAX, 1, 3};
    struct command_order *order = &command->order;
    uint32_t choice = random_below(random, 22);
    if (choice < 8)
        spoil_letter(random, order);
    else if (choice < 17)
        spoil_option(random, order);
    else if (choice == 17)
        order->price_ticks = prices[random_below(random, 8)];
    else if (choice == 18)
        order->quantity = quantities[random_below(random, 6)];
    else if (choice == 19)
        order->instrument = random_below(random, 8);
    else if (choice == 20)
        command->session = random_below(random, 8);
    else
        command->tenure = random_below(random, 4);
}

static void order_of(struct generator *generator, struct command *command, uint8_t kind)
{
    struct random *random = &generator->random;
    struct command_order *order = &command->order;
    command->kind = kind;
    command->gateway = 1;
    command->tenure = 1;
    command->session = 1 + random_below(random, generator->sessions);
    command->flags = random_chance(random, 20) ? COMMAND_HAS_APPENDAGE : 0;
    order->user_ref_index = random_chance(random, 10) ? (uint8_t)random_below(random, 4) : 0;
    order->side = random_chance(random, 50) ? 'B' : letter(random, "SSTE");
    order->time_in_force = random_chance(random, 15) ? '3' : '0';
    order->display = 'Y';
    order->capacity = 'A';
    order->cross_type = 'N';
    order->price_type = 'L';
    order->handle_inst = ' ';
    order->quantity = 1 + random_below(random, generator->quantity_max);
    order->price_ticks = price(generator);
    memset(order->firm, ' ', FIRM_BYTES);
    for (uint32_t i = 0; i < CLIENT_ORDER_ID_BYTES; i++)
        order->client_order_id[i] = (char)('A' + random_below(random, 26));
    uint32_t *user_ref = &generator->user_refs[command->session];
    if (random_chance(random, 90))
        *user_ref += random_chance(random, 90) ? 1 : random_below(random, 20);
    command->user_ref = *user_ref;
}

/* One of the session's recent numbers. */
static uint32_t target(struct generator *generator, const struct command *command)
{
    uint32_t last = generator->user_refs[command->session];
    uint32_t back = random_below(&generator->random, random_chance(&generator->random, 50) ? 8 : 60);
    return last > back ? last - back : last;
}

static void client_command(struct generator *generator, struct command *command)
{
    struct random *random = &generator->random;
    uint32_t dice = random_below(random, 100);
    static const struct {
        uint32_t below;
        uint8_t kind;
    } mix[] = {{55, COMMAND_ENTER},         {72, COMMAND_CANCEL},  {85, COMMAND_REPLACE},     {92, COMMAND_MODIFY},
               {95, COMMAND_ACCOUNT_QUERY}, {98, COMMAND_REFUSED}, {99, COMMAND_MASS_CANCEL}, {100, COMMAND_DISABLE}};
    uint32_t at = 0;
    while (dice >= mix[at].below)
        at++;
    uint8_t kind = mix[at].kind;
    order_of(generator, command, kind);
    if (kind == COMMAND_ENTER) {
        command->order.instrument = 1 + random_below(random, generator->instruments);
    } else if (kind == COMMAND_CANCEL || kind == COMMAND_REPLACE || kind == COMMAND_MODIFY) {
        command->order.target_user_ref = target(generator, command);
        if (kind == COMMAND_CANCEL && random_chance(random, 60))
            command->order.quantity = 0;
        if (kind == COMMAND_MODIFY)
            command->order.side = letter(random, "BSTEET");
    } else if (kind == COMMAND_REFUSED) {
        uint32_t user_ref = command->user_ref;
        command->refused.reason = (uint16_t)(1 + random_below(random, 40));
        command->refused.refused_kind = COMMAND_ENTER;
        command->user_ref = user_ref;
    }
    if (random_chance(random, generator->bad_percent))
        spoil(random, command);
}

static void login_of(struct generator *generator, struct command *command, uint32_t user)
{
    command->kind = COMMAND_LOGIN;
    command->gateway = 1;
    command->tenure = 1;
    memcpy(command->login.user, "USER0 ", USER_BYTES);
    command->login.user[4] = (char)('0' + user);
    command->login.connection = user;
    memcpy(command->login.firm, user % 2 ? "ABCD" : "    ", FIRM_BYTES);
    (void)generator;
}

static void instrument_of(struct generator *generator, struct command *command, uint32_t number)
{
    command->kind = COMMAND_INSTRUMENT_ADD;
    memcpy(command->admin.symbol, "SYM0    ", SYMBOL_BYTES);
    command->admin.symbol[3] = (char)('0' + number);
    command->admin.tick_ticks = generator->tick == 1 ? (int32_t)(number % 2) : generator->tick;
    command->admin.lot_quantity = number == 2 ? 5 : 0;
}

/* Days start again and again, but only one that really does lets the numbers begin anew. */
static void day_of(struct generator *generator, struct command *command, bool starts)
{
    command->kind = starts ? COMMAND_DAY_START : COMMAND_DAY_END;
    if (starts && !generator->day_open) {
        generator->date++;
        memset(generator->user_refs, 0, sizeof(generator->user_refs));
    }
    generator->day_open = starts;
    command->day.date = starts ? generator->date : 0;
    command->day.midnight_ns = UINT64_C(1000000000) * generator->date;
}

/* What gateways and operators do besides. */
static void rare_command(struct generator *generator, struct command *command)
{
    struct random *random = &generator->random;
    uint32_t dice = random_below(random, 16);
    if (dice < 4) {
        login_of(generator, command, 1 + random_below(random, generator->sessions + 1));
        command->login.flag = random_chance(random, 60);
        command->gateway = random_chance(random, 80) ? 1 : 2;
        command->login.connection += random_chance(random, 60) ? 0 : 10;
    } else if (dice < 7) {
        login_of(generator, command, 1 + random_below(random, generator->sessions + 1));
        command->kind = COMMAND_LOGOUT;
        command->login.reason = letter(random, "LDTS");
        command->session = random_chance(random, 50) ? 0 : random_below(random, generator->sessions + 2);
    } else if (dice < 8) {
        command->kind = COMMAND_TENURE_BEGINS;
        command->gateway = random_chance(random, 30) ? 1 : 2;
        command->tenure = 1;
    } else if (dice < 10) {
        day_of(generator, command, random_chance(random, 60));
        command->gateway = (uint8_t)random_below(random, 2);
    } else if (dice < 12) {
        instrument_of(generator, command, 1 + random_below(random, 5));
        command->gateway = (uint8_t)random_below(random, 2);
        if (random_chance(random, 20))
            command->admin.collar_ticks = 1;
        if (random_chance(random, 20))
            command->admin.symbol[0] = ' ';
    } else {
        command->kind = (uint8_t)(dice == 12   ? COMMAND_TICK
                                  : dice == 13 ? COMMAND_SNAPSHOT_MARK
                                               : random_below(random, 70));
        command->gateway = 1;
    }
}

void generate(struct generator *generator, struct command *command)
{
    uint32_t step = generator->step++;
    memset(command, 0, sizeof(*command));
    command->time_ns = 1000 + step;
    if (step == 0)
        day_of(generator, command, true);
    else if (step <= generator->instruments)
        instrument_of(generator, command, step);
    else if (step <= generator->instruments + generator->sessions)
        login_of(generator, command, step - generator->instruments);
    else if (random_chance(&generator->random, 98) || step < 40)
        client_command(generator, command);
    else
        rare_command(generator, command);
    /* Whoever was logged out or fell with a gateway comes back before long. */
    if (step > 40 && step % 23 == 0) {
        memset(command, 0, sizeof(*command));
        command->time_ns = 1000 + step;
        login_of(generator, command, 1 + random_below(&generator->random, generator->sessions));
        command->login.flag = 1;
    }
    if (step > 40 && step % 97 == 0) {
        memset(command, 0, sizeof(*command));
        command->time_ns = 1000 + step;
        day_of(generator, command, true);
    }
}
