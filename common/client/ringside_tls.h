/*
 * libringside_client_tls: a connection of libringside_client by TLS (OpenSSL). In a library of its own, so that who
 * does without needs no OpenSSL.
 *
 *     struct rs_tls *tls = rs_tls_create(&(struct rs_tls_options){.ca_file = "exchange.pem"}, why, sizeof(why));
 *     rs_tls_use(tls, &options);                             of an rs_client, or .client of an rs_trader
 *     struct rs_client *client = rs_client_create(&options, why, sizeof(why));
 *
 * Rules
 *   1. TLS 1.2 or 1.3. The exchange's certificate must be signed by one of ca_file, be in force, and name the host of
 * the address that is connected to (a name or an IP address). There is no way around that.
 *   2. Any number of clients may use one rs_tls, in one thread at a time; it must outlive them.
 */
#ifndef RINGSIDE_TLS_H
#define RINGSIDE_TLS_H

#include "client/ringside_client.h"

#ifdef __cplusplus
extern "C" {
#endif

struct rs_tls;

struct rs_tls_options {
    const char *ca_file;          /* PEM file of certificates that are trusted; NULL: those that the system trusts */
    const char *certificate_file; /* PEM file of our own certificate, if the exchange asks for one; else NULL */
    const char *key_file;         /* and of its key */
};

/* NULL if a file cannot be used; `why` then says which. */
struct rs_tls *rs_tls_create(const struct rs_tls_options *options, char *why, size_t why_bytes);
void rs_tls_destroy(struct rs_tls *tls); /* NULL is fine */

/* Clients made with these options connect by TLS. */
void rs_tls_use(struct rs_tls *tls, struct rs_client_options *options);

#ifdef __cplusplus
}
#endif

#endif
