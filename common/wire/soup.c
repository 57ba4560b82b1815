#include "wire/soup.h"

const char *soup_get_number(const uint8_t *field, size_t field_bytes, uint64_t *ret_value)
{
    size_t at = 0;
    while (at < field_bytes && field[at] == ' ')
        at++;
    if (at == field_bytes)
        return "a numeric field has no digit";
    uint64_t value = 0;
    for (; at < field_bytes; at++) {
        uint32_t digit = (uint32_t)field[at] - '0';
        if (digit > 9)
            return "a numeric field is not digits, right-justified behind spaces";
        if (__builtin_mul_overflow(value, 10u, &value) || __builtin_add_overflow(value, digit, &value))
            return "a numeric field is larger than 64 bits hold";
    }
    *ret_value = value;
    return NULL;
}

void soup_put_number(uint8_t *field, size_t field_bytes, uint64_t value)
{
    size_t at = field_bytes;
    do {
        field[--at] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (at > 0 && value > 0);
    memset(field, ' ', at);
}

const char *soup_get_login_request(const uint8_t *payload, size_t payload_bytes, struct soup_login_request *ret)
{
    if (payload_bytes != SOUP_LOGIN_REQUEST_BYTES && payload_bytes != SOUP_LOGIN_REQUEST_LONG_BYTES)
        return "a login request has a length of 47, or of 52 with a heartbeat timeout";
    struct soup_login_request request = {.has_timeout = payload_bytes == SOUP_LOGIN_REQUEST_LONG_BYTES};
    memcpy(request.user, payload, SOUP_USER_BYTES);
    memcpy(request.password, payload + 6, SOUP_PASSWORD_BYTES);
    memcpy(request.session, payload + 16, SOUP_SESSION_BYTES);
    if (soup_get_number(payload + 26, SOUP_SEQUENCE_BYTES, &request.sequence_next))
        return "the requested sequence number of a login is digits, right-justified behind spaces";
    uint64_t timeout_ms = 0;
    if (request.has_timeout && soup_get_number(payload + 46, SOUP_TIMEOUT_BYTES, &timeout_ms))
        return "the heartbeat timeout of a login is digits, right-justified behind spaces";
    request.heartbeat_timeout_ms = (uint32_t)timeout_ms;
    *ret = request;
    return NULL;
}

uint32_t soup_put_login_request(uint8_t *payload, const struct soup_login_request *request)
{
    memcpy(payload, request->user, SOUP_USER_BYTES);
    memcpy(payload + 6, request->password, SOUP_PASSWORD_BYTES);
    memcpy(payload + 16, request->session, SOUP_SESSION_BYTES);
    soup_put_number(payload + 26, SOUP_SEQUENCE_BYTES, request->sequence_next);
    if (!request->has_timeout)
        return SOUP_LOGIN_REQUEST_BYTES;
    soup_put_number(payload + 46, SOUP_TIMEOUT_BYTES, request->heartbeat_timeout_ms);
    return SOUP_LOGIN_REQUEST_LONG_BYTES;
}

const char *soup_get_login_accepted(const uint8_t *payload, size_t payload_bytes, struct soup_login_accepted *ret)
{
    if (payload_bytes != SOUP_LOGIN_ACCEPTED_BYTES)
        return "a login accepted packet has a length of 31";
    struct soup_login_accepted accepted;
    memcpy(accepted.session, payload, SOUP_SESSION_BYTES);
    if (soup_get_number(payload + 10, SOUP_SEQUENCE_BYTES, &accepted.sequence_next))
        return "the sequence number of a login accepted packet is digits, right-justified behind spaces";
    *ret = accepted;
    return NULL;
}

uint32_t soup_put_login_accepted(uint8_t *payload, uint64_t session, uint64_t sequence_next)
{
    soup_put_number(payload, SOUP_SESSION_BYTES, session);
    soup_put_number(payload + 10, SOUP_SEQUENCE_BYTES, sequence_next);
    return SOUP_LOGIN_ACCEPTED_BYTES;
}
