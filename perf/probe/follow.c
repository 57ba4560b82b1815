/* Records as they come: which of them a filter lets through, what they are called, and where they go. */
#include "perf/probe/probe.h"

#include "perf/probe/learn.h"
#include "show/show.h"

#include <string.h>

static void learn_name(void *names, const struct event *event)
{
    (void)names_note(names, event);
}

void follow_learn_names(struct probe *probe)
{
    learn_from_log(probe->config->events_directory, learn_name, &probe->names);
}

/* ---- the filter ---------------------------------------------------------------------------------------------------
 */

static bool kind_passes(const struct probe_filter *filter, const struct kind_set *set, uint8_t kind)
{
    return !filter->kinds_given || kind_set_has(set, kind);
}

static bool names_pass(const struct probe_filter *filter, const struct record_names *names, uint32_t session)
{
    return name_is_meant(filter->session, names->user, session) &&
           name_is_meant(filter->symbol, names->symbol, names->instrument);
}

/* ---- commands and events ------------------------------------------------------------------------------------------
 */

/* A cancel names an order; which instrument that is about, its events tell. */
static uint32_t instrument_of(const struct command *command)
{
    if (command->kind == COMMAND_ENTER || command->kind == COMMAND_MASS_CANCEL)
        return command->order.instrument;
    if (command->kind == COMMAND_MARKET_STATE || command->kind == COMMAND_INSTRUMENT_LIMITS)
        return command->admin.instrument;
    return 0;
}

static bool follow_command(struct probe *probe, const struct command *record)
{
    char user[NAME_BYTES];
    char symbol[NAME_BYTES];
    struct command command = *record;
    struct record_names names = {.instrument = instrument_of(&command),
                                 .user = names_user(&probe->names, command.session)};
    names.symbol = names_instrument(&probe->names, names.instrument);
    const char *own_user = show_user_of(&command);
    const char *own_symbol = show_symbol_of(&command);
    if (own_user) {
        show_padded(user, sizeof(user), own_user, USER_BYTES);
        names.user = user;
    }
    if (own_symbol) {
        show_padded(symbol, sizeof(symbol), own_symbol, SYMBOL_BYTES);
        names.symbol = symbol;
    }
    if (!kind_passes(&probe->filter, &probe->filter.commands, command.kind) ||
        !names_pass(&probe->filter, &names, command.session))
        return false;
    if (command.command_seq == 0)
        command.command_seq = tap_seq(record); /* of an inbound ring: its place there stands for a number */
    if (probe->follow && probe->json)
        show_command_json(stdout, &command, &names);
    else if (probe->follow)
        show_command_text(stdout, &command, &names);
    return true;
}

static bool follow_event(struct probe *probe, const struct event *event)
{
    (void)names_note(&probe->names, event);
    const struct record_names names = {.instrument = event->instrument,
                                       .symbol = names_instrument(&probe->names, event->instrument),
                                       .user = names_user(&probe->names, event->session)};
    struct record_names maker = names;
    maker.user = names_user(&probe->names, event->trade.maker_session);
    if (!kind_passes(&probe->filter, &probe->filter.events, event->kind))
        return false;
    bool of_maker = event->kind == EVENT_EXECUTED && names_pass(&probe->filter, &maker, event->trade.maker_session);
    if (!of_maker && !names_pass(&probe->filter, &names, event->session))
        return false;
    if (probe->follow && probe->json)
        show_event_json(stdout, event, &names);
    else if (probe->follow)
        show_event_text(stdout, event, &names);
    return true;
}

bool follow_record(struct probe *probe, const struct tap *tap, const void *record)
{
    uint64_t seq = tap_seq(record);
    if (seq < probe->filter.from_seq || seq > probe->filter.to_seq)
        return true;
    bool passed = tap->kind == TAP_EVENT ? follow_event(probe, record) : follow_command(probe, record);
    if (!passed)
        return true;
    probe->let_through++;
    if (probe->raw && fwrite(record, RECORD_BYTES, 1, probe->raw) != 1)
        return false;
    return !ferror(stdout);
}
