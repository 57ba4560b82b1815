#include "lobster.h"

#include "base/units.h"
#include "client/ringside_tls.h"
#include "env/clock.h"
#include "lobster_play.h"
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- events ---- */

/* A cut or delete: of the order that the file names, or of those that stand for shares without a name. */
static void take_off(struct lobster *lobster, const struct lobster_event *event)
{
    const struct lobster_order *order = lobster_book_find(&lobster->book, event->id);
    int64_t left = event->quantity;
    lobster->counts.unnamed += order == NULL;
    while (left > 0 && lobster->failures == 0) {
        if (!order)
            order = lobster_book_unnamed(&lobster->book, event->side, event->price_ticks);
        if (!order) {
            lobster_failed(lobster, "nothing rests at %" PRId64 ", where the file has order %" PRId64,
                           event->price_ticks, event->id);
            return;
        }
        int64_t less = order->leaves < left ? order->leaves : left;
        lobster_cut(lobster, order, less);
        lobster_settle(&lobster->players[OWNER]);
        left -= less;
        order = NULL;
    }
}

static void execute(struct lobster *lobster, const struct lobster_event *event)
{
    const struct lobster_order *order_named = lobster_book_find(&lobster->book, event->id);
    bool known = order_named && !order_named->is_doubtful;
    struct player *taker = &lobster->players[TAKER];
    lobster->counts.executions++;
    lobster->counts.unnamed += order_named == NULL;
    lobster->hits = 0;
    lobster->taker_left = event->quantity;
    const struct lobster_order order = {.id = LOBSTER_SYNTHETIC,
                                        .price_ticks = event->price_ticks,
                                        .user_ref = taker->user_ref_next++,
                                        .side = event->side == LOBSTER_BID ? LOBSTER_ASK : LOBSTER_BID};
    lobster_enter(lobster, TAKER, &order, (uint32_t)event->quantity);
    lobster_settle(taker);
    lobster_settle(&lobster->players[OWNER]);
    if (lobster->taker_left != 0)
        lobster_failed(lobster, "%" PRId64 " shares at %" PRId64 " were not executed", lobster->taker_left,
                       event->price_ticks);
    bool hit = lobster->hits == 1 && lobster->hit_id == event->id;
    lobster->counts.executions_checked += known || (order_named && hit);
    if (hit || !known)
        return;
    lobster->counts.executions_wrong++;
    lobster_failed(lobster, "the execution hit order %" PRId64 ", the file says %" PRId64, lobster->hit_id, event->id);
}

static void play(struct lobster *lobster, const struct lobster_event *event)
{
    switch (event->type) {
    case LOBSTER_ENTER:
        lobster_enter_passive(lobster, event->id, event->side, event->price_ticks, event->quantity);
        lobster_settle(&lobster->players[OWNER]);
        break;
    case LOBSTER_CUT:
    case LOBSTER_DELETE:
        take_off(lobster, event);
        break;
    case LOBSTER_EXECUTE:
        execute(lobster, event);
        break;
    default:
        break; /* nothing that can be seen */
    }
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
            lobster_enter_passive(lobster, LOBSTER_SYNTHETIC, side, level->price_ticks, level->quantity);
            lobster->counts.levels_seeded++;
        }
        /* The levels beyond are not known, even where the undone event has left room for one. */
        if (row->count[side] < row->shown && row->count[side] + 1 == row->shown)
            row->shown = row->count[side];
    }
    lobster_settle(&lobster->players[OWNER]);
}

static void play_file(struct lobster *lobster, struct lobster_file *file, struct lobster_row rows[2])
{
    struct lobster_event event;
    int more;
    while (lobster->failures == 0 && (more = lobster_next(file, &event, &rows[1])) != 0) {
        if (more < 0) {
            lobster_failed(lobster, "a file cannot be read");
            return;
        }
        if (lobster->counts.events == 0) {
            rows[0] = rows[1];
            seed(lobster, &rows[0], &event);
        }
        lobster->counts.events++;
        play(lobster, &event);
        lobster_compare(lobster, &rows[1], &rows[0]);
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
    struct rs_client_options options = {.addresses = addresses,
                                        .user = user,
                                        .password = lobster->options->password,
                                        .on_message = lobster_message,
                                        .context = player};
    if (lobster->options->tls)
        rs_tls_use(lobster->options->tls, &options);
    player->client = rs_client_create(&options, why, sizeof(why));
    if (!player->client)
        lobster_failed(lobster, "%s", why);
    else if (rs_client_login(player->client, (uint32_t)(lobster->options->patience_s * 1000)) < 0)
        lobster_failed(lobster, "%s: %s", user, rs_client_why(player->client));
    else
        lobster_settle(player);
    return lobster->failures == 0;
}

static void leave(struct lobster *lobster)
{
    struct player *owner = &lobster->players[OWNER];
    bool open = owner->client && rs_client_state(owner->client) == RS_CLIENT_OPEN;
    lobster->failures = 0; /* so that settle waits; what failed first is kept by the caller */
    for (uint32_t i = 0; open && i < lobster->book.live_count; i++) {
        const struct lobster_order *order = &lobster->book.orders[lobster->book.live[i]];
        lobster_cut(lobster, order, order->leaves);
    }
    if (open)
        lobster_settle(owner);
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
        lobster_failed(lobster, "the file has no events");
    print_result(lobster, complete, seconds);
    leave(lobster);
    lobster_close(&file);
    free(rows);
    free(lobster);
    return complete ? LOAD_OK : LOAD_FAILED;
}
