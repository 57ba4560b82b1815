/*
 * Any bytes at all into the session machine.
 *
 * Goal: whatever a client sends, a step consumes no more than there is, a command that comes out is one that
 * command_invalid accepts, nothing is read beyond the bytes, and a session that is over takes nothing more. Method: as
 * a libFuzzer target (-Dfuzz=true), one in four of whose inputs is made of good messages anew, and as a test of some
 * seconds' worth of random and mutated streams, under whatever sanitizer the build has. The first byte of an input says
 * in which phase the session is.
 */
#include "session.h"

#include "base/require.h"
#include "wire/ouch.h"
#include "wire/soup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_BYTES_MAX 512
#define INPUT_BYTES     4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t count);

static void check_command(struct command *command, const struct session_result *result)
{
    const char *broken;
    command->command_seq = command->time_ns = 0; /* what the caller adds */
    command->inbound_seq = command->tenure = 1;
    command->gateway = 1;
    command->shard = 0;
    if (result->symbol && (command->user_ref & 1))
        command_make_refused(command, OUCH_REJECT_INVALID_SYMBOL);
    broken = command_invalid(command);
    if (broken) {
        fprintf(stderr, "%s: %s\n", command_kind_name(command->kind), broken);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t count)
{
    if (count == 0)
        return 0;
    struct session session = {0};
    if (data[0] & 1) {
        session.phase = SESSION_LOGIN_ASKED;
        if (data[0] & 2)
            session_open(&session, 1);
    }
    /* A copy of just these bytes, so that a sanitizer sees a read beyond them. */
    size_t left = count - 1;
    uint8_t *bytes = malloc(left + 1);
    REQUIRE(bytes);
    memcpy(bytes, data + 1, left);
    uint8_t *at = realloc(bytes, left ? left : 1);
    bytes = at;
    while (left > 0) {
        struct command command;
        struct session_result result;
        memset(&command, data[0], sizeof(command));
        enum session_step step = session_take(&session, FRAME_BYTES_MAX, at, (uint32_t)left, &command, &result);
        if (step == SESSION_NEEDS_MORE)
            break;
        REQUIRE(result.consumed > 0 && result.consumed <= left);
        REQUIRE((step == SESSION_BROKEN || step == SESSION_LOGOUT) == (session.phase == SESSION_OVER));
        REQUIRE(step != SESSION_COMMAND || session.phase == SESSION_OPEN);
        if (step == SESSION_COMMAND)
            check_command(&command, &result);
        if (session.phase == SESSION_OVER)
            break;
        at += result.consumed;
        left -= result.consumed;
    }
    free(bytes);
    return 0;
}

static uint64_t seed = 88172645463325252u;

static uint32_t next_random(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % below;
}

/* A frame around a message of a type that there is, with its length right more often than not. */
static uint32_t frame_put(uint8_t *bytes)
{
    static const struct {
        uint8_t type;
        uint8_t bytes;
    } messages[] = {
#define X(name, NAME, letter, bytes, appendage, title) {letter, bytes},
        OUCH_MESSAGES_IN(X)
#undef X
    };
    uint32_t which = next_random(sizeof(messages) / sizeof(messages[0]));
    uint32_t payload_bytes = messages[which].bytes;
    uint8_t *payload = bytes + SOUP_HEADER_BYTES;
    for (uint32_t i = 0; i < payload_bytes + 64; i++)
        payload[i] = (uint8_t)(next_random(4) ? ' ' + next_random(95) : next_random(256));
    payload[0] = messages[which].type;
    if (next_random(2) == 0) { /* options, some of which there are */
        uint32_t option_bytes = 0;
        while (option_bytes < 40 && next_random(4)) {
            uint32_t value_bytes = 1u << next_random(4);
            payload[payload_bytes + option_bytes] = (uint8_t)(value_bytes + 1);
            payload[payload_bytes + option_bytes + 1] = (uint8_t)(next_random(5) ? next_random(30) : next_random(256));
            option_bytes += 2 + value_bytes;
        }
        store_be16(payload + payload_bytes - 2, (uint16_t)option_bytes);
        payload_bytes += option_bytes;
    } else {
        store_be16(payload + payload_bytes - 2, 0);
    }
    payload_bytes += next_random(20) == 0;
    soup_put_header(bytes, next_random(20) ? 'U' : (uint8_t)next_random(256), payload_bytes);
    return SOUP_HEADER_BYTES + payload_bytes;
}

static uint32_t frames_put(uint8_t *input)
{
    uint32_t count = 1;
    input[0] = (uint8_t)(next_random(8) ? 3 : next_random(256));
    for (uint32_t frames = next_random(8); frames > 0; frames--)
        count += frame_put(input + count);
    return count;
}

#ifdef FUZZ_BY_LIBFUZZER

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned int random);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned int random)
{
    if (random % 4 != 0 || size_max < INPUT_BYTES)
        return LLVMFuzzerMutate(data, size, size_max);
    seed ^= random;
    return frames_put(data);
}

#else

int main(void)
{
    static uint8_t input[INPUT_BYTES];
    for (uint32_t round = 0; round < 200000; round++) {
        uint32_t count = frames_put(input);
        for (uint32_t flips = next_random(3); flips > 0 && count > 1; flips--)
            input[1 + next_random(count - 1)] = (uint8_t)next_random(256);
        LLVMFuzzerTestOneInput(input, count - (next_random(3) == 0 && count > 1));
    }
    printf("ok\n");
    return 0;
}
#endif
