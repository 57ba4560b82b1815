#include "redis_address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int redis_address_parse(struct redis_address *ret, const char *text, struct error *error)
{
    struct redis_address address = {0};
    snprintf(address.host, sizeof(address.host), "%s", text);
    if (text[0] != '/') {
        char *colon = strrchr(address.host, ':');
        char *end = NULL;
        long port = colon ? strtol(colon + 1, &end, 10) : 0;
        if (!colon || colon == address.host || *end != '\0' || port < 1 || port > 65535)
            return error_set(error, ERROR_INVALID, "redis.address",
                             "\"%s\" is neither host:port nor the path of a socket", text);
        *colon = '\0';
        size_t length = strlen(address.host);
        if (address.host[0] == '[' && address.host[length - 1] == ']') { /* [::1]:6379 */
            memmove(address.host, address.host + 1, length - 2);
            address.host[length - 2] = '\0';
        }
        address.port = (int)port;
    }
    *ret = address;
    return 0;
}
