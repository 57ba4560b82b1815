/*
 * The two files that say who members are and what they may do (accounts.h, members.h): read at start, and again when
 * the gateway is asked to.
 *
 * Rules
 *   1. Both files are read whole before anything changes; with an error in either both stay as they were.
 *   2. Sessions that are there go on, and what the new settings say of limits holds for their next order. A user that
 *      is gone from the accounts keeps the session that it has and gets no other.
 *   3. A certificate (handshakes.c) is read again at the same moment, and stands for itself: one that is about to end
 * is not to wait for somebody's mistake in another file.
 *   4. A password that was right before is known at once also afterwards, if its line is the same.
 */
#include "gateway_state.h"

#include "log/log.h"

static int read_both(const struct config *config, struct accounts *ret_accounts, struct members *ret_members,
                     struct error *error)
{
    struct accounts accounts;
    bool takes_over = config->gateway_second_login == SECOND_LOGIN_TAKEOVER;
    int code = accounts_open(&accounts, config->gateway_accounts, error);
    if (code < 0)
        return code;
    code = members_open(ret_members, config->gateway_members, takes_over, error);
    if (code < 0) {
        accounts_close(&accounts);
        return code;
    }
    *ret_accounts = accounts;
    return 0;
}

int settings_open(struct gateway *gateway, struct error *error)
{
    return read_both(gateway->config, &gateway->accounts, &gateway->members, error);
}

void settings_close(struct gateway *gateway)
{
    accounts_close(&gateway->accounts);
    members_close(&gateway->members);
}

static void reload_both(struct gateway *gateway)
{
    struct accounts accounts;
    struct members members;
    struct error error = {.code = ERROR_SYSTEM};
    if (read_both(gateway->config, &accounts, &members, &error) < 0) {
        log_error(&error, "accounts and members' settings stay as they were");
        return;
    }
    accounts_remember(&accounts, &gateway->accounts);
    settings_close(gateway);
    gateway->accounts = accounts;
    gateway->members = members;
    for (uint32_t i = 0; i < gateway->connections.used_count; i++) {
        struct connection *connection = &gateway->connections.all[i];
        if (connection->member)
            limits_bind(gateway, connection);
    }
    log_info("accounts and members' settings read again: %u accounts, %u users with settings of their own",
             gateway->accounts.count, gateway->members.count);
}

void settings_reload(struct gateway *gateway)
{
    reload_both(gateway);
    handshakes_reload(gateway);
}
