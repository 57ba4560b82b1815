/*
 * Assertions that stay on in release builds.
 *
 * REQUIRE states what the program itself guarantees; a failure is a bug, so the process stops before it can spread.
 * Operating errors (a full disk, a missing file, a bad packet) are never assertions: they are struct error.
 */
#ifndef RINGSIDE_BASE_REQUIRE_H
#define RINGSIDE_BASE_REQUIRE_H

#include <stddef.h>

_Noreturn void require_failed(const char *expression, const char *file, int line);

#define REQUIRE(expression)                                                                                            \
    (__builtin_expect(!!(expression), 1) ? (void)0 : require_failed(#expression, __FILE__, __LINE__))

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Pins one field of a contract struct: offset and size. */
#define CONTRACT_FIELD(type, field, offset, bytes)                                                                     \
    _Static_assert(offsetof(type, field) == (offset) && sizeof(((type *)0)->field) == (bytes),                         \
                   #type "." #field " is at " #offset ", " #bytes " bytes")

#endif
