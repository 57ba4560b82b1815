/* Names, letters and layout hashes of the records, made from their tables. */
#include "base/bytes.h"
#include "base/checksum.h"
#include "record/command.h"
#include "record/event.h"

const char *command_kind_name(uint8_t kind)
{
#define X(name, number, meaning) [number] = #name,
    static const char *const names[UINT8_MAX + 1] = {COMMAND_KINDS(X)};
#undef X
    return names[kind] ? names[kind] : "?";
}

const char *event_kind_name(uint8_t kind)
{
#define X(name, number, meaning, message) [number] = #name,
    static const char *const names[UINT8_MAX + 1] = {EVENT_KINDS(X)};
#undef X
    return names[kind] ? names[kind] : "?";
}

char event_message_letter(uint8_t kind)
{
#define X(name, number, meaning, message) [number] = (message),
    static const char *const letters[UINT8_MAX + 1] = {EVENT_KINDS(X)};
#undef X
    return letters[kind] ? letters[kind][0] : '-';
}

#define X(type, field, offset, bytes) hash = fnv1a64(hash, #type "." #field "@" #offset ":" #bytes ";");
uint64_t command_layout_hash(void)
{
    uint64_t hash = 0;
    COMMAND_FIELDS(X)
    return hash;
}

uint64_t event_layout_hash(void)
{
    uint64_t hash = 0;
    EVENT_FIELDS(X)
    return hash;
}
#undef X

void command_make_refused(struct command *command, uint16_t reason)
{
    uint8_t kind = command->kind;
    uint8_t user_ref_index = command->order.user_ref_index;
    char client_order_id[CLIENT_ORDER_ID_BYTES];
    memcpy(client_order_id, command->order.client_order_id, sizeof(client_order_id));
    if (client_order_id[0] == '\0')
        memset(client_order_id, ' ', sizeof(client_order_id));
    memset(&command->refused, 0, sizeof(command->refused));
    command->kind = COMMAND_REFUSED;
    command->refused.user_ref_index = user_ref_index;
    command->refused.refused_kind = kind;
    command->refused.reason = reason;
    memcpy(command->refused.client_order_id, client_order_id, sizeof(client_order_id));
}
