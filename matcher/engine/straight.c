#include "straight.h"

void straight_trades(struct engine *engine, const struct command *command, const struct straight *straight)
{
    const struct command_order *order = &command->order;
    struct taker *taker = &engine->taker;
    taker->order_ref = engine->order_ref_last;
    taker->instrument = order->instrument;
    taker->session = command->session;
    taker->user_ref = command->user_ref;
    taker->quantity = order->quantity;
    taker->key = straight->key;
    taker->limit = straight->key ^ KEY_MASK;
    taker->user_ref_index = 0;
    taker->code = (uint8_t)straight->code;
    taker->rests = order->time_in_force == '0';
    taker->event_flags = answer_flags(command);
    taker->rare = 0;
    taker->collared = 0;
    taker->slot = straight->slot;
    taker->terms.size = order->quantity;
    taker->terms.options = order->options;
    taker->terms.firm = straight->session->firm;
    memcpy(&taker->terms.time_in_force, &order->time_in_force, 6);
    taker->terms.group = (uint16_t)order->group;
    taker->terms.special = 0;
    taker->terms.self_match = 0;
    taker_trade(engine);
}
