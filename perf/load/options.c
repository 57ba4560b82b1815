#include "options.h"

#include "base/bytes.h"
#include "client/ringside_tls.h"
#include "config/config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: ringside load [options]\n"
    "\n"
    "Sends orders over TCP, open loop: each request has its time, and its latency counts from that time, sent late or\n"
    "not, to the answer. Checks that every order's story is told exactly once: one answer, executions and cancels "
    "that\n"
    "add up to its quantity, both sides of every trade alike, no gap in any session's numbers.\n"
    "\n"
    "where\n"
    "  --config FILE         ringside.conf: address, instruments and durability are taken from it\n"
    "  --address HOST:PORT   a gateway (127.0.0.1:9001); may be repeated, sessions are spread over them\n"
    "  --user PREFIX         users are PREFIX01, PREFIX02, ... up to six characters (DEMO); also --user-prefix\n"
    "  --password PASSWORD   of all of them (ringside)\n"
    "  --tls CA_FILE         by TLS; the certificates in this file (PEM) are trusted. With --config to "
    "gateway.tls_port\n"
    "\n"
    "what\n"
    "  --orders N            new orders in all (100000 unless --seconds is given)\n"
    "  --seconds S           or for so long\n"
    "  --warm-up S           of them: what is due in the first S seconds counts, but not in the latencies\n"
    "  --rate N|max          requests a second, new orders and cancels together (max: as fast as answers come)\n"
    "  --sessions N          connections, one user each (8)\n"
    "  --window N            requests without an answer at one time, all sessions together (2000 at rate max, else no\n"
    "                        limit)\n"
    "  --live N              most live orders, all sessions together (4096)\n"
    "  --symbols A,B,C       instruments, with tick 0.01 and prices around 100.00\n"
    "  --seed N              of the mix: half passive limits around a middle that moves, 40 % cancels of random live\n"
    "                        orders, 10 % crossing (1)\n"
    "  --keep-rest           leave the orders that are live at the end; otherwise they are cancelled, unmeasured\n"
    "                        (--cancel-rest, which is so anyway)\n"
    "  --shared              others trade in these instruments too: a trade may have one side of ours only\n"
    "  --no-resume           give up when a connection breaks, rather than log in again and send anew what has no "
    "answer\n"
    "                        (--resume-on-disconnect, which is so anyway)\n"
    "  --patience S          give up when nothing has come back for so long (15)\n"
    "  --spin                never sleep nor yield: for machines with a core to spare\n"
    "\n"
    "what else\n"
    "  --yardstick DIR       before and after, measures a blocking TCP round trip between two cores and a durable 4 "
    "KiB\n"
    "                        append in DIR, and says how many times their sum a request takes; with a rate, also a "
    "TCP\n"
    "                        round trip each millisecond meanwhile, as a request is sent and its answer taken\n"
    "  --durability-label T  is put into the report\n"
    "  --lobster FILE [BOOK] plays a LOBSTER message file in place of the mix and compares the book with the "
    "orderbook\n"
    "                        file after every event (--answers BOOK; otherwise found by its name)\n"
    "  --json                one JSON object in place of the table\n"
    "\n"
    "A request is a new order or a cancel: requests_per_s counts both, as --rate does; orders_per_s new orders alone.\n"
    "At rate max a request's time is when the window lets it go, so there latencies say how long answers take and no\n"
    "more. Exit: 0 all that was checked holds, 1 it does not, 2 usage.\n";

