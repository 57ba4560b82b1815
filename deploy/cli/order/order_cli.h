/*
 * What the parts of `ringside order` share: how a person's order is read, who connects where, how events are shown.
 *
 * A part is one file with one subject and a main of its own, whose argv[0] is its name.
 */
#ifndef RINGSIDE_CLI_ORDER_H
#define RINGSIDE_CLI_ORDER_H

#include "base/error.h"
#include "client/ringside_tls.h"
#include "client/ringside_trader.h"
#include "stage/command_line.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Exit codes beside those of stage/stage.h. */
enum order_exit {
    EXIT_ORDER_REJECTED = 2,     /* the exchange said no, or there is no such open order */
    EXIT_ORDER_UNREACHABLE = 69, /* nobody answers there */
    EXIT_ORDER_UNKNOWN = 75,     /* sent, and no answer came: the outcome is not known */
    EXIT_ORDER_LOGIN = 77,       /* the login is refused, and nothing was sent */
};

int order_enter_main(int argc, char **argv);   /* buy, sell, short (order_send.c) */
int order_replace_main(int argc, char **argv); /* order_send.c */
int order_cancel_main(int argc, char **argv);  /* order_send.c */
int order_watch_main(int argc, char **argv);   /* order_watch.c */
int order_list_main(int argc, char **argv);    /* order_list.c */

/* ---- words into requests (order_parse.c): no I/O ---- */

/* The values of options as they were given; NULL: not given; flags: "" when given. */
struct order_words {
    const char *tif, *expire, *hidden, *post_only, *min, *display, *stop, *trail, *peg, *offset, *self_match, *capacity,
        *firm, *id, *exempt;
};

struct order_request {
    struct rs_order order; /* its texts are the words given */
    uint32_t target;       /* UserRefNum of the order it is about; 0: none */
    uint32_t quantity;     /* of a Cancel */
    bool says_tif;         /* of a Replace: else what the original has is kept */
    bool says_display;
    bool is_whole; /* trades whole or not at all (fok) */
};

/* QUANTITY SYMBOL @ PRICE; side: B, S or T. */
int order_parse_enter(struct order_request *ret, char side, const char *const *words, uint32_t count,
                      const struct order_words *options, struct error *error);
/* REF QUANTITY @ PRICE */
int order_parse_replace(struct order_request *ret, const char *const *words, uint32_t count,
                        const struct order_words *options, struct error *error);
/* REF [TOTAL] */
int order_parse_cancel(struct order_request *ret, const char *const *words, uint32_t count, struct error *error);

/* "585.33", "585.3312", "585"; false if it is anything else, or above the highest limit. */
bool order_price_read(const char *text, uint64_t *ret);
bool order_number_read(const char *text, uint32_t min, uint32_t max, uint32_t *ret);

/* ---- connecting (order_connect.c) ---- */

/* The options of every part, to be put first into its form. */
#define ORDER_CONNECT_OPTIONS                                                                                          \
    {"connect", "HOST:PORT", "the gateway; several with commas (else the configuration's)"},                           \
        {"user", "USER", "who orders (else $RINGSIDE_USER)"},                                                          \
        {"password-file", "FILE", "its first line (else $RINGSIDE_PASSWORD, else you are asked)"},                     \
        {"tls", NULL, "by TLS; without --connect to gateway.tls_address and tls_port"},                                \
        {"ca", "FILE", "certificates that are trusted for it, PEM (else the system's)"},                               \
        {"certificate", "FILE", "your own for it, if the exchange asks for one, PEM"},                                 \
        {"key", "FILE", "and its key, PEM (else in the same file)"},                                                   \
    {                                                                                                                  \
        "timeout", "SECONDS", "how long to wait for an answer (10)"                                                    \
    }
enum {
    ORDER_CONNECT,
    ORDER_USER,
    ORDER_PASSWORD_FILE,
    ORDER_TLS,
    ORDER_CA,
    ORDER_CERTIFICATE,
    ORDER_KEY,
    ORDER_TIMEOUT,
    ORDER_OWN_OPTIONS
};

#define ORDER_ADDRESS_BYTES  512
#define ORDER_PASSWORD_BYTES 32

struct order_login {
    char addresses[ORDER_ADDRESS_BYTES];
    char password[ORDER_PASSWORD_BYTES];
    const char *user;
    uint32_t timeout_ms;
    struct rs_tls *tls; /* NULL: without */
};

/* 0 or negative: who and where, asking for the password if nothing tells it. */
int order_login_read(struct order_login *ret, const struct command_line *line, struct error *error);

void order_login_finish(struct order_login *login);

/* Says on stderr why and what to do, and returns the exit code of a trader that ended with `result`. */
int order_failed(const struct order_login *login, const struct rs_trader *trader, int result, bool sent);

/* ---- showing (order_show.c, order_json.c) ---- */

#define ORDER_TIME_BYTES  24
#define ORDER_PRICE_BYTES 32

/* "585.33", "585.3312", "market" */
const char *order_price_text(uint64_t price, char text[ORDER_PRICE_BYTES]);
const char *order_time_text(uint64_t timestamp_ns, char text[ORDER_TIME_BYTES]);
const char *order_side_text(uint8_t side);
const char *order_tif_text(uint8_t time_in_force);

/* One message of the exchange as one line, for a person or as a JSON object. */
void order_show_text(FILE *to, uint64_t sequence, const uint8_t *message, size_t message_bytes);
void order_show_json(FILE *to, uint64_t sequence, const uint8_t *message, size_t message_bytes);

/* ---- open orders (order_book.c) ---- */

struct order_entry {
    uint32_t user_ref; /* 0: an empty place */
    uint32_t leaves;   /* 0: done */
    uint32_t executed;
    uint32_t gone; /* of its chain's total: executed, or kept from trading with an order of its own */
    uint64_t price;
    uint64_t timestamp_ns;
    char symbol[OUCH_SYMBOL_BYTES + 1];
    char client_order_id[OUCH_CLIENT_ORDER_ID_BYTES + 1];
    uint8_t side;
    uint8_t time_in_force;
    uint8_t display;
};

struct order_book {
    struct order_entry *entries; /* open addressing by user_ref */
    uint32_t room;               /* a power of two, or 0 */
    uint32_t count;
    bool short_of_memory;
};

/* Takes a message in; what is no news of an order changes nothing. */
void order_book_note(struct order_book *book, const uint8_t *message, size_t message_bytes);
const struct order_entry *order_book_find(const struct order_book *book, uint32_t user_ref); /* or NULL */

/* What a replacement does not say, from its original. Negative: it would leave nothing open to trade. */
int order_replace_complete(struct order_request *request, const struct order_entry *original, struct error *error);
void order_book_finish(struct order_book *book);

#endif
