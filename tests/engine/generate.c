#include "generate.h"

#include "base/bytes.h"

#include <string.h>

/* The first is what most streams of a real market are like; the others go deep into one subject each. */
static const struct profile profiles[] = {
    {.name = "plain",
     .immediate = 15,
     .market = 3,
     .channel = 10,
     .rare_permille = 20,
     .state_permille = 2,
     .back_to_open_percent = 20},
    {.name = "all kinds",
     .stop = 6,
     .trailing = 4,
     .peg = 12,
     .cross = 3,
     .immediate = 15,
     .market = 4,
     .expires = 8,
     .hidden = 20,
     .minimum = 12,
     .reserve = 15,
     .post_only = 8,
     .self_match = 15,
     .channel = 5,
     .state_permille = 8,
     .back_to_open_percent = 15,
     .rare_permille = 20},
    {.name = "auctions",
     .stop = 3,
     .trailing = 2,
     .peg = 8,
     .cross = 25,
     .immediate = 8,
     .market = 12,
     .expires = 5,
     .hidden = 20,
     .minimum = 8,
     .reserve = 15,
     .post_only = 3,
     .self_match = 5,
     .state_permille = 60,
     .rare_permille = 8,
     .spread = 5},
    {.name = "stops",
     .stop = 35,
     .trailing = 15,
     .peg = 4,
     .immediate = 8,
     .market = 20,
     .hidden = 8,
     .minimum = 4,
     .reserve = 12,
     .post_only = 8,
     .self_match = 4,
     .state_permille = 3,
     .back_to_open_percent = 20,
     .rare_permille = 5,
     .spread = 8},
    {.name = "pegs",
     .stop = 5,
     .trailing = 3,
     .peg = 45,
     .immediate = 12,
     .market = 4,
     .hidden = 15,
     .minimum = 15,
     .reserve = 5,
     .post_only = 3,
     .self_match = 10,
     .state_permille = 8,
     .back_to_open_percent = 15,
     .rare_permille = 5,
     .spread = 6},
    {.name = "self-match",
     .stop = 3,
     .peg = 5,
     .cross = 2,
     .immediate = 30,
     .market = 5,
     .hidden = 12,
     .minimum = 25,
     .reserve = 60,
     .post_only = 3,
     .self_match = 75,
     .state_permille = 3,
     .back_to_open_percent = 15,
     .rare_permille = 8,
     .spread = 1},
    {.name = "minimums and reserves",
     .stop = 3,
     .trailing = 2,
     .peg = 8,
     .immediate = 25,
     .market = 4,
     .expires = 3,
     .hidden = 45,
     .minimum = 50,
     .reserve = 60,
     .post_only = 3,
     .self_match = 20,
     .state_permille = 5,
     .back_to_open_percent = 15,
     .rare_permille = 5,
     .spread = 3},
    {.name = "operators",
     .stop = 4,
     .trailing = 3,
     .peg = 8,
     .cross = 4,
     .immediate = 10,
     .market = 5,
     .expires = 30,
     .hidden = 15,
     .minimum = 5,
     .reserve = 10,
     .post_only = 3,
     .self_match = 5,
     .channel = 10,
     .state_permille = 15,
     .back_to_open_percent = 20,
     .rare_permille = 150},
    {.name = "bad values",
     .stop = 6,
     .trailing = 4,
     .peg = 10,
     .cross = 6,
     .immediate = 15,
     .market = 4,
     .expires = 8,
     .hidden = 20,
     .minimum = 12,
     .reserve = 15,
     .post_only = 8,
     .self_match = 15,
     .channel = 10,
     .bad = 30,
     .state_permille = 10,
     .back_to_open_percent = 15,
     .rare_permille = 40},
};

#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

