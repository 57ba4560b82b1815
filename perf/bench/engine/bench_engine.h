/* `ringside bench engine`: what a command costs in the matching engine alone, by shape of the market. */
#ifndef RINGSIDE_BENCH_ENGINE_H
#define RINGSIDE_BENCH_ENGINE_H

int bench_engine_main(int argc, char **argv);

#endif
