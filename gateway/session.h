/*
 * One client's side of SoupBinTCP and OUCH 5.0 as a state machine: bytes in, one step out. No I/O, no clock, no memory
 * of its own: whoever calls has the bytes, does what a step asks for, and hands in the next.
 *
 *            login request              accepted
 *   LOGIN_AWAITED --------> LOGIN_ASKED ---------> OPEN ---> OVER (logout, or a rule broken)
 *                                       ---------> WATCHING ---> OVER (of a drop copy)
 *
 * Rules
 *   1. A frame is 2 bytes of length, a type and a payload. The length is at least 1 and at most frame_bytes_max - 2.
 *      Anything else breaks the connection: what follows cannot be trusted to be a frame.
 *   2. The first frame is a login request (debug packets apart), and there is one only. Data before the login is
 *      answered, and a second login, break the connection.
 *   3. Within a well-framed packet nothing breaks it: a packet type or message that is not known, or a message of the
 *      wrong length, is answered by a debug packet that names the rule, and ignored.
 *   4. A message that can be read but asks for what there is not (an option, a price) becomes a command all the same,
 * so that the answer has its number in the session's stream: REFUSED with OUCH's reason; for a replace, the replace
 *      with a price that is none, for which OUCH 5.0 has the engine cancel the original.
 *   5. A symbol is given back as it is; the caller knows the instruments (session_symbol).
 */
#ifndef RINGSIDE_GATEWAY_SESSION_H
#define RINGSIDE_GATEWAY_SESSION_H

#include "record/command.h"

#include <stdint.h>

enum session_phase {
    SESSION_LOGIN_AWAITED = 0,
    SESSION_LOGIN_ASKED,
    SESSION_OPEN,
    SESSION_WATCHING, /* open, and may send nothing that asks for anything */
    SESSION_OVER,
};

struct session {
    uint32_t number; /* given by the engine; 0 until the login is accepted */
    uint8_t phase;   /* enum session_phase */
};

struct session_login {
    char user[USER_BYTES];
    char password[10];
    char requested_session[10];    /* spaces: the current one */
    uint64_t requested_message_no; /* 0: the next one */
    uint32_t heartbeat_timeout_ms; /* of the longer login request; 0: not given */
};

enum session_step {
    SESSION_NEEDS_MORE, /* no whole frame yet; nothing is consumed */
    SESSION_NOTHING,    /* a frame that asks for nothing, such as a heartbeat */
    SESSION_COMMAND,    /* the command's body is filled in from `session` on, and the kind and flags */
    SESSION_LOGIN,      /* result.login is filled in; the phase is LOGIN_ASKED */
    SESSION_LOGOUT,     /* the client says good-bye; the phase is OVER */
    SESSION_COMPLAINT,  /* result.why goes back in a debug packet */
    SESSION_BROKEN,     /* the same, and the connection ends; the phase is OVER */
};

struct session_result {
    uint32_t consumed;  /* bytes of the frame */
    const char *why;    /* the rule that is broken */
    const char *symbol; /* ENTER, MASS_CANCEL: 8 bytes inside the frame; the caller sets order.instrument. else NULL */
    struct session_login login;
};

/*
 * Takes the first frame of `bytes`. *command, a slot of the inbound ring, is written over in any case but
 * SESSION_NEEDS_MORE; only after SESSION_COMMAND is what it holds meant.
 */
enum session_step session_take(struct session *session, uint32_t frame_bytes_max, const uint8_t *bytes, uint32_t count,
                               struct command *command, struct session_result *result);

/* The engine has accepted the login. */
void session_open(struct session *session, uint32_t number);

/* The same for one that only watches: whatever it sends but heartbeats and a logout request is a complaint. */
void session_watch(struct session *session, uint32_t number);

#endif
