#include "play.h"

#include "base/units.h"
#include "env/clock.h"
#include "request.h"
#include "wire/ouch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOGIN_MS   5000
#define QUIET_NS   (500 * (uint64_t)NS_PER_MS)
#define GOODBYE_NS (100 * (uint64_t)NS_PER_MS)
#define GONE_NS    (5 * (uint64_t)NS_PER_SECOND)
#define END_NS     (30 * (uint64_t)NS_PER_SECOND)
#define SERVICE_MS 50 /* at least so often, for heartbeats */
#define FULL_MS    5000
#define POLLED_MAX 1024
#define BUSY_SENDS 64 /* requests after which answers are taken, when there is no time between them */

static int client_failed(const struct player *player, const char *doing, struct error *error)
{
    char where[32];
    snprintf(where, sizeof(where), "session %u", player->session);
    return error_set(error, ERROR_CLOSED, where, "%s: %s", doing, rs_client_why(player->client));
}

static bool is_open(const struct player *player)
{
    return player->client && rs_client_state(player->client) == RS_CLIENT_OPEN;
}

/* ---- taking what comes --------------------------------------------------------------------------------------------
 */

static void on_message(void *context, uint64_t sequence, const uint8_t *message, size_t message_bytes)
{
    struct player *player = context;
    (void)sequence;
    player->play->message_ns = player->message_ns = clock_monotonic_ns();
    player->play->answers[message_bytes > 0 ? message[0] : 0]++;
}

static void say_goodbye(struct player *player, uint64_t now_ns)
{
    if (!player->leaving || player->said || now_ns < player->message_ns + GOODBYE_NS)
        return;
    player->said = rs_client_logout(player->client) == 0;
    (void)rs_client_flush(player->client);
}

static int service(struct play *play, struct error *error)
{
    uint64_t now_ns = clock_monotonic_ns();
    for (uint32_t i = 0; i < play->player_room; i++) {
        struct player *player = &play->players[i];
        if (!is_open(player))
            continue;
        if (rs_client_service(player->client, now_ns) >= 0) {
            say_goodbye(player, now_ns);
            continue;
        }
        if (!player->leaving)
            return client_failed(player, "the connection is lost", error);
        rs_client_close(player->client);
        player->leaving = player->said = false;
    }
    return 0;
}

/* Until something comes or can be sent, at most so long. */
static int wait_some(struct play *play, int timeout_ms, struct error *error)
{
    static struct pollfd polled[POLLED_MAX];
    nfds_t count = 0;
    for (uint32_t i = 0; i < play->player_room && count < POLLED_MAX; i++)
        if (is_open(&play->players[i]))
            polled[count++] = (struct pollfd){.fd = rs_client_fd(play->players[i].client),
                                              .events = rs_client_events(play->players[i].client)};
    if (poll(polled, count, timeout_ms) < 0 && errno != EINTR)
        return error_system(error, errno, "replay", "cannot wait for the connections");
    return service(play, error);
}

static int wait_until(struct play *play, uint64_t due_ns, struct error *error)
{
    int result = 0;
    for (uint64_t now_ns = clock_monotonic_ns(); now_ns < due_ns && result == 0; now_ns = clock_monotonic_ns()) {
        uint64_t left_ms = (due_ns - now_ns) / NS_PER_MS;
        result = wait_some(play, left_ms < SERVICE_MS ? (int)left_ms : SERVICE_MS, error);
    }
    return result;
}

/* ---- sessions -----------------------------------------------------------------------------------------------------
 */

/* The end of the connection is waited for when the user comes again, or at the end of all. */
static void log_out(struct play *play, uint32_t session)
{
    if (session >= play->player_room || !is_open(&play->players[session]) || play->players[session].leaving)
        return;
    play->players[session].leaving = true;
    play->players[session].message_ns = clock_monotonic_ns();
}

/* Until the exchange has closed it; after a while it is closed here. */
static int wait_gone(struct play *play, struct player *player, struct error *error)
{
    uint64_t give_up_ns = clock_monotonic_ns() + GONE_NS;
    int result = 0;
    while (result == 0 && player->leaving && clock_monotonic_ns() < give_up_ns)
        result = wait_some(play, 1, error);
    if (player->leaving)
        rs_client_close(player->client);
    player->leaving = player->said = false;
    return result;
}

static int make_client(struct play *play, struct player *player, const char *user, struct error *error)
{
    char why[160];
    char name[USER_BYTES + 1];
    if (play->options.user_prefix)
        snprintf(name, sizeof(name), "%s%02u", play->options.user_prefix, player->session);
    else
        snprintf(name, sizeof(name), "%s", user);
    const struct rs_client_options options = {.addresses = play->options.addresses,
                                              .user = name,
                                              .password = play->options.password,
                                              .on_message = on_message,
                                              .context = player};
    player->client = rs_client_create(&options, why, sizeof(why));
    return player->client ? 0 : error_set(error, ERROR_INVALID, name, "%s", why);
}

static int log_in(struct play *play, uint32_t session, const char *user, struct error *error)
{
    if (session >= play->player_room)
        return error_set(error, ERROR_FULL, "replay", "session %u is beyond engine.sessions_max", session);
    struct player *player = &play->players[session];
    int result = player->leaving ? wait_gone(play, player, error) : 0;
    if (result < 0 || is_open(player))
        return result; /* a connection that took over from another */
    result = player->client ? 0 : make_client(play, player, user, error);
    if (result < 0)
        return result;
    if (rs_client_login(player->client, LOGIN_MS) < 0)
        return client_failed(player, user, error);
    play->login_count++;
    return 0;
}

