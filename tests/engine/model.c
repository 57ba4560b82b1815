#include "model.h"

#include <string.h>

static bool sells(uint8_t side)
{
    return side != 'B';
}

/* ---- events -------------------------------------------------------------------------------------------------------
 */

static struct event *add_event(struct model *model, uint8_t kind)
{
    struct event *event = &model->events[model->event_count];
    memset(event, 0, sizeof(*event));
    event->event_seq = ++model->event_seq_last;
    event->command_seq = model->command->command_seq;
    event->time_ns = model->command->time_ns;
    event->index = (uint16_t)model->event_count++;
    event->kind = kind;
    return event;
}

static void to_session(struct model *model, struct event *event, uint32_t session)
{
    event->session = session;
    event->message_no = ++model->sessions[session].message_no;
}

static void answer(struct model *model, struct event *event)
{
    to_session(model, event, model->command->session);
    if (model->command->flags & COMMAND_HAS_APPENDAGE)
        event->flags |= EVENT_HAS_APPENDAGE;
}

static void about(struct event *event, const struct model_order *order)
{
    event->instrument = order->instrument;
    event->user_ref = order->user_ref;
    event->user_ref_index = order->user_ref_index;
    event->side = order->side;
}

static void refuse(struct model *model, enum engine_refusal why)
{
    struct event *event = add_event(model, EVENT_COMMAND_REFUSED);
    event->user_ref = model->command->user_ref;
    event->admin.refused_kind = model->command->kind;
    event->admin.refused_why = (uint8_t)why;
    if (model->command->kind == COMMAND_INSTRUMENT_ADD)
        memcpy(event->admin.symbol, model->command->admin.symbol, SYMBOL_BYTES);
}

static void reject(struct model *model, uint16_t reason)
{
    const struct command *command = model->command;
    struct event *event = add_event(model, EVENT_REJECTED);
    answer(model, event);
    bool names = command->kind != COMMAND_REFUSED && command->kind != COMMAND_REPLACE;
    if (names && command->order.instrument <= model->instrument_count)
        event->instrument = command->order.instrument;
    event->user_ref = command->user_ref;
    event->user_ref_index = command->order.user_ref_index;
    event->refused.reason = reason;
    event->refused.refused_kind = command->kind == COMMAND_REFUSED ? command->refused.refused_kind : command->kind;
    memcpy(event->refused.client_order_id, command->order.client_order_id, CLIENT_ORDER_ID_BYTES);
}

static void canceled(struct model *model, struct model_order *order, uint32_t leaves, char reason)
{
    struct event *event = add_event(model, EVENT_CANCELED);
    if (reason == 'U') {
        answer(model, event);
    } else {
        to_session(model, event, order->session);
        event->flags = order->appendage ? EVENT_HAS_APPENDAGE : 0;
    }
    about(event, order);
    event->reason = (uint8_t)reason;
    event->cut.order_ref = order->order_ref;
    event->cut.price_ticks = order->price_ticks;
    event->cut.decrement = order->leaves - leaves;
    event->cut.leaves_quantity = leaves;
    order->leaves = leaves;
    order->live = leaves != 0;
    model->instrument_at_hand = order->instrument;
}

/* ---- books --------------------------------------------------------------------------------------------------------
 */

/* The live order of this side with the best price, the oldest of those; NULL. */
static struct model_order *best_order(struct model *model, uint32_t instrument, bool of_sellers)
{
    struct model_order *best = NULL;
    for (uint32_t i = 0; i < model->order_count; i++) {
        struct model_order *order = &model->orders[i];
        if (!order->live || order->instrument != instrument || sells(order->side) != of_sellers)
            continue;
        bool better =
            !best || (of_sellers ? order->price_ticks < best->price_ticks : order->price_ticks > best->price_ticks);
        if (better)
            best = order;
    }
    return best;
}

