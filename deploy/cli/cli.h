/*
 * The `ringside` program: one subcommand a file, each a main of its own with argv[0] as its name. What is no subcommand
 * here is looked for as the program ringside-NAME beside this one, then in PATH.
 */
#ifndef RINGSIDE_CLI_H
#define RINGSIDE_CLI_H

int run_main(int argc, char **argv);      /* run.c */
int status_main(int argc, char **argv);   /* status.c */
int metrics_main(int argc, char **argv);  /* metrics.c */
int config_main(int argc, char **argv);   /* config.c */
int snapshot_main(int argc, char **argv); /* snapshot.c */
int admin_main(int argc, char **argv);    /* admin/ */
int trades_main(int argc, char **argv);   /* trades.c */
int drain_main(int argc, char **argv);    /* drain.c */
int version_main(int argc, char **argv);  /* version.c */
int bench_main(int argc, char **argv);    /* bench.c */
int journal_main(int argc, char **argv);  /* journal/ */
int backup_main(int argc, char **argv);   /* backup/ */
int order_main(int argc, char **argv);    /* order/ */
int tune_main(int argc, char **argv);     /* tune/ */

/* Parts that live elsewhere. */
int load_main(int argc, char **argv);         /* perf/load */
int probe_main(int argc, char **argv);        /* perf/probe */
int top_main(int argc, char **argv);          /* perf/dash */
int bench_ring_main(int argc, char **argv);   /* perf/bench */
int bench_engine_main(int argc, char **argv); /* perf/bench */
int bench_matcher_main(int argc, char **argv);
int bench_journal_main(int argc, char **argv);
int bench_recovery_main(int argc, char **argv);
int bench_sockets_main(int argc, char **argv);

#endif
