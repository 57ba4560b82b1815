/*
 * Trimming, as far as the journaler sees of it: files of older segments that it may use anew. The segments themselves
 * stay where they are, so that the history can be looked at from its beginning.
 */
#ifndef RINGSIDE_SIMULATOR_SPARES_H
#define RINGSIDE_SIMULATOR_SPARES_H

#include "config/config.h"

/* Puts a copy of some older segment where a trimmed one's file would be, if there is one of full size and a place. */
void spares_offer(const struct config *config);

#endif