void generator_init(struct generator *generator, uint64_t seed, struct engine_limits *ret_limits)
{
    *generator = (struct generator){.random = {seed * 2654435761u + 1}, .profile = &profiles[seed % PROFILES]};
    struct random *random = &generator->random;
    generator->sessions = 1 + random_below(random, 5);
    generator->instruments = 1 + random_below(random, 3);
    generator->tick = (int32_t[]){1, 1, 100, 7, 2500}[random_below(random, 5)];
    generator->middle = 50 + (int32_t)random_below(random, 5000);
    generator->spread = 1 + (int32_t)random_below(random, random_chance(random, 50) ? 6 : 400);
    if (generator->profile->spread != 0)
        generator->spread = generator->profile->spread;
    generator->far_percent = random_chance(random, 70) ? 0 : random_below(random, 40);
    generator->quantity_max = random_chance(random, 50) ? 10 : 200;
    generator->time_ns = UINT64_C(1000000000);
    *ret_limits = (struct engine_limits){
        .orders_max = random_chance(random, 30) ? 1 + random_below(random, 20) : 2048,
        .instruments_max = generator->instruments + random_below(random, 2),
        .sessions_max = generator->sessions + random_below(random, 2),
        .levels_max = 64u << random_below(random, random_chance(random, 50) ? 2 : 9),
        .channels_max = random_chance(random, 30) ? 1 : 0,
        .pages_max = random_chance(random, 50) ? 1 + random_below(random, 8) : 0,
        .far_levels_max = 2048,
        .specials_max = random_chance(random, 20) ? 1 + random_below(random, 20) : 2048,
        .movers_max = random_chance(random, 20) ? 1 + random_below(random, 5) : 1024,
        .firms_max = random_chance(random, 20) ? 1 + random_below(random, 2) : 64,
        .trades_max = random_chance(random, 50) ? 16 : 4096,
        .checkpoint_commands = random_chance(random, 50) ? 1 + random_below(random, 50) : UINT32_MAX,
        .report_tops = random_chance(random, 70),
    };
}

/* ---- sessions -----------------------------------------------------------------------------------------------------
 */

/* Two firms, and users who may speak for any. */
static void login_of(struct command *command, uint32_t user)
{
    static const char firms[3][FIRM_BYTES + 1] = {"WXYZ", "ABCD", "    "};
    command->kind = COMMAND_LOGIN;
    command->gateway = 1;
    memcpy(command->login.user, "USER0 ", USER_BYTES);
    command->login.user[4] = (char)('0' + user);
    command->login.connection = user;
    memcpy(command->login.firm, firms[user % 3], FIRM_BYTES);
}

/* Any user, also one that has never been there. */
static void some_user(struct generator *generator, struct command *command)
{
    login_of(command, 1 + random_below(&generator->random, generator->sessions + 1));
}

/* What was a login of a user becomes his unblocking. */
static void block_of(struct command *command)
{
    struct command login = *command;
    memset(command, 0, sizeof(*command));
    command->kind = COMMAND_SESSION_BLOCK;
    command->gateway = 1;
    memcpy(command->act.user, login.login.user, USER_BYTES);
}

static void session_command(struct generator *generator, struct command *command)
{
    struct random *random = &generator->random;
    uint32_t dice = random_below(random, 12);
    some_user(generator, command);
    if (dice < 4) {
        command->login.flag = (uint8_t)(random_below(random, 4) | (random_chance(random, 10) ? LOGIN_FAILED : 0));
        command->login.peer[15] = (uint8_t)random_next(random);
        command->login.peer_port = (uint16_t)random_next(random);
        command->gateway = random_chance(random, 80) ? 1 : 2;
        command->login.connection += random_chance(random, 60) ? 0 : 10;
    } else if (dice < 8) {
        command->kind = COMMAND_LOGOUT;
        command->login.reason = random_letter(random, "LDTS");
        command->session = random_chance(random, 50) ? 0 : random_below(random, generator->sessions + 2);
    } else if (dice < 9) {
        memset(command, 0, sizeof(*command));
        command->kind = COMMAND_TENURE_BEGINS;
        command->gateway = random_chance(random, 30) ? 1 : 2;
    } else {
        block_of(command);
        command->gateway = (uint8_t)random_below(random, 2);
        command->act.flag = (uint8_t)random_below(random, 2);
    }
}

/* ---- days, instruments and limits ---------------------------------------------------------------------------------
 */

/* Days start again and again, but only one that really does lets the numbers begin anew. */
static void day_of(struct generator *generator, struct command *command, bool starts)
{
    command->kind = starts ? COMMAND_DAY_START : COMMAND_DAY_END;
    if (starts && !generator->day_open) {
        generator->days++;
        memset(generator->user_refs, 0, sizeof(generator->user_refs));
        generator->recent_count = 0;
    }
    generator->day_open = starts;
    uint32_t days = generator->days;
    command->day.date = starts ? (2026 + days / 336) * 10000 + (1 + days / 28 % 12) * 100 + 1 + days % 28 : 0;
    command->day.midnight_ns = UINT64_C(86400000000000) * generator->days;
}

