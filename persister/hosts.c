#include "hosts.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

static const char *option_value(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword; options++)
        if (strcmp(options->keyword, keyword) == 0)
            return options->val ? options->val : "";
    return "";
}

static int split(struct hosts *hosts, struct error *error)
{
    char *at = hosts->names;
    while (at) {
        if (hosts->count == HOSTS_MAX)
            return error_set(error, ERROR_INVALID, "postgres.connection", "more than %d hosts", HOSTS_MAX);
        hosts->name[hosts->count++] = at;
        at = strchr(at, ',');
        if (at)
            *at++ = '\0';
    }
    return 0;
}

int hosts_open(struct hosts *hosts, const char *connection, struct error *error)
{
    char *message = NULL;
    memset(hosts, 0, sizeof(*hosts));
    PQconninfoOption *options = PQconninfoParse(connection, &message);
    if (!options) {
        int code = error_set(error, ERROR_INVALID, "postgres.connection", "libpq cannot read it: %s",
                             message ? message : "no memory");
        PQfreemem(message);
        return code;
    }
    const char *host = option_value(options, "host");
    int result = 0;
    if (strlen(host) >= sizeof(hosts->names))
        result = error_set(error, ERROR_INVALID, "postgres.connection", "its hosts are too long");
    else if (*host != '\0' && *option_value(options, "hostaddr") == '\0') {
        memcpy(hosts->names, host, strlen(host) + 1);
        result = split(hosts, error);
    }
    PQconninfoFree(options);
    return result;
}

/* Puts the addresses together in libpq's form: as many as there are hosts, empty where the host is a path. */
static void join(struct hosts *hosts)
{
    size_t at = 0;
    bool any = false;
    for (uint32_t i = 0; i < hosts->count; i++) {
        at += (size_t)snprintf(hosts->list + at, sizeof(hosts->list) - at, "%s%s", i > 0 ? "," : "", hosts->address[i]);
        any = any || hosts->address[i][0] != '\0';
    }
    if (!any)
        hosts->list[0] = '\0';
}

/* Goes on to the next name that needs a look-up. 1: there is none. */
static int advance(struct hosts *hosts, struct error *error)
{
    while (hosts->at < hosts->count && !resolve_needed(hosts->name[hosts->at]))
        hosts->at++;
    if (hosts->at < hosts->count)
        return resolver_start(&hosts->resolver, hosts->name[hosts->at], error);
    join(hosts);
    return 1;
}

int hosts_start(struct hosts *hosts, struct error *error)
{
    memset(hosts->address, 0, sizeof(hosts->address));
    hosts->at = 0;
    hosts->turn++;
    return advance(hosts, error);
}

int hosts_poll(struct hosts *hosts, struct error *error)
{
    int result = resolver_poll(&hosts->resolver, hosts->turn, hosts->address[hosts->at], error);
    if (result <= 0)
        return result;
    hosts->at++;
    return advance(hosts, error);
}

void hosts_finish(struct hosts *hosts)
{
    resolver_finish(&hosts->resolver);
}
