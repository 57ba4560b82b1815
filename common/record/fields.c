#include "record/fields.h"

#include <stddef.h>
#include <string.h>

#define X(type, field, offset, bytes) {#field, offset, bytes},
const struct record_field command_fields[] = {COMMAND_FIELDS(X)};
const struct record_field event_fields[] = {EVENT_FIELDS(X)};
#undef X
const uint32_t command_field_count = ARRAY_COUNT(command_fields);
const uint32_t event_field_count = ARRAY_COUNT(event_fields);

/* ---- which part of the union a kind uses --------------------------------------------------------------------------
 */

static const char *part_of_command(uint8_t kind)
{
    if (kind == COMMAND_REFUSED)
        return "refused.";
    if (kind < COMMAND_LOGIN)
        return "order.";
    if (kind == COMMAND_DAY_START || kind == COMMAND_DAY_END)
        return "day.";
    if (kind == COMMAND_TRADE_BREAK)
        return "trade.";
    if (kind >= COMMAND_LOGIN && kind <= COMMAND_TENURE_BEGINS)
        return "login.";
    if (kind == COMMAND_SESSION_BLOCK || (kind >= COMMAND_SESSION_KICK && kind <= COMMAND_ORDERS_CANCEL))
        return "act.";
    return kind == COMMAND_TICK ? "none." : "admin.";
}

static const char *part_of_event(uint8_t kind)
{
    static const struct {
        uint8_t kind;
        const char *part;
    } parts[] = {
        {EVENT_ACCEPTED, "accepted."},       {EVENT_REPLACED, "replaced."},    {EVENT_CANCELED, "cut."},
        {EVENT_SELF_MATCH_CANCELED, "cut."}, {EVENT_CANCEL_PENDING, "cut."},   {EVENT_CANCEL_REJECTED, "cut."},
        {EVENT_PRIORITY_UPDATED, "cut."},    {EVENT_MODIFIED, "cut."},         {EVENT_RESTATED, "cut."},
        {EVENT_EXECUTED, "trade."},          {EVENT_BROKEN, "trade."},         {EVENT_REJECTED, "refused."},
        {EVENT_MASS_CANCELED, "mass."},      {EVENT_ENTRY_DISABLED, "mass."},  {EVENT_ENTRY_ENABLED, "mass."},
        {EVENT_ACCOUNT_ANSWER, "none."},     {EVENT_SYSTEM_EVENT, "none."},    {EVENT_ORDER_OPTIONS, "options."},
        {EVENT_LOGIN_ACCEPTED, "login."},    {EVENT_LOGIN_REFUSED, "login."},  {EVENT_SESSION_CLOSED, "login."},
        {EVENT_DAY_STARTED, "day."},         {EVENT_DAY_ENDED, "day."},        {EVENT_BOOK_TOP, "top."},
        {EVENT_CHECKPOINT, "checkpoint."},   {EVENT_OPERATOR_ACTED, "acted."},
    };
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        if (parts[i].kind == kind)
            return parts[i].part;
    }
    return "admin.";
}

/* REPLACED has the fields of ACCEPTED but for the last ones. */
static bool shares_accepted(const struct record_field *field, uint8_t kind)
{
    return kind == EVENT_REPLACED && strncmp(field->name, "accepted.", strlen("accepted.")) == 0 &&
           field->offset < offsetof(struct event, accepted.client_order_id);
}

static const char *shown_in(const struct record_field *field, const char *part)
{
    const char *dot = strchr(field->name, '.');
    if (strcmp(field->name, "head") == 0 || strcmp(field->name, "kind") == 0 || strstr(field->name, "reserved"))
        return NULL;
    if (!dot)
        return field->name;
    return strncmp(field->name, part, strlen(part)) == 0 ? dot + 1 : NULL;
}

/* Of two fields in one place, the one that the kind means. */
static bool meant(const char *shown, uint8_t kind)
{
    bool has_target = kind == COMMAND_REPLACE || kind == COMMAND_CANCEL || kind == COMMAND_MODIFY;
    if (strcmp(shown, "replace_group") == 0)
        return kind == COMMAND_REPLACE;
    if (strcmp(shown, "instrument") == 0)
        return kind != COMMAND_REPLACE;
    if (strcmp(shown, "target_user_ref") == 0)
        return has_target;
    return strcmp(shown, "group") != 0 || !has_target;
}

const char *command_field_shown(const struct record_field *field, uint8_t kind)
{
    const char *shown = shown_in(field, part_of_command(kind));
    return shown && meant(shown, kind) ? shown : NULL;
}

const char *event_field_shown(const struct record_field *field, uint8_t kind)
{
    return shown_in(field, shares_accepted(field, kind) ? "accepted." : part_of_event(kind));
}

/* ---- values -------------------------------------------------------------------------------------------------------
 */

static bool one_of(const char *name, const char *const names[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static bool ends_with(const char *name, const char *ending)
{
    size_t bytes = strlen(name);
    return bytes >= strlen(ending) && strcmp(name + bytes - strlen(ending), ending) == 0;
}

enum record_value record_value_of(const struct record_field *field, const char *shown)
{
    static const char *const texts[] = {"symbol", "firm", "user", "client_order_id", "operator_name"};
    static const char *const letters[] = {
        "side",         "time_in_force", "display", "capacity",     "cross_type", "price_type", "handle_inst",
        "trigger_kind", "self_match",    "reason",  "market_state", "liquidity",  "maker_side", "maker_liquidity"};
    if (one_of(shown, texts, ARRAY_COUNT(texts)))
        return RECORD_TEXT;
    if (field->bytes == 1 && one_of(shown, letters, ARRAY_COUNT(letters)))
        return RECORD_LETTER;
    if (strcmp(shown, "peer") == 0)
        return RECORD_ADDRESS;
    if (strcmp(shown, "options") == 0)
        return RECORD_BITS;
    if (ends_with(shown, "_ticks") && field->bytes == sizeof(int32_t))
        return RECORD_TICKS;
    return ends_with(shown, "_ns") ? RECORD_TIME : RECORD_NUMBER;
}
