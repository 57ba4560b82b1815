#include "admin.h"

#include "admin_state.h"
#include "base/units.h"
#include "log/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define HEARTBEAT_INTERVAL_NS ((uint64_t)NS_PER_SECOND)

static void admin_close(void *stage)
{
    struct admin *admin = stage;
    if (!admin)
        return;
    admin_reload_close(admin);
    admin_socket_close(admin);
    admin_join_close(admin);
    free(admin);
}

static int admin_open(void **ret_stage, const struct stage_context *context, struct error *error)
{
    struct admin *admin = calloc(1, sizeof(*admin));
    if (!admin)
        return error_system(error, ENOMEM, "admin", "no memory");
    admin->config = context->config;
    admin->run = context->run;
    admin->listener = admin->poller = -1;
    admin->reload.client = ADMIN_NOBODY;
    for (uint32_t i = 0; i < ADMIN_CLIENTS_MAX; i++)
        admin->clients[i].fd = -1;
    int code = admin_socket_open(admin, error);
    if (code < 0) {
        admin_close(admin);
        return code;
    }
    *ret_stage = admin;
    return 0;
}

static void beat(struct admin *admin, uint64_t now_ns)
{
    if (now_ns < admin->heartbeat_next_ns)
        return;
    admin->heartbeat_next_ns = now_ns + HEARTBEAT_INTERVAL_NS;
    ring_producer_beat(&admin->producer, now_ns);
}

static int admin_poll(void *stage, uint64_t now_ns, struct error *error)
{
    struct admin *admin = stage;
    if (!admin->at_work)
        return admin_join_poll(admin, error);
    int work = admin_socket_poll(admin) + admin_reload_poll(admin);
    int followed = admin_request_follow(admin, error);
    beat(admin, now_ns);
    return followed < 0 ? followed : work + followed;
}

static bool admin_ready(const void *stage)
{
    const struct admin *admin = stage;
    return admin->at_work;
}

static int admin_descriptor(const void *stage)
{
    const struct admin *admin = stage;
    return admin->at_work ? admin->poller : -1;
}

static void admin_reload(void *stage)
{
    struct admin *admin = stage;
    admin->reload_asked = true;
}

static void admin_describe(const void *stage, char *text, size_t text_bytes)
{
    const struct admin *admin = stage;
    snprintf(text, text_bytes, "life %u, %llu requests, %llu refused by the engine, %llu denied", admin->tenure,
             (unsigned long long)admin->request_count, (unsigned long long)admin->refused_count,
             (unsigned long long)admin->denied_count);
}

const struct stage_definition admin_stage = {
    .name = "admin",
    .kind = PROCESS_ADMIN,
    .pollable = true,
    .unhurried = true,
    .summary = "takes what operators ask for over a socket of this machine",
    .open = admin_open,
    .poll = admin_poll,
    .ready = admin_ready,
    .descriptor = admin_descriptor,
    .reload = admin_reload,
    .describe = admin_describe,
    .close = admin_close,
};
