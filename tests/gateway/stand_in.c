#include "stand_in.h"

#include "accounts.h"
#include "base/bytes.h"
#include "base/require.h"
#include "base/units.h"
#include "env/clock.h"
#include "gateway.h"
#include "log/log.h"
#include "ringside_engine.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENT_SLOTS 256u

static void must(int code, const struct error *error, const char *what)
{
    if (code >= 0)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, error->where, error->what);
    abort();
}

/* ---- the folder ---- */

/* Nobody listens on it, and the kernel gives it to no connection, so it stays free for a gateway that comes later.
 * Where the kernel may give any port, this takes any. */
static uint16_t free_port(void)
{
    char given[64];
    FILE *range = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
    REQUIRE(range && fgets(given, sizeof(given), range));
    fclose(range);
    uint32_t first_given = (uint32_t)strtoul(given, NULL, 10);
    uint32_t end = first_given > 20000 ? first_given : 60000;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (;;) {
        uint32_t random;
        REQUIRE(getrandom(&random, sizeof(random), 0) == sizeof(random));
        uint16_t port = (uint16_t)(10000 + random % (end - 10000));
        address.sin_port = htons(port);
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        bool free = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
        close(fd);
        if (free)
            return port;
    }
}

static void configure(struct stand_in *exchange, const char *const *settings)
{
    struct error error;
    char setting[160];
    config_init(&exchange->config);
    static const char *const paths[] = {"exchange.rings_directory=%s/rings", "events.directory=%s/events",
                                        "gateway.accounts=%s/accounts"};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        const char *format = paths[i];
        size_t cut = strcspn(format, "%");
        snprintf(setting, sizeof(setting), "%.*s%s%s", (int)cut, format, exchange->folder, format + cut + 2);
        must(config_set(&exchange->config, setting, &error), &error, "config_set");
    }
    snprintf(setting, sizeof(setting), "gateway.port=%u", free_port());
    must(config_set(&exchange->config, setting, &error), &error, "config_set");
    must(config_set(&exchange->config, "engine.sessions_max=64", &error), &error, "config_set");
    for (; settings && *settings; settings++)
        must(config_set(&exchange->config, *settings, &error), &error, *settings);
}

