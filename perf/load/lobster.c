#include "lobster.h"

#include "base/bytes.h"
#include "base/units.h"
#include "env/clock.h"
#include "lobster_book.h"
#include "lobster_file.h"
#include "report.h"
#include "wire/ouch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { OWNER, TAKER, PLAYERS };

struct lobster_counts {
    uint64_t events;
    uint64_t levels_compared;
    uint64_t levels_adopted;
    uint64_t levels_seeded;
    uint64_t differences; /* events after which the book was not the answer's */
    uint64_t executions;
    uint64_t executions_checked; /* of ids that are known */
    uint64_t executions_wrong;
    uint64_t unnamed; /* cuts and executions of ids that were never entered */
};

struct player {
    struct lobster *lobster;
    struct rs_client *client;
    uint32_t user_ref_next; /* 0 until the exchange has told it */
    uint32_t *order_of;     /* index in the book, of the order entered with user_ref_first + i */
    uint32_t user_ref_first;
    uint32_t order_count;
    uint32_t order_room;
    uint64_t answers; /* account queries answered */
};

struct lobster {
    const struct load_options *options;
    struct lobster_book book;
    struct player players[PLAYERS];
    struct lobster_counts counts;
    char symbol[8];
    /* the execution that is being played */
    int64_t taker_left; /* shares without a fill yet */
    int64_t hit_id;     /* id of the order that the last execution hit; LOBSTER_SYNTHETIC: unnamed */
    uint64_t hits;      /* resting orders hit */
    char why[256];      /* the first thing that went wrong */
    uint64_t failures;
};