static struct event_top top_of(struct model *model, uint32_t instrument)
{
    struct event_top top = {0};
    const struct model_order *bid = best_order(model, instrument, false);
    const struct model_order *ask = best_order(model, instrument, true);
    memcpy(top.symbol, model->instruments[instrument].symbol, SYMBOL_BYTES);
    top.bid_ticks = bid ? bid->price_ticks : 0;
    top.ask_ticks = ask ? ask->price_ticks : 0;
    for (uint32_t i = 0; i < model->order_count; i++) {
        const struct model_order *order = &model->orders[i];
        if (!order->live || order->instrument != instrument)
            continue;
        if (sells(order->side) && order->price_ticks == top.ask_ticks)
            top.ask_quantity += order->leaves;
        if (!sells(order->side) && order->price_ticks == top.bid_ticks)
            top.bid_quantity += order->leaves;
    }
    return top;
}

static void report_top(struct model *model)
{
    uint32_t instrument = model->instrument_at_hand;
    model->instrument_at_hand = 0;
    if (instrument == 0 || !model->limits.report_tops)
        return;
    struct event_top top = top_of(model, instrument);
    struct model_instrument *self = &model->instruments[instrument];
    if (memcmp(&top, &self->top, sizeof(top)) == 0)
        return;
    struct event *event = add_event(model, EVENT_BOOK_TOP);
    event->instrument = instrument;
    event->top = self->top = top;
}

static uint32_t live_orders(const struct model *model)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->order_count; i++)
        count += model->orders[i].live;
    return count;
}

static struct model_order *find_order(struct model *model, uint32_t user_ref)
{
    for (uint32_t i = 0; i < model->order_count; i++) {
        struct model_order *order = &model->orders[i];
        if (order->live && order->session == model->command->session && order->user_ref == user_ref &&
            order->user_ref_index == model->command->order.user_ref_index)
            return order;
    }
    return NULL;
}

/* ---- trading ------------------------------------------------------------------------------------------------------
 */

static bool crosses(const struct model_order *taker, const struct model_order *maker)
{
    if (taker->price_ticks == PRICE_TICKS_MARKET)
        return true;
    return sells(taker->side) ? maker->price_ticks >= taker->price_ticks : maker->price_ticks <= taker->price_ticks;
}

static void execute(struct model *model, struct model_order *taker, struct model_order *maker)
{
    uint32_t quantity = taker->leaves < maker->leaves ? taker->leaves : maker->leaves;
    struct model_order *both[2] = {taker, maker};
    for (int i = 0; i < 2; i++) {
        both[i]->leaves -= quantity;
        both[i]->executed += quantity;
    }
    maker->live = maker->leaves != 0;
    struct event *event = add_event(model, EVENT_EXECUTED);
    about(event, taker);
    to_session(model, event, taker->session);
    event->flags =
        (uint8_t)((taker->appendage ? EVENT_HAS_APPENDAGE : 0) | (maker->appendage ? EVENT_MAKER_APPENDAGE : 0));
    event->trade.order_ref = taker->order_ref;
    event->trade.maker_order_ref = maker->order_ref;
    event->trade.match_number = ++model->match_number_last;
    event->trade.price_ticks = maker->price_ticks;
    event->trade.quantity = quantity;
    event->trade.leaves_quantity = taker->leaves;
    event->trade.maker_leaves_quantity = maker->leaves;
    event->trade.maker_session = maker->session;
    event->trade.maker_message_no = ++model->sessions[maker->session].message_no;
    event->trade.maker_user_ref = maker->user_ref;
    event->trade.maker_user_ref_index = maker->user_ref_index;
    event->trade.maker_side = maker->side;
    event->trade.liquidity = 'R';
    event->trade.maker_liquidity = 'A';
}

static bool rests(const struct model_order *order)
{
    return order->time_in_force == '0' && order->price_ticks != PRICE_TICKS_MARKET;
}

