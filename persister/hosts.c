#include "hosts.h"

#include "log/log.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#define PORT_DEFAULT "5432" /* what libpq takes for one that is left empty in a list */

/* ---- the connection string --------------------------------------------------------------------------------------- */

static const char *option_value(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword; options++)
        if (strcmp(options->keyword, keyword) == 0)
            return options->val ? options->val : "";
    return "";
}

/* Cuts a list at its commas. Returns how many parts it has; 0: it is empty. */
static int cut(char text[HOSTS_TEXT_BYTES], const char *list, const char *parts[HOSTS_MAX], struct error *error)
{
    int count = 0;
    if (strlen(list) >= HOSTS_TEXT_BYTES)
        return error_set(error, ERROR_INVALID, "postgres.connection", "its hosts are too long");
    memcpy(text, list, strlen(list) + 1);
    for (char *at = *text != '\0' ? text : NULL; at;) {
        if (count == HOSTS_MAX)
            return error_set(error, ERROR_INVALID, "postgres.connection", "more than %d hosts", HOSTS_MAX);
        parts[count++] = at;
        at = strchr(at, ',');
        if (at)
            *at++ = '\0';
    }
    return count;
}

/* Lists that do not go together are left to libpq, which says so. */
static int take(struct hosts *hosts, const PQconninfoOption *options, struct error *error)
{
    const char *names[HOSTS_MAX] = {NULL};
    const char *addresses[HOSTS_MAX] = {NULL};
    const char *ports[HOSTS_MAX] = {NULL};
    int name_count = cut(hosts->names, option_value(options, "host"), names, error);
    int address_count = cut(hosts->given_addresses, option_value(options, "hostaddr"), addresses, error);
    int port_count = cut(hosts->ports, option_value(options, "port"), ports, error);
    if (name_count < 0 || address_count < 0 || port_count < 0)
        return ERROR_INVALID;
    int count = name_count > 0 ? name_count : address_count;
    if ((address_count > 0 && address_count != count) || (port_count > 1 && port_count != count))
        return 0;
    for (int i = 0; i < count; i++) {
        const char *port = port_count > 1 && ports[i] ? ports[i] : "";
        hosts->host[i] = (struct host){.name = name_count > 0 ? names[i] : "",
                                       .given_address = address_count > 0 ? addresses[i] : "",
                                       .port = port_count > 1 && *port == '\0' ? PORT_DEFAULT : port};
    }
    hosts->count = (uint32_t)count;
    return 0;
}

int hosts_open(struct hosts *hosts, const char *connection, struct error *error)
{
    char *message = NULL;
    memset(hosts, 0, sizeof(*hosts));
    hosts->has_worked = true;
    PQconninfoOption *options = PQconninfoParse(connection, &message);
    if (!options) {
        int code = error_set(error, ERROR_INVALID, "postgres.connection", "libpq cannot read it: %s",
                             message ? message : "no memory");
        PQfreemem(message);
        return code;
    }
    int result = take(hosts, options, error);
    PQconninfoFree(options);
    return result;
}

/* ---- an attempt -------------------------------------------------------------------------------------------------- */

static void append(char *list, size_t bytes, const char *part, bool is_first)
{
    size_t used = strlen(list);
    snprintf(list + used, bytes - used, "%s%s", is_first ? "" : ",", part);
}

/* A list of nothing but empty parts says nothing. */
static void clear_if_empty(char *list)
{
    if (list[strspn(list, ",")] == '\0')
        list[0] = '\0';
}

/* Puts the lists together in libpq's form, each with a part for each host that is left. Returns how many are. */
static uint32_t join(struct hosts *hosts)
{
    uint32_t count = 0;
    hosts->host_list[0] = hosts->hostaddr_list[0] = hosts->port_list[0] = '\0';
    for (uint32_t i = 0; i < hosts->count; i++) {
        const struct host *host = &hosts->host[(hosts->first + i) % hosts->count];
        if (host->is_left_out)
            continue;
        const char *address = *host->given_address != '\0' ? host->given_address : host->address;
        append(hosts->host_list, sizeof(hosts->host_list), host->name, count == 0);
        append(hosts->hostaddr_list, sizeof(hosts->hostaddr_list), address, count == 0);
        append(hosts->port_list, sizeof(hosts->port_list), host->port, count == 0);
        count++;
    }
    clear_if_empty(hosts->host_list);
    clear_if_empty(hosts->hostaddr_list);
    clear_if_empty(hosts->port_list);
    return count;
}

static void leave_out(struct hosts *hosts, const struct error *why)
{
    log_debug("PostgreSQL is tried without one of its hosts: %s", why->what);
    hosts->host[hosts->at++].is_left_out = true;
}

/* Goes on to the next name that needs a look-up. 1: there is none, and the lists are complete. */
static int advance(struct hosts *hosts, struct error *error)
{
    while (hosts->at < hosts->count) {
        const struct host *host = &hosts->host[hosts->at];
        if (*host->given_address != '\0' || !resolve_needed(host->name))
            hosts->at++;
        else if (resolver_start(&hosts->resolver, host->name, error) == 0)
            return 0;
        else
            leave_out(hosts, error);
    }
    /* Where none is left, the last one was left out just now: the error says why. */
    return join(hosts) > 0 || hosts->count == 0 ? 1 : error->code;
}

int hosts_start(struct hosts *hosts, struct error *error)
{
    for (uint32_t i = 0; i < hosts->count; i++) {
        hosts->host[i].address[0] = '\0';
        hosts->host[i].is_left_out = false;
    }
    if (!hosts->has_worked && hosts->count > 0)
        hosts->first = (hosts->first + 1) % hosts->count;
    hosts->has_worked = false;
    hosts->at = 0;
    hosts->turn++;
    return advance(hosts, error);
}

int hosts_poll(struct hosts *hosts, struct error *error)
{
    /* Another address of a name each time that all hosts have been first. */
    unsigned turn = hosts->turn / hosts->count;
    int result = resolver_poll(&hosts->resolver, turn, hosts->host[hosts->at].address, error);
    if (result == 0)
        return 0;
    if (result < 0)
        leave_out(hosts, error);
    else
        hosts->at++;
    return advance(hosts, error);
}

void hosts_worked(struct hosts *hosts)
{
    hosts->has_worked = true;
}

void hosts_finish(struct hosts *hosts)
{
    resolver_finish(&hosts->resolver);
}
