/*
 * A trader's connection: made, lost, made again.
 *
 *     WAITING --retry_ns--> PROBING --its number--> LOGGING --accepted--> JOINING --answer--> RESENDING --all--> READY
 *        ^                     |                       |                     |                    |                |
 *        +---------------------+-----------------------+------- lost --------+--------------------+----------------+
 *
 * PROBING happens before the first join when earlier messages are wanted, and before a later one when a question, the
 * join's own included, had no answer as the connection broke: a login tells where a replay begins, not where it ends,
 * and an Account Query answered in the replay is not the answer to ours. It happens too when a login to the session
 * that we were in was refused with S: it names none, so that S again says that the user is still connected elsewhere,
 * and a login that is accepted tells by its session's name whether the day is another one.
 */
#include "trader_state.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS              1000000u
#define REQUESTS_DEFAULT       1024u
#define REQUESTS_MAX           (1u << 20)
#define OUTPUT_BYTES_DEFAULT   262144u
#define BACKOFF_MS_MIN_DEFAULT 100u
#define BACKOFF_MS_MAX_DEFAULT 5000u

/* ---- life ---- */

static void take_options(struct rs_trader *trader, const struct rs_trader_options *options)
{
    uint32_t min_ms = options->backoff_ms_min ? options->backoff_ms_min : BACKOFF_MS_MIN_DEFAULT;
    uint32_t max_ms = options->backoff_ms_max ? options->backoff_ms_max : BACKOFF_MS_MAX_DEFAULT;
    trader->callbacks = options->callbacks;
    trader->on_message = options->client.on_message;
    trader->on_debug = options->client.on_debug;
    trader->context = options->client.context;
    trader->sequence_wanted = options->client.sequence_next;
    trader->probes = trader->sequence_wanted != 0;
    trader->backoff_ns = trader->backoff_ns_min = (uint64_t)min_ms * NS_PER_MS;
    trader->backoff_ns_max = (uint64_t)(max_ms > min_ms ? max_ms : min_ms) * NS_PER_MS;
    trader->random = rs_clock_ns() ^ (uint64_t)(uintptr_t)trader ^ 0x9e3779b97f4a7c15u;
}

/* The client's context is the trader; the program's debug function gets its own. */
static void pass_debug(void *context, const char *text, size_t text_bytes)
{
    const struct rs_trader *trader = context;
    if (trader->on_debug)
        trader->on_debug(trader->context, text, text_bytes);
}

struct rs_trader *rs_trader_create(const struct rs_trader_options *options, char *why, size_t why_bytes)
{
    uint32_t room = options->requests_max ? options->requests_max : REQUESTS_DEFAULT;
    struct rs_client_options client = options->client;
    struct rs_trader *trader = room <= REQUESTS_MAX ? calloc(1, sizeof(*trader)) : NULL;
    if (trader)
        trader->requests = calloc(room + 1, sizeof(trader->requests[0]));
    if (!trader || !trader->requests) {
        if (why && why_bytes > 0)
            snprintf(why, why_bytes, "no memory for %u requests", room);
        rs_trader_destroy(trader);
        return NULL;
    }
    take_options(trader, options);
    trader->request_room = room + 1;
    client.on_message = trader_on_message;
    client.on_debug = pass_debug;
    client.context = trader;
    if (client.output_bytes == 0)
        client.output_bytes = OUTPUT_BYTES_DEFAULT;
    trader->client = rs_client_create(&client, why, why_bytes);
    if (!trader->client) {
        rs_trader_destroy(trader);
        return NULL;
    }
    return trader;
}

void rs_trader_destroy(struct rs_trader *trader)
{
    if (!trader)
        return;
    rs_client_destroy(trader->client);
    free(trader->requests);
    free(trader);
}

/* ---- losing a connection ---- */

/* Somewhere between three quarters and all of the back-off. */
static uint64_t jittered(struct rs_trader *trader)
{
    trader->random ^= trader->random << 13;
    trader->random ^= trader->random >> 7;
    trader->random ^= trader->random << 17;
    return trader->backoff_ns - trader->random % (trader->backoff_ns / 4 + 1);
}

/* Whether the client's number is that of this trader's messages: not between connections, nor during a probe. */
static bool is_told(const struct rs_trader *trader)
{
    return trader->phase >= TRADER_LOGGING && trader->phase <= TRADER_READY;
}

/*
 * The next login goes on behind what this connection has told, also where that was a part of a replay. The answer to a
 * question that was out may come in that login's replay.
 */
static void keep_place(struct rs_trader *trader)
{
    if (!is_told(trader))
        return;
    trader->sequence_wanted = trader->client->sequence_next;
    trader->sequence_known = trader->client->known_sequence;
    memcpy(trader->session, trader->client->session, sizeof(trader->session));
    trader->probes |= trader->phase == TRADER_JOINING || trader->query_end > 0;
}