/* The order has been told of; it is the last of the list and not live yet. */
static void trade(struct model *model, struct model_order *taker)
{
    model->instrument_at_hand = taker->instrument;
    for (;;) {
        struct model_order *maker = best_order(model, taker->instrument, !sells(taker->side));
        if (taker->leaves == 0 || !maker || !crosses(taker, maker))
            break;
        execute(model, taker, maker);
    }
    if (taker->leaves != 0 && rests(taker))
        taker->live = true;
    else if (taker->leaves != 0)
        canceled(model, taker, 0, 'I');
}

/* ---- ENTER and REPLACE --------------------------------------------------------------------------------------------
 */

static bool one_of(uint8_t letter, const char *letters)
{
    return letter != 0 && strchr(letters, letter) != NULL;
}

static uint16_t terms_reason(const struct model_instrument *instrument, const struct command_order *asked)
{
    if (asked->quantity == 0 || asked->quantity > 999999 || asked->quantity % instrument->lot != 0)
        return 0x0013;
    bool market = asked->price_ticks == PRICE_TICKS_MARKET;
    if (!market && (asked->price_ticks <= 0 || asked->price_ticks > 1999999900 ||
                    (uint32_t)asked->price_ticks % instrument->tick != 0))
        return 0x001d;
    if (!one_of(asked->display, "YA"))
        return 0x0003;
    if (!one_of(asked->time_in_force, "03"))
        return 0x000f;
    if (asked->options & OPTION_IS_SWEEP)
        return 0x0008;
    if (asked->min_quantity != 0)
        return 0x000d;
    if (asked->max_floor != 0 || asked->random_reserve != 0)
        return 0x0004;
    if (asked->options & (OPTION_IS_POST_ONLY | OPTION_IS_TRADE_NOW | OPTION_TRIGGER | OPTION_SELF_MATCH))
        return 0x000f;
    if (asked->handle_inst != 0 && asked->handle_inst != ' ')
        return 0x000f;
    if (asked->expire_s != 0 || asked->trigger_ticks != 0 || asked->trigger_kind != 0 || asked->self_match != 0)
        return 0x000f;
    if (one_of(asked->price_type, "PMRQm"))
        return 0x0011;
    if (asked->price_type != 0 && !one_of(asked->price_type, "L "))
        return 0x0005;
    return asked->peg_offset_ticks != 0 ? 0x0011 : 0;
}

static bool blank(const char firm[FIRM_BYTES])
{
    return memcmp(firm, "    ", FIRM_BYTES) == 0 || memcmp(firm, "\0\0\0\0", FIRM_BYTES) == 0;
}

static uint16_t entry_reason(const struct model *model)
{
    const struct command_order *asked = &model->command->order;
    const char *firm = model->sessions[model->command->session].firm;
    if (!model->day_open)
        return 0x0002;
    if (asked->instrument == 0 || asked->instrument > model->instrument_count)
        return 0x0017;
    if (!one_of(asked->side, "BSTE"))
        return 0x0009;
    uint16_t reason = terms_reason(&model->instruments[asked->instrument], asked);
    if (reason)
        return reason;
    if (!one_of(asked->capacity, "APRO"))
        return 0x000f;
    if (!blank(asked->firm) && !blank(firm) && memcmp(asked->firm, firm, FIRM_BYTES) != 0)
        return 0x000c;
    if (asked->cross_type != 'N')
        return 0x0014;
    bool would_rest = asked->time_in_force == '0' && asked->price_ticks != PRICE_TICKS_MARKET;
    return would_rest && live_orders(model) == model->limits.orders_max ? 0x000a : 0;
}

/* The last user_ref of the command's channel; NULL if there can be no more channels. */
static uint32_t *user_ref_last(struct model *model)
{
    struct model_session *session = &model->sessions[model->command->session];
    uint8_t index = model->command->order.user_ref_index;
    if (index != 0 && !session->channel_used[index]) {
        if (model->channel_count == model->limits.channels_max)
            return NULL;
        session->channel_used[index] = true;
        model->channel_count++;
    }
    return &session->user_ref_last[index];
}

