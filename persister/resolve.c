#include "resolve.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct resolve_request {
    struct gaicb control;
    struct addrinfo hints;
    char host[256];
};

bool resolve_needed(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return host[0] != '\0' && host[0] != '/' && host[0] != '@' && inet_pton(AF_INET, host, address) != 1 &&
           inet_pton(AF_INET6, host, address) != 1;
}

int resolver_start(struct resolver *resolver, const char *host, struct error *error)
{
    resolver_finish(resolver);
    struct resolve_request *request = calloc(1, sizeof(*request));
    if (!request)
        return error_set(error, ERROR_SYSTEM, host, "no memory to look the name up");
    snprintf(request->host, sizeof(request->host), "%s", host);
    request->hints.ai_socktype = SOCK_STREAM;
    request->control.ar_name = request->host;
    request->control.ar_request = &request->hints;
    struct gaicb *list[] = {&request->control};
    int result = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
    if (result != 0) {
        free(request);
        return error_set(error, ERROR_SYSTEM, host, "cannot look the name up: %s", gai_strerror(result));
    }
    resolver->request = request;
    return 0;
}

static void request_free(struct resolve_request *request)
{
    if (request->control.ar_result)
        freeaddrinfo(request->control.ar_result);
    free(request);
}

static const struct addrinfo *choose(const struct addrinfo *first, unsigned turn)
{
    unsigned count = 0;
    for (const struct addrinfo *each = first; each; each = each->ai_next)
        count++;
    for (unsigned skip = count > 0 ? turn % count : 0; skip > 0; skip--)
        first = first->ai_next;
    return first;
}

int resolver_poll(struct resolver *resolver, unsigned turn, char address[RESOLVE_TEXT_BYTES], struct error *error)
{
    struct resolve_request *request = resolver->request;
    int result = gai_error(&request->control);
    if (result == EAI_INPROGRESS)
        return 0;
    int code = 1;
    if (result != 0) {
        code =
            error_set(error, ERROR_CLOSED, request->host, "cannot look up %s: %s", request->host, gai_strerror(result));
    } else {
        const struct addrinfo *chosen = choose(request->control.ar_result, turn);
        if (!chosen ||
            getnameinfo(chosen->ai_addr, chosen->ai_addrlen, address, RESOLVE_TEXT_BYTES, NULL, 0, NI_NUMERICHOST) != 0)
            code = error_set(error, ERROR_CLOSED, request->host, "%s has no address", request->host);
    }
    resolver->request = NULL;
    request_free(request);
    return code;
}

void resolver_finish(struct resolver *resolver)
{
    struct resolve_request *request = resolver->request;
    resolver->request = NULL;
    if (!request)
        return;
    /* One that the library is working on cannot be taken back: its memory stays behind rather than we wait for it. */
    int result = gai_cancel(&request->control);
    if (result == EAI_CANCELED || result == EAI_ALLDONE)
        request_free(request);
}
