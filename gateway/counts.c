/*
 * What the gateway measures (metrics/values.h). Most is counted anyway, in gateway->counts, and copied about every 100
 * ms; the hops that begin and end at its sockets are taken here.
 *
 * Rules
 *   1. Without metrics `values` is NULL and both samplers take nothing.
 *   2. A message counts as sent when the poll that put it into its connection's output has offered it to the socket. Of
 *      a connection that has fallen behind, or whose socket is full, no time is taken: what it waits for is its client.
 */
#include "gateway_state.h"

#include "base/units.h"
#include "env/clock.h"
#include "tls.h"

#define MASK_NONE UINT64_MAX /* no number is sampled but 0, which none has */

void counts_open(struct gateway *gateway, void *values)
{
    gateway->values = values;
    gateway->in_sampler.mask = values ? 0 : MASK_NONE;
    gateway->out_sampler.mask = values ? 0 : MASK_NONE;
}

uint32_t counts_in(struct gateway *gateway)
{
    uint32_t now_ns_low = (uint32_t)clock_monotonic_ns();
    hop_record(&gateway->values->hop_in_ns, &gateway->in_sampler, gateway->input.received_ns_low, now_ns_low);
    return now_ns_low;
}

void counts_out(struct gateway *gateway)
{
    uint32_t now_ns_low = (uint32_t)clock_monotonic_ns();
    for (uint32_t i = 0; i < gateway->out_mark_count; i++) {
        const struct out_mark *mark = &gateway->out_marks[i];
        hop_record(&gateway->values->hop_out_ns, &gateway->out_sampler, mark->published_ns_low, now_ns_low);
        hop_record(&gateway->values->way_ns, &gateway->out_sampler, mark->received_ns_low, now_ns_low);
    }
    gateway->out_mark_count = 0;
}

static void look_at_counts(struct gateway_values *values, const struct gateway_counts *counts)
{
    metrics_set(&values->commands, counts->commands);
    metrics_set(&values->messages, counts->messages);
    metrics_set(&values->messages_behind, counts->messages_behind);
    metrics_set(&values->bytes_in, counts->bytes_in);
    metrics_set(&values->bytes_out, counts->bytes_out);
    metrics_set(&values->reads, counts->reads);
    metrics_set(&values->sends, counts->sends);
    metrics_set(&values->accepted, counts->connections);
    metrics_set(&values->logins, counts->logins);
    metrics_set(&values->login_refusals, counts->login_refusals);
    metrics_set(&values->limit_refusals, counts->limit_refusals);
    metrics_set(&values->complaints, counts->complaints);
    metrics_set(&values->strangers_closed, counts->strangers_closed);
    metrics_set(&values->unread_closed, counts->unread_closed);
    metrics_set(&values->mistaken_closed, counts->mistaken_closed);
    metrics_set(&values->broken_closed, counts->broken);
    metrics_set(&values->untold, counts->untold);
    metrics_set(&values->handshakes, counts->handshakes);
    metrics_set(&values->handshakes_failed, counts->handshakes_failed);
    metrics_set(&values->handshakes_refused, counts->handshakes_refused);
}

static void look_at_state(struct gateway *gateway, uint64_t now_ns)
{
    struct gateway_values *values = gateway->values;
    metrics_set(&values->connections, gateway->connections.count);
    metrics_set(&values->connections_max, gateway->connections.count_max);
    metrics_set(&values->sessions, gateway->session_count);
    metrics_set(&values->strangers, gateway->stranger_count);
    metrics_set(&values->stalled, gateway->stalled);
    metrics_set(&values->trading_day, gateway->date);
    if (gateway->tls)
        metrics_set(&values->certificate_left_ns, (uint64_t)(tls_seconds_left(gateway->tls) * NS_PER_SECOND));
    if (gateway->producer.file) {
        metrics_set(&values->stalls, gateway->producer.waits.stall_counts[0]);
        metrics_set(&values->blocked_ns, ring_producer_blocked_ns(&gateway->producer, 0, now_ns));
    }
    if (gateway->follower_open) {
        metrics_set(&values->event_lag, event_follower_lag(&gateway->follower));
        metrics_set(&values->overruns, gateway->follower.overrun_count);
    }
}

void counts_look(struct gateway *gateway, uint64_t now_ns)
{
    look_at_counts(gateway->values, &gateway->counts);
    look_at_state(gateway, now_ns);
    hop_tune(&gateway->in_sampler, gateway->counts.commands, now_ns);
    hop_tune(&gateway->out_sampler, gateway->counts.messages, now_ns);
}
