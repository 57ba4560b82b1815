/*
 * `ringside run`: all stages in this process, in one thread, until SIGTERM or SIGINT. On stdout, once everything is at
 * work, a line that begins with "ready"; the log is on stderr.
 */
#include "admin/admin.h"
#include "cli.h"
#include "gateway/gateway.h"
#include "journaler/journaler.h"
#include "log/log.h"
#include "matcher/matcher.h"
#include "persister/persister.h"
#include "sequencer/sequencer.h"
#include "stage/command_line.h"

#include <stdio.h>

struct announcement {
    const struct config *config;
    bool made;
};

static bool announce(void *argument, bool all_ready)
{
    struct announcement *announcement = argument;
    const struct config *config = announcement->config;
    if (!all_ready || announcement->made)
        return false;
    announcement->made = true;
    printf("ready: %s port %llu", config->gateway_address, (unsigned long long)config->gateway_port);
    if (config->exchange_gateways > 1)
        printf(" to %llu", (unsigned long long)(config->gateway_port + config->exchange_gateways - 1));
    printf(", %u instruments, durability %s, PostgreSQL %s, Redis %s, rings in %s\n", config->instrument_count,
           config_durability_name(config->journal_durability), *config->postgres_connection ? "on" : "off",
           *config->redis_address ? "on" : "off", config->exchange_rings_directory);
    fflush(stdout);
    return false;
}

int run_main(int argc, char **argv)
{
    /* The journaler first: it alone knows whether a run goes on or a new one begins. */
    static const struct stage_definition *const stages[] = {&journaler_stage, &sequencer_stage, &matcher_stage,
                                                            &persister_stage, &gateway_stage,   &admin_stage};
    static const struct command_line_form form = {.program = "ringside run",
                                                  .summary = "runs the whole exchange in this process"};
    struct command_line line;
    log_open("run", LOG_LEVEL_INFO);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    log_set_level(line.config.exchange_log_level);
    struct announcement announcement = {.config = &line.config};
    code = stage_run_all(stages, sizeof(stages) / sizeof(stages[0]), &line.config, announce, &announcement);
    config_finish(&line.config);
    return code;
}
