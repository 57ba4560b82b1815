/*
 * Which journal is meant, and whether somebody writes it. What a journaler that runs has not made durable is not read:
 * it may change under the reader's eyes, and a write that is half done looks like damage.
 */
#include "journal_cli.h"
#include "view/run_view.h"

#include <stdlib.h>
#include <string.h>

static bool journaler_alive(const struct run_view *view)
{
    for (uint32_t i = 0; i < view->process_count; i++)
        if (strcmp(view->processes[i].name, topology_process_name(PROCESS_JOURNALER)) == 0)
            return view->processes[i].held;
    return false;
}

/* The journaler's cursor; of a run whose command ring is not made yet, where the run begins. */
static uint64_t durable_end_of(const struct run_view *view)
{
    uint64_t end = view->command_seq_next;
    for (uint32_t ring = 0; ring < view->ring_count; ring++)
        for (uint32_t line = 0; line < view->rings[ring].line_count; line++)
            if (strcmp(view->rings[ring].name, RING_NAME_COMMAND) == 0 &&
                strcmp(view->rings[ring].lines[line].name, LINE_JOURNALER) == 0 &&
                view->rings[ring].lines[line].cursor_seq > end)
                end = view->rings[ring].lines[line].cursor_seq;
    return end;
}

static int look_at_run(struct journal_place *place, const struct config *config, struct error *error)
{
    struct run_view *view = malloc(sizeof(*view));
    if (!view)
        return error_set(error, ERROR_SYSTEM, config->exchange_rings_directory, "no memory to look at the run");
    run_view_read(view, config);
    place->live = journaler_alive(view);
    bool begun = view->present;
    uint64_t end = durable_end_of(view);
    free(view);
    if (!place->live)
        return 0;
    if (config->journal_durability == DURABILITY_OFF)
        return error_set(
            error, ERROR_HELD, place->directory,
            "a journaler runs with journal.durability off, which does not tell what it has written; stop it "
            "first");
    if (!begun || end == 0)
        return error_set(error, ERROR_HELD, place->directory, "a journaler is just starting here; try again");
    place->durable_end = end;
    return 0;
}

int journal_place_find(struct journal_place *ret, const struct command_line *line, struct error *error)
{
    struct journal_place place = {.directory = line->operand ? line->operand : line->config.journal_directory,
                                  .named = line->operand != NULL};
    int result = place.named ? 0 : look_at_run(&place, &line->config, error);
    if (result == 0)
        *ret = place;
    return result;
}
