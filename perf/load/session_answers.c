/* What the exchange says to a user of the load, held against what the user knows of its orders. */
#include "session.h"

#include "base/require.h"
#include "env/clock.h"
#include "wire/ouch.h"

#include <stdlib.h>
#include <string.h>

#define CLOCK_EVERY_MESSAGES 64u

static void breach_of(struct load_session *session, uint32_t user_ref, const char *what)
{
    char user[16];
    load_user(session->run->options, session->number, user);
    run_breach(session->run, "%s, order %u: %s", user, user_ref, what);
}

static void live_add(struct load_session *session, uint32_t index)
{
    if (session->live_count == session->live_room) {
        uint32_t *larger = realloc(session->live, 2 * sizeof(*larger) * session->live_room);
        REQUIRE(larger != NULL);
        session->live = larger;
        session->live_room *= 2;
    }
    session->orders[index].live_at = session->live_count;
    session->live[session->live_count++] = index;
}

static void measure(struct load_run *run, const struct load_order *order)
{
    run->last_answer_ns = run->now_ns;
    if (!run->measuring || order->asked_ns < run->warm_ns)
        return;
    uint64_t latency_ns = run->now_ns > order->asked_ns ? run->now_ns - order->asked_ns : 0;
    histogram_record(run->latency_ns, latency_ns);
    histogram_record(run->sent_ns, latency_ns > order->late_ns ? latency_ns - order->late_ns : 0);
}

/* The order has ended: a cancel that is still under way will not be answered. */
static void end_order(struct load_session *session, struct load_order *order)
{
    if (order->state == ORDER_LIVE)
        session_live_remove(session, order);
    else if (order->state == ORDER_CANCELLING)
        session->cancelling--;
    order->state = ORDER_ENDED;
}

/* The new order that an answer is for; NULL after a breach, or for an earlier run's. */
static struct load_order *answered_order(struct load_session *session, uint32_t user_ref)
{
    uint32_t index = user_ref - session->user_ref_first;
    if (user_ref < session->user_ref_first || session->user_ref_first == 0) {
        session->run->counts.foreign_messages++;
        return NULL;
    }
    if (UNLIKELY(index != session->answered || index >= session->sent)) {
        const char *what = index >= session->sent      ? "an answer to an order that was never sent"
                           : index < session->answered ? "a second answer"
                                                       : "an answer, with none to the order before it";
        breach_of(session, user_ref, what);
        return NULL;
    }
    session->answered++;
    return &session->orders[index];
}

static void take_accepted(struct load_session *session, const struct ouch_accepted *accepted)
{
    struct load_run *run = session->run;
    struct load_order *order = answered_order(session, accepted->user_ref);
    if (!order)
        return;
    const struct load_instrument *instrument = &run->options->instruments[order->instrument];
    bool same = accepted->quantity == order->quantity && accepted->side == order->side &&
                accepted->price == (uint64_t)order->price_ticks &&
                memcmp(accepted->symbol, instrument->symbol, sizeof(instrument->symbol)) == 0;
    if (UNLIKELY(!same))
        breach_of(session, accepted->user_ref, "accepted with other terms than it was entered with");
    measure(run, order);
    run->counts.orders_accepted++;
    run->counts.accepted_shares += order->quantity;
    if (UNLIKELY(accepted->state != 'L')) {
        run->counts.orders_dead++;
        run->counts.canceled_shares += order->quantity;
        order->leaves = 0;
        order->state = ORDER_ENDED;
        return;
    }
    order->state = ORDER_LIVE;
    live_add(session, (uint32_t)(order - session->orders));
}

static void take_rejected(struct load_session *session, const struct ouch_rejected *rejected)
{
    struct load_order *order = answered_order(session, rejected->user_ref);
    if (!order)
        return;
    measure(session->run, order);
    if (session->run->counts.orders_rejected++ == 0)
        session->run->reject_reason = rejected->reason;
    order->leaves = 0;
    order->state = ORDER_REFUSED;
}

/* The live order that a message is about; NULL after a breach, or for an earlier run's. */
static struct load_order *live_order(struct load_session *session, uint32_t user_ref, uint32_t quantity)
{
    uint32_t index = user_ref - session->user_ref_first;
    if (user_ref < session->user_ref_first || session->user_ref_first == 0) {
        session->run->counts.foreign_messages++;
        return NULL;
    }
    struct load_order *order = index < session->sent ? &session->orders[index] : NULL;
    const char *wrong = NULL;
    if (UNLIKELY(!order))
        wrong = "a message about an order that was never sent";
    else if (UNLIKELY(order->state != ORDER_LIVE && order->state != ORDER_CANCELLING))
        wrong = "an execution or cancel of an order that is not live";
    else if (UNLIKELY(quantity == 0 || quantity > order->leaves))
        wrong = "more is executed or cancelled than is left";
    if (UNLIKELY(wrong != NULL)) {
        breach_of(session, user_ref, wrong);
        return NULL;
    }
    return order;
}

