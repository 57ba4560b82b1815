/* `ringside bench sockets`: epoll beside io_uring, under the messages of a gateway. */
#ifndef RINGSIDE_PERF_BENCH_SOCKETS_H
#define RINGSIDE_PERF_BENCH_SOCKETS_H

int bench_sockets_main(int argc, char **argv);

#endif
