/*
 * Words into commands. Instruments, users and firms are named as they are; the engine knows whether they are there.
 * Values are read by the code that reads the configuration, so they mean the same in both.
 */
#include "admin_cli.h"
#include "base/bytes.h"
#include "base/units.h"
#include "setup/setup.h"
#include "stage/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char admin_actions_help[] =
    "actions:\n"
    "  instrument add SYMBOL     [--tick P --lot Q --reference P --state S and limits]\n"
    "  instrument limits SYMBOL  [--collar P --fat-finger P --quantity-max Q --notional-max A]; those left out: none\n"
    "  pre-open, open, halt, resume, close, extended  SYMBOL|all [--reference P]   open and close hold an auction\n"
    "  firm limits FIRM          [--quantity-max Q --notional-max A]; those left out: none\n"
    "  firm disable FIRM, firm enable FIRM      the kill switch: no new orders; cancel those there are by orders "
    "cancel\n"
    "  orders cancel             --firm F, --user U, --symbol S together; or --all\n"
    "  trade break MATCH         [--reason error|consent|supervisory|external]\n"
    "  user kick USER, user block USER, user unblock USER\n"
    "  gateway dead N            all connections of it have ended\n"
    "  day start [YYYYMMDD]      today (UTC) if none is named\n"
    "  day end                   cancels all orders and ends the day\n"
    "  day close                 closes all instruments (auction, expiry), ends the day, marks the journal\n"
    "  tick, mark                time passes; a mark in the journal\n"
    "  reload                    instruments, firms and limits of the configuration file\n";

/* ---- values ---- */

static int text_take(char *field, size_t bytes, const char *word, const char *what, struct error *error)
{
    if (*word == '\0' || strlen(word) > bytes)
        return error_set(error, ERROR_INVALID, what, "'%s' has not one to %zu letters", word, bytes);
    text_pad(field, bytes, word);
    return 0;
}

/* Appends "part VALUE" if the option was given. */
static void part_put(char *text, size_t bytes, const char *part, const char *value)
{
    size_t length = strlen(text);
    if (value && length < bytes)
        snprintf(text + length, bytes - length, "%s %s ", part, value);
}

/* A command as the configuration's line of the same parts would be. */
static int line_read(struct command *command, const char *section, const char *name, const char *parts,
                     struct error *error)
{
    char assignment[CONFIG_TEXT_BYTES * 2];
    struct config *config = calloc(1, sizeof(*config));
    if (!config)
        return error_set(error, ERROR_SYSTEM, "ringside admin", "no memory");
    snprintf(assignment, sizeof(assignment), "%s.%s=%s", section, name, parts);
    int code = config_set(config, assignment, error);
    if (code == 0)
        setup_command(config, 0, command);
    config_finish(config);
    free(config);
    return code;
}

static void limits_put(char *text, size_t bytes, const struct command_line *line)
{
    part_put(text, bytes, "collar", line->values[ADMIN_COLLAR]);
    part_put(text, bytes, "fat_finger", line->values[ADMIN_FAT_FINGER]);
    part_put(text, bytes, "quantity_max", line->values[ADMIN_QUANTITY_MAX]);
    part_put(text, bytes, "notional_max", line->values[ADMIN_NOTIONAL_MAX]);
}

/* ---- actions ---- */

static int instrument_add(struct admin_task *task, const struct command_line *line, const char *name,
                          struct error *error)
{
    char parts[CONFIG_TEXT_BYTES] = "";
    part_put(parts, sizeof(parts), "tick", line->values[ADMIN_TICK]);
    part_put(parts, sizeof(parts), "lot", line->values[ADMIN_LOT]);
    part_put(parts, sizeof(parts), "reference", line->values[ADMIN_REFERENCE]);
    part_put(parts, sizeof(parts), "state", line->values[ADMIN_STATE]);
    limits_put(parts, sizeof(parts), line);
    return line_read(&task->steps[0], "instruments", name, parts, error);
}