/* Limits that are met now and then; mostly none. */
static void limits_of(struct generator *generator, struct command_admin *admin)
{
    struct random *random = &generator->random;
    uint32_t spread = (uint32_t)generator->spread * (uint32_t)generator->tick;
    if (random_chance(random, 40))
        admin->collar_ticks = 1 + (int32_t)random_below(random, spread);
    if (random_chance(random, 40))
        admin->fat_finger_ticks = (int32_t)(spread / 2 + random_below(random, 2 * spread));
    if (random_chance(random, 30))
        admin->quantity_max = 1 + random_below(random, generator->quantity_max);
    if (random_chance(random, 30))
        admin->notional_max = (uint64_t)generate_price(generator) * (1 + random_below(random, generator->quantity_max));
    if (random_chance(random, 40))
        admin->reference_ticks = generate_price(generator);
    if (admin->reference_ticks > PRICE_TICKS_MAX)
        admin->reference_ticks = 0;
}

static void symbol_of(char symbol[SYMBOL_BYTES], uint32_t number)
{
    text_pad(symbol, SYMBOL_BYTES, "SYM");
    symbol[3] = (char)('0' + number);
}

static void instrument_of(struct generator *generator, struct command *command, uint32_t number)
{
    command->kind = COMMAND_INSTRUMENT_ADD;
    symbol_of(command->admin.symbol, number);
    command->admin.tick_ticks = generator->tick == 1 ? (int32_t)(number % 2) : generator->tick;
    command->admin.lot_quantity = generate_lot(number) == 1 ? 0 : generate_lot(number);
}

static void instrument_command(struct generator *generator, struct command *command)
{
    struct random *random = &generator->random;
    uint32_t number = 1 + random_below(random, 5);
    instrument_of(generator, command, number);
    command->gateway = (uint8_t)random_below(random, 2);
    if (random_chance(random, 30))
        command->admin.market_state = random_letter(random, "POHCX");
    if (random_chance(random, 30))
        limits_of(generator, &command->admin);
    if (generator->states[number] == 0)
        generator->states[number] = command->admin.market_state ? command->admin.market_state : 'O';
}

static void limits_command(struct generator *generator, struct command *command)
{
    struct random *random = &generator->random;
    command->gateway = 1;
    if (random_chance(random, 60)) {
        command->kind = COMMAND_INSTRUMENT_LIMITS;
        command->admin.instrument = random_below(random, generator->instruments + 2);
        if (command->admin.instrument == 0)
            symbol_of(command->admin.symbol, random_below(random, 6));
        if (random_chance(random, 20))
            command->admin.tick_ticks = generator->tick;
        if (random_chance(random, 20))
            command->admin.lot_quantity = generate_lot(command->admin.instrument);
        if (random_chance(random, 60))
            limits_of(generator, &command->admin);
        return;
    }
    command->kind = COMMAND_FIRM_LIMITS;
    memcpy(command->admin.firm, random_chance(random, 50) ? "ABCD" : "WXYZ", FIRM_BYTES);
    if (random_chance(random, 50))
        command->admin.quantity_max = 1 + random_below(random, generator->quantity_max);
    if (random_chance(random, 30))
        command->admin.notional_max = (uint64_t)generate_price(generator) * 5;
}

static void state_command(struct generator *generator, struct command *command)
{
    struct random *random = &generator->random;
    command->kind = COMMAND_MARKET_STATE;
    command->gateway = 1;
    command->admin.instrument = random_chance(random, 40) ? 0 : 1 + random_below(random, generator->instruments);
    command->admin.market_state = random_letter(random, "OOOOPPXXHHC");
    if (random_chance(random, 20))
        command->admin.reference_ticks = generate_price(generator) + generator->tick / 2;
    if (command->admin.reference_ticks > PRICE_TICKS_MAX)
        command->admin.reference_ticks = 0;
    uint32_t named = command->admin.instrument == 0 && random_chance(random, 50) ? random_below(random, 5) : 0;
    if (named != 0)
        symbol_of(command->admin.symbol, named);
    for (uint32_t i = 1; i < GENERATOR_INSTRUMENTS_MAX; i++) {
        if ((command->admin.instrument == 0 && (named == 0 || named == i)) || command->admin.instrument == i)
            generator->states[i] = command->admin.market_state;
    }
}

