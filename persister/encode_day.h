/*
 * Calendar days (UTC), counted from 1970-01-01, and which day an order's number was given on.
 *
 * Numbers only rise, so the first of each day is all that must be known: a number belongs to the last day that began
 * below it. The table of orders is in partitions by that day, and a change of an order names it.
 *
 * No system calls, no allocation.
 */
#ifndef RINGSIDE_PERSISTER_ENCODE_DAY_H
#define RINGSIDE_PERSISTER_ENCODE_DAY_H

#include "base/units.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ORDER_DAYS_MAX 4096 /* the latest ones are kept; what is older counts to the oldest of these */

static inline uint32_t day_of_time(uint64_t time_ns)
{
    return (uint32_t)(time_ns / NS_PER_DAY);
}

struct order_day {
    uint64_t first_ref;
    uint32_t day;
};

struct order_days {
    uint32_t count;
    struct order_day days[ORDER_DAYS_MAX];
};

/* A number given on that day. true: it is the day's first, and is in the table now. */
static inline bool order_days_note(struct order_days *days, uint64_t first_ref, uint32_t day)
{
    if (days->count > 0 && days->days[days->count - 1].day >= day)
        return false;
    if (days->count == ORDER_DAYS_MAX) {
        memmove(days->days, days->days + 1, (ORDER_DAYS_MAX - 1) * sizeof(days->days[0]));
        days->count--;
    }
    days->days[days->count++] = (struct order_day){.first_ref = first_ref, .day = day};
    return true;
}

/* From the newest back: most changes are of today's orders. */
static inline uint32_t order_days_of(const struct order_days *days, uint64_t order_ref)
{
    for (uint32_t i = days->count; i > 0; i--)
        if (i == 1 || days->days[i - 1].first_ref <= order_ref)
            return days->days[i - 1].day;
    return 0;
}

#endif