static struct model_order *new_order(struct model *model, const struct command_order *asked)
{
    struct model_order *order = &model->orders[model->order_count++];
    *order = (struct model_order){
        .appendage = model->command->flags & COMMAND_HAS_APPENDAGE,
        .order_ref = ++model->order_ref_last,
        .session = model->command->session,
        .user_ref = model->command->user_ref,
        .user_ref_index = asked->user_ref_index,
        .price_ticks = asked->price_ticks,
        .time_in_force = asked->time_in_force,
        .display = asked->display,
    };
    return order;
}

static struct event *told_order(struct model *model, const struct model_order *order, uint8_t kind)
{
    struct event *event = add_event(model, kind);
    answer(model, event);
    about(event, order);
    event->reason = 'L';
    event->accepted.order_ref = order->order_ref;
    memcpy(event->accepted.symbol, model->instruments[order->instrument].symbol, SYMBOL_BYTES);
    event->accepted.price_ticks = order->price_ticks;
    event->accepted.quantity = order->leaves;
    event->accepted.options = order->options;
    memcpy(event->accepted.firm, order->firm, FIRM_BYTES);
    event->accepted.time_in_force = order->time_in_force;
    event->accepted.display = order->display;
    event->accepted.capacity = order->capacity;
    event->accepted.cross_type = order->cross_type;
    event->accepted.price_type = 'L';
    event->accepted.handle_inst = ' ';
    memcpy(event->accepted.client_order_id, model->command->order.client_order_id, CLIENT_ORDER_ID_BYTES);
    return event;
}

static void enter(struct model *model)
{
    const struct command_order *asked = &model->command->order;
    uint32_t *last = user_ref_last(model);
    if (!last) {
        reject(model, 0x000a);
        return;
    }
    if (model->command->user_ref <= *last)
        return;
    *last = model->command->user_ref;
    uint16_t reason = entry_reason(model);
    if (reason) {
        reject(model, reason);
        return;
    }
    struct model_order *order = new_order(model, asked);
    order->instrument = asked->instrument;
    order->side = asked->side;
    order->leaves = asked->quantity;
    order->options = asked->options;
    order->capacity = asked->capacity;
    order->cross_type = asked->cross_type;
    memcpy(order->firm, blank(asked->firm) ? model->sessions[model->command->session].firm : asked->firm, FIRM_BYTES);
    told_order(model, order, EVENT_ACCEPTED);
    trade(model, order);
}

static uint32_t options_of_replacement(uint32_t original, uint32_t asked)
{
    uint32_t options = asked;
    const uint32_t pairs[][2] = {{OPTION_CUSTOMER_TYPE, OPTION_IS_RETAIL},
                                 {OPTION_POST_ONLY, OPTION_IS_POST_ONLY},
                                 {OPTION_TRADE_NOW, OPTION_IS_TRADE_NOW}};
    for (int i = 0; i < 3; i++) {
        if (!(asked & pairs[i][0]))
            options |= original & (pairs[i][0] | pairs[i][1]);
    }
    uint32_t plain = OPTION_FIRM | OPTION_MIN_QUANTITY | OPTION_MAX_FLOOR | OPTION_PRICE_TYPE | OPTION_PEG_OFFSET |
                     OPTION_RANDOM_RESERVE | OPTION_EXPIRE_TIME | OPTION_HANDLE_INST | OPTION_GROUP |
                     OPTION_USER_REF_INDEX;
    return options | (original & plain);
}