static void failed(struct lobster *lobster, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void failed(struct lobster *lobster, const char *format, ...)
{
    if (lobster->failures++ > 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    int at = snprintf(lobster->why, sizeof(lobster->why), "event %llu: ", (unsigned long long)lobster->counts.events);
    vsnprintf(lobster->why + at, sizeof(lobster->why) - (size_t)at, format, arguments);
    va_end(arguments);
}

/* ---- what the exchange says ---- */

static struct lobster_order *order_of(struct player *player, uint32_t user_ref, uint32_t *ret_index)
{
    uint32_t at = user_ref - player->user_ref_first;
    if (player->user_ref_first == 0 || at >= player->order_count) {
        failed(player->lobster, "a message about order %u, which was not entered", user_ref);
        return NULL;
    }
    *ret_index = player->order_of[at];
    return &player->lobster->book.orders[*ret_index];
}

static void take_executed(struct player *player, const struct ouch_executed *executed)
{
    struct lobster *lobster = player->lobster;
    uint32_t index = 0;
    const struct lobster_order *order = order_of(player, executed->user_ref, &index);
    if (!order)
        return;
    if (order->leaves < executed->quantity || executed->price != (uint64_t)order->price_ticks) {
        failed(lobster, "%u shares executed at %" PRIu64 ", of an order with %u left at %" PRId64, executed->quantity,
               executed->price, order->leaves, order->price_ticks);
        return;
    }
    if (player == &lobster->players[TAKER]) {
        lobster->taker_left -= executed->quantity;
    } else {
        lobster->hit_id = order->id;
        lobster->hits++;
    }
    lobster_book_taken(&lobster->book, index, executed->quantity, true);
}

static void take_canceled(struct player *player, const struct ouch_canceled *canceled)
{
    uint32_t index = 0;
    const struct lobster_order *order = order_of(player, canceled->user_ref, &index);
    if (order && order->leaves >= canceled->quantity)
        lobster_book_taken(&player->lobster->book, index, canceled->quantity, false);
    else
        failed(player->lobster, "%u shares cancelled of an order that has fewer", canceled->quantity);
}

static void take_accepted(struct player *player, const struct ouch_accepted *accepted)
{
    uint32_t index = 0;
    const struct lobster_order *order = order_of(player, accepted->user_ref, &index);
    if (order && accepted->price != (uint64_t)order->price_ticks)
        failed(player->lobster, "an order at %" PRId64 " accepted at %" PRIu64, order->price_ticks, accepted->price);
    else if (order && accepted->state == 'L')
        lobster_book_accepted(&player->lobster->book, index, accepted->quantity);
}

static void on_message(void *context, uint64_t sequence, const uint8_t *message, size_t bytes)
{
    struct player *player = context;
    union {
        struct ouch_accepted accepted;
        struct ouch_executed executed;
        struct ouch_canceled canceled;
        struct ouch_rejected rejected;
        struct ouch_account_answer answer;
    } decoded;
    (void)sequence;
    if (!ouch_decode_accepted(message, bytes, &decoded.accepted)) {
        take_accepted(player, &decoded.accepted);
    } else if (!ouch_decode_executed(message, bytes, &decoded.executed)) {
        take_executed(player, &decoded.executed);
    } else if (!ouch_decode_canceled(message, bytes, &decoded.canceled)) {
        take_canceled(player, &decoded.canceled);
    } else if (!ouch_decode_account_answer(message, bytes, &decoded.answer)) {
        player->answers++;
        if (player->user_ref_first == 0)
            player->user_ref_first = player->user_ref_next = decoded.answer.user_ref_next;
    } else if (!ouch_decode_rejected(message, bytes, &decoded.rejected)) {
        failed(player->lobster, "rejected: %s", ouch_reject_text(decoded.rejected.reason));
    } else if (bytes == 0 || message[0] != OUCH_TYPE_SYSTEM_EVENT) {
        failed(player->lobster, "a message that answers nothing that was asked");
    }
}

/* ---- what is asked ---- */

static void send_message(struct player *player, const uint8_t *message, uint32_t bytes)
{
    int result = rs_client_send(player->client, message, bytes);
    if (result == RS_CLIENT_FULL && rs_client_flush_wait(player->client, 5000) == 0)
        result = rs_client_send(player->client, message, bytes);
    if (result < 0)
        failed(player->lobster, "sending: %s", rs_client_why(player->client));
}

/* Waits until everything that this player has sent, and what it caused, has come back. */
static void settle(struct player *player)
{
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    const struct ouch_account_query query = {.appendage = {.present = false}};
    uint64_t wanted = player->answers + 1;
    uint32_t timeout_ms = (uint32_t)(player->lobster->options->patience_s * 1000);
    send_message(player, message, ouch_encode_account_query(message, &query));
    while (player->answers < wanted && player->lobster->failures == 0) {
        int messages = rs_client_wait(player->client, timeout_ms);
        if (messages < 0)
            failed(player->lobster, "%s", rs_client_why(player->client));
        else if (messages == 0 && player->answers < wanted)
            failed(player->lobster, "no answer for %u ms", timeout_ms);
    }
}

static void enter(struct lobster *lobster, int who, const struct lobster_order *order, uint32_t quantity)
{
    struct player *player = &lobster->players[who];
    if (player->order_count == player->order_room) {
        player->order_room = player->order_room * 2 + 1024;
        uint32_t *larger = realloc(player->order_of, player->order_room * sizeof(*larger));
        if (!larger) {
            failed(lobster, "no memory");
            return;
        }
        player->order_of = larger;
    }
    player->order_of[player->order_count++] = lobster_book_keep(&lobster->book, order);
    struct ouch_enter message = {.user_ref = order->user_ref,
                                 .side = order->side == LOBSTER_BID ? 'B' : 'S',
                                 .quantity = quantity,
                                 .price = (uint64_t)order->price_ticks,
                                 .time_in_force = who == OWNER ? '0' : '3',
                                 .display = 'Y',
                                 .capacity = 'P',
                                 .sweep = 'N',
                                 .cross_type = 'N'};
    memcpy(message.symbol, lobster->symbol, sizeof(message.symbol));
    text_pad(message.client_order_id, sizeof(message.client_order_id), "lobster");
    uint8_t bytes[OUCH_MESSAGE_BYTES_MAX];
    send_message(player, bytes, ouch_encode_enter(bytes, &message));
}

static void enter_passive(struct lobster *lobster, int64_t id, int side, int64_t price_ticks, int64_t quantity)
{
    struct player *owner = &lobster->players[OWNER];
    const struct lobster_order order = {
        .id = id, .price_ticks = price_ticks, .user_ref = owner->user_ref_next++, .side = side};
    enter(lobster, OWNER, &order, (uint32_t)quantity);
}

/* Takes so many shares off an order; all that is left if it has no more. */
static void cut(struct lobster *lobster, const struct lobster_order *order, int64_t quantity)
{
    bool all = quantity >= order->leaves;
    struct ouch_cancel message = {.user_ref = order->user_ref};
    if (!all)
        message.quantity = order->executed + order->leaves - (uint32_t)quantity; /* the new total, fills included */
    uint8_t bytes[OUCH_MESSAGE_BYTES_MAX];
    send_message(&lobster->players[OWNER], bytes, ouch_encode_cancel(bytes, &message));
}

/* ---- events ---- */

static struct lobster_order *target_of(struct lobster *lobster, const struct lobster_event *event)
{
    struct lobster_order *order = lobster_book_find(&lobster->book, event->id);
    if (order)
        return order;
    lobster->counts.unnamed++;
    order = lobster_book_unnamed(&lobster->book, event->side, event->price_ticks);
    if (!order)
        failed(lobster, "nothing rests at %" PRId64 ", where the file has order %" PRId64, event->price_ticks,
               event->id);
    return order;
}

static void execute(struct lobster *lobster, const struct lobster_event *event)
{
    const struct lobster_order *known = lobster_book_find(&lobster->book, event->id);
    struct player *taker = &lobster->players[TAKER];
    lobster->counts.executions++;
    lobster->counts.unnamed += known == NULL;
    lobster->hits = 0;
    lobster->taker_left = event->quantity;
    const struct lobster_order order = {.id = LOBSTER_SYNTHETIC,
                                        .price_ticks = event->price_ticks,
                                        .user_ref = taker->user_ref_next++,
                                        .side = event->side == LOBSTER_BID ? LOBSTER_ASK : LOBSTER_BID};
    enter(lobster, TAKER, &order, (uint32_t)event->quantity);
    settle(taker);
    settle(&lobster->players[OWNER]);
    if (lobster->taker_left != 0)
        failed(lobster, "%" PRId64 " shares at %" PRId64 " were not executed", lobster->taker_left, event->price_ticks);
    if (!known)
        return;
    lobster->counts.executions_checked++;
    if (lobster->hits == 1 && lobster->hit_id == event->id)
        return;
    lobster->counts.executions_wrong++;
    failed(lobster, "the execution hit order %" PRId64 ", the file says %" PRId64, lobster->hit_id, event->id);
}

static void play(struct lobster *lobster, const struct lobster_event *event)
{
    const struct lobster_order *order = NULL;
    switch (event->type) {
    case LOBSTER_ENTER:
        enter_passive(lobster, event->id, event->side, event->price_ticks, event->quantity);
        settle(&lobster->players[OWNER]);
        break;
    case LOBSTER_CUT:
    case LOBSTER_DELETE:
        order = target_of(lobster, event);
        if (order)
            cut(lobster, order, event->quantity);
        settle(&lobster->players[OWNER]);
        break;
    case LOBSTER_EXECUTE:
        execute(lobster, event);
        break;
    default:
        break; /* nothing that can be seen */
    }
}

/* ---- the answers ---- */

/* The worst price of which the row knows everything that is better or equal: a side with room left is known whole. */
static bool known_until(const struct lobster_row *row, int side, int64_t *ret_price)
{
    if (row->count[side] < row->shown)
        return false;
    *ret_price = row->levels[side][row->count[side] - 1].price_ticks;
    return true;
}

/* Makes a level from beyond the range what the row shows. */
static void adopt(struct lobster *lobster, int side, int64_t price_ticks, int64_t quantity)
{
    int64_t missing = quantity - lobster_book_quantity(&lobster->book, side, price_ticks);
    if (missing == 0)
        return;
    lobster->counts.levels_adopted++;
    if (missing > 0)
        enter_passive(lobster, LOBSTER_SYNTHETIC, side, price_ticks, missing);
    while (missing < 0 && lobster->failures == 0) {
        const struct lobster_order *order = lobster_book_unnamed(&lobster->book, side, price_ticks);
        int64_t less = order && order->leaves < -missing ? order->leaves : -missing;
        if (order)
            cut(lobster, order, less);
        else
            failed(lobster, "shares at %" PRId64 " belong to no order", price_ticks);
        settle(&lobster->players[OWNER]);
        missing += less;
    }
}

/* Levels of ours that came into the row's range from beyond the one before, and are not in the row: gone unseen. */
static void drop_unseen(struct lobster *lobster, const struct lobster_row *row, int side, bool bounded, int64_t before)
{
    const struct lobster_levels *ours = &lobster->book.sides[side];
    int64_t until = 0;
    bool row_bounded = known_until(row, side, &until);
    for (uint32_t i = 0; i < ours->count && bounded && lobster->failures == 0;) {
        int64_t price = ours->levels[i].price_ticks;
        bool in_range = !row_bounded || !lobster_better(side, until, price);
        bool in_row = false;
        for (uint32_t j = 0; j < row->count[side]; j++)
            in_row |= row->levels[side][j].price_ticks == price;
        if (!in_range || in_row || !lobster_better(side, before, price))
            i++;
        else
            adopt(lobster, side, price, 0);
    }
}

/* Compares one side with the row, as far as the row before lets the file know it, and adopts what lies beyond. */
static bool compare_side(struct lobster *lobster, const struct lobster_row *row, const struct lobster_row *row_before,
                         int side)
{
    const struct lobster_levels *ours = &lobster->book.sides[side];
    int64_t before = 0;
    bool bounded = known_until(row_before, side, &before);
    uint32_t at = 0;
    bool same = true;
    for (; at < row->count[side]; at++) {
        const struct lobster_level *level = &row->levels[side][at];
        if (bounded && lobster_better(side, before, level->price_ticks))
            break;
        lobster->counts.levels_compared++;
        same &= at < ours->count && ours->levels[at].price_ticks == level->price_ticks &&
                ours->levels[at].quantity == level->quantity;
    }
    /* Within the range there must be no level of ours that the row does not have. */
    int64_t until = 0;
    bool row_bounded = known_until(row, side, &until);
    if (at < ours->count) {
        int64_t price = ours->levels[at].price_ticks;
        bool in_range =
            (!bounded || !lobster_better(side, before, price)) && (!row_bounded || !lobster_better(side, until, price));
        same &= !in_range;
    }
    drop_unseen(lobster, row, side, bounded, before);
    for (; at < row->count[side]; at++)
        adopt(lobster, side, row->levels[side][at].price_ticks, row->levels[side][at].quantity);
    return same;
}

static void compare(struct lobster *lobster, const struct lobster_row *row, const struct lobster_row *row_before)
{
    bool same = compare_side(lobster, row, row_before, LOBSTER_ASK);
    same &= compare_side(lobster, row, row_before, LOBSTER_BID);
    settle(&lobster->players[OWNER]);
    if (same)
        return;
    lobster->counts.differences++;
    failed(lobster, "the book is not the answer's: best bid %" PRId64 " x %" PRId64 ", best ask %" PRId64 " x %" PRId64,
           row->levels[LOBSTER_BID][0].price_ticks, row->levels[LOBSTER_BID][0].quantity,
           row->levels[LOBSTER_ASK][0].price_ticks, row->levels[LOBSTER_ASK][0].quantity);
}

/* The first row less the first event: what was there before the file began. It becomes the row before the first. */
static void undo(struct lobster_row *row, const struct lobster_event *event)
{
    int64_t quantity = event->type == LOBSTER_ENTER ? -event->quantity : event->quantity;
    if (event->type < LOBSTER_ENTER || event->type > LOBSTER_EXECUTE)
        return;
    struct lobster_level *levels = row->levels[event->side];
    uint32_t *count = &row->count[event->side];
    uint32_t at = 0;
    while (at < *count && lobster_better(event->side, levels[at].price_ticks, event->price_ticks))
        at++;
    if (at == *count || levels[at].price_ticks != event->price_ticks) {
        if (quantity < 0 || *count == LOBSTER_LEVELS_MAX)
            return;
        memmove(&levels[at + 1], &levels[at], (*count - at) * sizeof(*levels));
        levels[at] = (struct lobster_level){.price_ticks = event->price_ticks};
        (*count)++;
    }
    levels[at].quantity += quantity;
    if (levels[at].quantity > 0)
        return;
    (*count)--;
    memmove(&levels[at], &levels[at + 1], (*count - at) * sizeof(*levels));
}

static void seed(struct lobster *lobster, struct lobster_row *row, const struct lobster_event *first)
{
    undo(row, first);
    for (int side = 0; side < LOBSTER_SIDES; side++) {
        for (uint32_t i = 0; i < row->count[side]; i++) {
            const struct lobster_level *level = &row->levels[side][i];
            enter_passive(lobster, LOBSTER_SYNTHETIC, side, level->price_ticks, level->quantity);
            lobster->counts.levels_seeded++;
        }
        /* The levels beyond are not known, even where the undone event has left room for one. */
        if (row->count[side] < row->shown && row->count[side] + 1 == row->shown)
            row->shown = row->count[side];
    }
    settle(&lobster->players[OWNER]);
}

static void play_file(struct lobster *lobster, struct lobster_file *file, struct lobster_row rows[2])
{
    struct lobster_event event;
    int more;
    while (lobster->failures == 0 && (more = lobster_next(file, &event, &rows[1])) != 0) {
        if (more < 0) {
            failed(lobster, "a file cannot be read");
            return;
        }
        if (lobster->counts.events == 0) {
            rows[0] = rows[1];
            seed(lobster, &rows[0], &event);
        }
        lobster->counts.events++;
        play(lobster, &event);
        compare(lobster, &rows[1], &rows[0]);
        rows[0] = rows[1];
    }
}

/* ---- life ---- */

static bool join(struct lobster *lobster, int who)
{
    struct player *player = &lobster->players[who];
    char user[16];
    char addresses[LOAD_ADDRESSES_MAX * LOAD_ADDRESS_BYTES];
    char why[256];
    player->lobster = lobster;
    load_user(lobster->options, (uint32_t)who, user);
    load_address_list(lobster->options, 0, addresses, sizeof(addresses));
    const struct rs_client_options options = {.addresses = addresses,
                                              .user = user,
                                              .password = lobster->options->password,
                                              .on_message = on_message,
                                              .context = player};
    player->client = rs_client_create(&options, why, sizeof(why));
    if (!player->client)
        failed(lobster, "%s", why);
    else if (rs_client_login(player->client, (uint32_t)(lobster->options->patience_s * 1000)) < 0)
        failed(lobster, "%s: %s", user, rs_client_why(player->client));
    else
        settle(player);
    return lobster->failures == 0;
}

static void leave(struct lobster *lobster)
{
    struct player *owner = &lobster->players[OWNER];
    bool open = owner->client && rs_client_state(owner->client) == RS_CLIENT_OPEN;
    lobster->failures = 0; /* so that settle waits; what failed first is kept by the caller */
    for (uint32_t i = 0; open && i < lobster->book.live_count; i++) {
        const struct lobster_order *order = &lobster->book.orders[lobster->book.live[i]];
        cut(lobster, order, order->leaves);
    }
    if (open)
        settle(owner);
    for (int who = 0; who < PLAYERS; who++) {
        if (lobster->players[who].client)
            (void)rs_client_logout(lobster->players[who].client);
        rs_client_destroy(lobster->players[who].client);
        free(lobster->players[who].order_of);
    }
    lobster_book_finish(&lobster->book);
}

static void print_result(const struct lobster *lobster, bool complete, double seconds)
{
    const struct lobster_counts *counts = &lobster->counts;
    if (!lobster->options->json) {
        printf("%-22s%10" PRIu64 "\n%-22s%10" PRIu64 "   entered at the start %" PRIu64 ", adopted later %" PRIu64
               "\n%-22s%10" PRIu64 "   of orders the file names %" PRIu64 ", of those wrong %" PRIu64 "\n",
               "events", counts->events, "levels compared", counts->levels_compared, counts->levels_seeded,
               counts->levels_adopted, "executions", counts->executions, counts->executions_checked,
               counts->executions_wrong);
        printf("%-22s%10" PRIu64 "\n%-22s%10.3f s\n", "book differences", counts->differences, "time", seconds);
        printf(complete ? "the book was the answer's after every event\n" : "NOT COMPLETE: %s\n", lobster->why);
        return;
    }
    printf("{\"complete\": %s", complete ? "true" : "false");
    if (!complete) {
        printf(", \"why\": ");
        report_json_text(lobster->why);
    }
    printf(", \"events\": %" PRIu64 ", \"events_compared\": %" PRIu64 ", \"book_differences\": %" PRIu64
           ", \"levels_compared\": %" PRIu64 ", \"levels_seeded\": %" PRIu64 ", \"levels_adopted\": %" PRIu64
           ", \"executions\": %" PRIu64 ", \"executions_checked\": %" PRIu64 ", \"executions_wrong\": %" PRIu64
           ", \"unnamed\": %" PRIu64 ", \"seconds\": %.6f, \"events_per_s\": %.1f}\n",
           counts->events, counts->events, counts->differences, counts->levels_compared, counts->levels_seeded,
           counts->levels_adopted, counts->executions, counts->executions_checked, counts->executions_wrong,
           counts->unnamed, seconds, seconds > 0 ? (double)counts->events / seconds : 0);
}

int lobster_run(const struct load_options *options)
{
    struct lobster_file file;
    struct lobster *lobster = calloc(1, sizeof(*lobster));
    struct lobster_row *rows = calloc(2, sizeof(*rows));
    if (!lobster || !rows || lobster_open(&file, options->lobster, options->answers) < 0) {
        free(lobster);
        free(rows);
        return LOAD_FAILED;
    }
    lobster->options = options;
    memcpy(lobster->symbol, options->instruments[0].symbol, sizeof(lobster->symbol));
    lobster_book_init(&lobster->book);
    uint64_t start_ns = clock_monotonic_ns();
    if (join(lobster, OWNER) && join(lobster, TAKER))
        play_file(lobster, &file, rows);
    double seconds = (double)(clock_monotonic_ns() - start_ns) / NS_PER_SECOND;
    bool complete = lobster->failures == 0 && lobster->counts.events > 0;
    if (lobster->counts.events == 0 && lobster->failures == 0)
        failed(lobster, "the file has no events");
    print_result(lobster, complete, seconds);
    leave(lobster);
    lobster_close(&file);
    free(rows);
    free(lobster);
    return complete ? LOAD_OK : LOAD_FAILED;
}
