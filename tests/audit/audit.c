/*
 * Compares all that an exchange at rest has kept, command by command and event by event.
 *
 * usage: ringside-audit --config FILE [--ledgers DIRECTORY] [--without-stores]
 *
 *   1. Journal: every segment, batch and record is whole; numbers have no gap; time never goes back; the commands of a
 *      gateway are those of its inbound ring, none missing, none twice.
 *   2. Engine: applied to these commands it says, byte for byte, what the event log holds, no more and no less.
 *   3. Event log: an order is accepted or rejected once; a number that was used is ignored; the numbers of a session's
 *      messages have no gap; no order loses or gains a share.
 *   4. Ledgers: every request that the journal has was asked so, every order that was asked is there; every message
 * that was told is the one that the event log makes, and there is none besides.
 *   5. PostgreSQL: every row of orders, executions and rejections is what the events say, and there is none besides.
 *   6. Redis: every event of the stream, field by field, from 1 to the last; best prices and last trades are the last.
 *
 * Prints what it has compared as JSON. Exit: 0 all agree, 1 something is wrong (one line each on stderr), 2 it cannot
 * be told.
 */
#include "audit.h"

#include "base/bytes.h"
#include "ringside_engine.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRONG_MAX     20
#define OUTPUT_EVENTS 64

struct session {
    struct ledger *ledger; /* NULL: none */
    uint32_t message_last;
    uint32_t user_ref_last;
};

static struct {
    struct config config;
    const char *ledgers;
    struct session sessions[AUDIT_SESSIONS_MAX];
    uint64_t midnight_ns;
    uint64_t command_count, event_count, message_count, duplicate_count, late_count;
    uint64_t last_time_ns;
    uint64_t inbound_last[256];
    uint32_t tenure_last[256];
    struct engine *engine;
    struct event output[OUTPUT_EVENTS];
    struct event_walk *events;
    uint64_t wrong_count;
} audit;