enum option_code {
    OPTION_CONFIG = 256,
    OPTION_ADDRESS,
    OPTION_USER,
    OPTION_PASSWORD,
    OPTION_TLS,
    OPTION_ORDERS,
    OPTION_SECONDS,
    OPTION_WARM_UP,
    OPTION_RATE,
    OPTION_SESSIONS,
    OPTION_WINDOW,
    OPTION_LIVE,
    OPTION_SYMBOLS,
    OPTION_SEED,
    OPTION_KEEP_REST,
    OPTION_CANCEL_REST,
    OPTION_SHARED,
    OPTION_NO_RESUME,
    OPTION_RESUME,
    OPTION_PATIENCE,
    OPTION_SPIN,
    OPTION_YARDSTICK,
    OPTION_DURABILITY,
    OPTION_LOBSTER,
    OPTION_ANSWERS,
    OPTION_JSON,
    OPTION_HELP,
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"address", required_argument, NULL, OPTION_ADDRESS},
    {"user", required_argument, NULL, OPTION_USER},
    {"user-prefix", required_argument, NULL, OPTION_USER},
    {"password", required_argument, NULL, OPTION_PASSWORD},
    {"tls", required_argument, NULL, OPTION_TLS},
    {"orders", required_argument, NULL, OPTION_ORDERS},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"warm-up", required_argument, NULL, OPTION_WARM_UP},
    {"rate", required_argument, NULL, OPTION_RATE},
    {"sessions", required_argument, NULL, OPTION_SESSIONS},
    {"window", required_argument, NULL, OPTION_WINDOW},
    {"live", required_argument, NULL, OPTION_LIVE},
    {"symbols", required_argument, NULL, OPTION_SYMBOLS},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"keep-rest", no_argument, NULL, OPTION_KEEP_REST},
    {"cancel-rest", no_argument, NULL, OPTION_CANCEL_REST},
    {"shared", no_argument, NULL, OPTION_SHARED},
    {"no-resume", no_argument, NULL, OPTION_NO_RESUME},
    {"resume-on-disconnect", no_argument, NULL, OPTION_RESUME},
    {"patience", required_argument, NULL, OPTION_PATIENCE},
    {"spin", no_argument, NULL, OPTION_SPIN},
    {"yardstick", required_argument, NULL, OPTION_YARDSTICK},
    {"durability-label", required_argument, NULL, OPTION_DURABILITY},
    {"lobster", required_argument, NULL, OPTION_LOBSTER},
    {"answers", required_argument, NULL, OPTION_ANSWERS},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

/* What is said about a wrong value; NULL: it is right. */
static const char *take_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || value < min || value > max)
        return "is not a number in its bounds";
    *ret = value;
    return NULL;
}

static const char *take_number32(const char *text, uint32_t min, uint32_t max, uint32_t *ret)
{
    uint64_t value = 0;
    const char *wrong = take_number(text, min, max, &value);
    if (!wrong)
        *ret = (uint32_t)value;
    return wrong;
}

static const char *take_seconds(const char *text, double *ret)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value > 0) || value > 1e7)
        return "is not a number of seconds";
    *ret = value;
    return NULL;
}

static const char *take_text(const char *text, char *field, size_t field_bytes)
{
    if (text[0] == '\0' || strlen(text) >= field_bytes)
        return "is empty or too long";
    snprintf(field, field_bytes, "%s", text);
    return NULL;
}

static const char *add_instrument(struct load_options *options, const struct load_instrument *instrument)
{
    if (options->instrument_count == LOAD_INSTRUMENTS_MAX)
        return "has too many instruments";
    struct load_instrument *more =
        realloc(options->instruments, (options->instrument_count + 1) * sizeof(*options->instruments));
    if (!more)
        return "needs more memory than there is";
    options->instruments = more;
    options->instruments[options->instrument_count++] = *instrument;
    return NULL;
}

static const char *take_symbols(const char *text, struct load_options *options)
{
    options->instrument_count = 0;
    while (*text) {
        size_t bytes = strcspn(text, ",");
        struct load_instrument instrument = {.tick_ticks = 100, .middle_ticks = 1000000, .lot = 1};
        if (bytes == 0 || bytes > sizeof(instrument.symbol))
            return "has a symbol that is empty or longer than eight characters";
        memset(instrument.symbol, ' ', sizeof(instrument.symbol));
        memcpy(instrument.symbol, text, bytes);
        const char *wrong = add_instrument(options, &instrument);
        if (wrong)
            return wrong;
        text += bytes + (text[bytes] == ',');
    }
    return options->instrument_count > 0 ? NULL : "names no symbol";
}

static const char *take_address(const char *text, struct load_options *options)
{
    if (options->address_count == LOAD_ADDRESSES_MAX)
        return "is one address too many";
    return take_text(text, options->addresses[options->address_count++], LOAD_ADDRESS_BYTES);
}

/* The file stays named in `why` until the next call. */
static const char *take_tls(const char *file, struct load_options *options)
{
    static char why[256];
    rs_tls_destroy(options->tls);
    options->tls = rs_tls_create(&(struct rs_tls_options){.ca_file = file}, why, sizeof(why));
    return options->tls ? NULL : why;
}

