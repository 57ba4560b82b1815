#include "far.h"

#include "pool.h"

#include <stddef.h>

#define LEAF 1u

static bool is_leaf(uint32_t reference)
{
    return (reference & LEAF) != 0;
}

static uint32_t bit_of(uint32_t key, uint32_t bit)
{
    return key >> bit & 1;
}

/* The leaf at which a search for the key ends; the tree is not empty. */
static struct far_level *leaf_towards(const struct engine *engine, uint32_t reference, uint32_t key)
{
    while (!is_leaf(reference)) {
        const struct far_fork *fork = &engine->far_forks[reference >> 1];
        reference = fork->child[bit_of(key, fork->bit)];
    }
    return &engine->far_levels[reference >> 1];
}

static uint32_t largest(const struct engine *engine, uint32_t reference)
{
    return leaf_towards(engine, reference, KEY_MASK)->key;
}

struct level *far_find(const struct engine *engine, const struct book_side *side, uint32_t key)
{
    if (side->far_root == 0)
        return NULL;
    struct far_level *leaf = leaf_towards(engine, side->far_root, key);
    return leaf->key == key ? &leaf->level : NULL;
}

static uint32_t fork_take(struct engine *engine)
{
    struct pool *pool = &engine->far_fork_pool;
    return pool_take(pool, pool->free_first ? engine->far_forks[pool->free_first].child[0] : 0);
}

/* Puts the leaf into a tree that is not empty and does not hold its key; it parts from its neighbour at `bit`. */
static void leaf_join(struct engine *engine, struct book_side *side, uint32_t leaf, uint32_t bit)
{
    uint32_t key = engine->far_levels[leaf >> 1].key;
    uint32_t *link = &side->far_root;
    while (!is_leaf(*link) && engine->far_forks[*link >> 1].bit > bit) {
        struct far_fork *fork = &engine->far_forks[*link >> 1];
        link = &fork->child[bit_of(key, fork->bit)];
    }
    uint32_t index = fork_take(engine);
    ENGINE_REQUIRE(index != 0); /* as many forks as leaves */
    struct far_fork *fork = &engine->far_forks[index];
    fork->bit = bit;
    fork->child[bit_of(key, bit)] = leaf;
    fork->child[!bit_of(key, bit)] = *link;
    *link = index << 1;
}

struct level *far_open(struct engine *engine, struct book_side *side, uint32_t key)
{
    const struct far_level *near = side->far_root ? leaf_towards(engine, side->far_root, key) : NULL;
    if (near && near->key == key)
        return &engine->far_levels[near - engine->far_levels].level;
    struct pool *pool = &engine->far_level_pool;
    uint32_t index = pool_take(pool, engine->far_levels[pool->free_first].free_next);
    if (index == 0)
        return NULL;
    struct far_level *leaf = &engine->far_levels[index];
    leaf->key = key;
    leaf->free_next = 0;
    if (near)
        leaf_join(engine, side, index << 1 | LEAF, 31u - (uint32_t)__builtin_clz(near->key ^ key));
    else
        side->far_root = index << 1 | LEAF;
    side->far_count++;
    if ((int32_t)key > side->far_best)
        side->far_best = (int32_t)key;
    return &leaf->level;
}

void far_close(struct engine *engine, struct book_side *side, uint32_t key)
{
    uint32_t *parent = NULL; /* the link to the fork above the leaf */
    uint32_t *link = &side->far_root;
    while (!is_leaf(*link)) {
        struct far_fork *fork = &engine->far_forks[*link >> 1];
        parent = link;
        link = &fork->child[bit_of(key, fork->bit)];
    }
    uint32_t index = *link >> 1;
    struct far_level *leaf = &engine->far_levels[index];
    ENGINE_REQUIRE(leaf->key == key && leaf->level.head == 0);
    if (parent) {
        uint32_t fork_index = *parent >> 1;
        struct far_fork *fork = &engine->far_forks[fork_index];
        *parent = fork->child[link == &fork->child[0]];
        fork->child[0] = pool_give(&engine->far_fork_pool, fork_index);
    } else {
        side->far_root = 0;
    }
    *leaf = (struct far_level){.free_next = pool_give(&engine->far_level_pool, index)};
    side->far_count--;
    if ((int32_t)key == side->far_best)
        side->far_best = side->far_root ? (int32_t)largest(engine, side->far_root) : KEY_NONE;
}

int32_t far_in_page(const struct engine *engine, const struct book_side *side, uint32_t page_number)
{
    if (side->far_root == 0)
        return KEY_NONE;
    uint32_t key = leaf_towards(engine, side->far_root, page_number << PAGE_SHIFT)->key;
    return key >> PAGE_SHIFT == page_number ? (int32_t)key : KEY_NONE;
}

int32_t far_below(const struct engine *engine, const struct book_side *side, uint32_t key)
{
    if (side->far_root == 0)
        return KEY_NONE;
    uint32_t met = leaf_towards(engine, side->far_root, key)->key;
    if (met == key)
        return (int32_t)key;
    /* All leaves below the place where the key would fork off are on one side of it. */
    uint32_t bit = 31u - (uint32_t)__builtin_clz(met ^ key);
    uint32_t reference = side->far_root;
    uint32_t smaller = 0; /* the last subtree that was passed on its smaller side */
    while (!is_leaf(reference) && engine->far_forks[reference >> 1].bit > bit) {
        const struct far_fork *fork = &engine->far_forks[reference >> 1];
        if (bit_of(key, fork->bit))
            smaller = fork->child[0];
        reference = fork->child[bit_of(key, fork->bit)];
    }
    if (bit_of(key, bit))
        return (int32_t)largest(engine, reference);
    return smaller ? (int32_t)largest(engine, smaller) : KEY_NONE;
}
