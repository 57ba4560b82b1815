/*
 * `ringside tune`: what would make this machine serve the exchange better, and why; with --apply it is done. Cores,
 * ways of waiting, locked memory, huge pages, the disk's interrupts.
 */
#include "tune.h"

#include "../cli.h"
#include "log/log.h"
#include "matcher/config_limits.h"
#include "ring/ring.h"
#include "stage/command_line.h"
#include "stage/stage.h"
#include "view/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum own_option { APPLY, UNDO, ROOT, OWN_OPTIONS };

static const struct command_line_option options[OWN_OPTIONS] = {
    [APPLY] = {"apply", NULL, "does it: drop-ins for the units, and values of the kernel's"},
    [UNDO] = {"undo", NULL, "takes the drop-ins away again"},
    [ROOT] = {"root", "DIRECTORY", "reads and writes below it, for another machine's tree"},
};

static const struct command_line_form form = {
    .program = "ringside tune",
    .summary = "what would make this machine serve the exchange better, and why",
    .takes_json = true,
    .options = options,
    .option_count = OWN_OPTIONS,
    .brief = true,
    .extra = "\nWithout --apply nothing is changed. Drop-ins take effect when the exchange is started next:\n"
             "systemctl daemon-reload && systemctl restart ringside.target. They set RINGSIDE_OPTIONS of the units.\n"
             "Interrupts stay where they are put until the next boot, huge pages by tmpfiles.d at each.\n",
};

#define SLOT_BYTES    128
#define PROCESS_BYTES (UINT64_C(48) << 20) /* a process's own: code, libraries, buffers */

/* What all processes of the exchange have in memory when all is full. */
static uint64_t memory_needed(const struct config *config)
{
    struct engine_limits limits;
    struct error error;
    uint64_t slots = config->rings_command_slots + config->rings_event_slots +
                     (config->exchange_gateways + 1) * config->rings_inbound_slots;
    uint64_t gateway = config->gateway_index_bytes + config->gateway_connections_max * config->gateway_output_bytes;
    uint64_t engine = matcher_limits(&limits, config, &error) == 0 ? engine_bytes(&limits) : 0;
    return slots * SLOT_BYTES + config->exchange_gateways * gateway + 2 * engine +
           (config->exchange_gateways + 5) * PROCESS_BYTES;
}

/* ---- telling -------------------------------------------------------------------------------------------------------
 */

static void print_plan(const struct tune_plan *plan, const struct tune_machine *machine)
{
    printf("%u cores, %u processors, %.1f GiB of memory\n\n", machine->core_count, machine->cpu_count,
           (double)machine->memory_bytes / 1073741824.0);
    for (uint32_t i = 0; i < plan->action_count; i++) {
        const struct tune_action *action = &plan->actions[i];
        printf("%c %-18s %-12s %s\n", action->kind == TUNE_NOTHING ? ' ' : '*', action->what, action->value,
               action->why);
    }
}

static void print_json(const struct tune_plan *plan, const struct tune_machine *machine, bool applied)
{
    printf("{\"core_count\":%u,\"cpu_count\":%u,\"memory_bytes\":%llu,\"applied\":%s,\"actions\":[",
           machine->core_count, machine->cpu_count, (unsigned long long)machine->memory_bytes,
           applied ? "true" : "false");
    for (uint32_t i = 0; i < plan->action_count; i++) {
        const struct tune_action *action = &plan->actions[i];
        printf("%s{\"what\":", i > 0 ? "," : "");
        json_text_print(stdout, action->what);
        printf(",\"value\":");
        json_text_print(stdout, action->value);
        printf(",\"why\":");
        json_text_print(stdout, action->why);
        printf(",\"path\":");
        json_text_print(stdout, action->path);
        printf("}");
    }
    printf("]}\n");
}

static uint32_t change_count(const struct tune_plan *plan)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->action_count; i++)
        count += plan->actions[i].kind != TUNE_NOTHING;
    return count;
}

/* ---- doing ---------------------------------------------------------------------------------------------------------
 */

static int undo(const char *root, const char *instance, struct error *error)
{
    uint32_t count = 0;
    int result = tune_undo(root, instance, &count, error);
    if (result == 0)
        printf("%u files were removed\n", count);
    return result;
}

static int tune(const struct command_line *line, struct error *error)
{
    static struct tune_machine machine;
    static struct tune_plan plan;
    const char *root = line->values[ROOT] ? line->values[ROOT] : "";
    if (line->values[UNDO])
        return undo(root, line->instance, error);
    int result = tune_machine_read(&machine, root, &line->config, error);
    if (result < 0)
        return result;
    tune_plan_make(&plan, &machine, &line->config, line->instance, memory_needed(&line->config));
    bool applies = line->values[APPLY] != NULL;
    if (applies)
        result = tune_apply(&plan, root, error);
    if (line->json)
        print_json(&plan, &machine, applies && result == 0);
    else
        print_plan(&plan, &machine);
    if (result == 0 && !line->json)
        printf("\n%u changes (*)%s\n", change_count(&plan),
               applies ? " made; systemctl daemon-reload, and they hold from the next start of the exchange on"
                       : "; ringside tune --apply makes them");
    return result;
}

int tune_main(int argc, char **argv)
{
    struct command_line line;
    struct error error = {0};
    log_open("tune", LOG_LEVEL_INFO);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    int result = tune(&line, &error);
    if (result < 0)
        log_error(&error, "this machine cannot be tuned");
    config_finish(&line.config);
    return result < 0 ? stage_exit_code(result) : EXIT_STAGE_OK;
}
