/*
 * What the files of ringside-admin share.
 *
 *   admin_socket.c    clients: who they are, their requests, their replies
 *   admin_peer.c      whether a user may administer, and its name
 *   admin_requests.c  requests become commands, events become replies
 *   admin_reload.c    the configuration becomes commands
 *   admin_join.c      the run, the rings, and finding one's place
 */
#ifndef RINGSIDE_ADMIN_STATE_H
#define RINGSIDE_ADMIN_STATE_H

#include "admin_wire.h"
#include "base/error.h"
#include "eventlog/eventlog.h"
#include "ring/ring.h"
#include "stage/stage.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define ADMIN_RING_SLOTS  1024u
#define ADMIN_REMEMBERED  256u  /* requests that are known again, the last ones */
#define ADMIN_PENDING_MAX 1024u /* asked for and not answered, a power of two */
#define ADMIN_CLIENTS_MAX 64u
#define ADMIN_EVENTS      256u /* copied at a time */
#define ADMIN_NOBODY      UINT32_MAX

struct admin_client {
    int fd; /* -1: free */
    uid_t uid;
    bool may;
    bool waits; /* its request is not answered */
    char name[OPERATOR_NAME_BYTES + 1];
};

/* A command that was published. Answers come in the order of inbound_seq. */
struct admin_pending {
    uint64_t inbound_seq;
    uint32_t tenure;
    uint32_t request;
    uint32_t uid;
    uint32_t client; /* ADMIN_NOBODY: nobody waits */
    bool of_reload;
};

struct admin_reload {
    struct command *commands; /* owned; NULL: none is under way */
    uint32_t count;
    uint32_t published;
    uint32_t answered;
    uint32_t client; /* who waits for the end */
    struct admin_reply reply;
};

struct admin {
    const struct config *config;
    struct run *run;
    bool joined;
    bool at_work;

    struct ring ring;
    struct ring_producer producer;
    uint32_t tenure;
    struct ring event_ring;
    struct event_follower follower;
    bool follower_open;
    uint64_t heartbeat_next_ns;

    char socket_path[108];
    int listener;
    int poller;
    int64_t group; /* may administer; -1: none */
    struct admin_client clients[ADMIN_CLIENTS_MAX];

    struct admin_pending pending[ADMIN_PENDING_MAX]; /* a queue */
    uint64_t pending_first, pending_end;
    struct admin_reply outcomes[ADMIN_REMEMBERED]; /* of the last requests */
    uint64_t outcome_count;
    struct admin_reply current; /* what the command at hand has said so far */
    uint64_t current_seq;
    struct event events[ADMIN_EVENTS];
    struct admin_reload reload;
    bool reload_asked; /* SIGHUP */
    uint64_t request_count, refused_count, denied_count;
};

/* ---- admin_peer.c ---- */

/* The group of admin.group, -1 for none; negative enum error_code: there is no such. */
int admin_peer_group_find(const char *name, int64_t *ret_group, struct error *error);
bool admin_peer_may(uid_t uid, gid_t gid, int64_t group);
void admin_peer_name(uid_t uid, char name[OPERATOR_NAME_BYTES + 1]);

/* ---- admin_socket.c ---- */

int admin_socket_open(struct admin *admin, struct error *error);
void admin_socket_close(struct admin *admin);

/* Accepts, reads, and hands requests on. Returns the work done. */
int admin_socket_poll(struct admin *admin);
void admin_socket_reply(struct admin *admin, uint32_t client, const struct admin_reply *reply);
void admin_socket_reply_text(struct admin *admin, uint32_t client, enum admin_status status, const char *text);

/* ---- admin_requests.c ---- */

/* A request of a client that may: answered at once, or when its event comes. */
void admin_request_take(struct admin *admin, uint32_t client, const struct command *asked);

/* Publishes a command; false: there is no room now. */
bool admin_request_publish(struct admin *admin, const struct command *asked, uint32_t uid, const char *name,
                           uint32_t client, bool of_reload);

/* Events: replies for those who wait. Returns the events seen, or negative. */
int admin_request_follow(struct admin *admin, struct error *error);

/* ---- admin_reload.c ---- */

/* Reads the configuration; its commands are published as there is room. */
void admin_reload_begin(struct admin *admin, uint32_t client);
int admin_reload_poll(struct admin *admin);
void admin_reload_answered(struct admin *admin, const struct admin_reply *outcome);
void admin_reload_close(struct admin *admin);

/* ---- admin_join.c ---- */

int admin_join_poll(struct admin *admin, struct error *error);
void admin_join_close(struct admin *admin);

#endif