/* How long to wait now; longer each time that all addresses have been tried. */
static uint64_t back_off(struct rs_trader *trader)
{
    uint64_t wait_ns = jittered(trader);
    trader->attempts++;
    if (trader->attempts % trader->client->address_count == 0 && trader->backoff_ns < trader->backoff_ns_max)
        trader->backoff_ns =
            trader->backoff_ns * 2 < trader->backoff_ns_max ? trader->backoff_ns * 2 : trader->backoff_ns_max;
    return wait_ns;
}

static int ended(struct rs_trader *trader, int final)
{
    keep_place(trader);
    rs_client_close(trader->client);
    trader->phase = TRADER_CLOSED;
    trader->final = final;
    return final;
}

/* Of a user who was in, S says no more than that he is not let in now. */
static bool is_final(const struct rs_trader *trader, int error)
{
    bool was_in = trader->session[0] != '\0';
    if (error == RS_CLIENT_REFUSED)
        return !was_in || rs_client_refusal(trader->client) != RS_REFUSED_SESSION;
    return error == RS_CLIENT_PROTOCOL;
}

static int lost(struct rs_trader *trader, int error, uint64_t now_ns)
{
    if (trader->phase == TRADER_CLOSED)
        return trader->final;
    keep_place(trader);
    if (is_final(trader, error))
        return ended(trader, error);
    uint64_t wait_ns = back_off(trader);
    trader->phase = TRADER_WAITING;
    trader->retry_ns = now_ns + wait_ns;
    trader->probes |= error == RS_CLIENT_REFUSED;
    if (trader->callbacks.on_gone)
        trader->callbacks.on_gone(trader->context, error, rs_client_why(trader->client),
                                  (uint32_t)(wait_ns / NS_PER_MS));
    return 0;
}

/* ---- making one ---- */

static int begin(struct rs_trader *trader, uint64_t now_ns)
{
    struct rs_client *client = trader->client;
    client->known_sequence = !trader->probes && trader->sequence_known;
    client->sequence_next = trader->probes ? 0 : trader->sequence_wanted;
    if (trader->session[0] != '\0')
        rs_name_session(client, trader->probes ? "" : trader->session);
    trader->replay_end = 0;
    trader->phase = trader->probes ? TRADER_PROBING : TRADER_LOGGING;
    int failed = rs_client_connect(client);
    return failed < 0 ? lost(trader, failed, now_ns) : 0;
}

/* What was told belongs to a session that is over. */
static int other_day(struct rs_trader *trader)
{
    int error = rs_fail(trader->client, RS_CLIENT_REFUSED, 0, "the session %s is over; it is %s now", trader->session,
                        rs_client_session(trader->client));
    trader->client->refusal = RS_REFUSED_SESSION;
    return ended(trader, error);
}

/* The probe's login is accepted: its number is where the replay will end. The login proper goes to the same address. */
static int probed(struct rs_trader *trader, uint64_t now_ns)
{
    struct rs_client *client = trader->client;
    if (trader->session[0] == '\0')
        memcpy(trader->session, client->session, sizeof(trader->session));
    else if (strcmp(trader->session, client->session) != 0)
        return other_day(trader);
    trader->replay_end = client->sequence_first;
    rs_client_close(client);
    client->known_sequence = trader->sequence_known;
    client->sequence_next = trader->sequence_wanted;
    client->address_next = (client->address_next + client->address_count - 1) % client->address_count;
    trader->phase = TRADER_LOGGING;
    int failed = rs_client_connect(client);
    return failed < 0 ? lost(trader, failed, now_ns) : 0;
}

static void logged_in(struct rs_trader *trader)
{
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    uint32_t bytes = ouch_encode_account_query(message, &(const struct ouch_account_query){0});
    trader_forget_queries(trader);
    if (rs_client_send(trader->client, message, bytes) == 0)
        trader->phase = TRADER_JOINING;
}

static void resend(struct rs_trader *trader)
{
    if (!trader_resend(trader))
        return;
    trader->phase = TRADER_READY;
    trader->attempts = 0;
    trader->backoff_ns = trader->backoff_ns_min;
    if (trader->callbacks.on_ready)
        trader->callbacks.on_ready(trader->context, trader->user_ref_next);
}

static int advance(struct rs_trader *trader, uint64_t now_ns)
{
    if (rs_client_state(trader->client) != RS_CLIENT_OPEN)
        return 0;
    if (trader->phase == TRADER_PROBING)
        return probed(trader, now_ns);
    if (trader->phase == TRADER_LOGGING)
        logged_in(trader);
    if (trader->phase == TRADER_RESENDING)
        resend(trader);
    trader_ask(trader);
    int left = rs_client_flush(trader->client);
    return left < 0 ? lost(trader, left, now_ns) : 0;
}

/* ---- running ---- */

int rs_trader_service(struct rs_trader *trader, uint64_t now_ns)
{
    if (now_ns == 0)
        now_ns = rs_clock_ns();
    if (trader->phase == TRADER_CLOSED)
        return trader->final;
    if (trader->phase == TRADER_WAITING)
        return now_ns < trader->retry_ns ? 0 : begin(trader, now_ns);
    int messages = rs_client_service(trader->client, now_ns);
    if (trader->phase == TRADER_CLOSED)
        return trader->final;
    if (rs_client_state(trader->client) == RS_CLIENT_ENDED)
        return ended(trader, RS_CLIENT_DAY_OVER);
    if (messages < 0)
        return lost(trader, messages, now_ns);
    int failed = advance(trader, now_ns);
    return failed < 0 ? failed : messages;
}

