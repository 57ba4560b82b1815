/*
 * A journal's requests sent to a running exchange: each session of the journal is a client of its own, which logs in
 * when its user did, sends what its user sent, and leaves when its user left.
 *
 * The commands go through an engine of our own as they go by, which tells whose session it was and what an instrument
 * was called. What is not sent: times, days, instruments, limits and market states (the other exchange has its own),
 * requests that the gateway refused (their bytes are not kept), and the order of requests of different sessions that
 * come within a moment of each other, since each has its own connection.
 */
#ifndef RINGSIDE_CLI_JOURNAL_PLAY_H
#define RINGSIDE_CLI_JOURNAL_PLAY_H

#include "client/ringside_client.h"
#include "replayer.h"
#include "show/names.h"

#include <stdbool.h>

struct play_options {
    const char *addresses;
    const char *password;
    const char *user_prefix; /* NULL: users are called as in the journal; else PREFIX01 and so on, by session */
    double pace;             /* times as fast as it was; 0: as fast as it goes */
};

struct player {
    struct play *play;
    struct rs_client *client; /* NULL: never logged in */
    uint32_t session;
    bool leaving;        /* says good-bye when all seems to be answered: behind that the exchange tells no more */
    bool said;           /* and has done so: the exchange will close */
    uint64_t message_ns; /* when the last message came, or it began to leave */
};

struct play {
    struct play_options options;
    struct replayer *replayer;
    struct names names;
    struct player *players; /* by session; a fixed room, since clients point into it */
    uint32_t player_room;
    uint64_t begun_ns;   /* CLOCK_MONOTONIC; 0: not yet */
    uint64_t first_ns;   /* time of the first command */
    uint64_t message_ns; /* when the last message came, to anybody */
    uint64_t late_ns_max;

    uint64_t login_count;
    uint64_t sent_count;
    uint64_t answers[256];  /* by the letter of the message */
    uint64_t left_out[256]; /* by the kind of the command */
};

/* The replayer is open; its watcher is the play's from here on. */
int play_open(struct play *play, const struct play_options *options, struct replayer *replayer, uint32_t sessions_max,
              struct error *error);
int play_command(struct play *play, const struct command *command, struct error *error);

/* Waits until what was sent is out and nothing has come back for a while; logs everybody out. */
int play_end(struct play *play, struct error *error);
void play_close(struct play *play);

#endif
