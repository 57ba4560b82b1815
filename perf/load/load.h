/*
 * `ringside load`: drives an exchange over TCP and checks what comes back.
 *
 *   options   the command line                    market    instruments, their moving prices, what to do next
 *   session   one user: its orders' stories       matches   both sides of every trade
 *   drive     the loop: when what is sent         report    the table and the JSON object
 *   yardstick TCP and disk alone                  lobster*  a LOBSTER file through the gateway
 */
#ifndef RINGSIDE_LOAD_H
#define RINGSIDE_LOAD_H

/* Exit codes: 0 all that was checked holds, 1 it does not, 2 usage. */
int load_main(int argc, char **argv);

#endif
