/* TLS for a client: rs_transport by OpenSSL. */
#include "client/ringside_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define WHY_BYTES 192

struct rs_tls {
    SSL_CTX *context;
    BIO_METHOD *socket;
};

struct line {
    SSL *ssl;
    char why[WHY_BYTES];
};

/* ---- the socket, as OpenSSL sees it; its own would raise SIGPIPE ---- */

static int socket_result(BIO *bio, ssize_t count, int retry_flag)
{
    BIO_clear_retry_flags(bio);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_flags(bio, retry_flag | BIO_FLAGS_SHOULD_RETRY);
    return (int)count;
}

static int socket_read(BIO *bio, char *to, int bytes)
{
    int fd = (int)(intptr_t)BIO_get_data(bio);
    return socket_result(bio, recv(fd, to, (size_t)bytes, MSG_DONTWAIT), BIO_FLAGS_READ);
}

static int socket_write(BIO *bio, const char *from, int bytes)
{
    int fd = (int)(intptr_t)BIO_get_data(bio);
    return socket_result(bio, send(fd, from, (size_t)bytes, MSG_DONTWAIT | MSG_NOSIGNAL), BIO_FLAGS_WRITE);
}

static long socket_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *socket_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ringside client socket");
    if (method) {
        BIO_meth_set_read(method, socket_read);
        BIO_meth_set_write(method, socket_write);
        BIO_meth_set_ctrl(method, socket_control);
    }
    return method;
}

/* ---- life ---- */

static const char *reason(const char *otherwise)
{
    const char *text = ERR_reason_error_string(ERR_peek_error());
    return text ? text : otherwise;
}

/* NULL, or the file that cannot be used. */
static const char *use_files(SSL_CTX *context, const struct rs_tls_options *options)
{
    if (options->ca_file && SSL_CTX_load_verify_file(context, options->ca_file) != 1)
        return options->ca_file;
    if (!options->ca_file && SSL_CTX_set_default_verify_paths(context) != 1)
        return "the system's certificates";
    if (!options->certificate_file)
        return NULL;
    if (SSL_CTX_use_certificate_chain_file(context, options->certificate_file) != 1)
        return options->certificate_file;
    const char *key = options->key_file ? options->key_file : options->certificate_file;
    bool fits =
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 && SSL_CTX_check_private_key(context) == 1;
    return fits ? NULL : key;
}

struct rs_tls *rs_tls_create(const struct rs_tls_options *options, char *why, size_t why_bytes)
{
    struct rs_tls *tls = calloc(1, sizeof(*tls));
    const char *wrong = "no memory for TLS";
    ERR_clear_error();
    if (tls) {
        tls->context = SSL_CTX_new(TLS_client_method());
        tls->socket = socket_method();
    }
    if (tls && tls->context && tls->socket) {
        SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
        SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        wrong = use_files(tls->context, options);
    }
    if (!wrong)
        return tls;
    snprintf(why, why_bytes, "%s: %s", wrong, reason("it cannot be used"));
    rs_tls_destroy(tls);
    return NULL;
}

void rs_tls_destroy(struct rs_tls *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->context);
    BIO_meth_free(tls->socket);
    free(tls);
}

/* ---- lines ---- */

static bool expect_host(SSL *ssl, const char *host)
{
    struct in6_addr address;
    bool is_number = inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
    if (is_number)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static void line_close(void *of)
{
    struct line *line = of;
    if (!line)
        return;
    ERR_clear_error();
    if (line->ssl && SSL_is_init_finished(line->ssl))
        (void)SSL_shutdown(line->ssl);
    SSL_free(line->ssl);
    free(line);
}

static void *line_open(void *context, int fd, const char *host)
{
    const struct rs_tls *tls = context;
    struct line *line = calloc(1, sizeof(*line));
    if (!line)
        return NULL;
    BIO *bio = BIO_new(tls->socket);
    line->ssl = SSL_new(tls->context);
    if (!bio || !line->ssl || !expect_host(line->ssl, host)) {
        BIO_free(bio);
        line_close(line);
        return NULL;
    }
    BIO_set_data(bio, (void *)(intptr_t)fd); // NOLINT(performance-no-int-to-ptr): a number, not a place
    BIO_set_init(bio, 1);
    SSL_set_bio(line->ssl, bio, bio);
    SSL_set_connect_state(line->ssl);
    return line;
}

static void keep_why(struct line *line, int failure)
{
    long verified = SSL_get_verify_result(line->ssl);
    if (verified != X509_V_OK)
        snprintf(line->why, sizeof(line->why), "no TLS: the exchange's certificate is not trusted: %s",
                 X509_verify_cert_error_string(verified));
    else if (failure == SSL_ERROR_SSL)
        snprintf(line->why, sizeof(line->why), "no TLS: %s", reason("broken"));
    else
        snprintf(line->why, sizeof(line->why), "no TLS: %s", errno != 0 ? strerror(errno) : "the exchange closed it");
}

static int line_make(void *of, bool *ret_wants_output)
{
    struct line *line = of;
    ERR_clear_error();
    errno = 0;
    int result = SSL_do_handshake(line->ssl);
    if (result == 1)
        return 1;
    int failure = SSL_get_error(line->ssl, result);
    *ret_wants_output = failure == SSL_ERROR_WANT_WRITE;
    if (failure == SSL_ERROR_WANT_READ || failure == SSL_ERROR_WANT_WRITE)
        return 0;
    keep_why(line, failure);
    return -1;
}

/* What recv or send would have returned, with errno. */
static ssize_t result_of(struct line *line, int result)
{
    if (result > 0)
        return result;
    switch (SSL_get_error(line->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        return errno != 0 ? -1 : 0;
    default: /* an end without a good-bye is an end, since packets have their own lengths */
        errno = EPROTO;
        return ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING ? 0 : -1;
    }
}

static int clipped(size_t bytes)
{
    return bytes < INT_MAX ? (int)bytes : INT_MAX;
}

static ssize_t line_receive(void *of, void *to, size_t bytes)
{
    struct line *line = of;
    ERR_clear_error();
    errno = 0;
    return result_of(line, SSL_read(line->ssl, to, clipped(bytes)));
}

static ssize_t line_send(void *of, const void *from, size_t bytes)
{
    struct line *line = of;
    ERR_clear_error();
    errno = 0;
    return result_of(line, SSL_write(line->ssl, from, clipped(bytes)));
}

static const char *line_why(const void *of)
{
    const struct line *line = of;
    return line->why;
}

void rs_tls_use(struct rs_tls *tls, struct rs_client_options *options)
{
    static const struct rs_transport transport = {
        .open = line_open,
        .make = line_make,
        .receive = line_receive,
        .send = line_send,
        .close = line_close,
        .why = line_why,
    };
    options->transport = &transport;
    options->transport_context = tls;
}
