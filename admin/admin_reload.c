/*
 * The configuration read again: its instruments and firms become commands that do nothing where it is so already. A
 * file that cannot be read, or has a mistake in it, changes nothing.
 */
#include "admin_state.h"

#include "log/log.h"
#include "setup/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMANDS_PER_POLL 256u

/* Negative: *error says why. */
static int commands_make(struct admin_reload *reload, const struct config *config, struct error *error)
{
    uint64_t count = setup_count(config);
    struct command *commands = calloc(count + 1, sizeof(*commands));
    if (!commands)
        return error_set(error, ERROR_SYSTEM, "admin", "no memory for %llu commands", (unsigned long long)count);
    for (uint64_t i = 0; i < count; i++) {
        setup_command(config, i, &commands[i]);
        commands[i].flags = COMMAND_IF_NEEDED;
    }
    *reload = (struct admin_reload){.commands = commands, .count = (uint32_t)count, .client = ADMIN_NOBODY};
    return 0;
}

static int read_again(struct admin *admin, struct error *error)
{
    struct config *config = calloc(1, sizeof(*config));
    const char *path = admin->config->path;
    if (!config)
        return error_set(error, ERROR_SYSTEM, "admin", "no memory");
    config_init(config);
    int code = *path != '\0' ? config_read(config, path, error)
                             : error_set(error, ERROR_INVALID, "admin", "there is no file of the configuration");
    if (code == 0)
        code = config_check(config, error);
    if (code == 0)
        code = commands_make(&admin->reload, config, error);
    config_finish(config);
    free(config);
    return code;
}

static void finish(struct admin *admin)
{
    struct admin_reload *reload = &admin->reload;
    reload->reply.status = ADMIN_RELOADED;
    log_info("the configuration is in force: %u instruments and firms, %u of them refused", reload->count,
             reload->reply.refused);
    admin_socket_reply(admin, reload->client, &reload->reply);
    admin_reload_close(admin);
}

void admin_reload_begin(struct admin *admin, uint32_t client)
{
    struct error error = {0};
    if (admin->reload.commands) {
        admin_socket_reply_text(admin, client, ADMIN_BUSY, "the configuration is being read already");
        return;
    }
    if (read_again(admin, &error) < 0) {
        char text[ADMIN_TEXT_BYTES];
        snprintf(text, sizeof(text), "%.120s: %.120s", error.where, error.what);
        log_error(&error, "the configuration stays as it was");
        admin_socket_reply_text(admin, client, ADMIN_FAILED, text);
        return;
    }
    admin->reload.client = client;
    if (admin->reload.count == 0)
        finish(admin);
}

int admin_reload_poll(struct admin *admin)
{
    struct admin_reload *reload = &admin->reload;
    uint32_t before = reload->published;
    if (admin->reload_asked) {
        admin->reload_asked = false;
        admin_reload_begin(admin, ADMIN_NOBODY);
    }
    if (!reload->commands)
        return 0;
    while (reload->published < reload->count && reload->published - before < COMMANDS_PER_POLL) {
        bool asked = reload->client != ADMIN_NOBODY;
        uint32_t uid = asked ? admin->clients[reload->client].uid : 0;
        const char *name = asked ? admin->clients[reload->client].name : "configuration";
        if (!admin_request_publish(admin, &reload->commands[reload->published], uid, name, ADMIN_NOBODY, true))
            break;
        reload->published++;
    }
    return (int)(reload->published - before);
}

void admin_reload_answered(struct admin *admin, const struct admin_reply *outcome)
{
    struct admin_reload *reload = &admin->reload;
    if (!reload->commands)
        return;
    bool refused = outcome->acted.acted.why != 0;
    if (refused && reload->reply.refused++ == 0)
        reload->reply.acted = outcome->acted;
    reload->reply.done += !refused;
    if (++reload->answered == reload->count)
        finish(admin);
}

void admin_reload_close(struct admin *admin)
{
    free(admin->reload.commands);
    admin->reload = (struct admin_reload){.client = ADMIN_NOBODY};
}
