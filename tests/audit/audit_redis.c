/*
 * Every event of Redis' stream against the event log, field by field, by the table of docs/stores.md; then the hashes
 * of best prices and last trades against the last event of each instrument.
 */
#include "audit.h"

#include "base/bytes.h"

#include <hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_AT_ONCE 256

/* ---- MessagePack, as much as is written ---- */

struct pack {
    const uint8_t *at, *end;
    uint64_t seq; /* of the event that is read, for what is said of it */
};

static void pack_need(const struct pack *pack, size_t bytes)
{
    if ((size_t)(pack->end - pack->at) < bytes)
        give_up("Redis: the payload of event %llu is cut short", (unsigned long long)pack->seq);
}

static uint64_t pack_big(struct pack *pack, size_t bytes)
{
    uint64_t value = 0;
    pack_need(pack, bytes);
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | *pack->at++;
    return value;
}

static int64_t pack_number(struct pack *pack)
{
    uint8_t head = (uint8_t)pack_big(pack, 1);
    if (head < 0x80)
        return head;
    if (head >= 0xe0)
        return (int8_t)head;
    if (head >= 0xcc && head <= 0xcf)
        return (int64_t)pack_big(pack, (size_t)1 << (head - 0xcc));
    if (head == 0xd0)
        return (int8_t)pack_big(pack, 1);
    if (head == 0xd1)
        return (int16_t)pack_big(pack, 2);
    if (head == 0xd2)
        return (int32_t)pack_big(pack, 4);
    if (head == 0xd3)
        return (int64_t)pack_big(pack, 8);
    give_up("Redis: event %llu has 0x%02x where a number is due", (unsigned long long)pack->seq, head);
}

static uint64_t pack_count(struct pack *pack, uint8_t fixed, uint8_t mask, uint8_t head16)
{
    uint8_t head = (uint8_t)pack_big(pack, 1);
    if ((head & (uint8_t)~mask) == fixed)
        return head & mask;
    if (head == head16)
        return pack_big(pack, 2);
    if (head == head16 + 1)
        return pack_big(pack, 4);
    give_up("Redis: event %llu has 0x%02x where a list is due", (unsigned long long)pack->seq, head);
}

/* A text of at most 15 bytes; nil is empty. */
static void pack_text(struct pack *pack, char text[32])
{
    memset(text, 0, 32);
    pack_need(pack, 1);
    uint8_t head = *pack->at++;
    if (head == 0xc0)
        return;
    if (head < 0xa0 || head > 0xbf)
        give_up("Redis: event %llu has 0x%02x where a text is due", (unsigned long long)pack->seq, head);
    pack_need(pack, head & 31u);
    memcpy(text, pack->at, head & 31u);
    pack->at += head & 31u;
}

/* ---- the fields of each kind ---- */

enum field_type { NUMBER, PRICE, LETTER, TEXT, SYMBOL };

struct field {
    uint8_t type;
    uint8_t offset;
    uint8_t bytes;
};

/* NOLINTBEGIN(bugprone-macro-parentheses): lists of members cannot stand in parentheses */
#define FIELD(type, member)                                                                                            \
    {                                                                                                                  \
        type, offsetof(struct event, member), sizeof(((struct event *)0)->member)                                      \
    }
#define ORDER(body)                                                                                                    \
    FIELD(NUMBER, body.order_ref), FIELD(NUMBER, session), FIELD(NUMBER, user_ref), FIELD(NUMBER, instrument),         \
        FIELD(TEXT, body.symbol), FIELD(LETTER, side), FIELD(PRICE, body.price_ticks), FIELD(NUMBER, body.quantity),   \
        FIELD(LETTER, reason), FIELD(LETTER, body.time_in_force), FIELD(LETTER, body.display),                         \
        FIELD(LETTER, body.capacity), FIELD(TEXT, body.firm), FIELD(TEXT, body.client_order_id)
#define LOGIN                                                                                                          \
    FIELD(NUMBER, session), FIELD(TEXT, login.user), FIELD(TEXT, login.firm), FIELD(NUMBER, login.gateway),            \
        FIELD(NUMBER, login.tenure), FIELD(NUMBER, login.connection), FIELD(NUMBER, login.message_next),               \
        FIELD(NUMBER, login.user_ref_next), FIELD(NUMBER, login.date), FIELD(LETTER, reason)
