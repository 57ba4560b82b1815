#include "stream.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SESSIONS      16u
#define TICK_TICKS    100
#define REST_SHARE    0.6
#define CROSS_SHARE   0.1
#define BALANCE_SHARE 0.08

const struct shape shapes[SHAPE_COUNT] = {
    {"d1k", 1000, 1, 20, 1800, 32768, 240, 32},
    {"d100k", 100000, 1, 300, 1800, 32768, 240, 32},
    {"s1000", 100000, 1000, 20, 600, 32768, 1200, 8},
    {"d1m", 1000000, 1, 600, 1800, 32768, 240, 32},
};

/* A live order, by the name that its session gave it. */
struct live_order {
    uint32_t session;
    uint32_t user_ref;
};

struct maker {
    struct stream *stream;
    struct engine *engine;
    uint64_t random;
    double distance_log;
    int32_t *middles; /* of each instrument */
    struct live_order *live;
    uint32_t live_count;
    uint32_t *places[SESSIONS + 1]; /* place in `live` of each user_ref, plus 1; 0: not live */
    uint32_t user_refs[SESSIONS + 1];
    struct event events[ENGINE_EVENTS_MAX];
};

void *stream_memory(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    (void)madvise(memory, bytes, MADV_HUGEPAGE);
    (void)madvise(memory, bytes, MADV_POPULATE_WRITE); /* as a matcher has brought its memory in before it is asked */
    return memory;
}

static uint64_t random_word(struct maker *maker)
{
    uint64_t word = maker->random += UINT64_C(0x9e3779b97f4a7c15);
    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return word ^ word >> 31;
}

static uint32_t random_below(struct maker *maker, uint32_t bound)
{
    return (uint32_t)((random_word(maker) >> 32) * bound >> 32);
}

static double random_unit(struct maker *maker)
{
    return (double)(random_word(maker) >> 11) * 0x1p-53;
}

/* ---- what lives ---------------------------------------------------------------------------------------------------
 */

static void live_add(struct maker *maker, uint32_t session, uint32_t user_ref)
{
    maker->live[maker->live_count++] = (struct live_order){session, user_ref};
    maker->places[session][user_ref] = maker->live_count;
}

static void live_remove(struct maker *maker, uint32_t session, uint32_t user_ref)
{
    uint32_t place = maker->places[session][user_ref] - 1;
    struct live_order last = maker->live[--maker->live_count];
    maker->live[place] = last;
    maker->places[last.session][last.user_ref] = place + 1;
    maker->places[session][user_ref] = 0;
}

static void note_event(struct maker *maker, const struct event *event)
{
    if (event->kind == EVENT_ACCEPTED) {
        live_add(maker, event->session, event->user_ref);
    } else if (event->kind == EVENT_CANCELED && event->cut.leaves_quantity == 0) {
        live_remove(maker, event->session, event->user_ref);
    } else if (event->kind == EVENT_EXECUTED) {
        maker->stream->trade_count++;
        if (event->trade.leaves_quantity == 0)
            live_remove(maker, event->session, event->user_ref);
        if (event->trade.maker_leaves_quantity == 0)
            live_remove(maker, event->trade.maker_session, event->trade.maker_user_ref);
    }
}

static void append(struct maker *maker, struct command *command)
{
    struct stream *stream = maker->stream;
    const struct engine_output output = {.events = maker->events, .mask = ENGINE_EVENTS_MAX - 1};
    command->command_seq = ++stream->count;
    command->time_ns = stream->count * 1000;
    command->inbound_seq = stream->count;
    stream->commands[stream->count - 1] = *command;
    int written = engine_apply(maker->engine, command, &output);
    for (;;) {
        uint64_t first = engine_event_seq_next(maker->engine) - (uint64_t)written;
        for (int i = 0; i < written; i++)
            note_event(maker, &maker->events[(first + (uint64_t)i) & output.mask]);
        if (!engine_more(maker->engine))
            return;
        written = engine_continue(maker->engine, &output);
    }
}

/* ---- commands -----------------------------------------------------------------------------------------------------
 */

