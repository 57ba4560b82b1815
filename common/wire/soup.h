/*
 * SoupBinTCP 3.00 (and the longer login request of 4.x): framing, and the packets that have fields.
 *
 *     0        2      3                    2 + length
 *     +--------+------+-------------------+
 *     | length | type |      payload      |      length: big-endian, counts type and payload, so at least 1
 *     +--------+------+-------------------+
 *
 * Rules
 *   1. Bytes in, bytes out: no system calls, no allocation, no state.
 *   2. Numbers in login packets are ASCII digits, right-justified, padded with spaces on the left. A sign, a digit
 *      followed by a space, no digit at all or a value that does not fit is an error that names the rule.
 *   3. User and password are left-justified; the session's name is right-justified. Decoding keeps the fields as they
 *      are, spaces included, so that encoding again gives the same bytes.
 *   4. Encoders write into room that the caller has made sure of and return the bytes written.
 */
#ifndef RINGSIDE_WIRE_SOUP_H
#define RINGSIDE_WIRE_SOUP_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum soup_packet_type {
    SOUP_DEBUG = '+',            /* both ways */
    SOUP_LOGIN_ACCEPTED = 'A',   /* to the client */
    SOUP_LOGIN_REJECTED = 'J',   /* to the client */
    SOUP_SEQUENCED = 'S',        /* to the client */
    SOUP_SERVER_HEARTBEAT = 'H', /* to the client */
    SOUP_END_OF_SESSION = 'Z',   /* to the client */
    SOUP_LOGIN_REQUEST = 'L',    /* to the server */
    SOUP_UNSEQUENCED = 'U',      /* to the server */
    SOUP_CLIENT_HEARTBEAT = 'R', /* to the server */
    SOUP_LOGOUT_REQUEST = 'O',   /* to the server */
};

enum soup_reject {
    SOUP_NOT_AUTHORIZED = 'A',        /* user unknown or password wrong */
    SOUP_SESSION_NOT_AVAILABLE = 'S', /* the session asked for is not there */
};

#define SOUP_LENGTH_BYTES 2u /* what the length field does not count: itself */
#define SOUP_HEADER_BYTES 3u /* length and type */
#define SOUP_LENGTH_MAX   65535u

#define SOUP_USER_BYTES     6u
#define SOUP_PASSWORD_BYTES 10u
#define SOUP_SESSION_BYTES  10u
#define SOUP_SEQUENCE_BYTES 20u
#define SOUP_TIMEOUT_BYTES  5u

/* Payloads. */
#define SOUP_LOGIN_REQUEST_BYTES      46u
#define SOUP_LOGIN_REQUEST_LONG_BYTES 51u /* with the heartbeat timeout of 4.x */
#define SOUP_LOGIN_ACCEPTED_BYTES     30u
#define SOUP_LOGIN_REJECTED_BYTES     1u

/* ---- frames ---- */

enum soup_frame_state {
    SOUP_FRAME_WHOLE,    /* *ret_frame is filled in */
    SOUP_FRAME_PART,     /* good so far; more bytes are needed */
    SOUP_FRAME_TOO_LONG, /* its length is above the limit: what follows cannot be skipped safely */
    SOUP_FRAME_EMPTY,    /* its length is 0: there is no room for a type */
};

struct soup_frame {
    const uint8_t *payload; /* inside the bytes given */
    uint32_t payload_bytes;
    uint32_t frame_bytes; /* of the whole frame: where the next one begins */
    uint8_t type;         /* enum soup_packet_type, or anything */
};

/* The first frame of `bytes`. `length_max` bounds the length field. */
static inline enum soup_frame_state soup_take_frame(const uint8_t *bytes, size_t count, uint32_t length_max,
                                                    struct soup_frame *ret_frame)
{
    if (count < SOUP_LENGTH_BYTES)
        return SOUP_FRAME_PART;
    uint32_t length = load_be16(bytes);
    if (length == 0)
        return SOUP_FRAME_EMPTY;
    if (length > length_max)
        return SOUP_FRAME_TOO_LONG;
    if (count < SOUP_LENGTH_BYTES + length)
        return SOUP_FRAME_PART;
    ret_frame->payload = bytes + SOUP_HEADER_BYTES;
    ret_frame->payload_bytes = length - 1;
    ret_frame->frame_bytes = SOUP_LENGTH_BYTES + length;
    ret_frame->type = bytes[2];
    return SOUP_FRAME_WHOLE;
}

/* The three bytes before a payload that is (or will be) at `packet` + SOUP_HEADER_BYTES. */
static inline void soup_put_header(uint8_t *packet, uint8_t type, uint32_t payload_bytes)
{
    store_be16(packet, (uint16_t)(payload_bytes + 1));
    packet[2] = type;
}

/* A whole packet of any type; a payload of 0 bytes may be NULL. */
static inline uint32_t soup_put_packet(uint8_t *packet, uint8_t type, const void *payload, uint32_t payload_bytes)
{
    soup_put_header(packet, type, payload_bytes);
    if (payload_bytes > 0)
        memcpy(packet + SOUP_HEADER_BYTES, payload, payload_bytes);
    return SOUP_HEADER_BYTES + payload_bytes;
}

/* ---- logins ---- */

struct soup_login_request {
    char user[SOUP_USER_BYTES];         /* left-justified */
    char password[SOUP_PASSWORD_BYTES]; /* left-justified */
    char session[SOUP_SESSION_BYTES];   /* spaces: the current one */
    uint64_t sequence_next;             /* number of the next message wanted; 0: whatever comes next */
    uint32_t heartbeat_timeout_ms;      /* only where has_timeout */
    bool has_timeout;                   /* the longer form */
};

struct soup_login_accepted {
    char session[SOUP_SESSION_BYTES]; /* right-justified */
    uint64_t sequence_next;           /* number of the next Sequenced Data packet */
};

/* All decoders: NULL, or the rule that is broken, and then *ret is untouched. */
const char *soup_get_login_request(const uint8_t *payload, size_t payload_bytes, struct soup_login_request *ret);
const char *soup_get_login_accepted(const uint8_t *payload, size_t payload_bytes, struct soup_login_accepted *ret);

/* These write payloads: SOUP_LOGIN_REQUEST_BYTES or .._LONG_BYTES, and SOUP_LOGIN_ACCEPTED_BYTES. */
uint32_t soup_put_login_request(uint8_t *payload, const struct soup_login_request *request);
uint32_t soup_put_login_accepted(uint8_t *payload, uint64_t session, uint64_t sequence_next);

/*
 * Numeric fields. The value must be below 10 to the power of field_bytes, else its last digits are written.
 * NULL, or the rule that is broken.
 */
const char *soup_get_number(const uint8_t *field, size_t field_bytes, uint64_t *ret_value);
void soup_put_number(uint8_t *field, size_t field_bytes, uint64_t value);

#endif