int rs_trader_fd(const struct rs_trader *trader)
{
    return rs_client_fd(trader->client);
}

short rs_trader_events(const struct rs_trader *trader)
{
    return rs_client_events(trader->client);
}

int rs_trader_poll_ms(const struct rs_trader *trader)
{
    if (trader->phase == TRADER_CLOSED)
        return 0;
    if (trader->phase != TRADER_WAITING)
        return rs_client_poll_ms(trader->client);
    uint64_t now_ns = rs_clock_ns();
    return trader->retry_ns > now_ns ? (int)((trader->retry_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS) : 0;
}

int rs_trader_flush(struct rs_trader *trader)
{
    if (trader->phase == TRADER_CLOSED || trader->phase == TRADER_WAITING)
        return RS_CLIENT_STATE;
    int left = rs_client_flush(trader->client);
    return left < 0 && left != RS_CLIENT_STATE ? lost(trader, left, rs_clock_ns()) : left;
}

int rs_trader_poll(struct rs_trader *trader, uint32_t timeout_ms)
{
    int messages = rs_trader_service(trader, 0);
    if (messages != 0)
        return messages;
    int wait_ms = rs_trader_poll_ms(trader);
    if (wait_ms < 0 || (uint32_t)wait_ms > timeout_ms)
        wait_ms = (int)timeout_ms;
    struct pollfd wanted = {.fd = rs_trader_fd(trader), .events = rs_trader_events(trader)};
    if (wait_ms > 0 && poll(&wanted, 1, wait_ms) < 0)
        return errno == EINTR ? 0 : ended(trader, RS_CLIENT_SYSTEM);
    return rs_trader_service(trader, 0);
}

/* Polls until the condition holds. */
static int wait_until(struct rs_trader *trader, bool (*holds)(const struct rs_trader *), uint32_t timeout_ms)
{
    uint64_t deadline_ns = rs_clock_ns() + (uint64_t)timeout_ms * NS_PER_MS;
    while (!holds(trader)) {
        uint64_t now_ns = rs_clock_ns();
        if (now_ns >= deadline_ns)
            return RS_CLIENT_TIMEOUT;
        int messages = rs_trader_poll(trader, (uint32_t)((deadline_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS));
        if (messages < 0)
            return messages;
    }
    return 0;
}

static bool settled(const struct rs_trader *trader)
{
    return rs_trader_ready(trader) && !trader->query_due && rs_trader_unanswered(trader) == 0;
}

int rs_trader_ready_wait(struct rs_trader *trader, uint32_t timeout_ms)
{
    return wait_until(trader, rs_trader_ready, timeout_ms);
}

int rs_trader_settle(struct rs_trader *trader, uint32_t timeout_ms)
{
    int asked = rs_trader_account_query(trader);
    if (asked < 0 && asked != RS_CLIENT_STATE && asked != RS_CLIENT_FULL)
        return asked;
    trader->query_due |= asked < 0;
    return wait_until(trader, settled, timeout_ms);
}

void rs_trader_close(struct rs_trader *trader)
{
    rs_client_logout(trader->client);
    ended(trader, RS_CLIENT_STATE);
}

void rs_trader_begin_day(struct rs_trader *trader)
{
    /* Who was refused may be so again, and a program that begins again each time is not to spin. */
    trader->retry_ns = trader->final == RS_CLIENT_REFUSED ? rs_clock_ns() + back_off(trader) : 0;
    rs_client_restart(trader->client, 1);
    trader->phase = TRADER_WAITING;
    trader->final = 0;
    trader->session[0] = '\0';
    trader->probes = true;
    trader->sequence_wanted = 1;
    trader->sequence_known = false;
    trader->user_ref_next = 0;
    trader->request_count = trader->resend_next = trader->query_end = 0;
    trader->query_due = false;
}

/* ---- what a caller may know ---- */

bool rs_trader_ready(const struct rs_trader *trader)
{
    return trader->phase == TRADER_READY;
}

uint32_t rs_trader_unanswered(const struct rs_trader *trader)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < trader->request_count; i++)
        count += trader->requests[(trader->request_first + i) % trader->request_room].bytes > 0;
    return count;
}

uint32_t rs_trader_user_ref_next(const struct rs_trader *trader)
{
    return trader->user_ref_next;
}

uint64_t rs_trader_sequence_next(const struct rs_trader *trader)
{
    return is_told(trader) ? rs_client_sequence_next(trader->client) : trader->sequence_wanted;
}

const char *rs_trader_session(const struct rs_trader *trader)
{
    return is_told(trader) ? rs_client_session(trader->client) : trader->session;
}

const char *rs_trader_why(const struct rs_trader *trader)
{
    return rs_client_why(trader->client);
}

enum rs_client_refusal rs_trader_refusal(const struct rs_trader *trader)
{
    return rs_client_refusal(trader->client);
}
