/*
 * What should be, from what there is.
 *
 *   1. A core more than processes: each stage has a core of its own and spins; the first core is the system's, and
 * takes the disk's interrupts. A second thread of a stage's core is left idle, since it would take half of it.
 *   2. Four cores and more, but fewer than that: the stages that every order waits for share all cores but the first,
 *      and the rest of it shares the first; all park.
 *   3. Fewer: the kernel places better than any fixed rule, and stages park. Nothing is written.
 *   4. Memory is locked if all that the exchange needs is at most half of what the machine has.
 *   5. Scheduling in real time is left alone: a stage that spins under it is throttled for 50 ms at a time.
 */
#include "tune.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHARED_CORES_MIN 4
#define MB               (1024.0 * 1024.0)

struct planning {
    struct tune_plan *plan;
    const struct tune_machine *machine;
    const struct config *config;
    const char *instance;
    bool locks;
    const char *wait; /* NULL: as configured */
};

__attribute__((format(printf, 4, 5))) static struct tune_action *add(struct planning *planning, const char *what,
                                                                     const char *value, const char *why, ...)
{
    static struct tune_action spare;
    struct tune_plan *plan = planning->plan;
    struct tune_action *action = plan->action_count < TUNE_ACTIONS_MAX ? &plan->actions[plan->action_count++] : &spare;
    va_list arguments;
    memset(action, 0, sizeof(*action));
    snprintf(action->what, sizeof(action->what), "%s", what);
    snprintf(action->value, sizeof(action->value), "%s", value);
    va_start(arguments, why);
    vsnprintf(action->why, sizeof(action->why), why, arguments);
    va_end(arguments);
    return action;
}

/* ---- units ---------------------------------------------------------------------------------------------------------
 */

/* "matcher" or "gateway@2"; of an instance "matcher@blue", "gateway@blue:2". */
static void unit_name(const struct planning *planning, const char *stage, uint32_t gateway, char *name, size_t bytes)
{
    const char *instance = planning->instance;
    if (gateway > 1 && *instance)
        snprintf(name, bytes, "%s@%s:%u", stage, instance, gateway);
    else if (gateway > 1)
        snprintf(name, bytes, "%s@%u", stage, gateway);
    else
        snprintf(name, bytes, "%s%s%s", stage, *instance ? "@" : "", instance);
}

static void plan_unit(struct planning *planning, const char *stage, uint32_t gateway, const char *cpus, const char *why)
{
    char unit[64];
    char wait[96] = "";
    char affinity[96] = "";
    bool is_stage = strcmp(stage, "snapshot") != 0 && strcmp(stage, "trim") != 0;
    unit_name(planning, stage, gateway, unit, sizeof(unit));
    if (planning->wait && is_stage)
        snprintf(wait, sizeof(wait), "Environment=\"RINGSIDE_OPTIONS=--set exchange.wait=%s\"\n", planning->wait);
    if (*cpus)
        snprintf(affinity, sizeof(affinity), "CPUAffinity=%s\n", cpus);
    const char *lock = planning->locks && is_stage ? "LimitMEMLOCK=infinity\n" : "";
    if (!*wait && !*affinity && !*lock)
        return;
    struct tune_action *action = add(planning, unit, *cpus ? cpus : "any core", "%s", why);
    action->kind = TUNE_UNIT;
    snprintf(action->path, sizeof(action->path), "/etc/systemd/system/ringside-%s.service.d/50-tune.conf", unit);
    snprintf(action->text, sizeof(action->text), "# Written by ringside tune: %s.\n[Service]\n%s%s%s", why, affinity,
             lock, wait);
}

/* All processors of the cores from `first` on: "2,3,10,11". */
static void cpus_from(const struct tune_machine *machine, uint32_t first, char cpus[TUNE_CPUS_BYTES])
{
    size_t used = 0;
    cpus[0] = '\0';
    for (uint32_t i = first; i < machine->core_count && used + TUNE_CPUS_BYTES / 4 < TUNE_CPUS_BYTES; i++)
        used +=
            (size_t)snprintf(cpus + used, TUNE_CPUS_BYTES - used, "%s%.15s", used ? "," : "", machine->cores[i].cpus);
}

/* In the order in which an order meets them: neighbours pass each other every record. */
static void plan_own_cores(struct planning *planning)
{
    static const char *const stages[] = {"sequencer", "journaler", "matcher", "persister"};
    const struct tune_core *core = &planning->machine->cores[1];
    char cpus[TUNE_CPUS_BYTES];
    for (uint32_t gateway = 1; gateway <= planning->config->exchange_gateways; gateway++, core++) {
        snprintf(cpus, sizeof(cpus), "%u", core->first);
        plan_unit(planning, "gateway", gateway, cpus, "a core of its own, to spin on");
    }
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++, core++) {
        snprintf(cpus, sizeof(cpus), "%u", core->first);
        plan_unit(planning, stages[i], 1, cpus, "a core of its own, to spin on");
    }
}