static int instrument_limits(struct admin_task *task, const struct command_line *line, const char *name,
                             struct error *error)
{
    char parts[CONFIG_TEXT_BYTES] = "";
    part_put(parts, sizeof(parts), "reference", line->values[ADMIN_REFERENCE]);
    limits_put(parts, sizeof(parts), line);
    int code = line_read(&task->steps[0], "instruments", name, parts, error);
    task->steps[0].kind = COMMAND_INSTRUMENT_LIMITS;
    task->steps[0].admin.tick_ticks = 0; /* tick and lot stay what they are */
    task->steps[0].admin.lot_quantity = 0;
    return code;
}

static int firm_limits(struct admin_task *task, const struct command_line *line, const char *name, struct error *error)
{
    char parts[CONFIG_TEXT_BYTES] = "";
    part_put(parts, sizeof(parts), "quantity_max", line->values[ADMIN_QUANTITY_MAX]);
    part_put(parts, sizeof(parts), "notional_max", line->values[ADMIN_NOTIONAL_MAX]);
    return line_read(&task->steps[0], "firms", name, parts, error);
}

static int firm_switch(struct admin_task *task, const char *name, bool disables, struct error *error)
{
    task->steps[0].kind = COMMAND_FIRM_SWITCH;
    task->steps[0].act.flag = disables;
    return text_take(task->steps[0].act.firm, FIRM_BYTES, name, "firm", error);
}

static int firm_disable(struct admin_task *task, const struct command_line *line, const char *name, struct error *error)
{
    (void)line;
    return firm_switch(task, name, true, error);
}

static int firm_enable(struct admin_task *task, const struct command_line *line, const char *name, struct error *error)
{
    (void)line;
    return firm_switch(task, name, false, error);
}

static int user_act(struct admin_task *task, const char *name, uint8_t kind, uint8_t flag, struct error *error)
{
    task->steps[0].kind = kind;
    task->steps[0].act.flag = flag;
    return text_take(task->steps[0].act.user, USER_BYTES, name, "user", error);
}

static int user_kick(struct admin_task *task, const struct command_line *line, const char *name, struct error *error)
{
    (void)line;
    return user_act(task, name, COMMAND_SESSION_KICK, 0, error);
}

static int user_block(struct admin_task *task, const struct command_line *line, const char *name, struct error *error)
{
    (void)line;
    return user_act(task, name, COMMAND_SESSION_BLOCK, 1, error);
}

static int user_unblock(struct admin_task *task, const struct command_line *line, const char *name, struct error *error)
{
    (void)line;
    return user_act(task, name, COMMAND_SESSION_BLOCK, 0, error);
}

static int orders_cancel(struct admin_task *task, const struct command_line *line, const char *name,
                         struct error *error)
{
    (void)name;
    struct command_act *act = &task->steps[0].act;
    const char *firm = line->values[ADMIN_FIRM];
    const char *user = line->values[ADMIN_USER];
    const char *symbol = line->values[ADMIN_SYMBOL];
    bool any = firm || user || symbol;
    task->steps[0].kind = COMMAND_ORDERS_CANCEL;
    if (any == (line->values[ADMIN_ALL] != NULL))
        return error_set(error, ERROR_INVALID, "orders cancel", "whose? --firm, --user, --symbol, or --all alone");
    int code = firm ? text_take(act->firm, FIRM_BYTES, firm, "firm", error) : 0;
    if (code == 0 && user)
        code = text_take(act->user, USER_BYTES, user, "user", error);
    if (code == 0 && symbol)
        code = text_take(act->symbol, SYMBOL_BYTES, symbol, "symbol", error);
    return code;
}

static int number_read(const char *word, uint64_t max, uint64_t *ret, const char *what, struct error *error)
{
    char *end = NULL;
    uint64_t number = strtoull(word, &end, 10);
    if (*word < '0' || *word > '9' || *end != '\0' || number == 0 || number > max)
        return error_set(error, ERROR_INVALID, what, "'%s' is not a number from 1 to %llu", word,
                         (unsigned long long)max);
    *ret = number;
    return 0;
}

