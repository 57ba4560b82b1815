/*
 * How failures travel: a negative code as the return value, and the story in a struct error that the caller owns.
 *
 * Rules
 *   1. A function returns 0 or a count on success and one of the negative codes below on failure.
 *   2. On failure, outputs named ret_* or *ret are untouched and the struct error is filled.
 *   3. Libraries never log. Whoever stops the failure from travelling further logs it, once.
 *   4. ERROR_NOT_YET is for what comes if one waits (a file of a stage that is still starting). It is not logged.
 *
 * A struct error has a fixed size and needs no release. Passing NULL for it is allowed everywhere.
 */
#ifndef RINGSIDE_BASE_ERROR_H
#define RINGSIDE_BASE_ERROR_H

enum error_code {
    ERROR_NOT_YET = -1,  /* not there yet: wait and try again */
    ERROR_SYSTEM = -2,   /* the operating system refused: errno is in the message */
    ERROR_CORRUPT = -3,  /* bytes that should be ours are not what was written */
    ERROR_MISMATCH = -4, /* another version, layout, run or size */
    ERROR_HELD = -5,     /* another process owns this role */
    ERROR_INVALID = -6,  /* a value breaks a named rule */
    ERROR_FULL = -7,     /* a stated limit is reached */
    ERROR_CLOSED = -8,   /* the other side ended */
    ERROR_IO = -9,       /* a device failed: fatal, never retried */
    ERROR_TIMEOUT = -10, /* it did not happen in time */
    ERROR_GONE = -11,    /* it was there and was given up on purpose: it does not come back by waiting */
};

#define ERROR_WHERE_BYTES 160
#define ERROR_WHAT_BYTES  320

struct error {
    int code;                      /* enum error_code */
    int system;                    /* errno, or 0 */
    char where[ERROR_WHERE_BYTES]; /* the file, option, peer or record it is about */
    char what[ERROR_WHAT_BYTES];   /* what is wrong, and what to do next where that is known */
};

/* Fills *error (if not NULL) and returns code, so that a failing function can end in `return error_set(...)`. */
int error_set(struct error *error, int code, const char *where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with the text of errno_value appended; code is ERROR_SYSTEM. */
int error_system(struct error *error, int errno_value, const char *where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The name of a code, such as "not yet"; never NULL. */
const char *error_name(int code);

#endif
