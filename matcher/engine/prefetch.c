/*
 * Looking ahead in a batch: brings into the cache what commands will touch, in three rounds, each of which needs what
 * the one before has brought. It reads state that may be out of date when a command's turn comes; then a line was
 * fetched in vain, and nothing else.
 *
 *   round    of an entry                            of a change (cancel, replace, modify)      groups ahead
 *   first    slot, place in the directory *         slot                                       4
 *   second   level; the maker it meets first *      order                                      3
 *   third    last order of the level; maker's       level, neighbours                          2
 *            slot, the maker after it *
 *
 *   *  only among many books: where they are few it costs more than it gives, since their levels stay in the cache, and
 *      with them the orders at both ends of those that orders come to
 *
 * Rules
 *   1. Commands are looked at in groups, and the first round sorts each group into entries and changes without a branch
 * (which of the two a command is cannot be predicted), so that the others have nothing to decide.
 *   2. A group is looked at when all of it is there: what comes one by one leaves no time to look ahead.
 *   3. The first round and the others take turns, one each LOOK_EVERY commands: all at once they would ask for more
 * lines than can be on their way, and wait.
 */
#include "prefetch.h"

#include "levels.h"

/* Short loops, best left as they are: unrolled, all of them together are as long as the rest of the engine. */
#if defined(__clang__)
#define LOOK_LOOP _Pragma("clang loop unroll(disable)")
#else
#define LOOK_LOOP _Pragma("GCC unroll 1")
#endif

ALWAYS_INLINE const struct command *look_at(const struct engine_input *input, uint64_t group, uint32_t number)
{
    return &input->commands[(group * LOOK_GROUP + number) & input->mask];
}

/* Where the number of a key's page stands, if it is in the window; else another. */
ALWAYS_INLINE const uint32_t *look_page(const struct engine *engine, uint32_t instrument, uint32_t side, uint32_t key)
{
    struct ladder ladder = ladder_of(engine, instrument, side);
    uint32_t at = (key >> PAGE_SHIFT) - ladder.side->window_base;
    return ladder.pages + (at < engine->window_pages ? at : 0);
}

/* What an entry would be, whether it is one or not. Books are few enough to be read right away. */
ALWAYS_INLINE void look_entered(const struct engine *engine, const struct command *command, struct look_entry *entry)
{
    uint32_t asked = command->order.instrument;
    uint32_t instrument = asked <= engine->instrument_count ? asked : 0;
    uint32_t side = command->order.side != 'B';
    uint32_t key = price_index(&engine->books[instrument], command->order.price_ticks) ^ key_flip(side);
    const uint32_t *page = look_page(engine, instrument, side, key);
    fetch(page);
    entry->page = page;
    entry->key = key;
    entry->instrument = instrument;
    entry->side = side;
    entry->maker = 0;
}

ALWAYS_INLINE struct look_group *look_group(struct engine *engine, uint64_t number)
{
    return &engine->looks.groups[number % LOOK_GROUPS];
}

ALWAYS_INLINE void look_first(struct engine *engine, const struct engine_input *input, uint64_t number, bool at_entries)
{
    struct looks *looks = &engine->looks;
    struct look_group *group = look_group(engine, number);
    uint32_t change_count = 0;
    uint32_t entry_count = 0;
    LOOK_LOOP
    for (uint32_t i = 0; i < LOOK_GROUP; i++) {
        const struct command *command = look_at(input, number, i);
        bool enters = command->kind == COMMAND_ENTER;
        uint32_t user_ref = enters ? command->user_ref : command->order.target_user_ref;
        uint32_t hash = index_hash((struct index_key){command->session, user_ref, command->order.user_ref_index});
        fetch(index_bucket(engine, hash));
        fetch(look_at(input, number + 1, i));
        fetch((const uint8_t *)look_at(input, number + 1, i) + 64);
        struct look *look = &looks->at[(number * LOOK_GROUP + i) % LOOK_PLACES];
        *look = (struct look){.seq = number * LOOK_GROUP + i, .hash = hash};
        group->changes[change_count].look = look;
        change_count += !enters;
        if (at_entries) {
            look_entered(engine, command, &group->entries[entry_count]);
            entry_count += enters;
        }
    }
    group->change_count = change_count;
    group->entry_count = entry_count;
}

