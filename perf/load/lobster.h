/*
 * Plays a LOBSTER file through the gateway and compares the book after every event.
 *
 * Rules
 *   1. The file begins on a book that is not empty: what the first row shows, less the first event, is entered first,
 *      one order a level. Cancels and executions of ids that were never entered are taken to be against those.
 *   2. New limit orders, cuts and deletes come from one user; a visible execution is an immediate-or-cancel order of
 *      that size at that price by another user, and must hit the order whose id the file gives, if it is known. Hidden
 *      executions, crosses and halts leave the visible book alone.
 *   3. After each event an account query marks the end of what it caused; then the book, made from the exchange's
 *      messages alone, must show the answer's levels, each price and quantity, as far as the file can know them:
 *        - levels that the row before showed the range of, must be exactly the row's
 *        - when a level leaves, one from beyond the range may come into view, with what happened to it unseen. It is
 *          adopted: an order is entered, or cut, to make it so, and counted. Nothing is adopted within the range. Which
 *          of the orders that such a level had before is the first is not known: their executions prove nothing.
 */
#ifndef RINGSIDE_LOAD_LOBSTER_H
#define RINGSIDE_LOAD_LOBSTER_H

#include "options.h"

/* Plays options->lobster against options->answers and prints what came of it. LOAD_OK or LOAD_FAILED. */
int lobster_run(const struct load_options *options);

#endif
