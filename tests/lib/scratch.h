/*
 * A folder of a test's own, in memory, and everything in it gone afterwards. One at a time in a process: Criterion runs
 * each test in one of its own.
 */
#ifndef RINGSIDE_TESTS_LIB_SCRATCH_H
#define RINGSIDE_TESTS_LIB_SCRATCH_H

/* Its path, which is there until scratch_remove. Ends the test if it cannot be made. */
const char *scratch_make(void);
void scratch_remove(void);

#endif