static void add_users(const struct stand_in *exchange)
{
    struct error error;
    char names[STAND_IN_USERS][8];
    struct account_entry entries[STAND_IN_USERS];
    for (uint32_t i = 0; i < STAND_IN_USERS; i++) {
        snprintf(names[i], sizeof(names[i]), "u%02u", (i + 1) % 100);
        entries[i] = (struct account_entry){names[i], "FRMA", STAND_IN_PASSWORD};
    }
    must(accounts_put(exchange->config.gateway_accounts, entries, STAND_IN_USERS, &error), &error, "accounts_put");
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

/* ---- opening ---- */

static void engine_take(struct stand_in *exchange, const struct command *command);

static void run_make(struct stand_in *exchange)
{
    struct error error;
    const struct config *config = &exchange->config;
    const struct run_base base = {.command_seq_next = 1, .event_seq_next = 1, .epoch = 1, .gateway_count = 1};
    must(run_take_role(&exchange->journaler_run, config->exchange_rings_directory, PROCESS_JOURNALER, 0, &error),
         &error, "run_take_role");
    must(run_join_or_lock(&exchange->journaler_run, &error), &error, "run_join_or_lock");
    must(run_create(&exchange->journaler_run, &base, &error), &error, "run_create");

    struct ring_parameters parameters = {0};
    char path[RUN_PATH_BYTES];
    run_ring_path(&exchange->journaler_run, RING_NAME_EVENT, path);
    run_ring_parameters(&exchange->journaler_run, RING_NAME_EVENT, &parameters);
    parameters.capacity = EVENT_SLOTS;
    parameters.base_seq = 1;
    parameters.record_hash = event_layout_hash();
    parameters.gating_count = 1;
    parameters.gating_names[0] = LINE_EVENT_LOG;
    must(ring_create(&exchange->event_ring, path, &parameters, &error), &error, "ring_create");
    must(ring_producer_open(&exchange->events, &exchange->event_ring, 2, &error), &error, "ring_producer_open");
    must(ring_consumer_open(&exchange->event_log_line, &exchange->event_ring, LINE_EVENT_LOG, 0, &error), &error,
         "ring_consumer_open");
    uint64_t next = 0;
    must(eventlog_writer_open(&exchange->log, config->events_directory, UINT64_MAX, &next, &error), &error,
         "eventlog_writer_open");
    exchange->event_seq_next = 1;
}

static void gateway_start(struct stand_in *exchange)
{
    struct error error;
    const struct config *config = &exchange->config;
    must(run_take_role(&exchange->gateway_run, config->exchange_rings_directory, PROCESS_GATEWAY, 1, &error), &error,
         "run_take_role");
    const struct stage_context context = {.config = config, .run = &exchange->gateway_run, .gateway = 1};
    must(gateway_stage.open(&exchange->gateway, &context, &error), &error, "gateway open");
}

static void gateway_end(struct stand_in *exchange)
{
    gateway_stage.close(exchange->gateway);
    run_leave(&exchange->gateway_run);
}

static void day_begin(struct stand_in *exchange, uint32_t date)
{
    struct event event = {
        .kind = EVENT_DAY_STARTED,
        .day = {.date = date, .midnight_ns = STAND_IN_MIDNIGHT + (date - STAND_IN_DATE) * NS_PER_DAY}};
    stand_in_event(exchange, &event);
}

static void instrument_add(struct stand_in *exchange, uint32_t instrument, const char *symbol)
{
    struct event event = {.kind = EVENT_INSTRUMENT_ADDED, .instrument = instrument};
    text_pad(event.admin.symbol, SYMBOL_BYTES, symbol);
    stand_in_event(exchange, &event);
}

static void rings_open(struct stand_in *exchange, const char *const *settings)
{
    memset(exchange, 0, sizeof(*exchange));
    snprintf(exchange->folder, sizeof(exchange->folder), "/dev/shm/ringside-test-XXXXXX");
    REQUIRE(mkdtemp(exchange->folder));
    log_open("test", getenv("RINGSIDE_TEST_LOG") ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR);
    configure(exchange, settings);
    add_users(exchange);
    run_make(exchange);
}

static void gateway_begin(struct stand_in *exchange)
{
    gateway_start(exchange);
    for (int i = 0; i < 1000 && !gateway_stage.ready(exchange->gateway); i++)
        stand_in_poll(exchange);
    REQUIRE(gateway_stage.ready(exchange->gateway));
}

void stand_in_open(struct stand_in *exchange, const char *const *settings)
{
    rings_open(exchange, settings);
    day_begin(exchange, STAND_IN_DATE);
    instrument_add(exchange, 1, "AAPL");
    instrument_add(exchange, 2, "MSFT");
    gateway_begin(exchange);
}

void stand_in_open_engine(struct stand_in *exchange, const char *const *settings)
{
    const struct engine_limits limits = {.orders_max = 65536,
                                         .instruments_max = 16,
                                         .sessions_max = STAND_IN_USERS,
                                         .levels_max = 4096,
                                         .report_tops = 1};
    rings_open(exchange, settings);
    exchange->engine_memory = aligned_alloc(ENGINE_MEMORY_ALIGNMENT, engine_bytes(&limits));
    REQUIRE(exchange->engine_memory);
    memset(exchange->engine_memory, 0, engine_bytes(&limits));
    exchange->engine = engine_create(exchange->engine_memory, &limits);
    struct command day = {.kind = COMMAND_DAY_START, .inbound_seq = 1};
    day.day.date = STAND_IN_DATE;
    day.day.midnight_ns = STAND_IN_MIDNIGHT;
    engine_take(exchange, &day);
    static const char *const symbols[] = {"AAPL", "MSFT"};
    for (size_t i = 0; i < ARRAY_COUNT(symbols); i++) {
        struct command add = {.kind = COMMAND_INSTRUMENT_ADD, .inbound_seq = 2 + i};
        text_pad(add.admin.symbol, SYMBOL_BYTES, symbols[i]);
        add.admin.tick_ticks = 100;
        add.admin.lot_quantity = 1;
        engine_take(exchange, &add);
    }
    gateway_begin(exchange);
}

void stand_in_close(struct stand_in *exchange)
{
    gateway_end(exchange);
    eventlog_writer_close(exchange->log);
    ring_detach(&exchange->inbound_ring);
    ring_detach(&exchange->event_ring);
    run_leave(&exchange->journaler_run);
    free(exchange->engine_memory);
    config_finish(&exchange->config);
    nftw(exchange->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void stand_in_restart_gateway(struct stand_in *exchange)
{
    gateway_end(exchange);
    gateway_begin(exchange);
}

/* ---- events ---- */

/* Into the ring, and into the log. */
static void publish(struct stand_in *exchange, const struct event *event)
{
    struct error error;
    REQUIRE(ring_put(&exchange->events, event));
    ring_flush(&exchange->events);
    const struct event *written = ring_next(&exchange->event_log_line);
    REQUIRE(written && written->event_seq == event->event_seq);
    must(eventlog_writer_append(exchange->log, &written, 1, &error), &error, "eventlog_writer_append");
    ring_release(&exchange->event_log_line, exchange->event_log_line.next);
}

void stand_in_event(struct stand_in *exchange, struct event *event)
{
    event->event_seq = exchange->event_seq_next++;
    event->command_seq = exchange->command_seq;
    event->time_ns = STAND_IN_MIDNIGHT + 34200 * (uint64_t)NS_PER_SECOND + event->event_seq;
    publish(exchange, event);
}

/* As the matcher does, an event at a time. */
static void engine_take(struct stand_in *exchange, const struct command *command)
{
    static struct event events[ENGINE_EVENTS_MAX];
    const struct engine_output output = {.events = events, .mask = ENGINE_EVENTS_MAX - 1};
    struct command stamped = *command;
    stamped.command_seq = engine_command_seq_next(exchange->engine);
    if (stamped.time_ns == 0)
        stamped.time_ns = STAND_IN_MIDNIGHT + 34200 * (uint64_t)NS_PER_SECOND + stamped.command_seq;
    int count = engine_apply(exchange->engine, &stamped, &output);
    REQUIRE(count >= 0);
    for (;;) {
        uint64_t next = engine_event_seq_next(exchange->engine);
        for (uint64_t seq = next - (uint64_t)count; seq < next; seq++) {
            const char *broken = event_invalid(&events[seq & output.mask]);
            if (broken) {
                fprintf(stderr, "event %s: %s\n", event_kind_name(events[seq & output.mask].kind), broken);
                abort();
            }
            publish(exchange, &events[seq & output.mask]);
        }
        if (!engine_more(exchange->engine))
            return;
        count = engine_continue(exchange->engine, &output);
    }
}

void stand_in_command(struct stand_in *exchange, const struct command *command)
{
    REQUIRE(exchange->engine);
    engine_take(exchange, command);
}

static void tell(struct stand_in *exchange, uint32_t session, struct event *event)
{
    event->session = session;
    event->message_no = exchange->sessions[session].message_next++;
    stand_in_event(exchange, event);
}

void stand_in_accepted(struct stand_in *exchange, uint32_t session, uint32_t user_ref)
{
    struct event event = {.kind = EVENT_ACCEPTED, .instrument = 1, .user_ref = user_ref, .side = 'B', .reason = 'L'};
    event.accepted.order_ref = ++exchange->order_ref;
    text_pad(event.accepted.symbol, SYMBOL_BYTES, "AAPL");
    memset(event.accepted.client_order_id, ' ', CLIENT_ORDER_ID_BYTES);
    memset(event.accepted.firm, ' ', FIRM_BYTES);
    event.accepted.quantity = 100;
    event.accepted.price_ticks = 1000000;
    event.accepted.time_in_force = '0';
    event.accepted.display = 'Y';
    event.accepted.capacity = 'A';
    event.accepted.cross_type = 'N';
    tell(exchange, session, &event);
}

void stand_in_trade(struct stand_in *exchange, uint32_t taker, uint32_t maker)
{
    struct event event = {.kind = EVENT_EXECUTED, .instrument = 1, .session = taker, .user_ref = 1, .side = 'B'};
    struct event_trade *trade = &event.trade;
    trade->maker_session = maker;
    trade->maker_message_no = exchange->sessions[maker].message_next++;
    event.message_no = exchange->sessions[taker].message_next++;
    trade->order_ref = 1;
    trade->maker_order_ref = 2;
    trade->match_number = exchange->event_seq_next;
    trade->price_ticks = 1000000;
    trade->quantity = 5;
    trade->maker_user_ref = 2;
    trade->liquidity = 'R';
    trade->maker_liquidity = 'A';
    stand_in_event(exchange, &event);
}

void stand_in_next_day(struct stand_in *exchange)
{
    struct event event = {.kind = EVENT_DAY_ENDED, .day = {.date = STAND_IN_DATE}};
    stand_in_event(exchange, &event);
    for (uint32_t i = 1; i <= exchange->session_count; i++)
        exchange->sessions[i].message_next = exchange->sessions[i].user_ref_next = 1;
    day_begin(exchange, STAND_IN_DATE + 1);
}

uint32_t stand_in_session_of(const struct stand_in *exchange, const char *user)
{
    char padded[USER_BYTES];
    text_pad(padded, USER_BYTES, user);
    for (uint32_t i = 1; i <= exchange->session_count; i++) {
        if (memcmp(exchange->sessions[i].user, padded, USER_BYTES) == 0)
            return i;
    }
    return 0;
}

/* ---- commands ---- */

static void session_event(struct stand_in *exchange, uint8_t kind, uint32_t session)
{
    struct stand_in_session *owner = &exchange->sessions[session];
    struct event event = {.kind = kind, .session = session};
    event.login.connection = owner->connection;
    event.login.tenure = owner->tenure;
    event.login.gateway = 1;
    event.login.message_next = owner->message_next;
    event.login.date = STAND_IN_DATE;
    memcpy(event.login.user, owner->user, USER_BYTES);
    stand_in_event(exchange, &event);
    if (kind == EVENT_SESSION_CLOSED)
        owner->connection = 0;
}

static void login(struct stand_in *exchange, const struct command *command)
{
    char user[USER_BYTES + 1];
    text_trim(user, command->login.user, USER_BYTES);
    uint32_t session = stand_in_session_of(exchange, user);
    bool is_new = session == 0;
    if (is_new) {
        session = ++exchange->session_count;
        memcpy(exchange->sessions[session].user, command->login.user, USER_BYTES);
        exchange->sessions[session].message_next = exchange->sessions[session].user_ref_next = 1;
    }
    if (exchange->sessions[session].connection != 0)
        session_event(exchange, EVENT_SESSION_CLOSED, session);
    exchange->sessions[session].connection = command->login.connection;
    exchange->sessions[session].tenure = command->tenure;
    session_event(exchange, EVENT_LOGIN_ACCEPTED, session);
    if (exchange->sessions[session].message_next == 1) {
        struct event event = {.kind = EVENT_SYSTEM_EVENT, .reason = 'S'};
        tell(exchange, session, &event);
    }
}

static void refused(struct stand_in *exchange, const struct command *command)
{
    struct event event = {.kind = EVENT_REJECTED, .user_ref = command->user_ref};
    event.refused.reason = command->refused.reason;
    event.refused.refused_kind = command->refused.refused_kind;
    memcpy(event.refused.client_order_id, command->refused.client_order_id, CLIENT_ORDER_ID_BYTES);
    exchange->sessions[command->session].user_ref_next = command->user_ref + 1;
    tell(exchange, command->session, &event);
}

static void cancel(struct stand_in *exchange, const struct command *command)
{
    struct event event = {.kind = EVENT_CANCELED, .user_ref = command->order.target_user_ref, .reason = 'U'};
    event.cut.decrement = 100;
    tell(exchange, command->session, &event);
}

static void account_query(struct stand_in *exchange, const struct command *command)
{
    struct event event = {.kind = EVENT_ACCOUNT_ANSWER, .user_ref = exchange->sessions[command->session].user_ref_next};
    tell(exchange, command->session, &event);
}

static void take(struct stand_in *exchange, const struct command *command)
{
    exchange->command_seq++;
    if (command->kind == COMMAND_LOGIN && command->login.flag & LOGIN_FAILED) {
        exchange->failed_login_count++; /* for the record: the engine answers to nobody */
        return;
    }
    exchange->command_count[command->kind]++;
    exchange->last[command->kind] = *command;
    const char *broken = command_invalid(command);
    if (broken) {
        fprintf(stderr, "command %s: %s\n", command_kind_name(command->kind), broken);
        abort();
    }
    if (exchange->engine) {
        engine_take(exchange, command);
        return;
    }
    switch (command->kind) {
    case COMMAND_LOGIN:
        login(exchange, command);
        break;
    case COMMAND_LOGOUT:
        for (uint32_t i = 1; i <= exchange->session_count; i++) {
            if (exchange->sessions[i].connection == command->login.connection)
                session_event(exchange, EVENT_SESSION_CLOSED, i);
        }
        break;
    case COMMAND_TENURE_BEGINS:
        for (uint32_t i = 1; i <= exchange->session_count; i++) {
            if (exchange->sessions[i].connection != 0)
                session_event(exchange, EVENT_SESSION_CLOSED, i);
        }
        break;
    case COMMAND_ENTER:
        exchange->sessions[command->session].user_ref_next = command->user_ref + 1;
        stand_in_accepted(exchange, command->session, command->user_ref);
        break;
    case COMMAND_CANCEL:
        cancel(exchange, command);
        break;
    case COMMAND_REFUSED:
        refused(exchange, command);
        break;
    case COMMAND_ACCOUNT_QUERY:
        account_query(exchange, command);
        break;
    default:
        break;
    }
}

static int commands_poll(struct stand_in *exchange)
{
    struct error error;
    if (!exchange->attached) {
        char path[RUN_PATH_BYTES];
        struct ring_parameters parameters = {0};
        run_ring_path(&exchange->journaler_run, "inbound-1", path);
        run_ring_parameters(&exchange->journaler_run, "inbound-1", &parameters);
        if (ring_attach(&exchange->inbound_ring, path, true, &parameters, &error) < 0)
            return 0;
        must(ring_consumer_open(&exchange->commands, &exchange->inbound_ring, LINE_SEQUENCER, 1, &error), &error,
             "ring_consumer_open");
        exchange->attached = true;
    }
    int count = 0;
    const struct command *command;
    while (!exchange->hold && count < 64 && (command = ring_next(&exchange->commands))) {
        REQUIRE(command->inbound_seq == exchange->commands.next - 1);
        take(exchange, command);
        ring_release(&exchange->commands, exchange->commands.next);
        count++;
    }
    return count;
}

int stand_in_poll(struct stand_in *exchange)
{
    struct error error;
    int count = gateway_stage.poll(exchange->gateway, clock_monotonic_ns(), &error);
    must(count, &error, "gateway poll");
    return count + commands_poll(exchange);
}
