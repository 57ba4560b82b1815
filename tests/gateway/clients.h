/* Clients of the gateway under test; each wait polls the exchange and has a deadline. */
#ifndef RINGSIDE_TESTS_GATEWAY_CLIENTS_H
#define RINGSIDE_TESTS_GATEWAY_CLIENTS_H

#include "stand_in.h"
#include "wire/soup.h"

#include <stdbool.h>
#include <stdint.h>

#define CLIENT_BYTES (1u << 20)
#define CLIENTS_MAX  64u

struct client {
    int fd;
    bool closed; /* by the gateway */
    uint32_t start;
    uint32_t end;
    uint32_t message_no; /* number of the next Sequenced Data packet */
    uint8_t bytes[CLIENT_BYTES];
};

/* The exchange that they are clients of; one a test process. */
extern struct stand_in exchange;

/* All clients and the exchange. */
void close_all(void);

/* Connected, not logged in. */
struct client *client_new(void);
/* The same from another address of this host, such as 127.0.0.2. */
struct client *client_from(uint32_t source);
void client_send(struct client *client, const void *bytes, uint32_t count);
void client_packet(struct client *client, char type, const void *payload, uint32_t payload_bytes);
void client_read(struct client *client);
/* The next whole packet of what has been read. */
bool frame_next(struct client *client, struct soup_frame *ret_frame);

/* The next packet that is no heartbeat, or of type 0 if the connection was closed instead. */
struct soup_frame expect_any(struct client *client);
struct soup_frame expect(struct client *client, char type);
void expect_message(struct client *client, char letter);
void expect_closed(struct client *client);

void run_for(uint32_t polls);
void login_ask(struct client *client, const char *user, const char *password, const char *session, uint64_t message_no);
/* Returns the number of the next message. */
uint64_t expect_accepted(struct client *client);
struct client *login_from(const char *user, uint64_t message_no);
/* Logged in, with the day's first message read. */
struct client *login_new(const char *user);

/* An Enter Order of 100 to buy, in its packet. */
uint32_t enter_put(uint8_t *packet, uint32_t user_ref, const char *symbol, uint64_t price);
void enter(struct client *client, uint32_t user_ref, const char *symbol, uint64_t price);

#endif
