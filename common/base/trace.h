/*
 * Places where a tracer can look into a running process (USDT, provider "ringside"): one instruction that does nothing
 * each, and a note in the program that bpftrace, perf and SystemTap read. docs/observing.md lists them.
 *
 * Rules
 *   1. Once a batch or a stall, never once a record.
 *   2. Arguments are what is at hand anyway: nothing is computed for a tracer that is not there. A record is given by
 *      its address; its head (record/stamp.h) holds the stamps.
 *   3. Without sys/sdt.h at build time they are nothing.
 */
#ifndef RINGSIDE_BASE_TRACE_H
#define RINGSIDE_BASE_TRACE_H

#ifdef RINGSIDE_USDT
#include <sys/sdt.h>
#define TRACE2(name, first, second)        DTRACE_PROBE2(ringside, name, first, second)
#define TRACE3(name, first, second, third) DTRACE_PROBE3(ringside, name, first, second, third)
#else
#define TRACE2(name, first, second)        ((void)(first), (void)(second))
#define TRACE3(name, first, second, third) ((void)(first), (void)(second), (void)(third))
#endif

#endif