#define ADMIN                                                                                                          \
    FIELD(NUMBER, instrument), FIELD(TEXT, admin.symbol), FIELD(PRICE, admin.tick_ticks),                              \
        FIELD(NUMBER, admin.lot_quantity), FIELD(PRICE, admin.reference_ticks), FIELD(PRICE, admin.collar_ticks),      \
        FIELD(PRICE, admin.fat_finger_ticks), FIELD(NUMBER, admin.quantity_max), FIELD(NUMBER, admin.notional_max),    \
        FIELD(TEXT, admin.firm), FIELD(LETTER, admin.market_state), FIELD(NUMBER, admin.refused_kind),                 \
        FIELD(NUMBER, admin.refused_why)
/* NOLINTEND(bugprone-macro-parentheses) */
#define FIELDS_MAX 20

static const struct {
    uint8_t kind;
    struct field fields[FIELDS_MAX]; /* bytes 0: no more */
} kinds[] = {
    {EVENT_ACCEPTED, {ORDER(accepted), FIELD(NUMBER, accepted.min_quantity), FIELD(NUMBER, accepted.max_floor)}},
    {EVENT_REPLACED,
     {ORDER(replaced), FIELD(NUMBER, replaced.previous_order_ref), FIELD(NUMBER, replaced.target_user_ref)}},
    {EVENT_CANCELED,
     {FIELD(NUMBER, cut.order_ref), FIELD(NUMBER, session), FIELD(NUMBER, user_ref), FIELD(NUMBER, instrument),
      FIELD(LETTER, side), FIELD(PRICE, cut.price_ticks), FIELD(NUMBER, cut.decrement),
      FIELD(NUMBER, cut.leaves_quantity), FIELD(LETTER, reason)}},
    {EVENT_EXECUTED,
     {FIELD(NUMBER, trade.match_number), FIELD(NUMBER, instrument), FIELD(SYMBOL, instrument),
      FIELD(PRICE, trade.price_ticks), FIELD(NUMBER, trade.quantity), FIELD(NUMBER, trade.order_ref),
      FIELD(NUMBER, session), FIELD(NUMBER, user_ref), FIELD(LETTER, side), FIELD(NUMBER, trade.leaves_quantity),
      FIELD(LETTER, trade.liquidity), FIELD(NUMBER, trade.maker_order_ref), FIELD(NUMBER, trade.maker_session),
      FIELD(NUMBER, trade.maker_user_ref), FIELD(LETTER, trade.maker_side), FIELD(NUMBER, trade.maker_leaves_quantity),
      FIELD(LETTER, trade.maker_liquidity)}},
    {EVENT_REJECTED,
     {FIELD(NUMBER, session), FIELD(NUMBER, user_ref), FIELD(NUMBER, refused.refused_kind),
      FIELD(NUMBER, refused.reason), FIELD(TEXT, refused.client_order_id)}},
    {EVENT_ACCOUNT_ANSWER, {FIELD(NUMBER, session), FIELD(NUMBER, user_ref)}},
    {EVENT_SYSTEM_EVENT, {FIELD(NUMBER, session), FIELD(LETTER, reason)}},
    {EVENT_LOGIN_ACCEPTED, {LOGIN}},
    {EVENT_LOGIN_REFUSED, {LOGIN}},
    {EVENT_SESSION_CLOSED, {LOGIN}},
    {EVENT_DAY_STARTED, {FIELD(NUMBER, day.date), FIELD(NUMBER, day.midnight_ns)}},
    {EVENT_INSTRUMENT_ADDED, {ADMIN}},
    {EVENT_COMMAND_REFUSED, {ADMIN}},
    {EVENT_OPERATOR_ACTED,
     {FIELD(NUMBER, acted.operator_id), FIELD(TEXT, acted.operator_name), FIELD(NUMBER, user_ref),
      FIELD(NUMBER, acted.kind), FIELD(NUMBER, acted.why), FIELD(NUMBER, acted.flag), FIELD(NUMBER, instrument),
      FIELD(TEXT, acted.user), FIELD(TEXT, acted.firm), FIELD(LETTER, acted.market_state),
      FIELD(NUMBER, acted.match_number), FIELD(NUMBER, acted.target_gateway)}},
    {EVENT_BOOK_TOP,
     {FIELD(NUMBER, instrument), FIELD(TEXT, top.symbol), FIELD(PRICE, top.bid_ticks), FIELD(NUMBER, top.bid_quantity),
      FIELD(PRICE, top.ask_ticks), FIELD(NUMBER, top.ask_quantity)}},
    {EVENT_CHECKPOINT,
     {FIELD(NUMBER, checkpoint.command_seq), FIELD(NUMBER, checkpoint.event_hash), FIELD(NUMBER, checkpoint.state_hash),
      FIELD(NUMBER, checkpoint.live_order_count)}},
};

