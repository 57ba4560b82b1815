/*
 * The straight path of a new order: plain, in a book without anything rare, within all limits. Nearly all orders are
 * such, so they are judged and stood here in one piece. Whatever is not certain to be so is left alone, for orders.c to
 * judge from the beginning; so this path gives what that one would, and knows no reason to reject.
 */
#ifndef RINGSIDE_ENGINE_STRAIGHT_H
#define RINGSIDE_ENGINE_STRAIGHT_H

#include "state.h"

/* `hash` is that of the order's name in the index. false: not on the straight path, and nothing has changed. */
bool straight_enter(struct engine *engine, const struct command *command, uint32_t hash);

#endif
