/*
 * Requests in Redis' protocol, written into a buffer of the caller: an array's head, then that many texts.
 * hiredis reads the replies; it would format requests into memory of its own each time.
 */
#ifndef RINGSIDE_PERSISTER_REDIS_REQUEST_H
#define RINGSIDE_PERSISTER_REDIS_REQUEST_H

#include "base/require.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define REQUEST_FRAME_BYTES 32 /* at most, around a text: $length, and two line ends */

struct redis_request {
    char *bytes;
    size_t used;
    size_t capacity;
};

static inline void request_line(struct redis_request *request, char type, uint64_t number)
{
    REQUIRE(request->capacity - request->used >= REQUEST_FRAME_BYTES);
    request->used +=
        (size_t)snprintf(request->bytes + request->used, REQUEST_FRAME_BYTES, "%c%" PRIu64 "\r\n", type, number);
}

static inline void request_bytes(struct redis_request *request, const void *bytes, size_t count)
{
    REQUIRE(request->capacity - request->used >= count);
    memcpy(request->bytes + request->used, bytes, count);
    request->used += count;
}

static inline void request_array(struct redis_request *request, uint64_t count)
{
    request_line(request, '*', count);
}

static inline void request_text(struct redis_request *request, const void *text, size_t text_bytes)
{
    request_line(request, '$', text_bytes);
    request_bytes(request, text, text_bytes);
    request_bytes(request, "\r\n", 2);
}

static inline void request_word(struct redis_request *request, const char *word)
{
    request_text(request, word, strlen(word));
}

static inline void request_number(struct redis_request *request, uint64_t number)
{
    char digits[24] = "";
    int length = snprintf(digits, sizeof(digits), "%" PRIu64, number);
    request_text(request, digits, (size_t)length);
}

#endif
