#include "fixture.h"

#include <stdlib.h>
#include <string.h>

const struct engine_limits fixture_limits = {.orders_max = 4096,
                                             .instruments_max = 4,
                                             .sessions_max = 8,
                                             .levels_max = 4096,
                                             .far_levels_max = 4096,
                                             .checkpoint_commands = UINT32_MAX,
                                             .report_tops = 1};

uint32_t apply(struct fixture *fixture, struct command command)
{
    return apply_at(fixture, command, (fixture->command_seq + 1) * 1000);
}

uint32_t apply_at(struct fixture *fixture, struct command command, uint64_t time_ns)
{
    static struct event slots[ENGINE_EVENTS_MAX];
    const struct engine_output output = {.events = slots, .mask = ENGINE_EVENTS_MAX - 1};
    command.command_seq = ++fixture->command_seq;
    command.time_ns = time_ns;
    fixture->event_count = 0;
    fixture->step_count = 0;
    int written = engine_apply(fixture->engine, &command, &output);
    for (;;) {
        if (written < 0 || written > ENGINE_EVENTS_MAX)
            abort();
        uint64_t first = engine_event_seq_next(fixture->engine) - (uint64_t)written;
        for (int i = 0; i < written; i++)
            fixture->events[fixture->event_count++] = slots[(first + (uint64_t)i) & output.mask];
        fixture->step_count++;
        if (!engine_more(fixture->engine))
            return fixture->event_count;
        written = engine_continue(fixture->engine, &output);
    }
}

static void add_instrument(struct fixture *fixture, const char *symbol, int32_t tick_ticks, uint32_t lot_quantity)
{
    struct command command = {.kind = COMMAND_INSTRUMENT_ADD,
                              .admin = {.tick_ticks = tick_ticks, .lot_quantity = lot_quantity}};
    memcpy(command.admin.symbol, symbol, SYMBOL_BYTES);
    apply(fixture, command);
}

uint32_t login(struct fixture *fixture, const char *user, uint8_t gateway, uint32_t tenure, uint64_t connection,
               uint8_t takeover)
{
    struct command command = {.kind = COMMAND_LOGIN,
                              .gateway = gateway,
                              .tenure = tenure,
                              .login = {.connection = connection, .flag = takeover}};
    memcpy(command.login.user, user, USER_BYTES);
    memcpy(command.login.firm, "FIRM", FIRM_BYTES);
    return apply(fixture, command);
}

struct fixture *fixture_open(const struct engine_limits *limits)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    size_t bytes = engine_bytes(limits);
    fixture->memory = aligned_alloc(ENGINE_MEMORY_ALIGNMENT, bytes);
    memset(fixture->memory, 0, bytes);
    fixture->engine = engine_create(fixture->memory, limits);
    if (!fixture->engine)
        abort();
    apply(fixture, (struct command){.kind = COMMAND_DAY_START, .day = {.date = 20261123}});
    add_instrument(fixture, "AAPL    ", 100, 0);
    add_instrument(fixture, "MSFT    ", 1, 10);
    login(fixture, "ANNE  ", 1, 1, 101, 0);
    login(fixture, "BERT  ", 1, 1, 102, 0);
    login(fixture, "CARL  ", 1, 1, 103, 0);
    return fixture;
}

void fixture_close(struct fixture *fixture)
{
    free(fixture->memory);
    free(fixture);
}

struct command order(struct fixture *fixture, uint32_t session, char side, uint32_t quantity, int32_t price_ticks)
{
    struct command command = {.kind = COMMAND_ENTER,
                              .gateway = 1,
                              .tenure = 1,
                              .session = session,
                              .user_ref = ++fixture->user_refs[session],
                              .order = {.side = (uint8_t)side,
                                        .time_in_force = '0',
                                        .display = 'Y',
                                        .capacity = 'A',
                                        .cross_type = 'N',
                                        .price_type = 'L',
                                        .handle_inst = ' ',
                                        .instrument = 1,
                                        .quantity = quantity,
                                        .price_ticks = price_ticks}};
    memcpy(command.order.firm, "    ", FIRM_BYTES);
    memcpy(command.order.client_order_id, "an order of it", CLIENT_ORDER_ID_BYTES);
    return command;
}

uint32_t enter(struct fixture *fixture, uint32_t session, char side, uint32_t quantity, int32_t price_ticks)
{
    struct command command = order(fixture, session, side, quantity, price_ticks);
    apply(fixture, command);
    return command.user_ref;
}

uint32_t cancel(struct fixture *fixture, uint32_t session, uint32_t user_ref, uint32_t quantity)
{
    return apply(fixture, (struct command){.kind = COMMAND_CANCEL,
                                           .gateway = 1,
                                           .tenure = 1,
                                           .session = session,
                                           .order = {.target_user_ref = user_ref, .quantity = quantity}});
}

uint32_t replace(struct fixture *fixture, uint32_t session, uint32_t target_user_ref, uint32_t quantity,
                 int32_t price_ticks)
{
    struct command command = order(fixture, session, 0, quantity, price_ticks);
    command.kind = COMMAND_REPLACE;
    command.order.instrument = 0;
    command.order.target_user_ref = target_user_ref;
    apply(fixture, command);
    return command.user_ref;
}

uint32_t modify(struct fixture *fixture, uint32_t session, uint32_t target_user_ref, char side, uint32_t quantity)
{
    return apply(
        fixture,
        (struct command){.kind = COMMAND_MODIFY,
                         .gateway = 1,
                         .tenure = 1,
                         .session = session,
                         .order = {.target_user_ref = target_user_ref, .side = (uint8_t)side, .quantity = quantity}});
}

uint32_t of_kind(struct fixture *fixture, uint8_t kind, uint8_t gateway)
{
    return apply(fixture, (struct command){.kind = kind, .gateway = gateway, .tenure = gateway});
}

const struct event *event_of(const struct fixture *fixture, uint8_t kind, uint32_t nth)
{
    for (uint32_t i = 0; i < fixture->event_count; i++) {
        if (fixture->events[i].kind == kind && nth-- == 0)
            return &fixture->events[i];
    }
    return NULL;
}

uint32_t count_of(const struct fixture *fixture, uint8_t kind)
{
    uint32_t count = 0;
    while (event_of(fixture, kind, count))
        count++;
    return count;
}

bool rejected_with(const struct fixture *fixture, uint16_t reason)
{
    return fixture->event_count == 1 && fixture->events[0].kind == EVENT_REJECTED &&
           fixture->events[0].refused.reason == reason && fixture->events[0].message_no != 0;
}

int32_t best(const struct fixture *fixture, char side)
{
    int32_t price_ticks = 0;
    uint64_t quantity;
    return engine_best(fixture->engine, 1, side, &price_ticks, &quantity) ? price_ticks : 0;
}

uint64_t best_quantity(const struct fixture *fixture, char side)
{
    int32_t price_ticks;
    uint64_t quantity = 0;
    return engine_best(fixture->engine, 1, side, &price_ticks, &quantity) ? quantity : 0;
}
