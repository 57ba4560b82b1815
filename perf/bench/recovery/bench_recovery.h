/* `ringside bench recovery`: how long a matcher takes to have its books again. */
#ifndef RINGSIDE_BENCH_RECOVERY_H
#define RINGSIDE_BENCH_RECOVERY_H

int bench_recovery_main(int argc, char **argv);

#endif