void wrong(const char *format, ...)
{
    va_list arguments;
    fputs("WRONG: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    if (++audit.wrong_count >= WRONG_MAX)
        exit(1);
}

uint64_t wrong_count(void)
{
    return audit.wrong_count;
}

void give_up(const char *format, ...)
{
    va_list arguments;
    fputs("ringside-audit: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(audit.wrong_count > 0 ? 1 : 2);
}

struct mapped map_file(const char *path)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return (struct mapped){0};
    if (fstat(file, &status) < 0)
        give_up("%s cannot be read", path);
    struct mapped mapped = {.bytes = (const uint8_t *)"", .count = (uint64_t)status.st_size};
    if (mapped.count > 0)
        mapped.bytes = mmap(NULL, mapped.count, PROT_READ, MAP_PRIVATE, file, 0);
    if (mapped.bytes == MAP_FAILED)
        give_up("%s cannot be mapped", path);
    close(file);
    return mapped;
}

void unmap_file(struct mapped *file)
{
    if (file->count > 0)
        munmap((void *)(uintptr_t)file->bytes, file->count);
    *file = (struct mapped){0};
}

void *room_for(uint64_t count, size_t bytes)
{
    void *room = mmap(NULL, count * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        give_up("no memory");
    return room;
}

/* ---- sessions and messages ---- */

static struct session *session_at(uint32_t session)
{
    if (session >= AUDIT_SESSIONS_MAX)
        give_up("session %u: more than this program has room for", session);
    return &audit.sessions[session];
}

static void open_session(const struct event *event)
{
    char user[USER_BYTES + 1];
    if (event->kind != EVENT_LOGIN_ACCEPTED)
        return;
    struct session *session = session_at(event->session);
    text_trim(user, event->login.user, USER_BYTES);
    if (!session->ledger && audit.ledgers)
        session->ledger = ledger_open(audit.ledgers, user);
}

static void check_message(const struct event *event, uint32_t number, uint32_t message_no, bool maker)
{
    struct session *session = session_at(number);
    uint8_t message[128];
    if (message_no == 0)
        return;
    if (message_no != session->message_last + 1)
        wrong("event %llu is message %u of session %u, after %u", (unsigned long long)event->event_seq, message_no,
              number, session->message_last);
    session->message_last = message_no;
    audit.message_count++;
    if (!session->ledger)
        return;
    size_t bytes = message_of(event, maker, audit.midnight_ns, message);
    if (bytes == 0)
        wrong("event %llu of kind %u is a message that this program does not know",
              (unsigned long long)event->event_seq, event->kind);
    else
        ledger_message(session->ledger, message_no, message, bytes);
}

static void take_event(const struct event *event)
{
    if (event->kind == EVENT_DAY_STARTED)
        audit.midnight_ns = event->day.midnight_ns;
    orders_event(event);
    check_message(event, event->session, event->message_no, false);
    if (event->kind == EVENT_EXECUTED)
        check_message(event, event->trade.maker_session, event->trade.maker_message_no, true);
    bool uses_number = event->kind == EVENT_ACCEPTED || event->kind == EVENT_REPLACED || event->kind == EVENT_REJECTED;
    struct session *session = session_at(event->session);
    if (uses_number && event->user_ref <= session->user_ref_last)
        wrong("event %llu answers number %u of session %u once more", (unsigned long long)event->event_seq,
              event->user_ref, event->session);
    if (uses_number)
        session->user_ref_last = event->user_ref;
}

/* ---- commands and their events ---- */

/* What comes from one gateway has the numbers of its inbound ring; a new run's ring begins at 1 with a new tenure. */
static void check_inbound(const struct command *command)
{
    uint64_t *last = &audit.inbound_last[command->gateway];
    bool begins = command->kind == COMMAND_TENURE_BEGINS && command->inbound_seq == 1;
    if (command->time_ns < audit.last_time_ns)
        wrong("command %llu: time goes back", (unsigned long long)command->command_seq);
    audit.last_time_ns = command->time_ns;
    if (command->gateway == 0)
        return;
    if (command->inbound_seq != *last + 1 && !begins)
        wrong("command %llu is record %llu of gateway %u, after %llu", (unsigned long long)command->command_seq,
              (unsigned long long)command->inbound_seq, command->gateway, (unsigned long long)*last);
    *last = command->inbound_seq;
}

/* The user had logged in through another gateway by then; it asks again there. */
static bool came_too_late(const struct event *first)
{
    return first && first->kind == EVENT_COMMAND_REFUSED && first->admin.refused_why == ENGINE_REFUSAL_NOT_CONNECTED;
}

/* An order is answered by its first event, once; a number that was used is ignored. */
static void check_answer(const struct command *command, bool is_new, const struct event *first)
{
    if (came_too_late(first)) {
        audit.late_count++;
        return;
    }
    bool answered = first && (first->kind == EVENT_ACCEPTED || first->kind == EVENT_REJECTED) &&
                    first->session == command->session && first->user_ref == command->user_ref;
    audit.duplicate_count += !is_new;
    if (is_new && !answered)
        wrong("command %llu, order %u of session %u, has no answer", (unsigned long long)command->command_seq,
              command->user_ref, command->session);
    bool says_something = first && first->kind != EVENT_CHECKPOINT && first->kind != EVENT_COMMAND_REFUSED;
    if (!is_new && says_something)
        wrong("command %llu repeats number %u of session %u and is not ignored",
              (unsigned long long)command->command_seq, command->user_ref, command->session);
}

/* The engine's word against the log's. Returns false at the end of the log. */
static bool compare_event(const struct event *said)
{
    const struct event *logged = event_walk_next(audit.events);
    if (!logged) {
        wrong("the event log ends before event %llu, which command %llu causes", (unsigned long long)said->event_seq,
              (unsigned long long)said->command_seq);
        return false;
    }
    audit.event_count++;
    if (memcmp((const uint8_t *)logged + RECORD_HEAD_BYTES, (const uint8_t *)said + RECORD_HEAD_BYTES,
               RECORD_BODY_BYTES) != 0)
        wrong("event %llu is not what command %llu causes", (unsigned long long)said->event_seq,
              (unsigned long long)said->command_seq);
    take_event(logged);
    return true;
}

static bool take_command(const struct command *command)
{
    const struct engine_output output = {.events = audit.output, .mask = OUTPUT_EVENTS - 1};
    struct session *session = session_at(command->session);
    bool is_order = command->kind == COMMAND_ENTER || command->kind == COMMAND_REFUSED;
    bool is_new = command->user_ref > session->user_ref_last;
    audit.command_count++;
    check_inbound(command);
    uint64_t next = engine_event_seq_next(audit.engine);
    int count = engine_apply(audit.engine, command, &output);
    if (count < 0)
        give_up("the engine does not take command %llu", (unsigned long long)command->command_seq);
    for (int i = 0; i < count; i++) /* the first thing a session is told comes before its login */
        open_session(&audit.output[(next + (uint64_t)i) % OUTPUT_EVENTS]);
    const struct event *first = count > 0 ? &audit.output[next % OUTPUT_EVENTS] : NULL;
    if (is_order)
        check_answer(command, is_new, first);
    if (session->ledger && (is_order || command->kind == COMMAND_REPLACE || command->kind == COMMAND_CANCEL))
        ledger_command(session->ledger, command, !came_too_late(first),
                       command->kind == COMMAND_ENTER ? symbol_at(command->order.instrument) : "");
    for (;;) {
        for (; count > 0; count--, next++)
            if (!compare_event(&audit.output[next % OUTPUT_EVENTS]))
                return false;
        if (!engine_more(audit.engine))
            return true;
        count = engine_continue(audit.engine, &output);
    }
}

static void create_engine(void)
{
    const struct engine_limits limits = {
        .orders_max = (uint32_t)audit.config.engine_orders_max,
        .instruments_max = (uint32_t)audit.config.engine_instruments_max,
        .sessions_max = (uint32_t)audit.config.engine_sessions_max,
        .levels_max = (uint32_t)audit.config.engine_levels_max,
        .report_tops = 1,
    };
    void *memory = room_for(1, engine_bytes(&limits));
    audit.engine = engine_create(memory, &limits);
    if (!audit.engine)
        give_up("no engine of these limits");
}

static void compare_all(void)
{
    struct command command;
    struct journal_walk *journal = journal_walk_open(audit.config.journal_directory);
    audit.events = event_walk_open(audit.config.events_directory);
    bool goes_on = true;
    while (goes_on && journal_walk_next(journal, &command))
        goes_on = take_command(&command);
    const struct event *more = goes_on ? event_walk_next(audit.events) : NULL;
    if (more)
        wrong("the event log holds event %llu of command %llu, which the journal does not have",
              (unsigned long long)more->event_seq, (unsigned long long)more->command_seq);
    event_walk_close(audit.events);
    uint64_t asked = 0;
    uint64_t told = 0;
    for (uint32_t i = 0; i < AUDIT_SESSIONS_MAX; i++) {
        struct ledger *ledger = audit.sessions[i].ledger;
        if (!ledger)
            continue;
        ledger_end(ledger);
        asked += ledger_asked(ledger);
        told += ledger_told(ledger);
    }
    if (audit.ledgers && told == 0)
        wrong("there are no ledgers in %s, or nobody was told anything", audit.ledgers);
    printf("{\"commands\": %llu, \"epochs\": %u, \"events\": %llu, \"messages\": %llu, \"asked\": %llu, "
           "\"told\": %llu, \"orders\": %llu, \"resent_ignored\": %llu, \"late_refused\": %llu",
           (unsigned long long)audit.command_count, journal_walk_epochs(journal), (unsigned long long)audit.event_count,
           (unsigned long long)audit.message_count, (unsigned long long)asked, (unsigned long long)told,
           (unsigned long long)orders_count(), (unsigned long long)audit.duplicate_count,
           (unsigned long long)audit.late_count);
    journal_walk_close(journal);
}

int main(int argc, char **argv)
{
    struct error error = {0};
    bool stores = true;
    const char *config = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--without-stores") == 0)
            stores = false;
        else if (i + 1 < argc && strcmp(argv[i], "--config") == 0)
            config = argv[++i];
        else if (i + 1 < argc && strcmp(argv[i], "--ledgers") == 0)
            audit.ledgers = argv[++i];
        else
            give_up("usage: ringside-audit --config FILE [--ledgers DIRECTORY] [--without-stores]");
    }
    config_init(&audit.config);
    if (!config || config_read(&audit.config, config, &error) < 0)
        give_up("no configuration: %s", config ? error.what : "--config FILE is missing");
    create_engine();
    compare_all();
    if (stores && *audit.config.postgres_connection)
        postgres_compare(&audit.config, audit.event_count);
    if (stores && *audit.config.redis_address)
        redis_compare(&audit.config, audit.event_count);
    printf(", \"wrong\": %llu}\n", (unsigned long long)audit.wrong_count);
    config_finish(&audit.config);
    return audit.wrong_count > 0 ? 1 : 0;
}
