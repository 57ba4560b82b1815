/* The engine in one page: an instrument, two users, a sale and a purchase; prints what the engine says of each. */
#include "ringside_engine.h"

#include <stdio.h>

static _Alignas(ENGINE_MEMORY_ALIGNMENT) uint8_t memory[8 << 20];
static struct event events[64]; /* where the engine writes: event n at n & 63 */
static const struct engine_output output = {.events = events, .mask = 63};

static void print_events(const struct engine *engine, uint64_t from)
{
    for (; from < engine_event_seq_next(engine); from++) {
        const struct event *event = &events[from & output.mask];
        printf("%s", event_kind_name(event->kind));
        if (event->kind == EVENT_EXECUTED)
            printf(" %u at %.4f", event->trade.quantity, event->trade.price_ticks / 10000.0);
        printf("%s", event->flags & EVENT_LAST_OF_COMMAND ? "\n" : ", ");
    }
}

static void apply(struct engine *engine, struct command command)
{
    command.command_seq = command.time_ns = engine_command_seq_next(engine);
    int count = engine_apply(engine, &command, &output);
    print_events(engine, engine_event_seq_next(engine) - (uint64_t)count);
    while (engine_more(engine)) { /* a command with much to say says it in steps */
        count = engine_continue(engine, &output);
        print_events(engine, engine_event_seq_next(engine) - (uint64_t)count);
    }
}

static struct command from(uint8_t kind, uint32_t session)
{
    return (struct command){.kind = kind, .gateway = 1, .tenure = 1, .session = session, .user_ref = 1};
}

int main(void)
{
    struct engine_limits limits = {.orders_max = 1000, .instruments_max = 10, .sessions_max = 10, .levels_max = 1024};
    struct engine *engine = engine_bytes(&limits) <= sizeof(memory) ? engine_create(memory, &limits) : NULL;
    if (!engine)
        return 1;
    apply(engine, (struct command){.kind = COMMAND_DAY_START, .day = {.date = 20261123}});
    apply(engine, (struct command){.kind = COMMAND_INSTRUMENT_ADD, .admin = {.symbol = "RING   ", .tick_ticks = 100}});
    struct command command = from(COMMAND_LOGIN, 0);
    command.login = (struct command_session){.user = "ANNA ", .connection = 1};
    apply(engine, command);
    command.login = (struct command_session){.user = "BERT ", .connection = 2};
    apply(engine, command);
    command = from(COMMAND_ENTER, 1);
    command.order = (struct command_order){.instrument = 1, .side = 'S', .quantity = 100, .price_ticks = 1012500};
    command.order.time_in_force = '0', command.order.display = 'Y', command.order.capacity = 'P';
    command.order.cross_type = 'N', command.order.price_type = 'L', command.order.handle_inst = ' ';
    apply(engine, command);
    command.session = 2, command.order.side = 'B', command.order.quantity = 60;
    apply(engine, command);
    printf("%llu order left\n", (unsigned long long)engine_live_orders(engine));
    return 0;
}
