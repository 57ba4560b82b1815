#include "redis_truth.h"

#include "base/bytes.h"
#include "outside.h"
#include "record/event.h"
#include "witness.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define INSTRUMENTS_MAX 8

/* How far the hashes have been followed, and what they must show there. */
static struct {
    uint64_t at;
    uint64_t tops[INSTRUMENTS_MAX], lasts[INSTRUMENTS_MAX]; /* the last event of each */
    char symbols[INSTRUMENTS_MAX][SYMBOL_BYTES + 1];
    char users[WITNESS_USERS_MAX + 1][USER_BYTES + 1];
} shown;

static const struct event *event_of(uint64_t seq)
{
    const struct event *event = witness_event(seq);
    if (!event)
        violation("Redis says that it has event %" PRIu64 ", but what is acknowledged makes %" PRIu64 " events only",
                  seq, witness_event_count());
    return event;
}

/* ---- a payload: MessagePack, of which there is only what the schema needs -----------------------------------------
 */

struct unpack {
    const uint8_t *at, *end;
    uint64_t entry;
};

static _Noreturn void malformed(const struct unpack *unpack)
{
    violation("Redis: the payload of entry %" PRIu64 " is none", unpack->entry);
}

static uint64_t big_endian(struct unpack *unpack, uint32_t bytes)
{
    uint64_t value = 0;
    if ((size_t)(unpack->end - unpack->at) < bytes)
        malformed(unpack);
    for (; bytes > 0; bytes--)
        value = value << 8 | *unpack->at++;
    return value;
}

static uint64_t array_of(struct unpack *unpack)
{
    uint8_t head = (uint8_t)big_endian(unpack, 1);
    if ((head & 0xf0) == 0x90)
        return head & 0x0f;
    if (head != 0xdc && head != 0xdd)
        malformed(unpack);
    return big_endian(unpack, head == 0xdc ? 2 : 4);
}

static uint64_t number_of(struct unpack *unpack)
{
    uint8_t head = (uint8_t)big_endian(unpack, 1);
    if (head < 0x80)
        return head;
    if (head < 0xcc || head > 0xcf)
        malformed(unpack);
    return big_endian(unpack, 1u << (head - 0xcc));
}

/* A number, positive or not, nil, or a text. */
static void skip(struct unpack *unpack)
{
    uint8_t head = (uint8_t)big_endian(unpack, 1);
    if (head < 0x80 || head >= 0xe0 || head == 0xc0)
        return;
    uint32_t bytes = 0;
    if (head >= 0xcc && head <= 0xd3)
        bytes = 1u << ((head - 0xcc) & 3);
    else if ((head & 0xe0) == 0xa0)
        bytes = head & 0x1f;
    else if (head == 0xd9)
        bytes = (uint32_t)big_endian(unpack, 1);
    else
        malformed(unpack);
    if ((size_t)(unpack->end - unpack->at) < bytes)
        malformed(unpack);
    unpack->at += bytes;
}

static void compare_event(struct unpack *unpack, uint64_t seq)
{
    const struct event *event = event_of(seq);
    uint64_t fields = array_of(unpack);
    uint64_t kind = number_of(unpack);
    uint64_t time_ns = number_of(unpack);
    if (kind != event->kind || time_ns != event->time_ns)
        violation("Redis: the entry of event %" PRIu64 " has kind %" PRIu64 " there, and another time or kind than it",
                  seq, kind);
    for (uint64_t i = 2; i < fields; i++)
        skip(unpack);
}

static void compare_payload(const struct redis_stream_entry *entry, const uint8_t *payload, size_t payload_bytes)
{
    struct unpack unpack = {.at = payload, .end = payload + payload_bytes, .entry = entry->id};
    if (entry->id != entry->last || entry->first > entry->last)
        violation("Redis: entry %" PRIu64 " is of events %" PRIu64 " to %" PRIu64, entry->id, entry->first,
                  entry->last);
    uint64_t parts = array_of(&unpack);
    uint64_t version = number_of(&unpack);
    uint64_t first = number_of(&unpack);
    uint64_t count = array_of(&unpack);
    if (parts != 3 || version != 1 || first != entry->first || count != entry->last - entry->first + 1)
        malformed(&unpack);
    for (uint64_t seq = entry->first; seq <= entry->last; seq++)
        compare_event(&unpack, seq);
    if (unpack.at != unpack.end)
        malformed(&unpack);
}