ALWAYS_INLINE void look_second(const struct engine *engine, struct look_group *group, bool at_entries)
{
    LOOK_LOOP
    for (uint32_t i = 0; i < group->change_count; i++) {
        struct look *look = group->changes[i].look;
        look->order = index_guess(engine, look->hash);
        fetch(&engine->orders[look->order]);
    }
    if (!at_entries)
        return;
    LOOK_LOOP
    for (uint32_t i = 0; i < group->entry_count; i++) {
        struct look_entry *entry = &group->entries[i];
        uint32_t other = !entry->side;
        int32_t best = engine->books[entry->instrument].sides[other].best;
        entry->level = level_in_page(engine, *entry->page, entry->key);
        fetch(entry->level);
        if (best >= (int32_t)(entry->key ^ KEY_MASK)) {
            const uint32_t *page = look_page(engine, entry->instrument, other, (uint32_t)best);
            entry->maker = level_in_page(engine, *page, (uint32_t)best)->head;
            fetch(&engine->orders[entry->maker]);
        }
    }
}

ALWAYS_INLINE void look_third(const struct engine *engine, const struct look_group *group, bool at_entries)
{
    LOOK_LOOP
    for (uint32_t i = 0; i < group->change_count; i++) {
        const struct order *order = &engine->orders[group->changes[i].look->order];
        const uint32_t *page = look_page(engine, order_instrument(order), code_side(order_code(order)), order->key);
        fetch(level_in_page(engine, *page, order->key));
        fetch(&engine->orders[order->prev]);
        fetch(&engine->orders[order->next]);
    }
    if (!at_entries)
        return;
    LOOK_LOOP
    for (uint32_t i = 0; i < group->entry_count; i++) {
        const struct look_entry *entry = &group->entries[i];
        fetch(&engine->orders[entry->level->tail]);
        if (entry->maker != 0)
            fetch_maker(engine, entry->maker);
    }
}

/* Whether a round has a group to look at: below `end`, and not too far ahead. */
ALWAYS_INLINE bool look_next(struct looks *looks, uint32_t round, uint64_t now, uint64_t end)
{
    uint64_t ahead = LOOK_ROUNDS + 1 - round;
    looks->done[round] = looks->done[round] > now ? looks->done[round] : now + 1;
    return looks->done[round] < end && looks->done[round] <= now + ahead;
}

/* Each round goes on from where it has come to. */
ALWAYS_INLINE void look(struct engine *engine, const struct engine_input *input, uint64_t seq, bool begins,
                        bool at_entries)
{
    struct looks *looks = &engine->looks;
    uint64_t *done = looks->done;
    uint64_t now = seq / LOOK_GROUP;
    uint64_t whole = input->end / LOOK_GROUP; /* groups below this one are all there */
    bool is_first = seq % LOOK_GROUP == 0;
    if (is_first || begins) {
        for (; look_next(looks, 0, now, whole); done[0]++)
            look_first(engine, input, done[0], at_entries);
    }
    if (!is_first || begins) {
        for (; look_next(looks, 1, now, done[0]); done[1]++)
            look_second(engine, look_group(engine, done[1]), at_entries);
        for (; look_next(looks, 2, now, done[1]); done[2]++)
            look_third(engine, look_group(engine, done[2]), at_entries);
    }
}

void look_ahead(struct engine *engine, const struct engine_input *input, uint64_t seq, bool begins)
{
    look(engine, input, seq, begins, true);
}

void look_ahead_at_changes(struct engine *engine, const struct engine_input *input, uint64_t seq, bool begins)
{
    look(engine, input, seq, begins, false);
}
