/* `ringside bench ring`: what a ring between two processes carries, beside what the machine can do. */
#ifndef RINGSIDE_BENCH_RING_H
#define RINGSIDE_BENCH_RING_H

int bench_ring_main(int argc, char **argv);

#endif