static void replace(struct model *model)
{
    const struct command_order *asked = &model->command->order;
    struct model_order *original = find_order(model, asked->target_user_ref);
    uint32_t *last = original ? user_ref_last(model) : NULL;
    if (!last || model->command->user_ref <= *last)
        return;
    uint32_t instrument = original->instrument;
    if (terms_reason(&model->instruments[instrument], asked) || asked->quantity <= original->executed) {
        canceled(model, original, 0, 'U');
        return;
    }
    *last = model->command->user_ref;
    original->live = false;
    struct model_order *order = new_order(model, asked);
    order->instrument = instrument;
    order->side = original->side;
    order->executed = original->executed;
    order->leaves = asked->quantity - original->executed;
    order->options = options_of_replacement(original->options, asked->options);
    order->capacity = original->capacity;
    order->cross_type = original->cross_type;
    memcpy(order->firm, original->firm, FIRM_BYTES);
    struct event *event = told_order(model, order, EVENT_REPLACED);
    event->replaced.target_user_ref = asked->target_user_ref;
    event->replaced.previous_order_ref = original->order_ref;
    trade(model, order);
}

/* ---- the other requests -------------------------------------------------------------------------------------------
 */

/* Open shares if the order is to trade `size` in all. */
static uint32_t leaves_for(const struct model_order *order, uint32_t size)
{
    if (size >= order->executed + order->leaves)
        return order->leaves;
    return size <= order->executed ? 0 : size - order->executed;
}

static void cancel(struct model *model)
{
    struct model_order *order = find_order(model, model->command->order.target_user_ref);
    if (!order)
        return;
    uint32_t size = model->command->order.quantity;
    uint32_t leaves = size == 0 ? 0 : leaves_for(order, size);
    if (leaves != order->leaves)
        canceled(model, order, leaves, 'U');
}

static void modify(struct model *model)
{
    const struct command_order *asked = &model->command->order;
    struct model_order *order = find_order(model, asked->target_user_ref);
    if (!order)
        return;
    bool allowed = asked->side == order->side || (order->side == 'S' && one_of(asked->side, "ET")) ||
                   (order->side == 'E' && asked->side == 'T');
    uint32_t leaves = leaves_for(order, asked->quantity);
    if (!allowed || (leaves == order->leaves && asked->side == order->side))
        return;
    if (leaves == 0) {
        canceled(model, order, 0, 'U');
        return;
    }
    order->side = asked->side;
    struct event *event = add_event(model, EVENT_MODIFIED);
    answer(model, event);
    about(event, order);
    event->cut.order_ref = order->order_ref;
    event->cut.price_ticks = order->price_ticks;
    event->cut.decrement = order->leaves - leaves;
    event->cut.leaves_quantity = leaves;
    order->leaves = leaves;
    model->instrument_at_hand = order->instrument;
}

static void account_query(struct model *model)
{
    struct event *event = add_event(model, EVENT_ACCOUNT_ANSWER);
    answer(model, event);
    event->user_ref_index = model->command->order.user_ref_index;
    event->user_ref = model->sessions[model->command->session].user_ref_last[event->user_ref_index] + 1;
}

static void reject_once(struct model *model, uint16_t reason)
{
    uint32_t *last = user_ref_last(model);
    if (last && model->command->user_ref <= *last)
        return;
    if (last)
        *last = model->command->user_ref;
    reject(model, reason);
}

static void request(struct model *model)
{
    const struct model_session *session = &model->sessions[model->command->session];
    bool known = model->command->session != 0 && model->command->session <= model->session_count;
    if (!known || !session->connected || session->gateway != model->command->gateway ||
        session->tenure != model->command->tenure) {
        refuse(model, ENGINE_REFUSAL_NOT_CONNECTED);
        return;
    }
    if (model->command->kind == COMMAND_ENTER)
        enter(model);
    else if (model->command->kind == COMMAND_REPLACE)
        replace(model);
    else if (model->command->kind == COMMAND_CANCEL)
        cancel(model);
    else if (model->command->kind == COMMAND_MODIFY)
        modify(model);
    else if (model->command->kind == COMMAND_ACCOUNT_QUERY)
        account_query(model);
    else
        reject_once(model, model->command->kind == COMMAND_REFUSED ? model->command->refused.reason : 0x000f);
}

/* ---- sessions -----------------------------------------------------------------------------------------------------
 */

