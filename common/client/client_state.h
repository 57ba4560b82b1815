/* What a client is made of, for the files of this folder alone. */
#ifndef RINGSIDE_CLIENT_STATE_H
#define RINGSIDE_CLIENT_STATE_H

#include "client/ringside_client.h"
#include "wire/soup.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#define RS_ADDRESSES_MAX 8
#define RS_WHY_BYTES     256
#define RS_HOST_BYTES    256

struct rs_address {
    struct sockaddr_storage socket;
    socklen_t bytes;
    char host[RS_HOST_BYTES]; /* as it was given */
};

/* Bytes [start, end) of a buffer are what is to be read from it. */
struct rs_buffer {
    uint8_t *bytes;
    uint32_t room;
    uint32_t start;
    uint32_t end;
};

struct rs_client {
    int fd;     /* -1: none */
    void *line; /* of `transport`; NULL: the socket itself, or not connected yet */
    const struct rs_transport *transport;
    void *transport_context;
    const struct rs_address *address; /* connected to, or last tried */
    bool line_wants_output;           /* before it can go on being made */
    enum rs_client_state state;
    struct rs_buffer output;
    struct rs_buffer input;
    uint64_t sequence_next;
    uint64_t sequence_first;
    uint64_t sent_ns;     /* when the socket last took bytes */
    uint64_t received_ns; /* when it last gave some */
    uint64_t heartbeat_ns;
    uint64_t silence_ns;
    void (*on_message)(void *context, uint64_t sequence, const uint8_t *message, size_t message_bytes);
    void (*on_debug)(void *context, const char *text, size_t text_bytes);
    void *context;
    bool known_sequence; /* sequence_next is what must come next, not a wish */
    struct soup_login_request login;
    char session[SOUP_SESSION_BYTES + 1];
    char why[RS_WHY_BYTES];
    enum rs_client_refusal refusal;
    uint32_t address_count;
    uint32_t address_next;
    struct rs_address addresses[RS_ADDRESSES_MAX];
};

uint64_t rs_clock_ns(void);

/* Closes, keeps the reason and returns the code. errno_value 0: none. */
int rs_fail(struct rs_client *client, enum rs_client_error code, int errno_value, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The session of the next login, at most 10 characters; "": the current one. */
void rs_name_session(struct rs_client *client, const char *session);

/* A packet of ours other than a message. False when there is no room. */
bool rs_put_packet(struct rs_client *client, enum soup_packet_type type, const void *payload, uint32_t payload_bytes);

#endif
