/*
 * TLS by OpenSSL, which no other file of the gateway sees. A context is what all connections of a listener share:
 * certificate, key and rules. A line is one connection's: its handshake, then bytes in and out, as net() gives them.
 *
 * Rules
 *   1. Nothing here waits: what the socket does not give or take now is -EAGAIN, or TLS_NOT_YET.
 *   2. A line keeps its context alive, so a new certificate leaves the connections that there are alone.
 *   3. TLS 1.2 or 1.3 with forward secrecy and authenticated ciphers. No renegotiation, no resumption, no compression,
 *      no early data: each connection is a handshake of its own, and nothing of it is left when it ends.
 *   4. One record is read at a time into a buffer that holds the largest, and no further ahead: what the poller does
 * not report is nowhere else. A record that carries no data (a new key) gives way to other connections like one that
 *      does.
 */
#ifndef RINGSIDE_GATEWAY_TLS_H
#define RINGSIDE_GATEWAY_TLS_H

#include "base/error.h"
#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_RECORD_BYTES 16384u /* the most that one record carries */
#define TLS_WHY_BYTES    160

struct ssl_ctx_st; /* OpenSSL's names for the two */
struct ssl_st;

enum tls_progress {
    TLS_DONE,
    TLS_NOT_YET, /* more of the other side's bytes are needed */
    TLS_FAILED,
};

/* From the files that the configuration names. */
int tls_open(struct ssl_ctx_st **ret, const struct config *config, struct error *error);
void tls_close(struct ssl_ctx_st *tls);

/* The certificate's subject and end, for the log. Returns the days until then, negative: it has ended. */
int tls_describe(const struct ssl_ctx_st *tls, char *text, size_t text_bytes);

/* Until the certificate ends; negative: since it has ended. */
int64_t tls_seconds_left(const struct ssl_ctx_st *tls);

/* The server's side of a new connection. NULL: no memory. */
struct ssl_st *tls_line_open(struct ssl_ctx_st *tls, int fd);
void tls_line_close(struct ssl_st *line);

/* A step of the handshake; `why` (of TLS_WHY_BYTES) tells why it failed. */
enum tls_progress tls_line_shake(struct ssl_st *line, char *why);

/* Version, cipher and, if it showed one, the subject of the client's certificate, for the log. */
void tls_line_describe(const struct ssl_st *line, char *text, size_t text_bytes);

/* As receive and send of net(). `bytes` of the first: at least TLS_RECORD_BYTES. */
int64_t tls_line_receive(struct ssl_st *line, void *to, size_t bytes);
int64_t tls_line_send(struct ssl_st *line, const void *from, size_t bytes);

/* Says that no more will be sent. */
void tls_line_finish(struct ssl_st *line);

#endif
