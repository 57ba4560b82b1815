#include "tls.h"

#include "base/require.h"
#include "env/net.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define CIPHERS_OF_TLS_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20" /* those of TLS 1.3 are all as good */
#define RECORDS_PER_SEND   4

/* ---- the socket, as OpenSSL sees it ---- */

static int socket_of(BIO *bio)
{
    return (int)(intptr_t)BIO_get_data(bio);
}

static int bio_result(BIO *bio, int64_t count, int retry_flag)
{
    BIO_clear_retry_flags(bio);
    if (count >= 0)
        return (int)count;
    if (count == -EAGAIN || count == -EINTR)
        BIO_set_flags(bio, retry_flag | BIO_FLAGS_SHOULD_RETRY);
    errno = (int)-count;
    return -1;
}

static int bio_read(BIO *bio, char *to, int bytes)
{
    return bio_result(bio, net()->receive(socket_of(bio), to, (size_t)bytes), BIO_FLAGS_READ);
}

static int bio_write(BIO *bio, const char *from, int bytes)
{
    return bio_result(bio, net()->send(socket_of(bio), from, (size_t)bytes), BIO_FLAGS_WRITE);
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

/* One a process, for its lines may outlive every context. */
static BIO_METHOD *bio_method(void)
{
    static BIO_METHOD *method;
    if (method)
        return method;
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ringside socket");
    if (method) {
        BIO_meth_set_read(method, bio_read);
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_ctrl(method, bio_control);
    }
    return method;
}

/* ---- contexts ---- */

/* The first reason that OpenSSL gives, or `otherwise`. */
static const char *reason(const char *otherwise)
{
    const char *text = ERR_reason_error_string(ERR_peek_error());
    return text ? text : otherwise;
}

/* An encrypted key is refused: nobody is there to be asked. */
// NOLINTNEXTLINE(readability-non-const-parameter): the type is OpenSSL's
static int no_passphrase(char *text, int text_bytes, int writing, void *context)
{
    (void)text;
    (void)text_bytes;
    (void)writing;
    (void)context;
    return -1;
}

static int use_files(SSL_CTX *tls, const struct config *config, struct error *error)
{
    const char *certificate = config->gateway_tls_certificate;
    const char *key = config->gateway_tls_key;
    const char *issuers = config->gateway_tls_client_ca;
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(tls, certificate) != 1)
        return error_set(error, ERROR_INVALID, certificate, "no certificate in PEM (gateway.tls_certificate): %s",
                         reason("it cannot be read"));
    if (SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(tls) != 1)
        return error_set(error, ERROR_INVALID, key, "no private key of that certificate in PEM (gateway.tls_key): %s",
                         reason("it cannot be read"));
    if (*issuers == '\0')
        return 0;
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(issuers);
    if (!names || SSL_CTX_load_verify_file(tls, issuers) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return error_set(error, ERROR_INVALID, issuers, "no certificates in PEM (gateway.tls_client_ca): %s",
                         reason("it cannot be read"));
    }
    SSL_CTX_set_client_CA_list(tls, names);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return 0;
}

