#include "matches.h"

#include <stdlib.h>
#include <sys/mman.h>

#define WAITING_START 4096u
#define BITS_BYTES    ((uint64_t)1 << 32) /* address space, not memory: 34 thousand million trades */
#define BITS_BEFORE   ((uint64_t)1 << 24) /* how far below the first number seen others may be */

bool matches_init(struct matches *matches)
{
    *matches = (struct matches){.waiting_mask = WAITING_START - 1};
    matches->waiting = calloc(WAITING_START, sizeof(*matches->waiting));
    void *bits = mmap(NULL, BITS_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    matches->paired_bits = bits == MAP_FAILED ? NULL : bits;
    if (matches->waiting && matches->paired_bits)
        return true;
    matches_finish(matches);
    return false;
}

void matches_finish(struct matches *matches)
{
    free(matches->waiting);
    if (matches->paired_bits)
        munmap(matches->paired_bits, BITS_BYTES);
    *matches = (struct matches){0};
}

static uint64_t home_of(const struct matches *matches, uint64_t number)
{
    return (number * 0x9e3779b97f4a7c15u >> 20) & matches->waiting_mask;
}

/* Where the number is, or the empty place where it would be. */
static struct match_side *find(const struct matches *matches, uint64_t number)
{
    uint64_t at = home_of(matches, number);
    while (matches->waiting[at].number != 0 && matches->waiting[at].number != number)
        at = (at + 1) & matches->waiting_mask;
    return &matches->waiting[at];
}

/* Takes a place out and closes the gap behind it, so that no search ends too early. */
static void take_out(struct matches *matches, struct match_side *side)
{
    uint64_t hole = (uint64_t)(side - matches->waiting);
    uint64_t at = hole;
    matches->waiting_count--;
    for (;;) {
        at = (at + 1) & matches->waiting_mask;
        const struct match_side *next = &matches->waiting[at];
        if (next->number == 0)
            break;
        uint64_t home = home_of(matches, next->number);
        if (((at - home) & matches->waiting_mask) < ((at - hole) & matches->waiting_mask))
            continue;
        matches->waiting[hole] = *next;
        hole = at;
    }
    matches->waiting[hole].number = 0;
}

static bool grow(struct matches *matches)
{
    uint64_t old_count = matches->waiting_mask + 1;
    struct match_side *old = matches->waiting;
    struct match_side *larger = calloc(old_count * 2, sizeof(*larger));
    if (!larger)
        return false;
    matches->waiting = larger;
    matches->waiting_mask = old_count * 2 - 1;
    for (uint64_t i = 0; i < old_count; i++)
        if (old[i].number != 0)
            *find(matches, old[i].number) = old[i];
    free(old);
    return true;
}

const char *matches_add(struct matches *matches, const struct match_side *side)
{
    if (side->number == 0)
        return "a trade has match number 0";
    if (matches->first == 0)
        matches->first = side->number > BITS_BEFORE ? side->number - BITS_BEFORE : 1;
    uint64_t bit = side->number - matches->first;
    if (side->number < matches->first || bit / 8 >= BITS_BYTES)
        return "a match number is far from all others";
    uint8_t mask = (uint8_t)(1u << (bit & 7));
    if (matches->paired_bits[bit / 8] & mask)
        return "a match number comes a third time";
    struct match_side *waiting = find(matches, side->number);
    if (waiting->number == 0) {
        *waiting = *side;
        matches->waiting_count++;
        if (matches->waiting_count * 2 > matches->waiting_mask && !grow(matches))
            return "no memory for the trades that wait for their other side";
        return NULL;
    }
    if (waiting->price != side->price || waiting->quantity != side->quantity)
        return "the two sides of a trade differ in price or quantity";
    matches->paired_bits[bit / 8] |= mask;
    matches->paired_count++;
    take_out(matches, waiting);
    return NULL;
}
