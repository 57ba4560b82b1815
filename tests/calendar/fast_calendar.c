/*
 * ringside-sequencer, but for its calendar: the days of what it stamps pass RINGSIDE_TEST_CALENDAR_SPEED times as fast,
 * from the moment it starts. Everything that waits or measures goes by the other clocks, which are as they were.
 *
 * For tests that need days to pass: the linker leads the stage's calls of clock_realtime_ns here (--wrap).
 */
#include "base/require.h"
#include "sequencer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define SPEED "RINGSIDE_TEST_CALENDAR_SPEED"

uint64_t __real_clock_realtime_ns(void); /* NOLINT(bugprone-reserved-identifier): the linker's name */
uint64_t __wrap_clock_realtime_ns(void); /* NOLINT(bugprone-reserved-identifier) */

static uint64_t started_ns;
static uint64_t speed;

uint64_t __wrap_clock_realtime_ns(void) /* NOLINT(bugprone-reserved-identifier) */
{
    uint64_t now_ns = __real_clock_realtime_ns();
    return now_ns + (now_ns - started_ns) * (speed - 1);
}

int main(int argc, char **argv)
{
    const char *text = getenv(SPEED);
    speed = text ? strtoull(text, NULL, 10) : 0;
    if (speed == 0 || speed > 100000) {
        fprintf(stderr, "%s: %s is to say how fast days pass, 1 to 100000\n", argv[0], SPEED);
        return EXIT_STAGE_USAGE;
    }
    started_ns = __real_clock_realtime_ns();
    return stage_main(argc, argv, &sequencer_stage);
}
