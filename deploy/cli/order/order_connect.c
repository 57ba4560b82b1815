/* Who orders, and where: options first, then the environment, the configuration, and at last a question. */
#include "order_cli.h"
#include "stage/stage.h"
#include "wire/soup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define GATEWAYS_TRIED_MAX 8u /* as many addresses as the client library takes */
#define TIMEOUT_S_DEFAULT  10u
#define CTRL_C             3
#define TIMEOUT_S_MAX      3600u

/* ---- the password: never from the command line, where everybody on the machine can read it ---- */

static int take_password(struct order_login *login, const char *where, const char *text, struct error *error)
{
    size_t bytes = strcspn(text, "\r\n");
    if (bytes > SOUP_PASSWORD_BYTES)
        return error_set(error, ERROR_INVALID, where, "a password has at most %u characters", SOUP_PASSWORD_BYTES);
    memcpy(login->password, text, bytes);
    login->password[bytes] = '\0';
    return 0;
}

static int read_password_file(struct order_login *login, const char *path, struct error *error)
{
    char text[ORDER_PASSWORD_BYTES] = "";
    FILE *file = fopen(path, "r");
    if (!file)
        return error_system(error, errno, path, "the password cannot be read");
    char *got = fgets(text, sizeof(text), file);
    fclose(file);
    int result = got ? take_password(login, path, text, error)
                     : error_set(error, ERROR_INVALID, path, "is empty; the password is its first line");
    explicit_bzero(text, sizeof(text));
    return result;
}

/*
 * One line from the terminal, which shows nothing from before the question on; what is typed early is thrown away.
 * Ctrl-C ends the line like Enter, so that the terminal is put back in order whatever happens. Its bytes; 0: none.
 */
static size_t ask_line(int terminal, const char *question, const char *about, char *text, size_t text_bytes)
{
    struct termios before;
    if (tcgetattr(terminal, &before) != 0)
        return 0;
    struct termios silent = before;
    silent.c_lflag |= ICANON;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    silent.c_cc[VEOL] = CTRL_C;
    tcsetattr(terminal, TCSAFLUSH, &silent);
    dprintf(terminal, "%s%s: ", question, about);
    ssize_t got = read(terminal, text, text_bytes - 1);
    tcsetattr(terminal, TCSAFLUSH, &before);
    dprintf(terminal, "\n");
    text[got > 0 ? got : 0] = '\0';
    return got <= 0 || strchr(text, CTRL_C) ? 0 : (size_t)got;
}

static int ask_password(struct order_login *login, struct error *error)
{
    char text[ORDER_PASSWORD_BYTES] = "";
    int terminal = isatty(STDIN_FILENO) ? open("/dev/tty", O_RDWR | O_CLOEXEC) : -1;
    if (terminal < 0)
        return error_set(error, ERROR_INVALID, "the password",
                         "is not given: --password-file FILE, or the variable RINGSIDE_PASSWORD");
    size_t bytes = ask_line(terminal, "password of ", login->user, text, sizeof(text));
    close(terminal);
    int result = bytes > 0 ? take_password(login, "the password", text, error)
                           : error_set(error, ERROR_INVALID, "the password", "was not given");
    explicit_bzero(text, sizeof(text));
    return result;
}

static int find_password(struct order_login *login, const char *file, struct error *error)
{
    const char *variable = getenv("RINGSIDE_PASSWORD");
    if (file)
        return read_password_file(login, file, error);
    if (variable)
        return take_password(login, "RINGSIDE_PASSWORD", variable, error);
    return ask_password(login, error);
}

/* ---- where ---- */

/* A gateway that listens everywhere is met on this machine's own address. */
static void address_of_config(struct order_login *login, const struct config *config, bool by_tls)
{
    const char *host = by_tls && *config->gateway_tls_address ? config->gateway_tls_address : config->gateway_address;
    uint64_t port = by_tls ? config->gateway_tls_port : config->gateway_port;
    if (strcmp(host, "0.0.0.0") == 0 || *host == '\0')
        host = "127.0.0.1";
    if (strcmp(host, "::") == 0)
        host = "::1";
    bool v6 = strchr(host, ':') != NULL;
    size_t bytes = 0;
    uint64_t count = config->exchange_gateways < GATEWAYS_TRIED_MAX ? config->exchange_gateways : GATEWAYS_TRIED_MAX;
    for (unsigned long long gateway = 0; gateway < count && bytes < sizeof(login->addresses); gateway++)
        bytes += (size_t)snprintf(login->addresses + bytes, sizeof(login->addresses) - bytes, "%s%s%s%s:%llu",
                                  gateway > 0 ? "," : "", v6 ? "[" : "", host, v6 ? "]" : "", port + gateway);
}