static const struct field *fields_of(uint8_t kind)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].kind == kind)
            return kinds[i].fields;
    return NULL;
}

static bool same_field(struct pack *pack, const struct event *event, const struct field *field)
{
    const uint8_t *bytes = (const uint8_t *)event + field->offset;
    uint64_t number = 0;
    char text[32] = {0};
    char expected[32] = {0};
    memcpy(&number, bytes, field->bytes < 8 ? field->bytes : 8);
    if (field->type == NUMBER)
        return (uint64_t)pack_number(pack) == number;
    if (field->type == PRICE)
        return pack_number(pack) == (int32_t)number;
    pack_text(pack, text);
    if (field->type == SYMBOL)
        text_trim(expected, symbol_at((uint32_t)number), SYMBOL_BYTES);
    else if (field->type == TEXT)
        text_trim(expected, (const char *)bytes, field->bytes);
    else
        expected[0] = (char)number;
    return strcmp(text, expected) == 0;
}

static void compare_event(struct pack *pack, const struct event *event)
{
    const struct field *fields = fields_of(event->kind);
    uint64_t count = 2;
    while (fields && count - 2 < FIELDS_MAX && fields[count - 2].bytes != 0)
        count++;
    pack->seq = event->event_seq;
    bool same = pack_count(pack, 0x90, 0x0f, 0xdc) == count && fields && pack_number(pack) == event->kind &&
                (uint64_t)pack_number(pack) == event->time_ns;
    for (uint64_t i = 0; same && i < count - 2; i++)
        same = same_field(pack, event, &fields[i]);
    if (same)
        return;
    wrong("Redis: event %llu, kind %u, is not what the event log holds", (unsigned long long)event->event_seq,
          event->kind);
    give_up("Redis: so the rest of the stream is not compared");
}

/* ---- the stream ---- */

/* One entry: its id is the number of its last event, its events go on where those before it ended. */
static void compare_entry(const redisReply *entry, struct event_walk *walk, uint64_t *next)
{
    const redisReply *fields = entry->element[1];
    const redisReply *payload = NULL;
    for (size_t i = 0; i + 1 < fields->elements; i += 2)
        if (strcmp(fields->element[i]->str, "p") == 0)
            payload = fields->element[i + 1];
    if (!payload)
        give_up("Redis: entry %s has no payload", entry->element[0]->str);
    struct pack pack = {.at = (const uint8_t *)payload->str, .seq = *next};
    pack.end = pack.at + payload->len;
    bool begins = pack_count(&pack, 0x90, 0x0f, 0xdc) == 3 && pack_number(&pack) == 1;
    if (!begins || (uint64_t)pack_number(&pack) != *next)
        give_up("Redis: entry %s does not begin at event %llu", entry->element[0]->str, (unsigned long long)*next);
    uint64_t count = pack_count(&pack, 0x90, 0x0f, 0xdc);
    for (; count > 0; count--, ++*next) {
        const struct event *event = event_walk_next(walk);
        if (!event)
            give_up("Redis: the stream holds event %llu, the event log ends before", (unsigned long long)*next);
        compare_event(&pack, event);
    }
    if (pack.at != pack.end || strtoull(entry->element[0]->str, NULL, 10) != *next - 1)
        wrong("Redis: entry %s ends with event %llu", entry->element[0]->str, (unsigned long long)*next - 1);
}

static redisReply *ask(redisContext *redis, const char *format, const char *first, const char *second)
{
    redisReply *reply = redisCommand(redis, format, first, second);
    if (!reply || reply->type == REDIS_REPLY_ERROR)
        give_up("Redis: %s", reply ? reply->str : redis->errstr);
    return reply;
}

