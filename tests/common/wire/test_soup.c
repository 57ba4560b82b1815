/* SoupBinTCP: golden bytes, frames that come in pieces, numbers that are none. */
#include "golden.h"
#include "hex.h"
#include "wire/soup.h"

#include <criterion/criterion.h>

Test(soup, login_request_of_a_real_client)
{
    uint8_t bytes[64];
    uint8_t again[64];
    size_t count = hex_read(GOLDEN_LOGIN_REQUEST, bytes, sizeof(bytes));
    struct soup_frame frame = {0};
    cr_assert_eq(soup_take_frame(bytes, count, SOUP_LENGTH_MAX, &frame), SOUP_FRAME_WHOLE);
    cr_assert_eq(frame.type, SOUP_LOGIN_REQUEST);
    cr_assert_eq(frame.frame_bytes, count);
    struct soup_login_request request = {0};
    cr_assert_null(soup_get_login_request(frame.payload, frame.payload_bytes, &request));
    cr_assert_arr_eq(request.user, "user  ", 6);
    cr_assert_arr_eq(request.password, "password  ", 10);
    cr_assert_arr_eq(request.session, "          ", 10);
    cr_assert_eq(request.sequence_next, 0);
    cr_assert_not(request.has_timeout);
    uint32_t payload_bytes = soup_put_login_request(again + SOUP_HEADER_BYTES, &request);
    soup_put_header(again, SOUP_LOGIN_REQUEST, payload_bytes);
    cr_assert_eq(SOUP_HEADER_BYTES + payload_bytes, count);
    cr_assert_arr_eq(again, bytes, count);
}

Test(soup, login_accepted_of_a_real_server)
{
    uint8_t bytes[64];
    uint8_t again[64];
    size_t count = hex_read(GOLDEN_LOGIN_ACCEPTED, bytes, sizeof(bytes));
    struct soup_frame frame = {0};
    struct soup_login_accepted accepted = {0};
    cr_assert_eq(soup_take_frame(bytes, count, SOUP_LENGTH_MAX, &frame), SOUP_FRAME_WHOLE);
    cr_assert_null(soup_get_login_accepted(frame.payload, frame.payload_bytes, &accepted));
    cr_assert_arr_eq(accepted.session, "1689192121", 10);
    cr_assert_eq(accepted.sequence_next, 135);
    uint32_t payload_bytes = soup_put_login_accepted(again + SOUP_HEADER_BYTES, 1689192121, 135);
    soup_put_header(again, SOUP_LOGIN_ACCEPTED, payload_bytes);
    cr_assert_arr_eq(again, bytes, count);
}

Test(soup, heartbeats_of_real_peers)
{
    static const struct {
        const char *hex;
        uint8_t type;
    } beats[] = {{GOLDEN_CLIENT_HEARTBEAT, SOUP_CLIENT_HEARTBEAT}, {GOLDEN_SERVER_HEARTBEAT, SOUP_SERVER_HEARTBEAT}};
    for (size_t i = 0; i < 2; i++) {
        uint8_t bytes[8];
        uint8_t again[8];
        struct soup_frame frame;
        size_t count = hex_read(beats[i].hex, bytes, sizeof(bytes));
        cr_assert_eq(soup_take_frame(bytes, count, SOUP_LENGTH_MAX, &frame), SOUP_FRAME_WHOLE);
        cr_assert_eq(frame.type, beats[i].type);
        cr_assert_eq(frame.payload_bytes, 0);
        cr_assert_eq(soup_put_packet(again, frame.type, NULL, 0), count);
        cr_assert_arr_eq(again, bytes, count);
    }
}

Test(soup, longer_login_carries_a_timeout)
{
    struct soup_login_request request = {
        .sequence_next = 12345678901234567890u, .heartbeat_timeout_ms = 2500, .has_timeout = true};
    text_pad(request.user, sizeof(request.user), "DEMO01");
    text_pad(request.password, sizeof(request.password), "secret");
    text_pad(request.session, sizeof(request.session), "");
    uint8_t payload[SOUP_LOGIN_REQUEST_LONG_BYTES];
    cr_assert_eq(soup_put_login_request(payload, &request), SOUP_LOGIN_REQUEST_LONG_BYTES);
    cr_assert_arr_eq(payload + 46, " 2500", 5);
    struct soup_login_request back = {0};
    cr_assert_null(soup_get_login_request(payload, sizeof(payload), &back));
    cr_assert_eq(back.sequence_next, 12345678901234567890u);
    cr_assert_eq(back.heartbeat_timeout_ms, 2500);
    cr_assert(back.has_timeout);
}

