/* The orders of a session, made from its messages. */
#include "order_cli.h"

#include <stdlib.h>

#define ROOM_MIN 64u

static struct order_entry *slot(struct order_entry *entries, uint32_t room, uint32_t user_ref)
{
    uint32_t at = (user_ref * 2654435769u) & (room - 1);
    while (entries[at].user_ref != 0 && entries[at].user_ref != user_ref)
        at = (at + 1) & (room - 1);
    return &entries[at];
}

static bool grow(struct order_book *book)
{
    uint32_t room = book->room ? book->room * 2 : ROOM_MIN;
    struct order_entry *entries = room > book->room ? calloc(room, sizeof(*entries)) : NULL;
    if (!entries)
        return false;
    for (uint32_t i = 0; i < book->room; i++)
        if (book->entries[i].user_ref != 0)
            *slot(entries, room, book->entries[i].user_ref) = book->entries[i];
    free(book->entries);
    book->entries = entries;
    book->room = room;
    return true;
}

static struct order_entry *find(const struct order_book *book, uint32_t user_ref)
{
    struct order_entry *entry = book->room > 0 ? slot(book->entries, book->room, user_ref) : NULL;
    return entry && entry->user_ref != 0 ? entry : NULL;
}

static void add(struct order_book *book, const struct order_entry *entry)
{
    if (entry->user_ref == 0)
        return;
    if (book->count >= book->room / 2 && !grow(book)) {
        book->short_of_memory = true;
        return;
    }
    struct order_entry *place = slot(book->entries, book->room, entry->user_ref);
    book->count += place->user_ref == 0;
    *place = *entry;
}

enum why { WHY_EXECUTED, WHY_PREVENTED, WHY_CANCELED };

static void take_off(struct order_book *book, uint32_t user_ref, uint32_t quantity, enum why why)
{
    struct order_entry *entry = find(book, user_ref);
    if (!entry)
        return;
    entry->leaves -= quantity < entry->leaves ? quantity : entry->leaves;
    entry->executed += why == WHY_EXECUTED ? quantity : 0;
    entry->gone += why != WHY_CANCELED ? quantity : 0;
}

static void note_accepted(struct order_book *book, const struct ouch_accepted *accepted)
{
    struct order_entry entry = {.user_ref = accepted->user_ref,
                                .leaves = accepted->state == 'L' ? accepted->quantity : 0,
                                .price = accepted->price,
                                .timestamp_ns = accepted->timestamp_ns,
                                .side = accepted->side,
                                .time_in_force = accepted->time_in_force,
                                .display = accepted->display};
    text_trim(entry.symbol, accepted->symbol, OUCH_SYMBOL_BYTES);
    text_trim(entry.client_order_id, accepted->client_order_id, OUCH_CLIENT_ORDER_ID_BYTES);
    add(book, &entry);
}

/* The executed shares belong to the chain, and so do those that were kept from trading. */
static void note_replaced(struct order_book *book, const struct ouch_replaced *replaced)
{
    struct order_entry *original = find(book, replaced->orig_user_ref);
    struct order_entry entry = {.user_ref = replaced->user_ref,
                                .leaves = replaced->state == 'L' ? replaced->quantity : 0,
                                .executed = original ? original->executed : 0,
                                .gone = original ? original->gone : 0,
                                .price = replaced->price,
                                .timestamp_ns = replaced->timestamp_ns,
                                .side = replaced->side,
                                .time_in_force = replaced->time_in_force,
                                .display = replaced->display};
    if (original)
        original->leaves = 0;
    text_trim(entry.symbol, replaced->symbol, OUCH_SYMBOL_BYTES);
    text_trim(entry.client_order_id, replaced->client_order_id, OUCH_CLIENT_ORDER_ID_BYTES);
    add(book, &entry);
}

static void note_modified(struct order_book *book, const struct ouch_modified *modified)
{
    struct order_entry *entry = find(book, modified->user_ref);
    if (!entry)
        return;
    entry->side = modified->side;
    entry->leaves = modified->quantity;
}

void order_book_note(struct order_book *book, const uint8_t *message, size_t message_bytes)
{
    union {
        struct ouch_accepted accepted;
        struct ouch_replaced replaced;
        struct ouch_executed executed;
        struct ouch_canceled canceled;
        struct ouch_self_match_canceled self_match;
        struct ouch_modified modified;
    } is;
    if (!ouch_decode_accepted(message, message_bytes, &is.accepted))
        note_accepted(book, &is.accepted);
    else if (!ouch_decode_replaced(message, message_bytes, &is.replaced))
        note_replaced(book, &is.replaced);
    else if (!ouch_decode_executed(message, message_bytes, &is.executed))
        take_off(book, is.executed.user_ref, is.executed.quantity, WHY_EXECUTED);
    else if (!ouch_decode_canceled(message, message_bytes, &is.canceled))
        take_off(book, is.canceled.user_ref, is.canceled.quantity,
                 is.canceled.reason == OUCH_CANCEL_SELF_MATCH ? WHY_PREVENTED : WHY_CANCELED);
    else if (!ouch_decode_self_match_canceled(message, message_bytes, &is.self_match))
        take_off(book, is.self_match.user_ref, is.self_match.quantity, WHY_PREVENTED);
    else if (!ouch_decode_modified(message, message_bytes, &is.modified))
        note_modified(book, &is.modified);
}

const struct order_entry *order_book_find(const struct order_book *book, uint32_t user_ref)
{
    return find(book, user_ref);
}

/* A replacement's quantity counts what is gone of its chain; what it trades at least, only what it would have open. */
int order_replace_complete(struct order_request *request, const struct order_entry *original, struct error *error)
{
    struct rs_order *order = &request->order;
    if (request->is_whole && order->quantity <= original->gone)
        return error_set(error, ERROR_INVALID, "QUANTITY", "%u shares of order %u are gone: a total of %u leaves none",
                         original->gone, original->user_ref, order->quantity);
    if (request->is_whole)
        order->options.min_quantity = order->quantity - original->gone;
    if (!request->says_tif)
        order->time_in_force = (char)original->time_in_force;
    if (!request->says_display)
        order->display = (char)(original->display == 'N' || original->display == 'A' ? original->display : 'Y');
    return 0;
}

void order_book_finish(struct order_book *book)
{
    free(book->entries);
    *book = (struct order_book){0};
}