static void compare_stream(redisContext *redis, const struct config *config, uint64_t event_count)
{
    struct event_walk *walk = event_walk_open(config->events_directory);
    char from[32] = "-";
    char query[64];
    uint64_t next = 1;
    uint64_t entries = 0;
    snprintf(query, sizeof(query), "XRANGE %%s:events %%s + COUNT %d", ENTRIES_AT_ONCE);
    for (;;) {
        redisReply *reply = ask(redis, query, config->redis_prefix, from);
        if (reply->elements == 0) {
            freeReplyObject(reply);
            break;
        }
        for (size_t i = 0; i < reply->elements; i++, entries++)
            compare_entry(reply->element[i], walk, &next);
        freeReplyObject(reply);
        snprintf(from, sizeof(from), "%llu-0", (unsigned long long)next);
    }
    event_walk_close(walk);
    if (next != event_count + 1)
        wrong("Redis: the stream ends with event %llu, the event log with %llu", (unsigned long long)next - 1,
              (unsigned long long)event_count);
    printf(", \"redis_events\": %llu, \"redis_entries\": %llu", (unsigned long long)next - 1,
           (unsigned long long)entries);
}

/* ---- best prices and last trades ---- */

static void price_text(char text[24], int32_t ticks, uint64_t quantity)
{
    text[0] = '\0';
    if (quantity != 0)
        snprintf(text, 24, "%d.%04d", ticks / 10000, ticks % 10000);
}

static void compare_hash(redisContext *redis, const struct config *config, const char *what, const struct event *event,
                         const char *expected)
{
    static const char fields[2][60] = {"bid bid_quantity ask ask_quantity time_ns event_seq",
                                       "price quantity match_number time_ns event_seq"};
    char query[128];
    char symbol[9];
    char text[256] = "";
    bool top = strcmp(what, "top") == 0;
    text_trim(symbol, symbol_at(event->instrument), SYMBOL_BYTES);
    snprintf(query, sizeof(query), "HMGET %%s:%s:%%s %s", what, fields[top ? 0 : 1]);
    redisReply *reply = ask(redis, query, config->redis_prefix, symbol);
    for (size_t i = 0; i < reply->elements; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s ", reply->element[i]->str ? reply->element[i]->str : "(nil)");
    }
    freeReplyObject(reply);
    if (strcmp(text, expected) != 0)
        wrong("Redis: %s:%s is %s where event %llu says %s", what, symbol, text, (unsigned long long)event->event_seq,
              expected);
}

static void compare_live(redisContext *redis, const struct config *config)
{
    static struct event tops[AUDIT_INSTRUMENTS_MAX];
    static struct event lasts[AUDIT_INSTRUMENTS_MAX];
    struct event_walk *walk = event_walk_open(config->events_directory);
    const struct event *event;
    char line[256];
    while ((event = event_walk_next(walk)) != NULL) {
        if (event->kind == EVENT_BOOK_TOP)
            tops[event->instrument % AUDIT_INSTRUMENTS_MAX] = *event;
        else if (event->kind == EVENT_EXECUTED)
            lasts[event->instrument % AUDIT_INSTRUMENTS_MAX] = *event;
    }
    for (uint32_t i = 0; i < AUDIT_INSTRUMENTS_MAX; i++) {
        const struct event_top *top = &tops[i].top;
        char first[24];
        char second[24];
        price_text(first, top->bid_ticks, top->bid_quantity);
        price_text(second, top->ask_ticks, top->ask_quantity);
        snprintf(line, sizeof(line), "%s %llu %s %llu %llu %llu ", first, (unsigned long long)top->bid_quantity, second,
                 (unsigned long long)top->ask_quantity, (unsigned long long)tops[i].time_ns,
                 (unsigned long long)tops[i].event_seq);
        if (tops[i].event_seq != 0)
            compare_hash(redis, config, "top", &tops[i], line);
        price_text(first, lasts[i].trade.price_ticks, 1);
        snprintf(line, sizeof(line), "%s %u %llu %llu %llu ", first, lasts[i].trade.quantity,
                 (unsigned long long)lasts[i].trade.match_number, (unsigned long long)lasts[i].time_ns,
                 (unsigned long long)lasts[i].event_seq);
        if (lasts[i].event_seq != 0)
            compare_hash(redis, config, "last", &lasts[i], line);
    }
    event_walk_close(walk);
}

void redis_compare(const struct config *config, uint64_t event_count)
{
    redisContext *redis = redisConnectUnix(config->redis_address);
    if (!redis || redis->err)
        give_up("Redis at %s: %s", config->redis_address, redis ? redis->errstr : "no memory");
    compare_stream(redis, config, event_count);
    compare_live(redis, config);
    redisFree(redis);
}