static void break_command(struct generator *generator, struct command *command)
{
    command->kind = COMMAND_TRADE_BREAK;
    command->gateway = 1;
    command->trade.match_number = 1 + random_below(&generator->random, 1 + generator->step / 2);
    command->trade.reason = random_letter(&generator->random, "ECSX");
}

/* To members: users and firms that are there, and some that are not. */
static void act_command(struct generator *generator, struct command *command)
{
    static const uint8_t kinds[] = {COMMAND_SESSION_KICK, COMMAND_SESSION_KICK,  COMMAND_GATEWAY_DEAD,
                                    COMMAND_FIRM_SWITCH,  COMMAND_ORDERS_CANCEL, COMMAND_ORDERS_CANCEL};
    static const char firms[3][FIRM_BYTES + 1] = {"WXYZ", "ABCD", "NONE"};
    struct random *random = &generator->random;
    struct command login = {0};
    bool cancels;
    command->kind = kinds[random_below(random, 6)];
    cancels = command->kind == COMMAND_ORDERS_CANCEL;
    some_user(generator, &login);
    if (command->kind == COMMAND_SESSION_KICK || (cancels && random_chance(random, 40)))
        memcpy(command->act.user, login.login.user, USER_BYTES);
    if (command->kind == COMMAND_FIRM_SWITCH || (cancels && random_chance(random, 40)))
        memcpy(command->act.firm, firms[random_below(random, 3)], FIRM_BYTES);
    if (cancels && random_chance(random, 40))
        symbol_of(command->act.symbol, random_below(random, 5));
    if (command->kind == COMMAND_FIRM_SWITCH)
        command->act.flag = random_chance(random, 30);
    if (command->kind == COMMAND_GATEWAY_DEAD)
        command->act.target_gateway = (uint8_t)(1 + random_below(random, 3));
    command->gateway = 1;
}

/* Whatever is not of a session may be of an operator. */
static void maybe_operator(struct generator *generator, struct command *command)
{
    struct random *random = &generator->random;
    bool of_session =
        command->kind == COMMAND_LOGIN || command->kind == COMMAND_LOGOUT || command->kind == COMMAND_TENURE_BEGINS;
    if (of_session || random_chance(random, 40))
        return;
    command->gateway = OPERATOR_GATEWAY;
    command->tenure = 1 + random_below(random, 3);
    command->user_ref = (uint32_t)random_next(random);
    command->flags = random_chance(random, 30) ? COMMAND_IF_NEEDED : 0;
    command->admin.operator_id = random_below(random, 3);
    memcpy(command->admin.operator_name, random_chance(random, 50) ? "root\0\0\0\0\0\0\0\0\0\0\0" : "olga.operator.01",
           OPERATOR_NAME_BYTES);
}

/* Seconds may have gone by. */
static void tick_command(struct generator *generator, struct command *command)
{
    command->kind = COMMAND_TICK;
    generator->time_ns += UINT64_C(1000000000) * random_below(&generator->random, 8);
}

/* ---- all of them --------------------------------------------------------------------------------------------------
 */

/* What gateways and operators do besides. */
static void rare_command(struct generator *generator, struct command *command)
{
    struct random *random = &generator->random;
    uint32_t dice = random_below(random, 100);
    if (dice < 25) {
        session_command(generator, command);
    } else if (dice < 32) {
        day_of(generator, command, random_chance(random, 50));
        command->gateway = (uint8_t)random_below(random, 2);
    } else if (dice < 40) {
        instrument_command(generator, command);
    } else if (dice < 60) {
        limits_command(generator, command);
    } else if (dice < 75) {
        break_command(generator, command);
    } else if (dice < 85) {
        tick_command(generator, command);
    } else if (dice < 95) {
        act_command(generator, command);
    } else {
        command->kind = COMMAND_SNAPSHOT_MARK;
        command->gateway = 1;
    }
    maybe_operator(generator, command);
}

