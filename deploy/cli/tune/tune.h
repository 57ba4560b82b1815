/*
 * `ringside tune` in three parts: what there is (machine.c), what should be (plan.c: pure, no files), what is done
 * about it (apply.c). Every path is below `root`, "" but in tests, which make a machine up.
 */
#ifndef RINGSIDE_CLI_TUNE_H
#define RINGSIDE_CLI_TUNE_H

#include "base/error.h"
#include "config/config.h"

#include <stdbool.h>
#include <stdint.h>

#define TUNE_CORES_MAX   256
#define TUNE_IRQS_MAX    64
#define TUNE_ACTIONS_MAX (TUNE_IRQS_MAX + 32)
#define TUNE_PATH_BYTES  320
#define TUNE_CPUS_BYTES  64 /* "3" or "3,11" */

/* A physical core and the processors (its threads) that it shows. */
struct tune_core {
    uint32_t first;
    char cpus[TUNE_CPUS_BYTES];
};

struct tune_irq {
    uint32_t number;
    char cpus[TUNE_CPUS_BYTES]; /* that may take it now */
};

struct tune_machine {
    struct tune_core cores[TUNE_CORES_MAX];
    uint32_t core_count;
    uint32_t cpu_count;
    uint64_t memory_bytes;
    bool swaps;
    char huge[16];     /* what shared memory gets of huge pages: never, advise, always ...; "": not known */
    char governor[24]; /* of the first core's clock; "": not known */
    struct tune_irq irqs[TUNE_IRQS_MAX]; /* of the disk that the journal is on */
    uint32_t irq_count;
};

int tune_machine_read(struct tune_machine *machine, const char *root, const struct config *config, struct error *error);

/* ---- the plan -----------------------------------------------------------------------------------------------------
 */

enum tune_kind {
    TUNE_NOTHING, /* only to be told */
    TUNE_UNIT,    /* a drop-in for a unit */
    TUNE_KERNEL,  /* a value of the kernel's, written now and, by tmpfiles.d, at each boot */
    TUNE_NOW,     /* one that is written now only */
};

struct tune_action {
    enum tune_kind kind;
    char what[48];
    char value[64];
    char why[160];
    char path[TUNE_PATH_BYTES]; /* of the drop-in or the kernel's file */
    char text[512];             /* its contents */
};

struct tune_plan {
    struct tune_action actions[TUNE_ACTIONS_MAX];
    uint32_t action_count;
};

/* `instance` is "" for the default exchange; memory_bytes is what all its processes need. */
void tune_plan_make(struct tune_plan *plan, const struct tune_machine *machine, const struct config *config,
                    const char *instance, uint64_t memory_bytes);

/* ---- doing it ------------------------------------------------------------------------------------------------------
 */

int tune_apply(const struct tune_plan *plan, const char *root, struct error *error);

/* Takes away what tune_apply wrote; what the kernel was told stays until it boots. */
int tune_undo(const char *root, const char *instance, uint32_t *ret_count, struct error *error);

#endif
