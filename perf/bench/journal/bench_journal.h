/* `ringside bench journal`: how soon and how much the journaler makes durable, beside what the disk can do. */
#ifndef RINGSIDE_BENCH_JOURNAL_H
#define RINGSIDE_BENCH_JOURNAL_H

int bench_journal_main(int argc, char **argv);

#endif