/* One option of the command line; NULL or what is wrong with its value. */
static const char *take_option(struct load_options *options, int code, const char *value)
{
    switch (code) {
    case OPTION_ADDRESS:
        return take_address(value, options);
    case OPTION_USER:
        return strlen(value) < 6 ? take_text(value, options->user_prefix, 6) : "leaves no room for a number";
    case OPTION_PASSWORD:
        return take_text(value, options->password, 11);
    case OPTION_TLS:
        return take_tls(value, options);
    case OPTION_ORDERS:
        return take_number(value, 1, 1000000000000u, &options->orders);
    case OPTION_SECONDS:
        return take_seconds(value, &options->seconds);
    case OPTION_WARM_UP:
        return take_seconds(value, &options->warm_up_s);
    case OPTION_RATE:
        return strcmp(value, "max") == 0 ? NULL : take_number(value, 1, 100000000, &options->rate);
    case OPTION_SESSIONS:
        return take_number32(value, 1, LOAD_SESSIONS_MAX, &options->sessions);
    case OPTION_WINDOW:
        return take_number32(value, 1, 100000000, &options->window);
    case OPTION_LIVE:
        return take_number32(value, 1, 100000000, &options->live);
    case OPTION_SYMBOLS:
        return take_symbols(value, options);
    case OPTION_SEED:
        return take_number(value, 0, UINT64_MAX, &options->seed);
    case OPTION_PATIENCE:
        return take_seconds(value, &options->patience_s);
    case OPTION_YARDSTICK:
        return take_text(value, options->yardstick, sizeof(options->yardstick));
    case OPTION_DURABILITY:
        return take_text(value, options->durability, sizeof(options->durability));
    case OPTION_LOBSTER:
        return take_text(value, options->lobster, sizeof(options->lobster));
    case OPTION_ANSWERS:
        return take_text(value, options->answers, sizeof(options->answers));
    case OPTION_KEEP_REST:
    case OPTION_SHARED:
    case OPTION_NO_RESUME:
    case OPTION_SPIN:
    case OPTION_JSON:
        options->keep_rest |= code == OPTION_KEEP_REST;
        options->shared |= code == OPTION_SHARED;
        options->resume &= code != OPTION_NO_RESUME;
        options->spin |= code == OPTION_SPIN;
        options->json |= code == OPTION_JSON;
        return NULL;
    default:
        return NULL; /* what is so anyway */
    }
}

/* ---- what the configuration knows ---- */

static const char *take_config_instruments(struct load_options *options, const struct config *config)
{
    for (uint32_t i = 0; i < config->instrument_count && i < LOAD_INSTRUMENTS_MAX; i++) {
        const struct config_instrument *from = &config->instruments[i];
        struct load_instrument instrument = {
            .tick_ticks = from->tick_ticks > 0 ? from->tick_ticks : 1,
            .middle_ticks = from->reference_ticks > 0 ? from->reference_ticks : 1000000,
            .lot = from->lot_quantity > 0 ? from->lot_quantity : 1,
        };
        memcpy(instrument.symbol, from->symbol, sizeof(instrument.symbol));
        const char *wrong = add_instrument(options, &instrument);
        if (wrong)
            return wrong;
    }
    return NULL;
}

static void take_config_addresses(struct load_options *options, const struct config *config)
{
    bool of_tls = options->tls && *config->gateway_tls_address;
    const char *address = of_tls ? config->gateway_tls_address : config->gateway_address;
    const char *host = strcmp(address, "0.0.0.0") == 0 ? "127.0.0.1" : address;
    uint64_t port = options->tls ? config->gateway_tls_port : config->gateway_port;
    bool is_ipv6 = strchr(host, ':') != NULL;
    options->address_count = (uint32_t)config->exchange_gateways;
    for (uint32_t i = 0; i < options->address_count; i++)
        snprintf(options->addresses[i], LOAD_ADDRESS_BYTES, is_ipv6 ? "[%s]:%u" : "%s:%u", host, (uint32_t)port + i);
}

