/* `ringside bench matcher`: the engine between two rings, in two processes. */
#ifndef RINGSIDE_BENCH_MATCHER_H
#define RINGSIDE_BENCH_MATCHER_H

int bench_matcher_main(int argc, char **argv);

#endif
