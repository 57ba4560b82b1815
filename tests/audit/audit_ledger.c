/* One user's ledger: what was asked, held against the journal's commands; what was told, held against the events. */
#include "audit.h"

#include "base/bytes.h"
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ledger {
    char user[8];
    struct mapped asked, told;
    uint64_t told_at;    /* where in the file the next message is */
    uint64_t told_count; /* messages compared */
    uint64_t asked_count, found_count, order_count;
    uint32_t user_ref_last;
    uint64_t *places; /* by user_ref: where the frame of that request begins, plus 1; 0: none */
    uint32_t *part;   /* by user_ref: total of its partial cancel, 0: none asked */
    uint8_t *flags;   /* by user_ref */
};

#define FLAG_CANCEL    1
#define FLAG_JOURNALED 2

static void index_asked(struct ledger *ledger)
{
    for (uint64_t at = 0; at + 2 < ledger->asked.count; at += 2 + (uint64_t)ledger->asked.bytes[at]) {
        const uint8_t *frame = ledger->asked.bytes + at + 2;
        ledger->asked_count++;
        uint32_t user_ref = load_be32(frame + (frame[0] == 'U' ? 5 : 1));
        if (user_ref >= CLIENT_ORDERS_MAX)
            give_up("%s's ledger is damaged", ledger->user);
        if (frame[0] == 'X' && load_be32(frame + 5) != 0) {
            ledger->part[user_ref] = load_be32(frame + 5);
        } else if (frame[0] == 'X') {
            ledger->flags[user_ref] |= FLAG_CANCEL;
        } else {
            ledger->places[user_ref] = at + 2 + 1;
            ledger->order_count += frame[0] == 'O';
        }
    }
}

struct ledger *ledger_open(const char *directory, const char *user)
{
    char path[400];
    snprintf(path, sizeof(path), "%s/%s.asked", directory, user);
    struct mapped asked = map_file(path);
    if (!asked.bytes)
        return NULL;
    struct ledger *ledger = calloc(1, sizeof(*ledger));
    if (!ledger)
        give_up("no memory");
    snprintf(ledger->user, sizeof(ledger->user), "%s", user);
    ledger->asked = asked;
    snprintf(path, sizeof(path), "%s/%s.told", directory, user);
    ledger->told = map_file(path);
    ledger->places = room_for(CLIENT_ORDERS_MAX, sizeof(*ledger->places));
    ledger->part = room_for(CLIENT_ORDERS_MAX, sizeof(*ledger->part));
    ledger->flags = room_for(CLIENT_ORDERS_MAX, sizeof(*ledger->flags));
    index_asked(ledger);
    return ledger;
}

/* ---- commands ---- */

static bool same_enter(const uint8_t *frame, const struct command *command, const char *symbol)
{
    return frame[0] == 'O' && frame[5] == command->order.side && load_be32(frame + 6) == command->order.quantity &&
           memcmp(frame + 10, symbol, SYMBOL_BYTES) == 0 &&
           load_be64(frame + 18) == (uint32_t)command->order.price_ticks && frame[26] == command->order.time_in_force &&
           frame[27] == command->order.display && frame[28] == command->order.capacity &&
           frame[30] == command->order.cross_type &&
           memcmp(frame + 31, command->order.client_order_id, CLIENT_ORDER_ID_BYTES) == 0;
}

static bool same_replace(const uint8_t *frame, const struct command *command)
{
    return frame[0] == 'U' && load_be32(frame + 1) == command->order.target_user_ref &&
           load_be32(frame + 9) == command->order.quantity &&
           load_be64(frame + 13) == (uint32_t)command->order.price_ticks && frame[21] == command->order.time_in_force &&
           frame[22] == command->order.display &&
           memcmp(frame + 24, command->order.client_order_id, CLIENT_ORDER_ID_BYTES) == 0;
}

#define REASON_INVALID_SYMBOL   0x17
#define REASON_PROCESSING_ERROR 0x0a /* of a disk that fills up */

static bool same_refused(const uint8_t *frame, const struct command *command)
{
    const struct command_refused *refused = &command->refused;
    bool no_such = frame[0] == 'O' && memcmp(frame + 10, "NOSUCH  ", SYMBOL_BYTES) == 0;
    uint8_t kind = frame[0] == 'O' ? COMMAND_ENTER : COMMAND_REPLACE;
    const uint8_t *client_order_id = frame + (frame[0] == 'O' ? 31 : 24);
    return refused->refused_kind == kind &&
           (refused->reason == REASON_PROCESSING_ERROR || (no_such && refused->reason == REASON_INVALID_SYMBOL)) &&
           memcmp(client_order_id, refused->client_order_id, CLIENT_ORDER_ID_BYTES) == 0;
}

static bool was_asked(const struct ledger *ledger, const struct command *command, const char *symbol)
{
    uint32_t target = command->order.target_user_ref;
    if (command->kind == COMMAND_CANCEL)
        return target < CLIENT_ORDERS_MAX &&
               (command->order.quantity == 0 ? ledger->flags[target] & FLAG_CANCEL
                                             : ledger->part[target] == command->order.quantity);
    if (command->kind == COMMAND_ACCOUNT_QUERY)
        return true; /* of these there is no record */
    if (command->user_ref >= CLIENT_ORDERS_MAX || ledger->places[command->user_ref] == 0)
        return false;
    const uint8_t *frame = ledger->asked.bytes + ledger->places[command->user_ref] - 1;
    if (command->kind == COMMAND_ENTER)
        return same_enter(frame, command, symbol);
    if (command->kind == COMMAND_REPLACE)
        return same_replace(frame, command);
    return command->kind == COMMAND_REFUSED && same_refused(frame, command);
}