static void append_start(struct maker *maker)
{
    struct command command = {.kind = COMMAND_DAY_START, .day = {.date = 20261123}};
    append(maker, &command);
    for (uint32_t i = 0; i < maker->stream->shape->instruments; i++) {
        command = (struct command){.kind = COMMAND_INSTRUMENT_ADD, .admin = {.tick_ticks = TICK_TICKS}};
        memcpy(command.admin.symbol, "S00000  ", SYMBOL_BYTES);
        for (uint32_t digit = 5, left = i; digit > 0; digit--, left /= 10)
            command.admin.symbol[digit] = (char)('0' + left % 10);
        append(maker, &command);
    }
    for (uint32_t session = 1; session <= SESSIONS; session++) {
        command = (struct command){.kind = COMMAND_LOGIN, .gateway = 1, .tenure = 1, .login = {.connection = session}};
        memcpy(command.login.user, "BENCH ", USER_BYTES);
        command.login.user[5] = (char)('A' + session);
        memcpy(command.login.firm, "FIRM", FIRM_BYTES);
        append(maker, &command);
    }
}

static void append_order(struct maker *maker, uint32_t instrument, uint8_t side, int32_t index, uint32_t quantity)
{
    uint32_t session = 1 + random_below(maker, SESSIONS);
    struct command command = {.kind = COMMAND_ENTER,
                              .gateway = 1,
                              .tenure = 1,
                              .session = session,
                              .user_ref = ++maker->user_refs[session],
                              .order = {.side = side,
                                        .time_in_force = '0',
                                        .display = 'Y',
                                        .capacity = 'A',
                                        .cross_type = 'N',
                                        .price_type = 'L',
                                        .handle_inst = ' ',
                                        .instrument = instrument,
                                        .quantity = quantity,
                                        .price_ticks = index * TICK_TICKS}};
    memcpy(command.order.firm, "    ", FIRM_BYTES);
    memcpy(command.order.client_order_id, "ORDER         ", CLIENT_ORDER_ID_BYTES);
    append(maker, &command);
}

static void append_cancel(struct maker *maker)
{
    struct live_order order = maker->live[random_below(maker, maker->live_count)];
    struct command command = {.kind = COMMAND_CANCEL,
                              .gateway = 1,
                              .tenure = 1,
                              .session = order.session,
                              .order = {.target_user_ref = order.user_ref}};
    append(maker, &command);
}

/* The best price of a side as an index of ticks; false: there is none. */
static bool best_index(const struct maker *maker, uint32_t instrument, char side, int32_t *ret_index)
{
    int32_t price_ticks;
    uint64_t quantity;
    if (!engine_best(maker->engine, instrument, side, &price_ticks, &quantity))
        return false;
    *ret_index = price_ticks / TICK_TICKS;
    return true;
}

static int32_t middle_next(struct maker *maker, uint32_t instrument)
{
    const struct shape *shape = maker->stream->shape;
    int32_t *middle = &maker->middles[instrument];
    if (random_below(maker, shape->middle_moves_every) == 0) {
        int32_t moved = *middle + (random_below(maker, 2) ? 1 : -1);
        if (abs(moved - shape->middle) < shape->middle_range)
            *middle = moved;
    }
    return *middle;
}

static void append_passive(struct maker *maker)
{
    const struct shape *shape = maker->stream->shape;
    uint32_t instrument = 1 + random_below(maker, shape->instruments);
    int32_t middle = middle_next(maker, instrument);
    bool buys = random_below(maker, 2);
    double drawn = log(1.0 - random_unit(maker)) / maker->distance_log;
    int32_t distance = drawn > shape->distance_max ? (int32_t)shape->distance_max : (int32_t)drawn;
    int32_t index = buys ? middle - 1 - distance : middle + 1 + distance;
    int32_t other;
    if (best_index(maker, instrument, buys ? 'S' : 'B', &other)) {
        if (buys && index >= other)
            index = other - 1;
        if (!buys && index <= other)
            index = other + 1;
    }
    append_order(maker, instrument, buys ? 'B' : 'S', index, 1 + random_below(maker, 100));
}

static void append_crossing(struct maker *maker)
{
    uint32_t instrument = 1 + random_below(maker, maker->stream->shape->instruments);
    bool buys = random_below(maker, 2);
    int32_t other;
    if (!best_index(maker, instrument, buys ? 'S' : 'B', &other)) {
        append_passive(maker);
        return;
    }
    int32_t beyond = (int32_t)random_below(maker, 3);
    append_order(maker, instrument, buys ? 'B' : 'S', buys ? other + beyond : other - beyond,
                 1 + random_below(maker, 120));
}