static uint32_t find_user(const struct model *model, const char user[USER_BYTES])
{
    for (uint32_t session = 1; session <= model->session_count; session++) {
        if (memcmp(model->sessions[session].user, user, USER_BYTES) == 0)
            return session;
    }
    return 0;
}

static struct event *told_connection(struct model *model, uint8_t kind, uint32_t session, char reason)
{
    const struct model_session *self = &model->sessions[session];
    struct event *event = add_event(model, kind);
    event->session = session;
    event->reason = (uint8_t)reason;
    event->login.message_next = self->message_no + 1;
    event->login.user_ref_next = self->user_ref_last[0] + 1;
    event->login.date = model->date;
    memcpy(event->login.user, self->user, USER_BYTES);
    memcpy(event->login.firm, self->firm, FIRM_BYTES);
    event->login.connection = self->connection;
    event->login.gateway = self->gateway;
    event->login.tenure = self->tenure;
    return event;
}

static void close_session(struct model *model, uint32_t session, char reason)
{
    told_connection(model, EVENT_SESSION_CLOSED, session, reason);
    model->sessions[session].connected = false;
}

static void system_event(struct model *model, uint32_t session, char code)
{
    struct event *event = add_event(model, EVENT_SYSTEM_EVENT);
    to_session(model, event, session);
    event->reason = (uint8_t)code;
}

static void login_refused(struct model *model, uint32_t session)
{
    const struct command *command = model->command;
    struct event *event = told_connection(model, EVENT_LOGIN_REFUSED, session, 'S');
    event->login.connection = command->login.connection;
    event->login.gateway = command->gateway;
    event->login.tenure = command->tenure;
    memcpy(event->login.user, command->login.user, USER_BYTES);
}

static void login(struct model *model)
{
    const struct command *command = model->command;
    uint32_t session = find_user(model, command->login.user);
    if (session == 0 && model->session_count == model->limits.sessions_max) {
        login_refused(model, 0);
        return;
    }
    if (session == 0) {
        session = ++model->session_count;
        memcpy(model->sessions[session].user, command->login.user, USER_BYTES);
    }
    struct model_session *self = &model->sessions[session];
    bool same = self->gateway == command->gateway && self->tenure == command->tenure &&
                self->connection == command->login.connection;
    if (self->connected && !same && !command->login.flag) {
        login_refused(model, session);
        return;
    }
    if (self->connected && !same)
        close_session(model, session, 'S');
    self->connected = true;
    self->gateway = command->gateway;
    self->tenure = command->tenure;
    self->connection = command->login.connection;
    memcpy(self->firm, blank(command->login.firm) ? "    " : command->login.firm, FIRM_BYTES);
    if (model->day_open && self->message_no == 0)
        system_event(model, session, 'S');
    told_connection(model, EVENT_LOGIN_ACCEPTED, session, 0);
}

static void logout(struct model *model)
{
    const struct command *command = model->command;
    uint32_t session = command->session ? command->session : find_user(model, command->login.user);
    if (session == 0 || session > model->session_count)
        return;
    const struct model_session *self = &model->sessions[session];
    if (self->connected && self->gateway == command->gateway && self->tenure == command->tenure &&
        self->connection == command->login.connection)
        close_session(model, session, (char)command->login.reason);
}

static void tenure_begins(struct model *model)
{
    for (uint32_t session = 1; session <= model->session_count; session++) {
        if (model->sessions[session].connected && model->sessions[session].gateway == model->command->gateway)
            close_session(model, session, 'D');
    }
}

/* ---- days and instruments -----------------------------------------------------------------------------------------
 */

static void told_day(struct model *model, uint8_t kind)
{
    struct event *event = add_event(model, kind);
    event->day.date = model->date;
    event->day.midnight_ns = model->midnight_ns;
}

