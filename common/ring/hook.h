/*
 * Two things that differ between a test and the exchange.
 *
 * RING_HOOK names a place between two steps of the ring or of a doorbell. Outside tests it is nothing. A test that
 * compiles the sources with RING_HOOKED is called there, and lets another role run or this one die: so an interleaving
 * is tried on purpose and every time, instead of by luck.
 *
 * The fences are C11's. gcc's thread sanitizer does not model fences and says so at each (-Wtsan). Nothing that it
 * checks here leans on one: records pass by release and acquire of the slot's word. The fences order the observers'
 * copies, which it is told to leave alone (ring.h), and the doorbells' flags, which are atomic themselves.
 */
#ifndef RINGSIDE_RING_HOOK_H
#define RINGSIDE_RING_HOOK_H

#include <stdatomic.h>

#ifdef RING_HOOKED
void ring_hook(const char *place);
#define RING_HOOK(place) ring_hook(place)
#else
#define RING_HOOK(place) ((void)0)
#endif

#if defined(__SANITIZE_THREAD__)
#define RING_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RING_THREAD_SANITIZER 1
#endif
#endif
#ifndef RING_THREAD_SANITIZER
#define RING_THREAD_SANITIZER 0
#endif

#if RING_THREAD_SANITIZER && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif

static inline void ring_fence_release(void)
{
    atomic_thread_fence(memory_order_release);
}

static inline void ring_fence_acquire(void)
{
    atomic_thread_fence(memory_order_acquire);
}

/* Orders earlier stores before later loads too. */
static inline void ring_fence_full(void)
{
    atomic_thread_fence(memory_order_seq_cst);
}

#if RING_THREAD_SANITIZER && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif
