/*
 * Reads the file of members' settings, a line at a time. All lists of one kind lie in one array; each is in one piece,
 * because a section cannot be opened twice and its lists only grow while it is open.
 */
#include "members.h"

#include "accounts.h"
#include "base/bytes.h"
#include "base/require.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES_MAX   4096
#define GRACE_MS_MAX     86400000u
#define NOTIONAL_UNITS   10000u /* ticks of a dollar */
#define NOTIONAL_DOLLARS (UINT64_C(1) << 48)

struct reading {
    struct members *members;
    struct member *member; /* whose section it is; NULL: none yet */
    uint32_t user_room, address_room, firm_room, restricted_room, copied_room;
    bool everyone_seen;
    const char *where;
    struct error *error;
};

static int refuse(const struct reading *reading, const char *name, const char *value, const char *rule)
{
    return error_set(reading->error, ERROR_INVALID, reading->where, "%s = %.60s: %s", name, value, rule);
}

/* Room for one more in an array that is doubled; NULL: no memory. */
static void *array_room(void *array, uint32_t count, uint32_t *room, size_t element_bytes)
{
    if (count < *room)
        return array;
    uint32_t larger = *room == 0 ? 16 : 2 * *room;
    void *moved = realloc(array, (size_t)larger * element_bytes);
    if (moved)
        *room = larger;
    return moved;
}

/* ---- lists ---- */

/* One more at the end of the list, which lies at the end of its array, `count` long so far. */
static void list_grow(struct member_list *list, uint32_t *count)
{
    if (list->count == 0)
        list->first = *count;
    REQUIRE(list->first + list->count == *count);
    list->count++;
    (*count)++;
}

static int address_add(struct reading *reading, const char *word, const char **ret_rule)
{
    struct members *members = reading->members;
    struct address_range range;
    *ret_rule = address_range_parse(&range, word);
    if (*ret_rule)
        return ERROR_INVALID;
    void *room =
        array_room(members->addresses, members->address_count, &reading->address_room, sizeof(*members->addresses));
    if (!room)
        return ERROR_FULL;
    members->addresses = room;
    members->addresses[members->address_count] = range;
    list_grow(&reading->member->addresses, &members->address_count);
    return 0;
}

static int firm_add(struct reading *reading, const char *word, const char **ret_rule)
{
    struct members *members = reading->members;
    *ret_rule = account_invalid("any", word, NULL);
    if (*ret_rule)
        return ERROR_INVALID;
    void *room = array_room(members->firms, members->firm_count, &reading->firm_room, sizeof(*members->firms));
    if (!room)
        return ERROR_FULL;
    members->firms = room;
    text_pad((char *)&members->firms[members->firm_count], FIRM_BYTES, word);
    list_grow(&reading->member->firms, &members->firm_count);
    return 0;
}

static int restricted_add(struct reading *reading, const char *word, const char **ret_rule)
{
    struct members *members = reading->members;
    *ret_rule = strlen(word) > SYMBOL_BYTES ? "a symbol has at most 8 characters" : NULL;
    if (*ret_rule)
        return ERROR_INVALID;
    void *room =
        array_room(members->restricted, members->restricted_count, &reading->restricted_room, sizeof(uint64_t));
    if (!room)
        return ERROR_FULL;
    members->restricted = room;
    text_pad((char *)&members->restricted[members->restricted_count], SYMBOL_BYTES, word);
    list_grow(&reading->member->restricted, &members->restricted_count);
    return 0;
}

static int copied_add(struct reading *reading, const char *word, bool is_firm, const char **ret_rule)
{
    struct members *members = reading->members;
    *ret_rule = is_firm ? account_invalid("any", word, NULL) : account_invalid(word, "ANY", NULL);
    if (!*ret_rule && reading->member == &members->everyone)
        *ret_rule = "a drop copy is one user's";
    if (*ret_rule)
        return ERROR_INVALID;
    void *room = array_room(members->copied, members->copied_count, &reading->copied_room, sizeof(*members->copied));
    if (!room)
        return ERROR_FULL;
    members->copied = room;
    struct member_name *name = &members->copied[members->copied_count];
    *name = (struct member_name){.is_firm = is_firm};
    text_pad(name->name, is_firm ? FIRM_BYTES : USER_BYTES, word);
    list_grow(&reading->member->copied, &members->copied_count);
    return 0;
}

static int copied_user_add(struct reading *reading, const char *word, const char **ret_rule)
{
    return copied_add(reading, word, false, ret_rule);
}

static int copied_firm_add(struct reading *reading, const char *word, const char **ret_rule)
{
    return copied_add(reading, word, true, ret_rule);
}

/* ---- values ---- */

/* Digits, and after a point at most `decimals` more; scaled. */
static bool number_parse(const char *text, uint32_t decimals, uint64_t max, uint64_t *ret_scaled)
{
    uint64_t scaled = 0;
    uint32_t left = decimals;
    bool digits = false;
    bool point = false;
    for (; *text; text++) {
        if (*text == '.' && decimals > 0 && !point) {
            point = true;
            continue;
        }
        if (*text < '0' || *text > '9' || (point && left == 0))
            return false;
        left -= point;
        digits = true;
        scaled = scaled * 10 + (uint64_t)(*text - '0');
        if (scaled > max)
            return false;
    }
    for (; left > 0; left--)
        scaled *= 10;
    *ret_scaled = scaled;
    return digits && scaled <= max;
}

/* Lists come last. */
enum value_kind {
    VALUE_NUMBER,
    VALUE_DOLLARS,
    VALUE_SECOND_LOGIN,
    VALUE_YES,
    VALUE_ADDRESSES,
    VALUE_FIRMS,
    VALUE_SYMBOLS,
    VALUE_COPIED_USERS,
    VALUE_COPIED_FIRMS,
};

struct setting {
    const char *name;
    enum value_kind kind;
    size_t offset; /* in struct member, of a number or a yes */
    uint64_t max;
};

#define NUMBER_OF(field, most)                                                                                         \
    {                                                                                                                  \
#field, VALUE_NUMBER, offsetof(struct member, field), (most)                                                   \
    }

static const struct setting settings[] = {
    {"second_login", VALUE_SECOND_LOGIN, 0, 0},
    {"cancel_on_disconnect", VALUE_YES, offsetof(struct member, cancels), 0},
    {"copy_orders", VALUE_YES, offsetof(struct member, copies_orders), 0},
    {"copy_users", VALUE_COPIED_USERS, 0, 0},
    {"copy_firms", VALUE_COPIED_FIRMS, 0, 0},
    {"addresses", VALUE_ADDRESSES, 0, 0},
    {"firms", VALUE_FIRMS, 0, 0},
    {"restricted", VALUE_SYMBOLS, 0, 0},
    {"notional_max", VALUE_DOLLARS, 0, 0},
    NUMBER_OF(grace_ms, GRACE_MS_MAX),
    NUMBER_OF(quantity_max, QUANTITY_MAX),
    NUMBER_OF(orders_per_s, RATE_PER_S_MAX),
    NUMBER_OF(orders_burst, RATE_BURST_MAX),
    NUMBER_OF(symbol_orders_per_s, RATE_PER_S_MAX),
    NUMBER_OF(symbol_orders_burst, RATE_BURST_MAX),
    NUMBER_OF(same_orders_per_s, RATE_PER_S_MAX),
    NUMBER_OF(same_orders_burst, RATE_BURST_MAX),
};

static uint32_t *number_of(struct member *member, const struct setting *setting)
{
    return (uint32_t *)(void *)((uint8_t *)member + setting->offset);
}

static int number_take(struct reading *reading, const struct setting *setting, const char *value)
{
    uint64_t number;
    char rule[64];
    if (!number_parse(value, 0, setting->max, &number)) {
        snprintf(rule, sizeof(rule), "not a whole number from 0 to %llu", (unsigned long long)setting->max);
        return refuse(reading, setting->name, value, rule);
    }
    *number_of(reading->member, setting) = (uint32_t)number;
    return 0;
}

static int list_take(struct reading *reading, const struct setting *setting, char *value)
{
    static int (*const adds[])(struct reading *, const char *,
                               const char **) = {[VALUE_ADDRESSES] = address_add,
                                                 [VALUE_FIRMS] = firm_add,
                                                 [VALUE_SYMBOLS] = restricted_add,
                                                 [VALUE_COPIED_USERS] = copied_user_add,
                                                 [VALUE_COPIED_FIRMS] = copied_firm_add};
    char *rest = NULL;
    for (char *word = strtok_r(value, " \t,", &rest); word; word = strtok_r(NULL, " \t,", &rest)) {
        const char *rule = NULL;
        int code = adds[setting->kind](reading, word, &rule);
        if (code < 0)
            return refuse(reading, setting->name, word, rule ? rule : "no memory");
    }
    return 0;
}