static int trade_break(struct admin_task *task, const struct command_line *line, const char *name, struct error *error)
{
    static const char *const names[] = {"error", "consent", "supervisory", "external"};
    static const char letters[] = "ECSX";
    const char *reason = line->values[ADMIN_REASON] ? line->values[ADMIN_REASON] : "supervisory";
    struct command *command = &task->steps[0];
    command->kind = COMMAND_TRADE_BREAK;
    for (size_t i = 0; i < 4; i++)
        if (strcmp(reason, names[i]) == 0)
            command->trade.reason = (uint8_t)letters[i];
    if (command->trade.reason == 0)
        return error_set(error, ERROR_INVALID, "--reason", "'%s' is none of error, consent, supervisory, external",
                         reason);
    return number_read(name, UINT64_MAX - 1, &command->trade.match_number, "match number", error);
}

static int gateway_dead(struct admin_task *task, const struct command_line *line, const char *name, struct error *error)
{
    uint64_t gateway = 0;
    (void)line;
    int code = number_read(name, 8, &gateway, "gateway", error);
    task->steps[0].kind = COMMAND_GATEWAY_DEAD;
    task->steps[0].act.target_gateway = (uint8_t)gateway;
    return code;
}

/* ---- days ---- */

static int day_start(struct admin_task *task, const struct command_line *line, const char *name, struct error *error)
{
    uint64_t date = 0;
    time_t now = time(NULL);
    struct tm day = {0};
    (void)line;
    gmtime_r(&now, &day);
    if (*name != '\0') {
        int code = number_read(name, 99991231, &date, "date", error);
        if (code < 0)
            return code;
        day = (struct tm){
            .tm_year = (int)(date / 10000) - 1900, .tm_mon = (int)(date / 100 % 100) - 1, .tm_mday = (int)(date % 100)};
    }
    day.tm_hour = day.tm_min = day.tm_sec = 0;
    struct tm wanted = day;
    time_t midnight = timegm(&day);
    if (midnight < 0 || day.tm_mon != wanted.tm_mon || day.tm_mday != wanted.tm_mday)
        return error_set(error, ERROR_INVALID, "date", "'%s' is no date such as 20261124", name);
    struct command *command = &task->steps[0];
    command->kind = COMMAND_DAY_START;
    command->day.date = (uint32_t)((day.tm_year + 1900) * 10000 + (day.tm_mon + 1) * 100 + day.tm_mday);
    command->day.midnight_ns = (uint64_t)midnight * NS_PER_SECOND;
    return 0;
}

static int day_end(struct admin_task *task, const struct command_line *line, const char *name, struct error *error)
{
    (void)line;
    (void)name;
    (void)error;
    task->steps[0].kind = COMMAND_DAY_END;
    return 0;
}

static int day_close(struct admin_task *task, const struct command_line *line, const char *name, struct error *error)
{
    (void)line;
    (void)name;
    (void)error;
    task->step_count = 3;
    task->steps[0].kind = COMMAND_MARKET_STATE;
    task->steps[0].admin.market_state = 'C';
    task->steps[1].kind = COMMAND_DAY_END;
    task->steps[2].kind = COMMAND_SNAPSHOT_MARK;
    return 0;
}

static int tick(struct admin_task *task, const struct command_line *line, const char *name, struct error *error)
{
    (void)line;
    (void)name;
    (void)error;
    task->steps[0].kind = COMMAND_TICK;
    return 0;
}

static int mark(struct admin_task *task, const struct command_line *line, const char *name, struct error *error)
{
    (void)line;
    (void)name;
    (void)error;
    task->steps[0].kind = COMMAND_SNAPSHOT_MARK;
    return 0;
}

static int reload(struct admin_task *task, const struct command_line *line, const char *name, struct error *error)
{
    (void)line;
    (void)name;
    (void)error;
    task->reloads = true;
    return 0;
}

/* ---- market states ---- */

