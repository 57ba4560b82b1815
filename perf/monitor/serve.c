#include "perf/monitor/serve.h"

#include "monitor_page.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX      256
#define CONNECTION_TIMEOUT_S 60

static const char text_page[] = "text/html; charset=utf-8";
static const char text_json[] = "application/json";

struct route {
    const char *path;
    const char *content_type;
    void (*write)(FILE *to, const struct scene *scene); /* NULL: always the same */
    bool tells_ready;                                   /* 503 unless ready */
};

static const struct route routes[] = {
    {"/health/ready", text_json, text_health, true},
    {"/health/live", text_json, NULL, false},
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", text_metrics, false},
    {"/status", text_json, text_status, false},
    {"/history", text_json, text_history, false},
    {"/", text_page, NULL, false},
};

#define ROUTE_COUNT ARRAY_COUNT(routes)

struct serve {
    const struct scene *scene;
    struct self *self;
    struct MHD_Daemon *daemon;
    struct MHD_Response *responses[ARRAY_COUNT(routes)]; /* NULL: to be made */
    struct MHD_Response *not_found;
    struct MHD_Response *not_allowed;
    struct MHD_Response *no_memory;
};

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static struct MHD_Response *finish_response(struct MHD_Response *response, const char *content_type)
{
    if (!response)
        return NULL;
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (content_type == text_page)
        (void)MHD_add_response_header(response, "Content-Security-Policy",
                                      "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
                                      "connect-src 'self'; img-src data:; frame-ancestors 'none'");
    return response;
}

static struct MHD_Response *fixed_response(const char *text, const char *content_type)
{
    return finish_response(
        MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT), content_type);
}

static struct MHD_Response *written_response(const struct route *route, const struct scene *scene)
{
    char *text = NULL;
    size_t text_bytes = 0;
    FILE *to = open_memstream(&text, &text_bytes);
    if (!to)
        return NULL;
    route->write(to, scene);
    if (fclose(to) != 0) {
        free(text);
        return NULL;
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(text_bytes, text, MHD_RESPMEM_MUST_FREE);
    if (!response)
        free(text);
    return finish_response(response, route->content_type);
}

static struct MHD_Response *response_of(struct serve *serve, size_t index)
{
    if (!serve->responses[index])
        serve->responses[index] = written_response(&routes[index], serve->scene);
    return serve->responses[index];
}

void serve_forget(struct serve *serve)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!routes[i].write || !serve->responses[i])
            continue;
        MHD_destroy_response(serve->responses[i]); /* those being sent keep it until they are done */
        serve->responses[i] = NULL;
    }
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static enum MHD_Result answer(void *argument, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_bytes, void **state)
{
    struct serve *serve = argument;
    (void)version;
    (void)upload;
    serve->self->request_count++;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        if (!*state || *upload_bytes > 0) { /* a body is read and thrown away first */
            *state = serve;
            *upload_bytes = 0;
            return MHD_YES;
        }
        return MHD_queue_response(connection, MHD_HTTP_METHOD_NOT_ALLOWED, serve->not_allowed);
    }
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (strcmp(url, routes[i].path) != 0)
            continue;
        struct MHD_Response *response = response_of(serve, i);
        if (!response)
            return MHD_queue_response(connection, MHD_HTTP_SERVICE_UNAVAILABLE, serve->no_memory);
        bool is_ok = !routes[i].tells_ready || serve->scene->health->ready;
        return MHD_queue_response(connection, is_ok ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, response);
    }
    return MHD_queue_response(connection, MHD_HTTP_NOT_FOUND, serve->not_found);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static int find_address(const struct config *config, struct addrinfo **ret, struct error *error)
{
    char port[16];
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    snprintf(port, sizeof(port), "%u", (unsigned)config->monitor_port);
    int result = getaddrinfo(config->monitor_address, port, &hints, ret);
    if (result != 0)
        return error_set(error, ERROR_INVALID, "monitor.address", "'%s' is no numeric address: %s",
                         config->monitor_address, gai_strerror(result));
    return 0;
}

static int start_daemon(struct serve *serve, const struct config *config, struct error *error)
{
    struct addrinfo *address = NULL;
    int result = find_address(config, &address, error);
    if (result < 0)
        return result;
    unsigned flags = MHD_USE_EPOLL | (address->ai_family == AF_INET6 ? (unsigned)MHD_USE_IPv6 : 0);
    errno = 0;
    serve->daemon =
        MHD_start_daemon(flags, (uint16_t)config->monitor_port, NULL, NULL, answer, serve, MHD_OPTION_SOCK_ADDR,
                         address->ai_addr, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_TIMEOUT_S, MHD_OPTION_END);
    freeaddrinfo(address);
    if (serve->daemon)
        return 0;
    char where[ERROR_WHERE_BYTES];
    snprintf(where, sizeof(where), "%.120s port %u", config->monitor_address, (unsigned)config->monitor_port);
    return error_system(error, errno, where, "cannot listen; monitor.address and monitor.port say where");
}

int serve_open(struct serve **ret_serve, const struct config *config, const struct scene *scene, struct self *self,
               struct error *error)
{
    struct serve *serve = calloc(1, sizeof(*serve));
    if (!serve)
        return error_set(error, ERROR_FULL, "monitor", "no memory");
    serve->scene = scene;
    serve->self = self;
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (!routes[i].write)
            serve->responses[i] = fixed_response(
                routes[i].content_type == text_page ? monitor_page : "{\"live\":true}\n", routes[i].content_type);
    serve->not_found = fixed_response("{\"error\":\"there are / /metrics /status /history /health/live "
                                      "/health/ready\"}\n",
                                      text_json);
    serve->not_allowed = fixed_response("{\"error\":\"GET and HEAD only\"}\n", text_json);
    serve->no_memory = fixed_response("{\"error\":\"no memory\"}\n", text_json);
    int result = start_daemon(serve, config, error);
    if (result < 0)
        serve_close(serve);
    else
        *ret_serve = serve;
    return result;
}

void serve_poll(struct serve *serve, int wait_ms)
{
    (void)MHD_run_wait(serve->daemon, wait_ms);
}

void serve_close(struct serve *serve)
{
    if (!serve)
        return;
    if (serve->daemon)
        MHD_stop_daemon(serve->daemon);
    struct MHD_Response *const others[] = {serve->not_found, serve->not_allowed, serve->no_memory};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        if (others[i])
            MHD_destroy_response(others[i]);
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (serve->responses[i])
            MHD_destroy_response(serve->responses[i]);
    free(serve);
}
