/*
 * `ringside probe`: what passes through the rings of a running exchange, without being one of it.
 *
 *   probe.c    the command line and the loop
 *   follow.c   records that a filter lets through, as text, JSON or bytes
 *   report.c   what was seen, as a table or JSON
 *   tap.c      one ring, watched          hops.c   the histograms          told.c   the last hop
 *   learn.c    what the event log knows of names
 */
#ifndef RINGSIDE_PROBE_H
#define RINGSIDE_PROBE_H

#include "config/config.h"
#include "perf/probe/hops.h"
#include "perf/probe/tap.h"
#include "perf/probe/told.h"
#include "show/filter.h"
#include "show/names.h"
#include "topology/topology.h"

#include <stdio.h>

#define PROBE_RINGS_MAX (TOPOLOGY_GATEWAYS_MAX + 2)

struct probe_filter {
    struct kind_set commands; /* kinds; wanted ones, if kinds_given */
    struct kind_set events;
    bool kinds_given;
    const char *session; /* user or number; NULL: all */
    const char *symbol;
    uint64_t from_seq, to_seq;
};

struct probe {
    const struct config *config;
    struct tap taps[PROBE_RINGS_MAX];
    struct batches batches[PROBE_RINGS_MAX];
    uint32_t tap_count;
    struct hops hops;
    struct told told;
    struct probe_filter filter;
    struct names names;
    bool follow;
    bool json;
    bool all;                  /* reads every record, however many there are */
    FILE *raw;                 /* NULL: none */
    uint64_t let_through;      /* records that the filter let through */
    uint64_t let_through_most; /* and no more */
    uint64_t begun_ns;
    uint64_t filled_at_most; /* records found waiting in a ring at once since the last sleep, by a 16th of its slots */
};

/* Learns what it can of instruments' and users' names from the beginning of the event log. */
void follow_learn_names(struct probe *probe);

/* Prints, or writes, the record if the filter lets it through. False: stdout or the file takes no more. */
bool follow_record(struct probe *probe, const struct tap *tap, const void *record);

/* Prints what was seen in `seconds`. */
void report_probe(struct probe *probe, double seconds);

int probe_main(int argc, char **argv);

#endif