/* Values that operators may not give; and kinds that there are not. */
static void spoil_rare(struct generator *generator, struct command *command)
{
    static const int32_t prices[] = {-1, INT32_MIN, PRICE_TICKS_MAX, PRICE_TICKS_MAX + 1, INT32_MAX};
    struct random *random = &generator->random;
    struct command_admin *admin = &command->admin;
    if (command->kind < COMMAND_INSTRUMENT_ADD || command->kind > COMMAND_FIRM_LIMITS) {
        if (random_chance(random, 30))
            command->kind = (uint8_t)random_below(random, 70);
        return;
    }
    switch (random_below(random, 8)) {
    case 0:
        admin->tick_ticks = prices[random_below(random, 5)];
        break;
    case 1:
        admin->lot_quantity = random_chance(random, 50) ? QUANTITY_MAX + 1 : QUANTITY_MAX;
        break;
    case 2:
        admin->reference_ticks = prices[random_below(random, 5)];
        break;
    case 3:
        admin->collar_ticks = prices[random_below(random, 5)];
        break;
    case 4:
        admin->fat_finger_ticks = prices[random_below(random, 5)];
        break;
    case 5:
        admin->quantity_max = random_chance(random, 50) ? QUANTITY_MAX + 1 : QUANTITY_MAX;
        break;
    case 6:
        if (command->kind == COMMAND_INSTRUMENT_ADD || command->kind == COMMAND_MARKET_STATE)
            admin->market_state = (uint8_t)random_next(random);
        break;
    default:
        memset(admin->symbol, random_chance(random, 50) ? ' ' : 0, SYMBOL_BYTES);
        memset(admin->firm, random_chance(random, 50) ? ' ' : 0, FIRM_BYTES);
        break;
    }
}

static void any_command(struct generator *generator, struct command *command)
{
    struct random *random = &generator->random;
    const struct profile *profile = generator->profile;
    bool not_open = generator->states[1] != 'O';
    uint32_t dice = random_below(random, 1000);
    if (dice < profile->state_permille ||
        (not_open && random_chance(random, random_chance(random, 50) ? profile->back_to_open_percent : 0))) {
        state_command(generator, command);
        maybe_operator(generator, command);
    } else if (dice < (uint32_t)profile->state_permille + profile->rare_permille) {
        rare_command(generator, command);
    } else {
        generate_request(generator, command);
        if (random_chance(random, profile->bad))
            generate_bad(random, command);
        return;
    }
    if (random_chance(random, profile->bad))
        spoil_rare(generator, command);
}

/* Whoever was logged out, blocked or fell with a gateway comes back before long; a day that ended begins anew. */
static bool comes_back(struct generator *generator, struct command *command)
{
    uint32_t step = generator->step;
    struct random *random = &generator->random;
    if (step < 40)
        return false;
    if (step % 97 == 0) {
        day_of(generator, command, true);
    } else if (step % 41 == 0) {
        some_user(generator, command);
        block_of(command);
    } else if (step % 23 == 0) {
        login_of(command, 1 + random_below(random, generator->sessions));
        command->login.flag =
            (uint8_t)(LOGIN_TAKES_OVER | (random_chance(random, 30) ? LOGIN_CANCELS_ON_DISCONNECT : 0));
        if (command->login.flag & LOGIN_CANCELS_ON_DISCONNECT && random_chance(random, 50))
            command->login.grace_ms = 500 * random_below(random, 10);
    } else {
        return false;
    }
    return true;
}

void generate(struct generator *generator, struct command *command)
{
    uint32_t step = generator->step;
    memset(command, 0, sizeof(*command));
    if (step == 0) {
        day_of(generator, command, true);
    } else if (step <= generator->instruments) {
        instrument_of(generator, command, step);
        generator->states[step] = 'O';
    } else if (step <= generator->instruments + generator->sessions) {
        login_of(command, step - generator->instruments);
    } else if (!comes_back(generator, command)) {
        any_command(generator, command);
    }
    generator->step++;
    if (random_chance(&generator->random, 15)) /* whole seconds, so that orders expire at the same moment */
        generator->time_ns += UINT64_C(1000000000) * random_below(&generator->random, 4);
    command->time_ns = generator->time_ns;
    command->inbound_seq = step + 1;
    if (command->gateway != 0 && command->tenure == 0)
        command->tenure = 1;
}
