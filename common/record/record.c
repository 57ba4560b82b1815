/* Names, letters and layout hashes of the records, made from their tables. */
#include "base/bytes.h"
#include "base/checksum.h"
#include "record/command.h"
#include "record/event.h"

const char *command_kind_name(uint8_t kind)
{
    switch (kind) {
#define X(name, number, meaning)                                                                                       \
    case COMMAND_##name:                                                                                               \
        return #name;
        COMMAND_KINDS(X)
#undef X
    default:
        return "?";
    }
}

const char *event_kind_name(uint8_t kind)
{
    switch (kind) {
#define X(name, number, meaning, message)                                                                              \
    case EVENT_##name:                                                                                                 \
        return #name;
        EVENT_KINDS(X)
#undef X
    default:
        return "?";
    }
}

char event_message_letter(uint8_t kind)
{
    switch (kind) {
#define X(name, number, meaning, message)                                                                              \
    case EVENT_##name:                                                                                                 \
        return message[0];
        EVENT_KINDS(X)
#undef X
    default:
        return '-';
    }
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
