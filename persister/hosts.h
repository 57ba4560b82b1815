/*
 * The hosts of a libpq connection string, each with an address that needs no look-up, as libpq's `hostaddr` wants them.
 * Names are kept beside the addresses, for certificates and messages. Where the string has no names, or gives hostaddr
 * itself, there is nothing to do.
 */
#ifndef RINGSIDE_PERSISTER_HOSTS_H
#define RINGSIDE_PERSISTER_HOSTS_H

#include "resolve.h"

#include <stdint.h>

#define HOSTS_MAX        8
#define HOSTS_TEXT_BYTES 256

struct hosts {
    char names[HOSTS_TEXT_BYTES]; /* the list, its commas as zeros */
    const char *name[HOSTS_MAX];
    char address[HOSTS_MAX][RESOLVE_TEXT_BYTES];     /* empty: none is needed */
    char list[HOSTS_MAX * (RESOLVE_TEXT_BYTES + 1)]; /* hostaddr; empty: leave it out */
    uint32_t count;
    uint32_t at;   /* being looked up */
    unsigned turn; /* attempts so far: another address of each name */
    struct resolver resolver;
};

/* Reads the connection string. A string that libpq cannot read is an error. */
int hosts_open(struct hosts *hosts, const char *connection, struct error *error);

/* Begins to look the names up; 1 if there is nothing to do. */
int hosts_start(struct hosts *hosts, struct error *error);

/* 1: hosts->list is complete; 0: not yet. */
int hosts_poll(struct hosts *hosts, struct error *error);

void hosts_finish(struct hosts *hosts);

#endif