static bool set_rules(SSL_CTX *tls, const struct config *config)
{
    bool newest_only = config->gateway_tls_version_min == TLS_VERSION_1_3;
    SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(tls,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_clear_mode(tls, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_default_passwd_cb(tls, no_passphrase);
    return SSL_CTX_set_num_tickets(tls, 0) == 1 &&
           SSL_CTX_set_min_proto_version(tls, newest_only ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(tls, CIPHERS_OF_TLS_1_2) == 1;
}

int tls_open(struct ssl_ctx_st **ret, const struct config *config, struct error *error)
{
    SSL_CTX *tls = bio_method() ? SSL_CTX_new(TLS_server_method()) : NULL;
    if (!tls || !set_rules(tls, config)) {
        SSL_CTX_free(tls);
        return error_set(error, ERROR_SYSTEM, "TLS", "OpenSSL cannot be set up: %s", reason("no memory"));
    }
    int code = use_files(tls, config, error);
    if (code < 0) {
        SSL_CTX_free(tls);
        return code;
    }
    *ret = tls;
    return 0;
}

void tls_close(struct ssl_ctx_st *tls)
{
    SSL_CTX_free(tls);
}

static void subject(const X509 *certificate, char *text, size_t text_bytes)
{
    BIO *to = BIO_new(BIO_s_mem());
    int count = 0;
    if (to && X509_NAME_print_ex(to, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0)
        count = BIO_read(to, text, (int)text_bytes - 1);
    text[count > 0 ? count : 0] = '\0';
    BIO_free(to);
}

int tls_describe(const struct ssl_ctx_st *tls, char *text, size_t text_bytes)
{
    const X509 *certificate = SSL_CTX_get0_certificate(tls);
    const ASN1_TIME *end = X509_get0_notAfter(certificate);
    char name[128];
    struct tm when = {0};
    int days = INT_MAX;
    int seconds = 0;
    subject(certificate, name, sizeof(name));
    if (ASN1_TIME_diff(&days, &seconds, NULL, end) != 1 || ASN1_TIME_to_tm(end, &when) != 1)
        days = INT_MAX;
    if (days == 0 && seconds < 0)
        days = -1;
    snprintf(text, text_bytes, "%s, good until %04d-%02d-%02d", name, when.tm_year + 1900, when.tm_mon + 1,
             when.tm_mday);
    return days;
}

int64_t tls_seconds_left(const struct ssl_ctx_st *tls)
{
    int days = 0;
    int seconds = 0;
    if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(SSL_CTX_get0_certificate(tls))) != 1)
        return INT32_MAX;
    return (int64_t)days * 86400 + seconds;
}

/* ---- lines ---- */

struct ssl_st *tls_line_open(struct ssl_ctx_st *tls, int fd)
{
    SSL *line = SSL_new(tls);
    BIO *bio = BIO_new(bio_method());
    if (!line || !bio) {
        SSL_free(line);
        BIO_free(bio);
        return NULL;
    }
    BIO_set_data(bio, (void *)(intptr_t)fd); // NOLINT(performance-no-int-to-ptr): a number, not a place
    BIO_set_init(bio, 1);
    SSL_set_bio(line, bio, bio);
    SSL_set_accept_state(line);
    return line;
}

void tls_line_close(struct ssl_st *line)
{
    SSL_free(line);
}

enum tls_progress tls_line_shake(struct ssl_st *line, char *why)
{
    ERR_clear_error();
    errno = 0;
    int result = SSL_do_handshake(line);
    if (result == 1)
        return TLS_DONE;
    int failure = SSL_get_error(line, result);
    if (failure == SSL_ERROR_WANT_READ)
        return TLS_NOT_YET;
    const char *what = failure == SSL_ERROR_WANT_WRITE ? "the socket does not even take the handshake"
                       : errno != 0                    ? strerror(errno)
                                                       : "the client closed it";
    snprintf(why, TLS_WHY_BYTES, "%s", failure == SSL_ERROR_SSL ? reason(what) : what);
    return TLS_FAILED;
}

void tls_line_describe(const struct ssl_st *line, char *text, size_t text_bytes)
{
    const X509 *certificate = SSL_get0_peer_certificate(line);
    char name[128] = "";
    if (certificate)
        subject(certificate, name, sizeof(name));
    snprintf(text, text_bytes, "%s, %s%s%s", SSL_get_version(line), SSL_get_cipher_name(line),
             certificate ? ", certificate of " : "", name);
}

/* What net() would have returned. */
static int64_t failed(const SSL *line, int result)
{
    switch (SSL_get_error(line, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        return errno != 0 ? -errno : 0;
    default: /* an end without a good-bye is an end, since packets have their own lengths */
        return ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING ? 0 : -EPROTO;
    }
}

int64_t tls_line_receive(struct ssl_st *line, void *to, size_t bytes)
{
    REQUIRE(bytes >= TLS_RECORD_BYTES && bytes <= INT_MAX);
    ERR_clear_error();
    errno = 0;
    int count = SSL_read(line, to, (int)bytes);
    return count > 0 ? count : failed(line, count);
}

int64_t tls_line_send(struct ssl_st *line, const void *from, size_t bytes)
{
    REQUIRE(bytes > 0 && bytes <= INT_MAX);
    size_t sent = 0;
    for (int records = 0; records < RECORDS_PER_SEND && sent < bytes; records++) {
        ERR_clear_error();
        errno = 0;
        int count = SSL_write(line, (const uint8_t *)from + sent, (int)(bytes - sent));
        if (count <= 0) {
            int64_t result = failed(line, count);
            if (sent > 0)
                break; /* if it is the end, the next one tells */
            return result == 0 ? -ECONNRESET : result;
        }
        sent += (size_t)count;
    }
    return (int64_t)sent;
}

void tls_line_finish(struct ssl_st *line)
{
    ERR_clear_error();
    if (SSL_is_init_finished(line))
        (void)SSL_shutdown(line);
}