void redis_truth_entry(uint64_t mark_seq, const struct redis_stream_entry *entry, const uint8_t *payload,
                       size_t payload_bytes)
{
    bool has_gap = entry->first > mark_seq + 1;
    if (entry->first != mark_seq + 1 &&
        !(has_gap && mark_seq + 1 < witness_events_from())) /* what was trimmed is gone */
        violation("Redis: an entry begins with event %" PRIu64 ", where event %" PRIu64 " is due", entry->first,
                  mark_seq + 1);
    compare_payload(entry, payload, payload_bytes);
}

/* ---- hashes -------------------------------------------------------------------------------------------------------
 */

void redis_truth_forget(void)
{
    memset(&shown, 0, sizeof(shown));
}

static void follow(const struct event *event)
{
    if (event->kind == EVENT_BOOK_TOP) {
        REQUIRE(event->instrument < INSTRUMENTS_MAX);
        shown.tops[event->instrument] = event->event_seq;
    } else if (event->kind == EVENT_EXECUTED) {
        REQUIRE(event->instrument < INSTRUMENTS_MAX);
        shown.lasts[event->instrument] = event->event_seq;
    } else if (event->kind == EVENT_INSTRUMENT_ADDED) {
        REQUIRE(event->instrument < INSTRUMENTS_MAX);
        text_trim(shown.symbols[event->instrument], event->admin.symbol, SYMBOL_BYTES);
    } else if (event->kind == EVENT_LOGIN_ACCEPTED) {
        REQUIRE(event->session <= WITNESS_USERS_MAX);
        text_trim(shown.users[event->session], event->login.user, USER_BYTES);
    }
}

static void compare_field(const char *key, const char *name, const char *expected)
{
    const char *value = redis_hash_get(key, name);
    if (!value || strcmp(value, expected) != 0)
        violation("Redis: %s %s is \"%s\", the events say \"%s\"", key, name, value ? value : "not there", expected);
}

static void compare_live(const char *kind, const char *symbol, uint64_t event_seq, uint64_t events_from)
{
    char key[48], number[24];
    if (event_seq < events_from) /* there is none, or what says it is trimmed */
        return;
    snprintf(key, sizeof(key), "ringside:%s:%s", kind, symbol);
    snprintf(number, sizeof(number), "%" PRIu64, event_seq);
    compare_field(key, "event_seq", number);
}

void redis_truth_moved(uint64_t mark_seq)
{
    char number[24];
    uint64_t events_from = witness_events_from();
    if (mark_seq < shown.at)
        redis_truth_forget();
    while (shown.at < mark_seq)
        follow(event_of(++shown.at));
    for (uint32_t i = 1; i < INSTRUMENTS_MAX; i++) {
        if (shown.symbols[i][0] == '\0')
            continue;
        snprintf(number, sizeof(number), "%u", i);
        compare_field("ringside:instruments", number, shown.symbols[i]);
        compare_live("top", shown.symbols[i], shown.tops[i], events_from);
        compare_live("last", shown.symbols[i], shown.lasts[i], events_from);
    }
    for (uint32_t i = 1; i <= WITNESS_USERS_MAX; i++) {
        snprintf(number, sizeof(number), "%u", i);
        if (shown.users[i][0] != '\0')
            compare_field("ringside:sessions", number, shown.users[i]);
    }
}

/* ---- the whole ----------------------------------------------------------------------------------------------------
 */

void redis_truth_check_all(void)
{
    uint64_t last = 0;
    for (uint32_t i = 0; i < redis_stream_count(); i++) {
        const struct redis_stream_entry *entry = redis_stream_at(i);
        redis_truth_entry(i == 0 ? entry->first - 1 : last, entry, redis_stream_payload(entry), entry->payload_bytes);
        last = entry->last;
    }
    if (last != witness_event_count())
        violation("Redis: the stream ends with event %" PRIu64 " of %" PRIu64, last, witness_event_count());
    redis_truth_forget();
    redis_truth_moved(last);
}