static int second_login_take(struct reading *reading, const char *value)
{
    if (strcmp(value, "takeover") != 0 && strcmp(value, "refuse") != 0)
        return refuse(reading, "second_login", value, "none of takeover, refuse");
    reading->member->takes_over = value[0] == 't';
    return 0;
}

static int yes_take(struct reading *reading, const struct setting *setting, const char *value)
{
    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        return refuse(reading, setting->name, value, "none of yes, no");
    *(bool *)((uint8_t *)reading->member + setting->offset) = value[0] == 'y';
    return 0;
}

static int value_take(struct reading *reading, const struct setting *setting, char *value)
{
    switch (setting->kind) {
    case VALUE_NUMBER:
        return number_take(reading, setting, value);
    case VALUE_DOLLARS:
        if (!number_parse(value, 4, NOTIONAL_DOLLARS * NOTIONAL_UNITS, &reading->member->notional_max))
            return refuse(reading, setting->name, value, "not an amount of at most four decimals");
        return 0;
    case VALUE_SECOND_LOGIN:
        return second_login_take(reading, value);
    case VALUE_YES:
        return yes_take(reading, setting, value);
    case VALUE_ADDRESSES:
    case VALUE_FIRMS:
    case VALUE_SYMBOLS:
    case VALUE_COPIED_USERS:
    case VALUE_COPIED_FIRMS:
    default:
        return list_take(reading, setting, value);
    }
}

/* ---- lines ---- */

static int setting_take(struct reading *reading, const char *name, char *value)
{
    struct member *member = reading->member;
    if (!member)
        return error_set(reading->error, ERROR_INVALID, reading->where, "%.40s stands before the first section", name);
    for (uint32_t i = 0; i < ARRAY_COUNT(settings); i++) {
        if (strcmp(settings[i].name, name) != 0)
            continue;
        bool is_list = settings[i].kind >= VALUE_ADDRESSES;
        if (!is_list && member->given & 1u << i)
            return refuse(reading, name, value, "given a second time in this section");
        if (*value == '\0')
            return refuse(reading, name, value, "has no value");
        member->given |= 1u << i;
        return value_take(reading, &settings[i], value);
    }
    return error_set(reading->error, ERROR_INVALID, reading->where, "there is no setting %.40s", name);
}

static int section_take(struct reading *reading, const char *section)
{
    struct members *members = reading->members;
    char user[USER_BYTES];
    if (strcmp(section, "everyone") == 0) {
        if (reading->everyone_seen)
            return error_set(reading->error, ERROR_INVALID, reading->where, "[everyone] is there a second time");
        reading->everyone_seen = true;
        reading->member = &members->everyone;
        return 0;
    }
    if (strncmp(section, "user ", 5) != 0)
        return error_set(reading->error, ERROR_INVALID, reading->where, "[%.40s] is neither [everyone] nor [user NAME]",
                         section);
    section += 5 + strspn(section + 5, " \t");
    const char *broken = account_invalid(section, "F", NULL);
    if (broken)
        return error_set(reading->error, ERROR_INVALID, reading->where, "[user %.40s]: %s", section, broken);
    if (members->count == MEMBERS_MAX)
        return error_set(reading->error, ERROR_FULL, reading->where, "more than %u users", MEMBERS_MAX);
    void *room = array_room(members->users, members->count, &reading->user_room, sizeof(*members->users));
    if (!room)
        return error_set(reading->error, ERROR_FULL, reading->where, "no memory");
    members->users = room;
    text_pad(user, USER_BYTES, section);
    reading->member = &members->users[members->count++];
    *reading->member = (struct member){.takes_over = members->everyone.takes_over};
    memcpy(reading->member->user, user, USER_BYTES);
    return 0;
}

/* Without spaces around. */
static char *trimmed(char *text)
{
    text += strspn(text, " \t\r\n");
    size_t bytes = strlen(text);
    while (bytes > 0 && strchr(" \t\r\n", text[bytes - 1]))
        text[--bytes] = '\0';
    return text;
}

static int line_take(struct reading *reading, char *text, uint32_t line)
{
    text[strcspn(text, "#;")] = '\0';
    char *start = trimmed(text);
    size_t bytes = strlen(start);
    if (bytes == 0)
        return 0;
    if (start[0] == '[') {
        if (start[bytes - 1] != ']')
            return error_set(reading->error, ERROR_INVALID, reading->where, "a section is [NAME]");
        start[bytes - 1] = '\0';
        int code = section_take(reading, trimmed(start + 1));
        if (code < 0)
            return code;
        REQUIRE(reading->member);
        reading->member->line = line;
        return 0;
    }
    char *equals = strchr(start, '=');
    if (!equals)
        return error_set(reading->error, ERROR_INVALID, reading->where, "neither [section] nor name = value");
    *equals = '\0';
    return setting_take(reading, trimmed(start), trimmed(equals + 1));
}