Test(soup, login_of_another_length_is_refused)
{
    uint8_t payload[64];
    memset(payload, ' ', sizeof(payload));
    payload[45] = payload[50] = '1';
    struct soup_login_request request = {0};
    for (size_t bytes = 0; bytes < sizeof(payload); bytes++) {
        bool fits = bytes == SOUP_LOGIN_REQUEST_BYTES || bytes == SOUP_LOGIN_REQUEST_LONG_BYTES;
        cr_assert_eq(soup_get_login_request(payload, bytes, &request) == NULL, fits, "%zu bytes", bytes);
    }
    struct soup_login_accepted accepted = {0};
    cr_assert_not_null(soup_get_login_accepted(payload, 29, &accepted));
    cr_assert_not_null(soup_get_login_accepted(payload, 31, &accepted));
}

Test(soup, frame_comes_byte_by_byte)
{
    uint8_t packet[64];
    uint32_t bytes = soup_put_packet(packet, SOUP_DEBUG, "hello", 5);
    cr_assert_eq(bytes, 8);
    struct soup_frame frame = {0};
    for (uint32_t count = 0; count < bytes; count++)
        cr_assert_eq(soup_take_frame(packet, count, SOUP_LENGTH_MAX, &frame), SOUP_FRAME_PART);
    cr_assert_eq(soup_take_frame(packet, bytes, SOUP_LENGTH_MAX, &frame), SOUP_FRAME_WHOLE);
    cr_assert_eq(frame.payload_bytes, 5);
    cr_assert_arr_eq(frame.payload, "hello", 5);
    cr_assert_eq(soup_take_frame(packet, sizeof(packet), SOUP_LENGTH_MAX, &frame), SOUP_FRAME_WHOLE);
    cr_assert_eq(frame.frame_bytes, bytes, "what follows is the next frame's");
}

Test(soup, length_has_bounds)
{
    struct soup_frame frame = {0};
    const uint8_t empty[] = {0, 0, 'U'};
    const uint8_t longest[] = {0xff, 0xff};
    const uint8_t at_limit[] = {0, 100};
    const uint8_t above[] = {0, 101};
    cr_assert_eq(soup_take_frame(empty, sizeof(empty), 100, &frame), SOUP_FRAME_EMPTY);
    cr_assert_eq(soup_take_frame(longest, 2, SOUP_LENGTH_MAX, &frame), SOUP_FRAME_PART);
    cr_assert_eq(soup_take_frame(at_limit, 2, 100, &frame), SOUP_FRAME_PART);
    cr_assert_eq(soup_take_frame(above, 2, 100, &frame), SOUP_FRAME_TOO_LONG);
    cr_assert_eq(soup_take_frame(above, 1, 100, &frame), SOUP_FRAME_PART);
}

static bool reads(const char *field, uint64_t *value)
{
    return soup_get_number((const uint8_t *)field, strlen(field), value) == NULL;
}

Test(soup, numbers_are_digits_behind_spaces)
{
    uint64_t value = 7;
    cr_assert(reads("                   0", &value) && value == 0);
    cr_assert(reads("00000000000000000042", &value) && value == 42);
    cr_assert(reads("18446744073709551615", &value) && value == UINT64_MAX);
    static const char *const wrong[] = {
        "18446744073709551616", "99999999999999999999", "", "     ", "12 ", "1 2", "-1", "+1", "0x1", "1.0"};
    value = 7;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_assert_not(reads(wrong[i], &value), "'%s'", wrong[i]);
        cr_assert_eq(value, 7, "a failure leaves the output alone");
    }
}

Test(soup, numbers_are_written_right_justified)
{
    uint8_t field[20];
    soup_put_number(field, 20, 0);
    cr_assert_arr_eq(field, "                   0", 20);
    soup_put_number(field, 20, UINT64_MAX);
    cr_assert_arr_eq(field, "18446744073709551615", 20);
    soup_put_number(field, 5, 99999);
    cr_assert_arr_eq(field, "99999", 5);
}
