/* Events -> OUCH 5.0 messages in Sequenced Data packets. Pure: the same event gives the same bytes, at any gateway. */
#ifndef RINGSIDE_GATEWAY_SESSION_ENCODE_H
#define RINGSIDE_GATEWAY_SESSION_ENCODE_H

#include "record/event.h"

#include <stdint.h>

/* Room for the longest packet: a replaced order with every option there is. */
#define SESSION_PACKET_BYTES_MAX 256u

/* To whom: an event of a trade is two messages. Of other events there is the taker's alone. */
enum session_side {
    SESSION_TAKER,
    SESSION_MAKER,
};

/*
 * Writes the packet and returns its bytes; 0 if the event is no message. `options`: the ORDER_OPTIONS event after one
 * with EVENT_CONTINUED, else NULL.
 */
uint32_t session_encode(uint8_t packet[SESSION_PACKET_BYTES_MAX], const struct event *event,
                        const struct event *options, enum session_side side, uint64_t midnight_ns);

/* Room for the longest packet of a drop copy. */
#define SESSION_COPY_BYTES_MAX (SESSION_PACKET_BYTES_MAX + 10)

/* The same for a drop copy: with option 204, whose message it is, in the appendage, which is there for that. */
uint32_t session_encode_copy(uint8_t packet[SESSION_COPY_BYTES_MAX], const struct event *event,
                             const struct event *options, enum session_side side, uint64_t midnight_ns,
                             const char user[USER_BYTES]);

#endif
