/* A process at the other end of a TCP connection on the loopback, which blocks, and sends back what it gets. */
#ifndef RINGSIDE_MACHINE_ECHO_H
#define RINGSIDE_MACHINE_ECHO_H

#include <sys/types.h>

#define ECHO_BYTES    64 /* of each message */
#define ECHO_ANY_CORE (-1)

struct echo {
    int fd; /* this end, blocking; -1: there is none */
    pid_t process;
};

/* On a core, or wherever the kernel puts it. -1 and errno if it cannot be. */
int echo_open(struct echo *echo, int core);

/* Ends the process and waits for it. */
void echo_close(struct echo *echo);

#endif
