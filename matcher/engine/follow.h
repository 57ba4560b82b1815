/*
 * What follows a trade or another change in a book (docs/engine.md): stops fire, triggered orders get their turn one
 * after the other, pegs move with the best prices. Without recursion: one thing at a time, until nothing is left.
 */
#ifndef RINGSIDE_ENGINE_FOLLOW_H
#define RINGSIDE_ENGINE_FOLLOW_H

#include "state.h"

/* Whether the book at hand has anything that could follow. */
static inline bool follow_concerns(const struct engine *engine)
{
    return (engine->books[engine->touched_instrument].rare & (RARE_TRIGGERS | RARE_PEGS)) != 0;
}

/* Does one thing that follows in the touched book; false: nothing is left. */
bool follow_one(struct engine *engine);

#endif