static void append_mixed(struct maker *maker)
{
    double live = maker->stream->shape->live_orders;
    double excess = ((double)maker->live_count - live) / (live * 0.01);
    excess = excess > 1 ? 1 : excess < -1 ? -1 : excess;
    double dice = random_unit(maker);
    if (dice < CROSS_SHARE)
        append_crossing(maker);
    else if (dice < REST_SHARE - BALANCE_SHARE * excess || maker->live_count == 0)
        append_passive(maker);
    else
        append_cancel(maker);
}

/* ---- making -------------------------------------------------------------------------------------------------------
 */

static uint32_t rounded_up(uint32_t value)
{
    return 1u << (32 - __builtin_clz(value - 1));
}

static void limits_set(struct stream *stream, bool report_tops)
{
    const struct shape *shape = stream->shape;
    stream->limits = (struct engine_limits){.orders_max = rounded_up(shape->live_orders),
                                            .instruments_max = shape->instruments,
                                            .sessions_max = SESSIONS,
                                            .levels_max = 4096,
                                            .checkpoint_commands = 65536,
                                            .report_tops = report_tops};
}

static bool maker_open(struct maker *maker, uint64_t commands)
{
    const struct shape *shape = maker->stream->shape;
    void *memory = stream_memory(engine_bytes(&maker->stream->limits));
    maker->engine = memory ? engine_create(memory, &maker->stream->limits) : NULL;
    maker->distance_log = log(1.0 - 1.0 / (shape->distance_mean + 1));
    maker->middles = calloc(shape->instruments + 1, sizeof(*maker->middles));
    maker->live = calloc(commands + 1, sizeof(*maker->live));
    bool whole = maker->engine && maker->middles && maker->live;
    for (uint32_t session = 1; session <= SESSIONS; session++) {
        maker->places[session] = calloc(commands + 1, sizeof(**maker->places));
        whole = whole && maker->places[session];
    }
    for (uint32_t i = 1; whole && i <= shape->instruments; i++)
        maker->middles[i] = shape->middle;
    return whole;
}

static void maker_close(struct maker *maker)
{
    if (maker->engine)
        munmap(maker->engine, engine_bytes(&maker->stream->limits));
    free(maker->middles);
    free(maker->live);
    for (uint32_t session = 1; session <= SESSIONS; session++)
        free(maker->places[session]);
    free(maker);
}

static void fill(struct maker *maker, uint64_t commands)
{
    struct stream *stream = maker->stream;
    append_start(maker);
    while (maker->live_count < stream->shape->live_orders)
        append_passive(maker);
    stream->warm_count = stream->count;
    uint64_t warm_events = engine_event_seq_next(maker->engine);
    stream->trade_count = 0;
    while (stream->count < stream->warm_count + commands)
        append_mixed(maker);
    stream->event_count = engine_event_seq_next(maker->engine) - warm_events;
    stream->event_seq_next = engine_event_seq_next(maker->engine);
    stream->event_hash = engine_event_hash(maker->engine);
}

int stream_open(struct stream *stream, const struct shape *shape, uint64_t commands, uint64_t seed, bool report_tops,
                struct error *error)
{
    *stream = (struct stream){.shape = shape};
    limits_set(stream, report_tops);
    uint64_t most = commands + (uint64_t)shape->live_orders + shape->instruments + SESSIONS + 64;
    stream->mapped_bytes = most * sizeof(*stream->commands);
    stream->commands = stream_memory(stream->mapped_bytes);
    struct maker *maker = calloc(1, sizeof(*maker));
    int result = 0;
    if (maker)
        maker->stream = stream;
    if (!stream->commands || !maker || !maker_open(maker, most)) {
        result = error_system(error, ENOMEM, shape->name, "no memory for %llu commands", (unsigned long long)most);
    } else {
        maker->random = seed;
        fill(maker, commands);
    }
    if (maker)
        maker_close(maker);
    if (result < 0)
        stream_close(stream);
    return result;
}

void stream_close(struct stream *stream)
{
    if (stream->commands)
        munmap(stream->commands, stream->mapped_bytes);
    *stream = (struct stream){0};
}
