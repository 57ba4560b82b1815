/*
 * The hosts of a libpq connection string as each attempt gets them: the lists `host`, `hostaddr` and `port` that take
 * the place of the string's own, with an address for each name, so that libpq has nothing to look up. Names are kept
 * beside the addresses, for certificates and messages. Where the string has no hosts there is nothing to do.
 *
 * Rules
 *   1. A host whose name has no address is left out of the attempt: the others are tried without it.
 *   2. An attempt has one deadline for all its hosts, and a host that says nothing uses it up. So an attempt begins
 *      with the host behind the one before's first, unless that one came through: then all stays as it worked.
 */
#ifndef RINGSIDE_PERSISTER_HOSTS_H
#define RINGSIDE_PERSISTER_HOSTS_H

#include "resolve.h"

#include <stdint.h>

#define HOSTS_MAX           8
#define HOSTS_TEXT_BYTES    256
#define HOSTS_NUMBERS_BYTES (HOSTS_TEXT_BYTES + HOSTS_MAX * (RESOLVE_TEXT_BYTES + 1))

struct host {
    const char *name;                 /* empty: libpq's own, or the address says it all */
    const char *given_address;        /* by the string; empty: none is */
    const char *port;                 /* empty: the string has one for all, or none */
    char address[RESOLVE_TEXT_BYTES]; /* looked up for this attempt; empty: none was needed */
    bool is_left_out;
};

struct hosts {
    char names[HOSTS_TEXT_BYTES]; /* the string's lists, their commas as zeros */
    char given_addresses[HOSTS_TEXT_BYTES];
    char ports[HOSTS_TEXT_BYTES];
    struct host host[HOSTS_MAX];
    uint32_t count;
    uint32_t first;  /* with which this attempt begins */
    uint32_t at;     /* being looked up */
    unsigned turn;   /* attempts so far */
    bool has_worked; /* the last attempt came through, or there was none */
    struct resolver resolver;
    char host_list[HOSTS_TEXT_BYTES]; /* for libpq; what is empty is left out, so are the next two */
    char hostaddr_list[HOSTS_NUMBERS_BYTES];
    char port_list[HOSTS_NUMBERS_BYTES];
};

/* Reads the connection string. A string that libpq cannot read is an error. */
int hosts_open(struct hosts *hosts, const char *connection, struct error *error);

/* Begins an attempt: looks the names up; 1 if there is nothing to do. */
int hosts_start(struct hosts *hosts, struct error *error);

/* 1: the lists are complete; 0: not yet; negative: none of the hosts has an address. */
int hosts_poll(struct hosts *hosts, struct error *error);

/* The attempt came through to a server that takes what it must. */
void hosts_worked(struct hosts *hosts);

void hosts_finish(struct hosts *hosts);

#endif