static void plan_shared_cores(struct planning *planning)
{
    static const char *const stages[] = {"sequencer", "journaler", "matcher"};
    static const char why[] = "every order waits for it: all cores but the system's";
    char cpus[TUNE_CPUS_BYTES];
    cpus_from(planning->machine, 1, cpus);
    for (uint32_t gateway = 1; gateway <= planning->config->exchange_gateways; gateway++)
        plan_unit(planning, "gateway", gateway, cpus, why);
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
        plan_unit(planning, stages[i], 1, cpus, why);
    plan_unit(planning, "persister", 1, planning->machine->cores[0].cpus, "no order waits for it");
}

static void plan_unpinned(struct planning *planning)
{
    static const char *const stages[] = {"gateway", "sequencer", "journaler", "matcher", "persister"};
    add(planning, "cores", "any", "%u cores for %u processes: the kernel places them better than a fixed rule",
        planning->machine->core_count, (uint32_t)planning->config->exchange_gateways + 4);
    add(planning, "waiting", "park",
        "processes outnumber cores, so each lets go of its own while it has nothing to do");
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
        for (uint32_t gateway = 1; gateway <= (i == 0 ? planning->config->exchange_gateways : 1); gateway++)
            plan_unit(planning, stages[i], gateway, "", "its memory stays in memory");
}

static void plan_cores(struct planning *planning)
{
    const struct tune_machine *machine = planning->machine;
    uint32_t processes = (uint32_t)planning->config->exchange_gateways + 4;
    if (machine->core_count < SHARED_CORES_MIN) {
        plan_unpinned(planning);
        return;
    }
    bool own = machine->core_count > processes;
    planning->wait = own ? "spin" : "park";
    add(planning, "waiting", planning->wait,
        own ? "%u cores are enough for %u processes and the system"
            : "%u cores are too few for %u processes and the system to spin",
        machine->core_count, processes);
    if (own)
        plan_own_cores(planning);
    else
        plan_shared_cores(planning);
    plan_unit(planning, "snapshot", 1, machine->cores[0].cpus, "no order waits for it");
    plan_unit(planning, "trim", 1, machine->cores[0].cpus, "no order waits for it");
}

/* ---- memory --------------------------------------------------------------------------------------------------------
 */

static void plan_memory(struct planning *planning, uint64_t memory_bytes)
{
    const struct tune_machine *machine = planning->machine;
    double needs = (double)memory_bytes / MB;
    double has = (double)machine->memory_bytes / MB;
    planning->locks = memory_bytes <= machine->memory_bytes / 2;
    add(planning, "locked memory", planning->locks ? "infinity" : "no",
        planning->locks ? "%.0f MiB are needed, %.0f MiB are there: none of it should wait for a disk"
                        : "%.0f MiB are needed, and of %.0f MiB that is more than half",
        needs, has);
    if (machine->swaps && planning->locks)
        add(planning, "swap", "as it is",
            "what is locked is not swapped; the rings in /dev/shm are locked by who maps them");
}

static void plan_huge_pages(struct planning *planning)
{
    static const char path[] = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";
    const char *now = planning->machine->huge;
    if (!*now) {
        add(planning, "huge pages", "unknown", "this kernel does not tell whether shared memory may have them");
    } else if (strcmp(now, "never") != 0 && strcmp(now, "deny") != 0) {
        add(planning, "huge pages", now, "the rings have them already");
    } else {
        struct tune_action *action =
            add(planning, "huge pages", "advise", "now %s: a ring of small pages misses the TLB at each new page", now);
        action->kind = TUNE_KERNEL;
        snprintf(action->path, sizeof(action->path), "%s", path);
        snprintf(action->text, sizeof(action->text), "advise");
    }
}

/* ---- interrupts ----------------------------------------------------------------------------------------------------
 */

static void plan_interrupts(struct planning *planning)
{
    const struct tune_machine *machine = planning->machine;
    const char *cpus = machine->cores[0].cpus;
    if (!planning->wait || machine->irq_count == 0) {
        add(planning, "disk interrupts", "as they are",
            machine->irq_count == 0 ? "none are known of the disk that the journal is on"
                                    : "with %u cores every core serves everything",
            machine->core_count);
        return;
    }
    for (uint32_t i = 0; i < machine->irq_count; i++) {
        char what[48];
        const struct tune_irq *irq = &machine->irqs[i];
        snprintf(what, sizeof(what), "interrupt %u", irq->number);
        if (strcmp(irq->cpus, cpus) == 0)
            continue;
        struct tune_action *action = add(planning, what, cpus, "the disk's; now %s, where stages work", irq->cpus);
        action->kind = TUNE_NOW;
        snprintf(action->path, sizeof(action->path), "/proc/irq/%u/smp_affinity_list", irq->number);
        snprintf(action->text, sizeof(action->text), "%s", cpus);
    }
}

void tune_plan_make(struct tune_plan *plan, const struct tune_machine *machine, const struct config *config,
                    const char *instance, uint64_t memory_bytes)
{
    struct planning planning = {.plan = plan, .machine = machine, .config = config, .instance = instance};
    plan->action_count = 0;
    plan_memory(&planning, memory_bytes);
    plan_cores(&planning);
    plan_huge_pages(&planning);
    plan_interrupts(&planning);
    if (*machine->governor && strcmp(machine->governor, "performance") != 0)
        add(&planning, "clock", machine->governor,
            "not touched; 'performance' wakes faster (cpupower frequency-set -g performance)");
}
