/* Who goes first (rest.h), and the pace of catching up, by a clock of our own: batches of 1,000 events at a live rate
 * of 10,000 a second. */
#include "pace.h"
#include "rest.h"

#include <criterion/criterion.h>

#define START_NS   (5ull * NS_PER_SECOND)
#define LIVE_PER_S 10000u
#define BATCH      1000u

/* Where the exchange is at a moment, having begun at event 1,000,000. */
static uint64_t published(uint64_t now_ns, uint64_t live_per_s)
{
    return 1000000 + (now_ns - START_NS) * live_per_s / NS_PER_SECOND;
}

/* Events taken in `seconds` by a store that takes any batch at once, looking each 100 us. */
static uint64_t taken(struct pace *pace, uint64_t seconds, uint64_t live_per_s)
{
    uint64_t events = 0;
    for (uint64_t now_ns = START_NS; now_ns < START_NS + seconds * NS_PER_SECOND; now_ns += 100000) {
        pace_note(pace, now_ns, published(now_ns, live_per_s));
        if (now_ns < pace->next_ns)
            continue;
        pace_batch(pace, now_ns, BATCH);
        events += pace->next_ns != 0 ? BATCH : 0;
    }
    return events;
}

Test(pace, is_a_multiple_of_the_live_rate)
{
    for (uint64_t times = 1; times <= 10; times++) {
        struct pace pace = {.times = times};
        uint64_t events = taken(&pace, 10, LIVE_PER_S);
        uint64_t most = times * LIVE_PER_S * 19 / 2 + BATCH; /* after the window in which the rate is not known */
        cr_assert_leq(events, most, "%llu times: %llu", (unsigned long long)times, (unsigned long long)events);
        cr_assert_geq(events, most * 98 / 100, "%llu times: %llu", (unsigned long long)times,
                      (unsigned long long)events);
    }
}

Test(pace, follows_the_live_rate)
{
    struct pace pace = {.times = 2};
    pace_note(&pace, START_NS, 100);
    pace_note(&pace, START_NS + NS_PER_SECOND, 100 + 50000);
    pace_batch(&pace, START_NS + NS_PER_SECOND, BATCH);
    cr_assert_eq(pace.next_ns, START_NS + NS_PER_SECOND + 10 * (uint64_t)NS_PER_MS);
    pace_note(&pace, START_NS + 2 * (uint64_t)NS_PER_SECOND, 100 + 50000 + 5000);
    pace_batch(&pace, START_NS + 2 * (uint64_t)NS_PER_SECOND, BATCH);
    cr_assert_eq(pace.next_ns, START_NS + 2 * (uint64_t)NS_PER_SECOND + 100 * (uint64_t)NS_PER_MS);
}

Test(pace, survives_an_exchange_that_goes_back)
{
    struct pace pace = {.times = 2};
    pace_note(&pace, START_NS, 1000000);
    pace_note(&pace, START_NS + NS_PER_SECOND, 10);
    cr_assert_eq(pace.live_per_s, 0);
    pace_batch(&pace, START_NS + NS_PER_SECOND, BATCH);
    cr_assert_eq(pace.next_ns, 0);
}

Test(pace, has_no_limit_where_nobody_trades)
{
    struct pace pace = {.times = 3};
    cr_assert_eq(taken(&pace, 10, PACE_LIVE_PER_S_MIN - 10), 0);
    cr_assert_eq(pace.next_ns, 0);
}

Test(pace, has_no_limit_if_none_is_wanted)
{
    struct pace pace = {.times = 0};
    cr_assert_eq(taken(&pace, 10, LIVE_PER_S), 0);
    cr_assert_eq(pace.next_ns, 0);
}

Test(pace, begins_without_a_limit)
{
    struct pace pace = {.times = 3};
    taken(&pace, 2, LIVE_PER_S);
    cr_assert_neq(pace.next_ns, 0);
    pace_begin(&pace);
    pace_note(&pace, START_NS, 1);
    pace_batch(&pace, START_NS, BATCH);
    cr_assert_eq(pace.next_ns, 0);
    cr_assert_eq(pace.times, 3);
}

/* ---- who goes first ---------------------------------------------------------------------------------------------- */

#define TOOK_NS (20ull * NS_PER_MS)

/* Batches that a writer begins in a second, each taking TOOK_NS, while the other lags by first_lag_ns. */
static uint64_t batches(uint64_t first_lag_ns)
{
    struct rest rest = {0};
    uint64_t count = 0;
    uint64_t end_ns = START_NS + NS_PER_SECOND;
    for (uint64_t now_ns = START_NS; now_ns < end_ns; now_ns += NS_PER_MS) {
        if (rest_holds(&rest, now_ns, first_lag_ns))
            continue;
        rest_begin(&rest, now_ns, now_ns + TOOK_NS);
        now_ns += TOOK_NS - NS_PER_MS;
        count++;
    }
    return count;
}

Test(rest, holds_only_while_the_first_lags)
{
    cr_assert_eq(batches(0), NS_PER_SECOND / TOOK_NS);
    cr_assert_eq(batches(REST_LAG_NS), NS_PER_SECOND / TOOK_NS);
    cr_assert_eq(batches(REST_LAG_NS + 1), 5);
}

Test(rest, leaves_a_tenth_however_far_the_first_lags)
{
    cr_assert_eq(batches(3600ull * NS_PER_SECOND), NS_PER_SECOND / (TOOK_NS * (REST_TIMES + 1)));
}

/* Once the first is level nothing of a rest is left, however long it was to be. */
Test(rest, ends_when_the_first_is_level)
{
    struct rest rest = {0};
    rest_begin(&rest, START_NS, START_NS + NS_PER_SECOND);
    uint64_t now_ns = START_NS + NS_PER_SECOND + 1;
    cr_assert(rest_holds(&rest, now_ns, NS_PER_SECOND));
    cr_assert(!rest_holds(&rest, now_ns, 0));
}
