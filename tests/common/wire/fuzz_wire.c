/*
 * Any bytes at all, as a stream of frames in each direction: nothing may read beyond them, and what decodes must encode
 * to the same bytes.
 *
 * Built as a libFuzzer target with -Dfuzz=true (clang), one in four of whose inputs is made of good messages anew, and
 * with a main of its own that mutates good messages from a seed: fuzz_wire [SECONDS [SEED]]; a failure prints the seed
 * that repeats it.
 */
#include "base/require.h"
#include "wire/soup.h"
#include "wire_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STREAM_BYTES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(enum ouch_direction direction, const uint8_t *bytes, size_t count)
{
    static uint8_t again[SOUP_LENGTH_MAX + 16];
    const char *invalid = ouch_invalid(direction, bytes, count);
    const struct wire_message *message = count > 0 ? wire_find(direction, bytes[0]) : NULL;
    if (!message) {
        REQUIRE(invalid != NULL);
        return;
    }
    const char *broken = NULL;
    uint32_t written = message->recode(bytes, count, again, &broken);
    REQUIRE((broken == NULL) == (written > 0));
    REQUIRE(broken == NULL || invalid != NULL);
    REQUIRE(broken != NULL || (written == count && memcmp(again, bytes, count) == 0));
}

static void check_logins(const uint8_t *payload, size_t payload_bytes)
{
    uint8_t again[SOUP_LOGIN_REQUEST_LONG_BYTES];
    struct soup_login_request request;
    struct soup_login_accepted accepted;
    if (soup_get_login_request(payload, payload_bytes, &request) == NULL) {
        REQUIRE(soup_put_login_request(again, &request) == payload_bytes);
        REQUIRE(memcmp(again, payload, 26) == 0); /* numbers may have been padded with zeros */
    }
    if (soup_get_login_accepted(payload, payload_bytes, &accepted) == NULL)
        REQUIRE(memcmp(accepted.session, payload, SOUP_SESSION_BYTES) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct soup_frame frame;
    size_t at = 0;
    while (soup_take_frame(data + at, size - at, SOUP_LENGTH_MAX, &frame) == SOUP_FRAME_WHOLE) {
        REQUIRE(frame.payload + frame.payload_bytes <= data + size);
        /* A copy of its own size, so that a sanitizer sees a byte too far. */
        uint8_t *payload = malloc(frame.payload_bytes + 1u);
        REQUIRE(payload != NULL);
        memcpy(payload + 1, frame.payload, frame.payload_bytes);
        check_message(frame.type == SOUP_SEQUENCED ? OUCH_OUT : OUCH_IN, payload + 1, frame.payload_bytes);
        check_logins(payload + 1, frame.payload_bytes);
        free(payload);
        at += frame.frame_bytes;
    }
    return 0;
}

static uint64_t random_state;

static uint64_t random_next(void)
{
    uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A good message, more or less, with a few options. */
static uint32_t put_message(uint8_t *packet)
{
    const struct wire_message *message = &wire_messages[random_next() % wire_message_count];
    uint8_t *bytes = packet + SOUP_HEADER_BYTES;
    uint32_t count = message->fixed_bytes;
    for (uint32_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)random_next();
    bytes[0] = message->type;
    if (message->appendage == WIRE_OPTIONAL && random_next() % 2)
        count += 2;
    uint32_t start = count;
    for (uint64_t options = random_next() % 4; options > 0 && message->appendage != WIRE_NEVER; options--) {
        const struct wire_option *option = &wire_options[random_next() % wire_option_count];
        bytes[count++] = (uint8_t)(option->bytes + 1);
        bytes[count++] = option->tag;
        for (uint32_t i = 0; i < option->bytes; i++)
            bytes[count++] = (uint8_t)random_next();
    }
    if (start >= 3)
        store_be16(bytes + start - 2, (uint16_t)(count - start));
    uint8_t type = message->direction == OUCH_OUT ? SOUP_SEQUENCED : SOUP_UNSEQUENCED;
    soup_put_header(packet, random_next() % 16 ? type : SOUP_LOGIN_REQUEST, count);
    return SOUP_HEADER_BYTES + count;
}

static uint32_t put_messages(uint8_t *stream, uint64_t seed)
{
    uint32_t count = 0;
    random_state = seed;
    for (uint64_t messages = 1 + random_next() % 8; messages > 0; messages--)
        count += put_message(stream + count);
    return count;
}

#ifdef FUZZ_BY_LIBFUZZER

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned int seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned int seed)
{
    if (seed % 4 != 0 || size_max < STREAM_BYTES)
        return LLVMFuzzerMutate(data, size, size_max);
    return put_messages(data, seed);
}

#else

static void one_case(uint64_t seed)
{
    uint8_t stream[STREAM_BYTES];
    uint32_t count = put_messages(stream, seed);
    REQUIRE(count > 0);
    for (uint64_t flips = random_next() % 4; flips > 0; flips--)
        stream[random_next() % count] = (uint8_t)random_next();
    count -= (uint32_t)(random_next() % 4 == 0 ? random_next() % count : 0);
    LLVMFuzzerTestOneInput(stream, count);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL) << 20;
    uint64_t cases = 0;
    printf("fuzz_wire %g %llu\n", seconds, (unsigned long long)seed);
    fflush(stdout);
    clock_t until = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);
    do {
        for (int i = 0; i < 256; i++, cases++)
            one_case(seed + cases);
    } while (argc <= 3 && clock() < until);
    printf("%llu streams of frames\n", (unsigned long long)cases);
    return 0;
}

#endif