static int find_address(struct order_login *login, const struct command_line *line, struct error *error)
{
    const char *given = line->values[ORDER_CONNECT];
    bool by_tls = line->values[ORDER_TLS] != NULL;
    if (!given && by_tls && line->config.gateway_tls_port == 0)
        return error_set(error, ERROR_INVALID, "--tls",
                         "the configuration has no gateway.tls_port: --connect HOST:PORT says where");
    if (!given)
        address_of_config(login, &line->config, by_tls);
    else if (strlen(given) < sizeof(login->addresses))
        strcpy(login->addresses, given); /* NOLINT(clang-analyzer-security.insecureAPI.strcpy): measured above */
    else
        return error_set(error, ERROR_INVALID, "--connect", "is too long");
    return 0;
}

static int find_tls(struct order_login *login, const struct command_line *line, struct error *error)
{
    const struct rs_tls_options options = {.ca_file = line->values[ORDER_CA],
                                           .certificate_file = line->values[ORDER_CERTIFICATE],
                                           .key_file = line->values[ORDER_KEY]};
    char why[ERROR_WHAT_BYTES];
    if (!line->values[ORDER_TLS] && (options.ca_file || options.certificate_file || options.key_file))
        return error_set(error, ERROR_INVALID, "--ca, --certificate, --key", "are for --tls");
    if (!line->values[ORDER_TLS])
        return 0;
    login->tls = rs_tls_create(&options, why, sizeof(why));
    return login->tls ? 0 : error_set(error, ERROR_INVALID, "--tls", "%s", why);
}

void order_login_finish(struct order_login *login)
{
    rs_tls_destroy(login->tls);
    login->tls = NULL;
}

int order_login_read(struct order_login *ret, const struct command_line *line, struct error *error)
{
    uint32_t timeout_s = TIMEOUT_S_DEFAULT;
    const char *timeout = line->values[ORDER_TIMEOUT];
    *ret = (struct order_login){.user = line->values[ORDER_USER] ? line->values[ORDER_USER] : getenv("RINGSIDE_USER")};
    if (!ret->user || !*ret->user || strlen(ret->user) > SOUP_USER_BYTES)
        return error_set(error, ERROR_INVALID, "--user",
                         ret->user ? "a user has 1 to 6 characters" : "is not given, nor the variable RINGSIDE_USER");
    if (timeout && !order_number_read(timeout, 1, TIMEOUT_S_MAX, &timeout_s))
        return error_set(error, ERROR_INVALID, "--timeout", "%s is no number of seconds from 1 to %u", timeout,
                         TIMEOUT_S_MAX);
    ret->timeout_ms = timeout_s * 1000;
    int result = find_address(ret, line, error);
    if (result == 0)
        result = find_password(ret, line->values[ORDER_PASSWORD_FILE], error);
    return result < 0 ? result : find_tls(ret, line, error);
}

/* ---- ends ---- */

static int login_refused(const struct order_login *login, const struct rs_trader *trader)
{
    if (rs_trader_refusal(trader) == RS_REFUSED_USER)
        fprintf(stderr,
                "ringside order: the login of %s at %s is refused: user unknown or password wrong\n"
                "  ringside account add FILE USER FIRM makes a user; the gateway reads its file gateway.accounts\n",
                login->user, login->addresses);
    else
        fprintf(stderr, "ringside order: %s\n", rs_trader_why(trader));
    return EXIT_ORDER_LOGIN;
}

/* Whatever ended it, a login that is refused later on included: what was sent may be in the book. */
static int unanswered(const struct order_login *login, const struct rs_trader *trader, int result)
{
    const char *why = rs_trader_why(trader);
    fprintf(stderr,
            "ringside order: sent, but no answer came%s (%s): it may have been taken or not\n"
            "  ringside order list --user %s tells%s\n",
            result == RS_CLIENT_TIMEOUT ? " in time" : "", *why ? why : "connected", login->user,
            result == RS_CLIENT_TIMEOUT ? "; --timeout SECONDS waits longer" : "");
    return EXIT_ORDER_UNKNOWN;
}

int order_failed(const struct order_login *login, const struct rs_trader *trader, int result, bool sent)
{
    const char *why = rs_trader_why(trader);
    if (sent)
        return unanswered(login, trader, result);
    if (result == RS_CLIENT_REFUSED)
        return login_refused(login, trader);
    if (result == RS_CLIENT_DAY_OVER) {
        fprintf(stderr, "ringside order: the trading day is over\n");
        return EXIT_ORDER_UNREACHABLE;
    }
    fprintf(stderr,
            "ringside order: no session at %s (%s)\n"
            "  is the exchange running there (ringside status)? --connect HOST:PORT names another gateway\n",
            login->addresses, *why ? why : "no answer in time");
    return EXIT_ORDER_UNREACHABLE;
}
