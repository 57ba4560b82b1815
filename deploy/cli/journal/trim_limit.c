#include "trim_limit.h"

#include "journal/tail.h"
#include "matcher/snapshot_files.h"

#include <stdio.h>

/* The first command that a keeper needs, and why; UINT64_MAX: none. Negative if it cannot be told. */
typedef int keeper_find(const struct config *config, uint64_t *ret_seq, char why[TRIM_WHY_BYTES], struct error *error);

/* Snapshots that were read back whole: two of them are kept to begin with, in case one cannot be read when it counts.
 */
#define SNAPSHOTS_KEPT 2
#define TRIES          3

struct good {
    uint32_t count;
    uint64_t seq; /* command_seq_next of the last one that was good */
};

/* Good ones, the newest first, whose events are on the medium in the event log: a loss of power leaves them of use. */
static int look_at_listed(struct good *good, const struct snapshot_list *list, struct books *books,
                          const struct config *config, const uint8_t instance[16], uint64_t events_synced,
                          struct error *error)
{
    int result = 0;
    *good = (struct good){0};
    for (uint32_t i = 0; result == 0 && i < list->count && good->count < SNAPSHOTS_KEPT; i++) {
        struct snapshot_header header;
        bool is_good = snapshot_load(books, &header, config->snapshots_directory, list->seqs[i], instance, NULL) == 0 &&
                       header.event_seq_next <= events_synced;
        good->count += is_good;
        good->seq = is_good ? header.command_seq_next : good->seq;
        result = books_empty(books, error);
    }
    return result;
}

static int look_at_snapshots(struct good *good, const struct config *config, const uint8_t instance[16],
                             uint64_t events_synced, struct error *error)
{
    struct snapshot_list list;
    struct books books;
    int result = snapshot_list_read(&list, config->snapshots_directory, error);
    if (result < 0 || list.count < SNAPSHOTS_KEPT)
        return result;
    result = books_open(&books, config, error);
    if (result == 0)
        result = look_at_listed(good, &list, &books, config, instance, events_synced, error);
    books_close(&books);
    return result;
}

/* A matcher that starts makes its books from a snapshot and the journal behind it, else from the journal alone. */
static int recovery_needs(const struct config *config, uint64_t *ret_seq, char why[TRIM_WHY_BYTES], struct error *error)
{
    struct good good = {0};
    struct journal_end end;
    int result = 0;
    /* Again, because a snapshot may give way to a newer one while others are looked at. */
    for (int tries = 0; tries < TRIES && result == 0 && good.count < SNAPSHOTS_KEPT; tries++) {
        result = journal_end_find(&end, config->journal_directory, error);
        if (result == 0 && end.position.segment != 0)
            result = look_at_snapshots(&good, config, end.segment.instance, end.last.events_synced, error);
    }
    if (result < 0)
        return result;
    bool enough = good.count == SNAPSHOTS_KEPT;
    *ret_seq = enough ? good.seq : 1;
    if (enough)
        snprintf(why, TRIM_WHY_BYTES, "the older of the two newest good snapshots is of the books before it");
    else
        snprintf(why, TRIM_WHY_BYTES,
                 "there are fewer than two good snapshots whose events are on the medium (`ringside snapshot`), so the "
                 "books are made again from the first command on");
    return 0;
}

static const struct {
    const char *name;
    keeper_find *find;
} keepers[] = {
    {"recovery", recovery_needs},
};

int journal_trim_limit_find(struct journal_trim_limit *ret, const struct config *config, struct error *error)
{
    struct journal_trim_limit limit = {.needed_seq = UINT64_MAX, .keeper = "nobody"};
    for (size_t i = 0; i < sizeof(keepers) / sizeof(keepers[0]); i++) {
        struct journal_trim_limit own = {.keeper = keepers[i].name};
        int result = keepers[i].find(config, &own.needed_seq, own.why, error);
        if (result < 0)
            return result;
        if (own.needed_seq < limit.needed_seq)
            limit = own;
    }
    *ret = limit;
    return 0;
}