void ledger_command(struct ledger *ledger, const struct command *command, bool taken, const char *symbol)
{
    if (!was_asked(ledger, command, symbol))
        wrong("command %llu of %s, kind %u, number %u, is not what it asked", (unsigned long long)command->command_seq,
              ledger->user, command->kind, command->user_ref);
    bool refused = command->kind == COMMAND_REFUSED && command->refused.refused_kind == COMMAND_ENTER;
    if (!taken || (command->kind != COMMAND_ENTER && !refused))
        return;
    uint8_t *flags = &ledger->flags[command->user_ref % CLIENT_ORDERS_MAX];
    ledger->found_count += !(*flags & FLAG_JOURNALED);
    *flags |= FLAG_JOURNALED;
}

/* ---- messages ---- */

void ledger_message(struct ledger *ledger, uint32_t message_no, const uint8_t *message, size_t bytes)
{
    const uint8_t *told = ledger->told.bytes + ledger->told_at;
    if (ledger->told_at + 2 + bytes > ledger->told.count) {
        wrong("%s was never told message %u", ledger->user, message_no);
        return;
    }
    if (told[0] != bytes || memcmp(told + 2, message, bytes) != 0)
        wrong("%s was told something else as message %u than the event log holds", ledger->user, message_no);
    ledger->told_at += 2 + (uint64_t)told[0];
    ledger->told_count++;
}

void ledger_end(struct ledger *ledger)
{
    if (ledger->told_at != ledger->told.count)
        wrong("%s was told more than message %llu, the last that the event log holds", ledger->user,
              (unsigned long long)ledger->told_count);
    if (ledger->found_count != ledger->order_count)
        wrong("%s asked for %llu orders, of which the journal has %llu", ledger->user,
              (unsigned long long)ledger->order_count, (unsigned long long)ledger->found_count);
}

uint64_t ledger_told(const struct ledger *ledger)
{
    return ledger->told_count;
}

uint64_t ledger_asked(const struct ledger *ledger)
{
    return ledger->asked_count;
}

/* ---- an event as a message, by docs/protocol.md ---- */

static size_t accepted_of(const struct event *event, uint8_t *to)
{
    const struct event_accepted *accepted = &event->accepted;
    to[0] = 'A';
    store_be32(to + 9, event->user_ref);
    to[13] = event->side;
    store_be32(to + 14, accepted->quantity);
    memcpy(to + 18, accepted->symbol, 8);
    store_be64(to + 26, (uint32_t)accepted->price_ticks);
    to[34] = accepted->time_in_force;
    to[35] = accepted->display;
    store_be64(to + 36, accepted->order_ref);
    to[44] = accepted->capacity;
    to[45] = 'N';
    to[46] = accepted->cross_type;
    to[47] = event->reason;
    memcpy(to + 48, accepted->client_order_id, 14);
    return 64;
}

static size_t replaced_of(const struct event *event, uint8_t *to)
{
    const struct event_replaced *replaced = &event->replaced;
    to[0] = 'U';
    store_be32(to + 9, replaced->target_user_ref);
    store_be32(to + 13, event->user_ref);
    to[17] = event->side;
    store_be32(to + 18, replaced->quantity);
    memcpy(to + 22, replaced->symbol, 8);
    store_be64(to + 30, (uint32_t)replaced->price_ticks);
    to[38] = replaced->time_in_force;
    to[39] = replaced->display;
    store_be64(to + 40, replaced->order_ref);
    to[48] = replaced->capacity;
    to[49] = 'N';
    to[50] = replaced->cross_type;
    to[51] = event->reason;
    memcpy(to + 52, replaced->client_order_id, 14);
    return 68;
}

static size_t executed_of(const struct event *event, bool maker, uint8_t *to)
{
    to[0] = 'E';
    store_be32(to + 9, maker ? event->trade.maker_user_ref : event->user_ref);
    store_be32(to + 13, event->trade.quantity);
    store_be64(to + 17, (uint32_t)event->trade.price_ticks);
    to[25] = maker ? event->trade.maker_liquidity : event->trade.liquidity;
    store_be64(to + 26, event->trade.match_number);
    return 36;
}

static size_t short_of(const struct event *event, char type, uint32_t number, uint8_t last, uint8_t *to)
{
    to[0] = (uint8_t)type;
    if (type == 'S') {
        to[9] = last;
        return 10;
    }
    store_be32(to + 9, event->user_ref);
    if (type == 'Q')
        return 13;
    if (type == 'J') {
        store_be16(to + 13, (uint16_t)number);
        memcpy(to + 15, event->refused.client_order_id, 14);
        return 29;
    }
    store_be32(to + 13, number);
    to[17] = last;
    return 18;
}

size_t message_of(const struct event *event, bool maker, uint64_t midnight_ns, uint8_t message[128])
{
    memset(message, 0, 128);
    store_be64(message + 1, event->time_ns - midnight_ns);
    if (event->kind == EVENT_ACCEPTED)
        return accepted_of(event, message);
    if (event->kind == EVENT_REPLACED)
        return replaced_of(event, message);
    if (event->kind == EVENT_EXECUTED)
        return executed_of(event, maker, message);
    if (event->kind == EVENT_CANCELED)
        return short_of(event, 'C', event->cut.decrement, event->reason, message);
    if (event->kind == EVENT_REJECTED)
        return short_of(event, 'J', event->refused.reason, 0, message);
    if (event->kind == EVENT_ACCOUNT_ANSWER)
        return short_of(event, 'Q', 0, 0, message);
    return event->kind == EVENT_SYSTEM_EVENT ? short_of(event, 'S', 0, event->reason, message) : 0;
}