static void take_executed(struct load_session *session, const struct ouch_executed *executed)
{
    struct load_run *run = session->run;
    struct load_order *order = live_order(session, executed->user_ref, executed->quantity);
    run->counts.executions++;
    const struct match_side side = {
        .number = executed->match_number, .price = executed->price, .quantity = executed->quantity};
    if (order) {
        bool is_buy = order->side == 'B';
        uint64_t limit = (uint64_t)order->price_ticks;
        if (UNLIKELY(is_buy ? executed->price > limit : executed->price < limit))
            breach_of(session, executed->user_ref, "an execution at a price beyond the order's limit");
        run->counts.executed_shares += executed->quantity;
        order->leaves -= executed->quantity;
        if (order->leaves == 0) {
            if (order->state == ORDER_CANCELLING) {
                run->counts.cancels_overtaken++;
                run->last_answer_ns = run->now_ns;
            }
            end_order(session, order);
        }
    }
    const char *wrong = matches_add(&run->matches, &side);
    if (UNLIKELY(wrong != NULL))
        breach_of(session, executed->user_ref, wrong);
}

static void take_canceled(struct load_session *session, const struct ouch_canceled *canceled)
{
    struct load_run *run = session->run;
    struct load_order *order = live_order(session, canceled->user_ref, canceled->quantity);
    if (!order)
        return;
    run->counts.cancels++;
    run->counts.canceled_shares += canceled->quantity;
    order->leaves -= canceled->quantity;
    if (canceled->reason == OUCH_CANCEL_USER) {
        if (order->state != ORDER_CANCELLING)
            breach_of(session, canceled->user_ref, "a cancel that nobody asked for");
        else
            measure(run, order);
    } else if (canceled->reason == OUCH_CANCEL_IMMEDIATE && order->time_in_force != '3') {
        breach_of(session, canceled->user_ref, "cancelled as immediate-or-cancel, which it is not");
    }
    if (order->leaves == 0)
        end_order(session, order);
    else
        breach_of(session, canceled->user_ref, "a cancel leaves something of the order");
}

static void take_account_answer(struct load_session *session, const struct ouch_account_answer *answer)
{
    session->query_sent = false;
    session->user_ref_told = answer->user_ref_next;
    if (session->user_ref_first == 0)
        session->user_ref_first = answer->user_ref_next;
}

static const char *take(struct load_session *session, const uint8_t *message, size_t bytes)
{
    union {
        struct ouch_accepted accepted;
        struct ouch_executed executed;
        struct ouch_canceled canceled;
        struct ouch_rejected rejected;
        struct ouch_account_answer account_answer;
    } decoded;
    const char *broken = "an empty message";
    switch (bytes > 0 ? message[0] : 0) {
    case OUCH_TYPE_ACCEPTED:
        if (!(broken = ouch_decode_accepted(message, bytes, &decoded.accepted)))
            take_accepted(session, &decoded.accepted);
        break;
    case OUCH_TYPE_EXECUTED:
        if (!(broken = ouch_decode_executed(message, bytes, &decoded.executed)))
            take_executed(session, &decoded.executed);
        break;
    case OUCH_TYPE_CANCELED:
        if (!(broken = ouch_decode_canceled(message, bytes, &decoded.canceled)))
            take_canceled(session, &decoded.canceled);
        break;
    case OUCH_TYPE_REJECTED:
        if (!(broken = ouch_decode_rejected(message, bytes, &decoded.rejected)))
            take_rejected(session, &decoded.rejected);
        break;
    case OUCH_TYPE_ACCOUNT_ANSWER:
        if (!(broken = ouch_decode_account_answer(message, bytes, &decoded.account_answer)))
            take_account_answer(session, &decoded.account_answer);
        break;
    case OUCH_TYPE_SYSTEM_EVENT:
        broken = ouch_invalid(OUCH_OUT, message, bytes);
        break;
    default:
        broken = bytes > 0 ? "a message of a kind that answers nothing this load asks" : broken;
        break;
    }
    return broken;
}

void session_message(void *context, uint64_t sequence, const uint8_t *message, size_t message_bytes)
{
    struct load_session *session = context;
    struct load_run *run = session->run;
    if (run->messages_since_clock++ % CLOCK_EVERY_MESSAGES == 0)
        run->now_ns = clock_monotonic_ns();
    run->counts.messages++;
    const char *broken = take(session, message, message_bytes);
    if (UNLIKELY(broken != NULL)) {
        char user[16];
        load_user(run->options, session->number, user);
        run_breach(run, "%s, message %llu: %s", user, (unsigned long long)sequence, broken);
    }
}