/* ---- the whole ---- */

/* What a section does not say is what everyone's says. */
static void inherit(const struct members *members, struct member *member)
{
    const struct member *everyone = &members->everyone;
    for (uint32_t i = 0; i < ARRAY_COUNT(settings); i++) {
        if (member->given & 1u << i)
            continue;
        switch (settings[i].kind) {
        case VALUE_NUMBER:
            memcpy(number_of(member, &settings[i]), (const uint8_t *)everyone + settings[i].offset, sizeof(uint32_t));
            break;
        case VALUE_DOLLARS:
            member->notional_max = everyone->notional_max;
            break;
        case VALUE_SECOND_LOGIN:
            member->takes_over = everyone->takes_over;
            break;
        case VALUE_YES:
            memcpy((uint8_t *)member + settings[i].offset, (const uint8_t *)everyone + settings[i].offset,
                   sizeof(bool));
            break;
        case VALUE_ADDRESSES:
            member->addresses = everyone->addresses;
            break;
        case VALUE_FIRMS:
            member->firms = everyone->firms;
            break;
        case VALUE_SYMBOLS: /* everyone's are looked at for each */
        case VALUE_COPIED_USERS:
        case VALUE_COPIED_FIRMS:
        default:
            break;
        }
    }
}

static void finish(const struct members *members, struct member *member)
{
    member->orders = rate_make(member->orders_per_s, member->orders_burst);
    member->symbol_orders = rate_make(member->symbol_orders_per_s, member->symbol_orders_burst);
    member->same_orders = rate_make(member->same_orders_per_s, member->same_orders_burst);
    member->is_limited = member->orders_per_s != 0 || member->symbol_orders_per_s != 0 ||
                         member->same_orders_per_s != 0 || member->quantity_max != 0 || member->notional_max != 0 ||
                         member->firms.count != 0 || member->restricted.count != 0 ||
                         members->everyone.restricted.count != 0;
}

static int by_user(const void *left, const void *right)
{
    return memcmp(((const struct member *)left)->user, ((const struct member *)right)->user, USER_BYTES);
}

static int settle(struct members *members, const char *path, struct error *error)
{
    if (members->count > 1)
        qsort(members->users, members->count, sizeof(*members->users), by_user);
    finish(members, &members->everyone);
    for (uint32_t i = 0; i < members->count; i++) {
        if (i > 0 && by_user(&members->users[i - 1], &members->users[i]) == 0) {
            uint32_t lines[] = {members->users[i - 1].line, members->users[i].line};
            bool in_order = lines[0] < lines[1];
            char where[ERROR_WHERE_BYTES];
            snprintf(where, sizeof(where), "%.100s:%u", path, lines[in_order ? 1 : 0]);
            return error_set(error, ERROR_INVALID, where, "user %.6s has an earlier section, in line %u",
                             members->users[i].user, lines[in_order ? 0 : 1]);
        }
        inherit(members, &members->users[i]);
        finish(members, &members->users[i]);
    }
    return 0;
}

static int file_take(struct members *members, const char *path, FILE *file, struct error *error)
{
    char where[ERROR_WHERE_BYTES];
    struct reading reading = {.members = members, .where = where, .error = error};
    char text[LINE_BYTES_MAX];
    uint32_t line = 0;
    int code = 0;
    while (code == 0 && fgets(text, sizeof(text), file)) {
        snprintf(where, sizeof(where), "%.100s:%u", path, ++line);
        bool is_cut = strlen(text) == sizeof(text) - 1 && text[sizeof(text) - 2] != '\n';
        code = is_cut ? error_set(error, ERROR_INVALID, where, "the line is longer than %d bytes", LINE_BYTES_MAX - 2)
                      : line_take(&reading, text, line);
    }
    if (code == 0 && ferror(file))
        code = error_system(error, errno, path, "cannot read the members' settings");
    return code < 0 ? code : settle(members, path, error);
}

int members_open(struct members *members, const char *path, bool takes_over, struct error *error)
{
    memset(members, 0, sizeof(*members));
    members->everyone.takes_over = takes_over;
    if (path[0] == '\0')
        return 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return error_system(error, errno, path, "cannot open the members' settings (gateway.members)");
    int code = file_take(members, path, file, error);
    fclose(file);
    if (code < 0)
        members_close(members);
    return code;
}