static void day_start(struct model *model)
{
    const struct command *command = model->command;
    if (model->day_open || command->day.date <= model->date) {
        if (!model->day_open)
            refuse(model, ENGINE_REFUSAL_DATE);
        else if (command->gateway != 0)
            refuse(model, ENGINE_REFUSAL_DAY_IS_OPEN);
        return;
    }
    model->day_open = true;
    model->date = command->day.date;
    model->midnight_ns = command->day.midnight_ns;
    model->channel_count = 0;
    told_day(model, EVENT_DAY_STARTED);
    for (uint32_t session = 1; session <= model->session_count; session++) {
        struct model_session *self = &model->sessions[session];
        self->message_no = 0;
        memset(self->user_ref_last, 0, sizeof(self->user_ref_last));
        memset(self->channel_used, 0, sizeof(self->channel_used));
        system_event(model, session, 'S');
    }
}

static void day_end(struct model *model)
{
    if (!model->day_open) {
        if (model->command->gateway != 0)
            refuse(model, ENGINE_REFUSAL_NO_DAY_IS_OPEN);
        return;
    }
    model->day_open = false;
    for (uint32_t instrument = 1; instrument <= model->instrument_count; instrument++) {
        struct model_order *order;
        for (int of_sellers = 0; of_sellers < 2; of_sellers++) {
            while ((order = best_order(model, instrument, of_sellers)) != NULL)
                canceled(model, order, 0, 'Z');
        }
        report_top(model);
    }
    for (uint32_t session = 1; session <= model->session_count; session++)
        system_event(model, session, 'E');
    told_day(model, EVENT_DAY_ENDED);
}

static void instrument_add(struct model *model)
{
    const struct command_admin *admin = &model->command->admin;
    for (uint32_t i = 1; i <= model->instrument_count; i++) {
        if (memcmp(model->instruments[i].symbol, admin->symbol, SYMBOL_BYTES) == 0) {
            if (model->command->gateway != 0)
                refuse(model, ENGINE_REFUSAL_EXISTS);
            return;
        }
    }
    if (admin->symbol[0] <= ' ' || admin->tick_ticks < 0 || admin->tick_ticks > 1999999900 ||
        admin->lot_quantity > 999999 || admin->reference_ticks < 0) {
        refuse(model, ENGINE_REFUSAL_INVALID);
    } else if (admin->collar_ticks || admin->fat_finger_ticks || admin->quantity_max || admin->notional_max) {
        refuse(model, ENGINE_REFUSAL_NOT_SUPPORTED);
    } else if (model->instrument_count == model->limits.instruments_max) {
        refuse(model, ENGINE_REFUSAL_FULL);
    } else {
        struct model_instrument *self = &model->instruments[++model->instrument_count];
        memcpy(self->symbol, admin->symbol, SYMBOL_BYTES);
        memcpy(self->top.symbol, admin->symbol, SYMBOL_BYTES);
        self->tick = admin->tick_ticks ? (uint32_t)admin->tick_ticks : 1;
        self->lot = admin->lot_quantity ? admin->lot_quantity : 1;
        self->reference = admin->reference_ticks;
        struct event *event = add_event(model, EVENT_INSTRUMENT_ADDED);
        event->instrument = model->instrument_count;
        memcpy(event->admin.symbol, self->symbol, SYMBOL_BYTES);
        event->admin.tick_ticks = (int32_t)self->tick;
        event->admin.lot_quantity = self->lot;
        event->admin.reference_ticks = self->reference;
        event->admin.market_state = 'O';
    }
}

/* ---- a command ----------------------------------------------------------------------------------------------------
 */