/* What the engine of our own says: who has come, who has left, what is called how. */
static int take_event(void *argument, const struct event *event, struct error *error)
{
    struct play *play = argument;
    if (names_note(&play->names, event) < 0)
        return error_system(error, ENOMEM, "replay", "no memory for names");
    if (event->kind == EVENT_LOGIN_ACCEPTED)
        return log_in(play, event->session, names_user(&play->names, event->session), error);
    if (event->kind == EVENT_SESSION_CLOSED)
        log_out(play, event->session);
    return 0;
}

/* ---- requests -----------------------------------------------------------------------------------------------------
 */

static int send_one(struct play *play, struct player *player, const uint8_t *message, uint32_t bytes,
                    struct error *error)
{
    uint64_t give_up_ns = clock_monotonic_ns() + FULL_MS * (uint64_t)NS_PER_MS;
    int sent = rs_client_send(player->client, message, bytes);
    while (sent == RS_CLIENT_FULL) {
        if (clock_monotonic_ns() > give_up_ns)
            return client_failed(player, "the exchange takes nothing any more", error);
        int result = wait_some(play, 1, error);
        if (result < 0)
            return result;
        sent = rs_client_send(player->client, message, bytes);
    }
    if (sent < 0)
        return client_failed(player, "cannot send", error);
    play->sent_count++;
    bool paced = play->options.pace > 0;
    if (paced && rs_client_flush(player->client) < 0)
        return client_failed(player, "cannot send", error);
    return paced || play->sent_count % BUSY_SENDS != 0 ? 0 : service(play, error);
}

static int keep_pace(struct play *play, const struct command *command, struct error *error)
{
    uint64_t now_ns = clock_monotonic_ns();
    if (play->begun_ns == 0) {
        play->begun_ns = now_ns;
        play->first_ns = command->time_ns;
    }
    if (play->options.pace == 0)
        return 0;
    uint64_t due_ns = play->begun_ns + (uint64_t)((double)(command->time_ns - play->first_ns) / play->options.pace);
    if (now_ns > due_ns && now_ns - due_ns > play->late_ns_max)
        play->late_ns_max = now_ns - due_ns;
    return wait_until(play, due_ns, error);
}

int play_command(struct play *play, const struct command *command, struct error *error)
{
    uint8_t message[OUCH_MESSAGE_BYTES_MAX];
    int result = keep_pace(play, command, error);
    bool of_session = command->session != 0 && command->session < play->player_room;
    struct player *player = of_session ? &play->players[command->session] : NULL;
    bool has_instrument = command->kind == COMMAND_ENTER || command->kind == COMMAND_MASS_CANCEL;
    const char *symbol = has_instrument ? names_instrument(&play->names, command->order.instrument) : "";
    uint32_t bytes = player && is_open(player) && !player->leaving ? request_encode(command, symbol, message) : 0;
    if (result == 0 && bytes > 0)
        result = send_one(play, player, message, bytes, error);
    else if (command->kind != COMMAND_LOGIN && command->kind != COMMAND_LOGOUT)
        play->left_out[command->kind]++;
    return result < 0 ? result : replayer_one(play->replayer, command, error);
}

/* ---- begin and end ------------------------------------------------------------------------------------------------
 */

int play_open(struct play *play, const struct play_options *options, struct replayer *replayer, uint32_t sessions_max,
              struct error *error)
{
    *play = (struct play){.options = *options, .replayer = replayer, .player_room = sessions_max + 1};
    play->players = calloc(play->player_room, sizeof(*play->players));
    if (!play->players)
        return error_system(error, ENOMEM, "replay", "no memory for %u sessions", sessions_max);
    for (uint32_t i = 0; i < play->player_room; i++)
        play->players[i] = (struct player){.play = play, .session = i};
    replayer->watcher = take_event;
    replayer->argument = play;
    return 0;
}

static size_t pending(const struct play *play)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < play->player_room; i++)
        bytes += is_open(&play->players[i]) ? rs_client_pending(play->players[i].client) : 0;
    return bytes;
}

int play_end(struct play *play, struct error *error)
{
    uint64_t begun_ns = clock_monotonic_ns();
    play->message_ns = begun_ns;
    int result = 0;
    for (uint64_t now_ns = begun_ns; result == 0; now_ns = clock_monotonic_ns()) {
        bool quiet = pending(play) == 0 && now_ns > play->message_ns + QUIET_NS;
        if (quiet || now_ns > begun_ns + END_NS)
            break;
        result = wait_some(play, SERVICE_MS, error);
    }
    for (uint32_t i = 0; i < play->player_room; i++)
        log_out(play, i);
    for (uint32_t i = 0; i < play->player_room && result == 0; i++)
        result = wait_gone(play, &play->players[i], error);
    return result;
}

void play_close(struct play *play)
{
    for (uint32_t i = 0; i < play->player_room && play->players; i++)
        rs_client_destroy(play->players[i].client);
    free(play->players);
    names_finish(&play->names);
    *play = (struct play){0};
}
