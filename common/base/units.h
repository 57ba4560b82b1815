/* Units used throughout: times in ns, sizes in bytes, prices in ten-thousandths of the currency unit (price_ticks). */
#ifndef RINGSIDE_BASE_UNITS_H
#define RINGSIDE_BASE_UNITS_H

#include <stdint.h>

#define NS_PER_US     1000u
#define NS_PER_MS     1000000u
#define NS_PER_SECOND 1000000000u
#define NS_PER_DAY    (86400u * (uint64_t)NS_PER_SECOND)

#define KIB 1024u
#define MIB 1048576u

/* Two cache lines: neighbours are fetched in pairs, so words of different writers stand this far apart. */
#define LINE_PAIR_BYTES 128

#define PRICE_TICKS_PER_UNIT 10000

#endif