static void other(struct model *model)
{
    uint8_t kind = model->command->kind;
    if (kind == COMMAND_LOGIN)
        login(model);
    else if (kind == COMMAND_LOGOUT)
        logout(model);
    else if (kind == COMMAND_TENURE_BEGINS)
        tenure_begins(model);
    else if (kind == COMMAND_DAY_START)
        day_start(model);
    else if (kind == COMMAND_DAY_END)
        day_end(model);
    else if (kind == COMMAND_INSTRUMENT_ADD)
        instrument_add(model);
    else if (kind >= COMMAND_MARKET_STATE && kind <= COMMAND_SESSION_BLOCK)
        refuse(model, ENGINE_REFUSAL_NOT_SUPPORTED);
    else if (kind != COMMAND_TICK && kind != COMMAND_SNAPSHOT_MARK)
        refuse(model, ENGINE_REFUSAL_UNKNOWN_KIND);
}

static void hash_events(struct model *model, uint32_t first)
{
    for (uint32_t i = first; i < model->event_count; i++)
        model->event_hash = engine_event_hash_next(model->event_hash, &model->events[i]);
}

static void checkpoint(struct model *model)
{
    hash_events(model, 0);
    struct event *event = add_event(model, EVENT_CHECKPOINT);
    event->checkpoint.command_seq = model->command->command_seq;
    event->checkpoint.event_hash = model->event_hash;
    event->checkpoint.state_hash = model->state_hash;
    event->checkpoint.live_order_count = live_orders(model);
    event->flags = EVENT_LAST_OF_COMMAND;
    hash_events(model, model->event_count - 1);
}

void model_init(struct model *model, const struct engine_limits *limits)
{
    memset(model, 0, offsetof(struct model, orders));
    model->limits = *limits;
    if (model->limits.channels_max == 0)
        model->limits.channels_max = limits->sessions_max;
}

void model_apply(struct model *model, const struct command *command)
{
    model->command = command;
    model->event_count = 0;
    if (command->kind >= COMMAND_ENTER && command->kind <= COMMAND_REFUSED)
        request(model);
    else
        other(model);
    report_top(model);
    if (command->command_seq % model->limits.checkpoint_commands == 0) {
        checkpoint(model);
        return;
    }
    if (model->event_count != 0)
        model->events[model->event_count - 1].flags |= EVENT_LAST_OF_COMMAND;
    hash_events(model, 0);
}

/* ---- comparing books ----------------------------------------------------------------------------------------------
 */

static bool same_order(const struct model_order *order, const struct engine_order_view *view)
{
    return view->order_ref == order->order_ref && view->session == order->session &&
           view->user_ref == order->user_ref && view->instrument == order->instrument &&
           view->price_ticks == order->price_ticks && view->leaves_quantity == order->leaves &&
           view->executed_quantity == order->executed && view->user_ref_index == order->user_ref_index &&
           view->side == order->side;
}

static const char *side_differs(struct model *model, const struct engine *engine, uint32_t instrument, bool of_sellers)
{
    struct engine_walk walk;
    struct engine_order_view view;
    static uint32_t hidden[MODEL_ORDERS_MAX];
    uint32_t hidden_count = 0;
    const char *rule = NULL;
    engine_walk_begin(engine, instrument, of_sellers ? 'S' : 'B', &walk);
    while (engine_walk_next(engine, &walk, &view)) {
        struct model_order *order = best_order(model, instrument, of_sellers);
        if (!order || !same_order(order, &view)) {
            rule = "an order of the book is not the model's";
            break;
        }
        order->live = false; /* until the walk is over, so that the next one is the best */
        hidden[hidden_count++] = (uint32_t)(order - model->orders);
    }
    if (!rule && best_order(model, instrument, of_sellers))
        rule = "the model has an order that the book has not";
    while (hidden_count > 0)
        model->orders[hidden[--hidden_count]].live = true;
    return rule;
}

const char *model_differs(struct model *model, const struct engine *engine)
{
    for (uint32_t instrument = 1; instrument <= model->instrument_count; instrument++) {
        for (int of_sellers = 0; of_sellers < 2; of_sellers++) {
            const char *rule = side_differs(model, engine, instrument, of_sellers);
            if (rule)
                return rule;
        }
    }
    return engine_live_orders(engine) == live_orders(model) ? NULL : "the numbers of live orders differ";
}
