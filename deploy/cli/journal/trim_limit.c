#include "trim_limit.h"

#include <stdio.h>

/* The first command that a keeper needs, and why; UINT64_MAX: none. Negative if it cannot be told. */
typedef int keeper_find(const struct config *config, uint64_t *ret_seq, char why[TRIM_WHY_BYTES], struct error *error);

/* A matcher that starts makes its books from the journal alone, so it needs all of it. */
static int recovery_needs(const struct config *config, uint64_t *ret_seq, char why[TRIM_WHY_BYTES], struct error *error)
{
    (void)config;
    (void)error;
    *ret_seq = 1;
    snprintf(why, TRIM_WHY_BYTES,
             "there are no snapshots of the engine, so the books are made again from the first command on");
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
