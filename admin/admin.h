/*
 * ringside-admin: what operators ask for, over a socket of this machine, becomes commands like any other.
 *
 *   ringside admin ==socket==> admin ==inbound-admin==> sequencer ... matcher ==event==> admin ==socket==> ringside
 * admin ^ SO_PEERCRED: who asks                      (follows)
 *
 * Rules
 *   1. Who asks is what the kernel says of the other side of the socket. Root, the user that the exchange runs as and
 *      the members of admin.group may; nobody else is answered anything but that.
 *   2. Nothing is done here. A request becomes one command with who asked in it, and the answer is the event that came
 *      of it, OPERATOR_ACTED; so the journal and the events know of everything that an operator ever did.
 *   3. A request bears a number that whoever asks has drawn. The same number again, of the same user, is the same
 *      request: it is answered, not done twice, also after this process was killed.
 *   4. It finds its place in what it published: each record of its inbound ring holds, where the sequencer will put the
 *      command's number, the number of the event that it followed next when the record was written. So what came of the
 *      requests in the newer half of that ring is among the events from there on.
 *   5. SIGHUP, and a request, make it read the configuration again and ask for what that names: instruments, their
 *      limits, firms. What is so already is passed over (COMMAND_IF_NEEDED).
 *
 * The exchange goes on without it. It touches the socket, the rings of the run and the user database.
 */
#ifndef RINGSIDE_ADMIN_H
#define RINGSIDE_ADMIN_H

#include "stage/stage.h"

extern const struct stage_definition admin_stage;

#endif
