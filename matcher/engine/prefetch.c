/*
 * Looking ahead in a batch: brings into the cache what commands will touch, in four rounds, each of which needs what
 * the one before has brought. It reads state that may be out of date when a command's turn comes; then a line was
 * fetched in vain, and nothing else.
 *
 *   round    of an entry                            of a change (cancel, replace, modify)      groups ahead
 *   first    session, slot, book                    session, slot                              4
 *   second   place in the directory                 order                                      3
 *   third    level; the maker it might meet first   level, neighbours                          2
 *   fourth   last order of the level; maker's slot,                                            1
 *            the maker after it
 *
 * Rules
 *   1. Commands are looked at in groups, and the first round sorts each group into entries and changes without a branch
 * (which of the two a command is cannot be predicted), so that the others have nothing to decide.
 *   2. A group is looked at when all of it is there: what comes one by one leaves no time to look ahead.
 */
#include "prefetch.h"

#include "levels.h"

/* Short loops, best left as they are: unrolled, all of them together are as long as the rest of the engine. */
#if defined(__clang__)
#define LOOK_LOOP _Pragma("clang loop unroll(disable)")
#else
#define LOOK_LOOP _Pragma("GCC unroll 1")
#endif

LOOKS_AHEAD void look_first(const struct engine *engine, const struct command *command, struct look_group *group)
{
    bool enters = command->kind == COMMAND_ENTER;
    uint32_t user_ref = enters ? command->user_ref : command->order.target_user_ref;
    struct index_key key = {command->session, user_ref, command->order.user_ref_index};
    uint32_t hash = index_hash(key);
    uint32_t instrument = command->order.instrument;
    fetch(index_bucket(engine, hash));
    fetch(&engine->sessions[command->session]); /* it need not be there: nothing is read */
    fetch(&engine->books[instrument]);
    group->changes[group->change_count] = (struct look_change){.hash = hash, .tag = index_tag(hash, user_ref)};
    group->entries[group->entry_count] =
        (struct look_entry){.instrument = instrument <= engine->instrument_count ? instrument : 0,
                            .price_ticks = command->order.price_ticks,
                            .side = command->order.side != 'B'};
    group->change_count += !enters;
    group->entry_count += enters;
}

LOOKS_AHEAD void look_second(const struct engine *engine, struct look_group *group)
{
    LOOK_LOOP
    for (uint32_t i = 0; i < group->change_count; i++) {
        struct look_change *change = &group->changes[i];
        change->order = index_guess(engine, change->hash, change->tag);
        fetch(&engine->orders[change->order]);
    }
    LOOK_LOOP
    for (uint32_t i = 0; i < group->entry_count; i++) {
        struct look_entry *entry = &group->entries[i];
        struct ladder ladder = ladder_of(engine, entry->instrument, entry->side);
        entry->key = price_index(&engine->books[entry->instrument], entry->price_ticks) ^ key_flip(entry->side);
        uint32_t at = (entry->key >> PAGE_SHIFT) - ladder.side->window_base;
        entry->page = &ladder.pages[at < engine->window_pages ? at : 0];
        fetch(entry->page);
    }
}

/* The best level of a side, if it lies in the window; else one that is empty or another. */
LOOKS_AHEAD const struct level *look_best(const struct engine *engine, uint32_t instrument, uint32_t side)
{
    struct ladder ladder = ladder_of(engine, instrument, side);
    uint32_t key = (uint32_t)ladder.side->best;
    uint32_t at = (key >> PAGE_SHIFT) - ladder.side->window_base;
    return level_in_page(engine, ladder.pages[at < engine->window_pages ? at : 0], key);
}

LOOKS_AHEAD void look_third(const struct engine *engine, struct look_group *group)
{
    LOOK_LOOP
    for (uint32_t i = 0; i < group->change_count; i++) {
        const struct order *order = &engine->orders[group->changes[i].order];
        struct ladder ladder = ladder_of(engine, order_instrument(order), code_side(order_code(order)));
        uint32_t at = (order->key >> PAGE_SHIFT) - ladder.side->window_base;
        uint32_t page = ladder.pages[at < engine->window_pages ? at : 0];
        fetch(level_in_page(engine, page, order->key));
        fetch(&engine->orders[order->prev]);
        fetch(&engine->orders[order->next]);
    }
    LOOK_LOOP
    for (uint32_t i = 0; i < group->entry_count; i++) {
        struct look_entry *entry = &group->entries[i];
        entry->level = level_in_page(engine, *entry->page, entry->key);
        fetch(entry->level);
        entry->maker = look_best(engine, entry->instrument, !entry->side)->head;
        fetch(&engine->orders[entry->maker]);
    }
}

LOOKS_AHEAD void look_fourth(const struct engine *engine, const struct look_group *group)
{
    LOOK_LOOP
    for (uint32_t i = 0; i < group->entry_count; i++) {
        const struct look_entry *entry = &group->entries[i];
        fetch(&engine->orders[entry->level->tail]);
        fetch_maker(engine, entry->maker);
    }
}

LOOKS_AHEAD struct look_group *look_group(struct engine *engine, uint64_t number)
{
    return &engine->looks.groups[number % LOOK_GROUPS];
}

/* Each round goes on from where it has come to. */
void look_ahead(struct engine *engine, const struct engine_input *input, uint64_t seq)
{
    struct looks *looks = &engine->looks;
    uint64_t now = seq / LOOK_GROUP;
    uint64_t whole = input->end / LOOK_GROUP; /* groups below this one are all there */
    looks->first = looks->first > now ? looks->first : now + 1;
    looks->second = looks->second > now ? looks->second : now + 1;
    looks->third = looks->third > now ? looks->third : now + 1;
    looks->fourth = looks->fourth > now ? looks->fourth : now + 1;
    for (; looks->first < whole && looks->first <= now + 4; looks->first++) {
        struct look_group *group = look_group(engine, looks->first);
        group->change_count = 0;
        group->entry_count = 0;
        LOOK_LOOP
        for (uint32_t i = 0; i < LOOK_GROUP; i++)
            look_first(engine, &input->commands[(looks->first * LOOK_GROUP + i) & input->mask], group);
    }
    for (; looks->second < looks->first && looks->second <= now + 3; looks->second++)
        look_second(engine, look_group(engine, looks->second));
    for (; looks->third < looks->second && looks->third <= now + 2; looks->third++)
        look_third(engine, look_group(engine, looks->third));
    for (; looks->fourth < looks->third && looks->fourth <= now + 1; looks->fourth++)
        look_fourth(engine, look_group(engine, looks->fourth));
}