static int market_state(struct admin_task *task, const struct command_line *line, uint8_t letter, const char *name,
                        struct error *error)
{
    struct command *command = &task->steps[0];
    char parts[CONFIG_TEXT_BYTES] = "";
    struct command values = {0};
    part_put(parts, sizeof(parts), "reference", line->values[ADMIN_REFERENCE]);
    int code = line_read(&values, "instruments", "ALL", parts, error);
    command->kind = COMMAND_MARKET_STATE;
    command->admin.market_state = letter;
    command->admin.reference_ticks = values.admin.reference_ticks;
    if (code < 0 || strcmp(name, "all") == 0)
        return code;
    return text_take(command->admin.symbol, SYMBOL_BYTES, name, "symbol", error);
}

/* ---- which one ---- */

struct action {
    const char *noun;
    const char *verb; /* NULL: none */
    uint8_t letter;   /* of market states: there is no read */
    uint8_t name;     /* 0: it takes none, 1: it may, 2: it must */
    bool destroys;
    int (*read)(struct admin_task *task, const struct command_line *line, const char *name, struct error *error);
};

static const struct action actions[] = {
    {"instrument", "add", 0, 2, false, instrument_add},
    {"instrument", "limits", 0, 2, false, instrument_limits},
    {"pre-open", NULL, 'P', 2, false, NULL},
    {"open", NULL, 'O', 2, false, NULL},
    {"halt", NULL, 'H', 2, false, NULL},
    {"resume", NULL, 'O', 2, false, NULL},
    {"close", NULL, 'C', 2, true, NULL},
    {"extended", NULL, 'X', 2, true, NULL},
    {"firm", "limits", 0, 2, false, firm_limits},
    {"firm", "disable", 0, 2, false, firm_disable},
    {"firm", "enable", 0, 2, false, firm_enable},
    {"orders", "cancel", 0, 0, true, orders_cancel},
    {"trade", "break", 0, 2, true, trade_break},
    {"user", "kick", 0, 2, false, user_kick},
    {"user", "block", 0, 2, false, user_block},
    {"user", "unblock", 0, 2, false, user_unblock},
    {"gateway", "dead", 0, 2, true, gateway_dead},
    {"day", "start", 0, 1, false, day_start},
    {"day", "end", 0, 0, true, day_end},
    {"day", "close", 0, 0, true, day_close},
    {"tick", NULL, 0, 0, false, tick},
    {"mark", NULL, 0, 0, false, mark},
    {"reload", NULL, 0, 0, false, reload},
};

static const struct action *action_find(const struct command_line *line)
{
    for (size_t i = 0; line->operand_count > 0 && i < sizeof(actions) / sizeof(actions[0]); i++) {
        const struct action *action = &actions[i];
        bool same = strcmp(action->noun, line->operands[0]) == 0;
        if (same && (!action->verb || (line->operand_count > 1 && strcmp(action->verb, line->operands[1]) == 0)))
            return action;
    }
    return NULL;
}

int admin_words_read(struct admin_task *ret, const struct command_line *line, struct error *error)
{
    const struct action *action = action_find(line);
    if (!action)
        return error_set(error, ERROR_INVALID, "ringside admin", "%s; ringside admin --help lists the actions",
                         line->operand_count == 0 ? "do what?" : "there is no such action");
    uint32_t words = action->verb ? 2 : 1;
    uint32_t names = line->operand_count - words;
    if (names > 1 || (names == 1 && action->name == 0) || (names == 0 && action->name == 2))
        return error_set(error, ERROR_INVALID, action->noun, "%s",
                         names == 0 ? "which one? a name is missing" : "too many words");
    const char *name = names == 1 ? line->operands[words] : "";
    *ret = (struct admin_task){
        .name = action->verb ? action->verb : action->noun, .destroys = action->destroys, .step_count = 1};
    int code =
        action->read ? action->read(ret, line, name, error) : market_state(ret, line, action->letter, name, error);
    for (uint32_t i = 0; i < ret->step_count; i++) {
        memset(ret->steps[i].admin.operator_name, 0, OPERATOR_NAME_BYTES);
        ret->steps[i].flags = line->values[ADMIN_IF_NEEDED] ? COMMAND_IF_NEEDED : 0;
    }
    return code;
}
