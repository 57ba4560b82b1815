#include "encode_payload.h"

#include "encode_pack.h"

/* ---- how many fields, how many bytes, which names: all from the one list ----------------------------------------- */

/* NOLINTBEGIN(bugprone-macro-parentheses, bugprone-branch-clone): terms of a sum; kinds may have the same fields */
#define ONE(name, member)          +1
#define NUMBER_BYTES(name, member) +PACK_INT_MAX
#define TEXT_BYTES(name, member)   +PACK_TEXT_MAX
#define LETTER_BYTES(name, member) +2
#define COUNT(list)                (2 list(ONE, ONE, ONE, ONE, ONE))
#define BYTES_MAX(list)            (3 + 2 * PACK_INT_MAX list(NUMBER_BYTES, NUMBER_BYTES, LETTER_BYTES, TEXT_BYTES, TEXT_BYTES))

#define X(kind, list) _Static_assert(BYTES_MAX(list) <= PAYLOAD_EVENT_BYTES_MAX, #kind " fits");
PAYLOAD_KINDS(X)
#undef X

#define NAME_NUMBER(name, member) ", " #name " number"
#define NAME_PRICE(name, member)  ", " #name " price"
#define NAME_LETTER(name, member) ", " #name " letter"
#define NAME_TEXT(name, member)   ", " #name " text"

const char *payload_fields(uint8_t kind)
{
    switch ((enum event_kind)kind) {
#define X(kind, list)                                                                                                  \
    case EVENT_##kind:                                                                                                 \
        return "kind number, time_ns number" list(NAME_NUMBER, NAME_PRICE, NAME_LETTER, NAME_TEXT, NAME_TEXT);
        PAYLOAD_KINDS(X)
#undef X
    default:
        return NULL;
    }
}

/* ---- packing ----------------------------------------------------------------------------------------------------- */

#define PUT_NUMBER(name, member) at = pack_uint(at, event->member);
#define PUT_PRICE(name, member)  at = pack_int(at, event->member);
#define PUT_LETTER(name, member) at = pack_letter(at, event->member);
#define PUT_TEXT(name, member)   at = pack_field(at, event->member, sizeof(event->member));
#define PUT_SYMBOL(name, member) at = pack_field(at, symbol_of(symbols, event->member), SYMBOL_BYTES);

uint8_t *payload_event(uint8_t *at, const struct event *event, const struct symbol_table *symbols)
{
    switch ((enum event_kind)event->kind) {
#define X(kind, list)                                                                                                  \
    case EVENT_##kind:                                                                                                 \
        at = pack_array(at, COUNT(list));                                                                              \
        at = pack_uint(at, EVENT_##kind);                                                                              \
        at = pack_uint(at, event->time_ns);                                                                            \
        list(PUT_NUMBER, PUT_PRICE, PUT_LETTER, PUT_TEXT, PUT_SYMBOL) break;
        PAYLOAD_KINDS(X)
#undef X
    default: /* a kind of a later version: its place in the list is kept */
        at = pack_array(at, 2);
        at = pack_uint(at, event->kind);
        at = pack_uint(at, event->time_ns);
    }
    return at;
}

/* NOLINTEND(bugprone-macro-parentheses, bugprone-branch-clone) */

size_t payload_head(uint8_t head[PAYLOAD_HEAD_BYTES], uint64_t first_seq, uint32_t count)
{
    uint8_t *at = pack_array(head, 3);
    at = pack_uint(at, PAYLOAD_VERSION);
    at = pack_uint(at, first_seq);
    at = pack_array32(at, count);
    return (size_t)(at - head);
}