/* Fills in what the command line has not said. */
static int take_config(struct load_options *options, const char *path)
{
    struct config config;
    struct error error = {0};
    config_init(&config);
    if (config_read(&config, path, &error) < 0 || config_check(&config, &error) < 0) {
        fprintf(stderr, "ringside load: %s: %s\n", error.where, error.what);
        config_finish(&config);
        return LOAD_USAGE;
    }
    if (options->address_count == 0)
        take_config_addresses(options, &config);
    if (options->durability[0] == '\0')
        snprintf(options->durability, sizeof(options->durability), "%s",
                 config_durability_name(config.journal_durability));
    const char *wrong = options->instrument_count == 0 ? take_config_instruments(options, &config) : NULL;
    if (wrong)
        fprintf(stderr, "ringside load: %s %s\n", path, wrong);
    config_finish(&config);
    return wrong ? LOAD_USAGE : LOAD_GO;
}

/* ---- the whole ---- */

static void fill_in_defaults(struct load_options *options)
{
    if (options->address_count == 0)
        (void)take_address("127.0.0.1:9001", options);
    if (options->instrument_count == 0)
        (void)take_symbols("AAPL,MSFT,NVDA,AMZN,GOOG,META,TSLA,INTC", options);
    if (options->orders == 0 && options->seconds == 0)
        options->orders = 100000;
    if (options->rate == 0 && options->window == 0)
        options->window = 2000;
}

/* orderbook file of a message file, as LOBSTER names them. */
static const char *find_answers(struct load_options *options)
{
    if (options->lobster[0] == '\0' || options->answers[0] != '\0')
        return NULL;
    const char *name = strrchr(options->lobster, '/');
    const char *part = strstr(name ? name : options->lobster, "_message_");
    if (!part)
        return "--lobster needs --answers: the file's name has no _message_ in it";
    snprintf(options->answers, sizeof(options->answers), "%.*s_orderbook_%s", (int)(part - options->lobster),
             options->lobster, part + strlen("_message_"));
    return NULL;
}

static const char *take_rest(struct load_options *options, int argc, char **argv)
{
    bool is_book = options->lobster[0] != '\0' && options->answers[0] == '\0';
    if (optind < argc && is_book) {
        const char *wrong = take_text(argv[optind++], options->answers, sizeof(options->answers));
        if (wrong)
            return wrong;
    }
    if (optind < argc)
        return "there is an argument too many";
    char user[16];
    load_user(options, options->sessions - 1, user);
    if (strlen(user) > 6)
        return "the users' names get longer than six characters: a shorter --user, or fewer --sessions";
    return find_answers(options);
}

int load_options_read(struct load_options *options, int argc, char **argv)
{
    *options = (struct load_options){.sessions = 8,
                                     .live = 4096,
                                     .seed = 1,
                                     .patience_s = 15,
                                     .resume = true,
                                     .user_prefix = "DEMO",
                                     .password = "ringside"};
    const char *config_path = NULL;
    optind = 1;
    for (int code; (code = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (code == OPTION_HELP) {
            fputs(usage, stdout);
            return LOAD_OK;
        }
        if (code == '?') {
            fputs("ringside load --help tells the options\n", stderr);
            return LOAD_USAGE;
        }
        if (code == OPTION_CONFIG)
            config_path = optarg;
        const char *wrong = take_option(options, code, optarg);
        if (wrong) {
            fprintf(stderr, "ringside load: the value '%s' %s; --help tells the options\n", optarg, wrong);
            return LOAD_USAGE;
        }
    }
    const char *wrong = take_rest(options, argc, argv);
    if (wrong) {
        fprintf(stderr, "ringside load: %s\n", wrong);
        return LOAD_USAGE;
    }
    int result = config_path ? take_config(options, config_path) : LOAD_GO;
    if (result == LOAD_GO)
        fill_in_defaults(options);
    return result;
}

void load_options_finish(struct load_options *options)
{
    rs_tls_destroy(options->tls);
    options->tls = NULL;
    free(options->instruments);
    options->instruments = NULL;
}

void load_user(const struct load_options *options, uint32_t n, char user[16])
{
    int width = 6 - (int)strlen(options->user_prefix);
    snprintf(user, 16, "%s%0*u", options->user_prefix, width, n + 1);
}

void load_address_list(const struct load_options *options, uint32_t n, char *list, uint32_t list_bytes)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < options->address_count && at < list_bytes; i++) {
        const char *address = options->addresses[(n + i) % options->address_count];
        at += (uint32_t)snprintf(list + at, list_bytes - at, "%s%s", i > 0 ? "," : "", address);
    }
}
