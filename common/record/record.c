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
