#include "stores.h"

#include "base/units.h"
#include "outside.h"
#include "postgres_server.h"
#include "postgres_truth.h"
#include "random.h"
#include "redis_server.h"
#include "redis_truth.h"
#include "witness.h"

#include <stdio.h>

#define AWAY_NS    (50 * (uint64_t)NS_PER_MS)
#define TROUBLE_NS (500 * (uint64_t)NS_PER_MS)
#define TROUBLE    60000 /* chance of a drop then */

struct store_bugs store_bugs;
uint64_t store_fault_count;

static struct {
    struct store_manners manners;
    const struct config *config;
    bool calm; /* nothing goes wrong any more */
    uint64_t away_until_ns[SIDE_COUNT];
    uint64_t hangs_until_ns[SIDE_COUNT];
    uint64_t trouble_until_ns[SIDE_COUNT]; /* who has lost something breaks connections, too */
} stores;

void stores_begin(const struct store_manners *manners, const struct config *config)
{
    stores.manners = *manners;
    stores.config = config;
    stores.calm = false;
    for (int side = 0; side < SIDE_COUNT; side++)
        stores.away_until_ns[side] = stores.hangs_until_ns[side] = stores.trouble_until_ns[side] = 0;
    store_fault_count = 0;
    store_links_begin(manners->room);
    postgres_begin();
    redis_begin(config->redis_stream_entries_max);
}

void stores_end(void)
{
    postgres_end();
    redis_end();
    store_links_end();
}

void stores_forget(const struct process *process)
{
    store_links_forget(process);
    postgres_client_forget(process);
    redis_client_forget(process);
}

const struct store_manners *stores_manners(void)
{
    return &stores.manners;
}

bool stores_chance(uint32_t per_million)
{
    return !stores.calm && random_chance(per_million);
}

bool stores_up(enum store_side side)
{
    return outside.now_ns >= stores.away_until_ns[side];
}

struct store_marks stores_told(void)
{
    struct store_marks marks = {0};
    struct error error;
    (void)store_marks_read(&marks, stores.config->events_directory, &error);
    return marks;
}

/* ---- what happens to them -----------------------------------------------------------------------------------------
 */

static void go_away(enum store_side side, bool crashes)
{
    if (side == SIDE_POSTGRES)
        postgres_stop(crashes);
    else
        redis_stop(crashes);
    stores.away_until_ns[side] = outside.now_ns + random_skewed(AWAY_NS);
    if (crashes && random_below(2) == 0)
        stores.trouble_until_ns[side] = stores.away_until_ns[side] + random_skewed(TROUBLE_NS);
}

static void go_wrong(enum store_side side)
{
    static void (*const drop_one[])(void) = {[SIDE_POSTGRES] = postgres_drop_one, [SIDE_REDIS] = redis_drop_one};
    static void (*const steal[])(void) = {[SIDE_POSTGRES] = postgres_steal, [SIDE_REDIS] = redis_steal};
    if (stores_chance(stores.manners.stop))
        go_away(side, false);
    if (stores_chance(stores.manners.crash))
        go_away(side, true);
    if (stores_chance(outside.now_ns < stores.trouble_until_ns[side] ? TROUBLE : stores.manners.drop))
        drop_one[side]();
    if (stores_chance(stores.manners.steal))
        steal[side]();
    if (side == SIDE_REDIS && stores_chance(stores.manners.lose)) {
        redis_lose();
        stores.trouble_until_ns[side] = outside.now_ns + random_skewed(TROUBLE_NS);
    }
    if (stores_chance(stores.manners.hang)) {
        store_fault_count++;
        stores.hangs_until_ns[side] = outside.now_ns + random_skewed(AWAY_NS);
    }
}

void stores_move(void)
{
    for (int side = 0; side < SIDE_COUNT; side++) {
        go_wrong((enum store_side)side);
        if (outside.now_ns < stores.hangs_until_ns[side] || !random_chance(stores.manners.move))
            continue;
        if (side == SIDE_POSTGRES)
            postgres_move(false);
        else
            redis_move(false);
    }
}

void stores_rage(void)
{
    stores.calm = false;
}

void stores_rest(void)
{
    if (!stores.calm)
        redis_stop(false); /* that it was emptied is noticed with the next entry, or the next connection */
    stores.calm = true;
    for (int side = 0; side < SIDE_COUNT; side++)
        stores.away_until_ns[side] = stores.hangs_until_ns[side] = 0;
    postgres_move(true);
    redis_move(true);
}

/* ---- what they hold -----------------------------------------------------------------------------------------------
 */

bool stores_settled(void)
{
    struct postgres_marks marks = postgres_marks();
    uint64_t last = witness_event_count();
    return marks.events_seq == last && marks.orders_seq == last && marks.events_told == last &&
           marks.orders_told == last && redis_mark() == last;
}

void stores_describe(char *text, size_t text_bytes)
{
    struct postgres_marks marks = postgres_marks();
    snprintf(text, text_bytes, "PostgreSQL has events %llu and %llu of %llu, told were %llu and %llu; Redis has %llu;",
             (unsigned long long)marks.events_seq, (unsigned long long)marks.orders_seq,
             (unsigned long long)witness_event_count(), (unsigned long long)marks.events_told,
             (unsigned long long)marks.orders_told, (unsigned long long)redis_mark());
}

void stores_check(void)
{
    truth_check_all();
    redis_truth_check_all();
}
