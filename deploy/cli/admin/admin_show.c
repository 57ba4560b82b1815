/* What came of it: one line for a person, one JSON object a line for a program. */
#include "admin_cli.h"
#include "persister/encode_names.h"
#include "stage/stage.h"
#include "view/json_text.h"

#include <stdio.h>
#include <string.h>

typedef unsigned long long ull;

static void trimmed(char *text, const char *field, size_t bytes)
{
    while (bytes > 0 && (field[bytes - 1] == ' ' || field[bytes - 1] == '\0'))
        bytes--;
    memcpy(text, field, bytes);
    text[bytes] = '\0';
}

static void show_json(const struct admin_reply *reply)
{
    char text[32];
    const struct event *event = &reply->acted;
    const struct event_acted *acted = &event->acted;
    const char *why = name_refusal(acted->why);
    printf("{\"done\":%s,\"action\":\"%s\",\"refused\":", acted->why == 0 ? "true" : "false",
           name_action(acted->kind, acted->flag));
    if (why)
        json_text_print(stdout, why);
    else
        printf("null");
    trimmed(text, acted->operator_name, OPERATOR_NAME_BYTES);
    printf(",\"refused_code\":%u,\"operator\":", acted->why);
    json_text_print(stdout, text);
    printf(",\"operator_id\":%u,\"instrument\":%u", acted->operator_id, event->instrument);
    bool has_symbol = reply->told.kind >= EVENT_INSTRUMENT_ADDED && reply->told.kind <= EVENT_LIMITS_CHANGED;
    if (has_symbol) {
        trimmed(text, reply->told.admin.symbol, SYMBOL_BYTES);
        printf(",\"symbol\":");
        json_text_print(stdout, text);
    }
    printf(",\"canceled\":%u,\"trades\":%u,\"command_seq\":%llu,\"event_seq\":%llu,\"time_ns\":%llu}\n",
           reply->canceled, reply->trades, (ull)event->command_seq, (ull)event->event_seq, (ull)event->time_ns);
}

static void show_line(const struct admin_reply *reply)
{
    const struct event_acted *acted = &reply->acted.acted;
    if (acted->why != 0) {
        printf("refused: %s: %s (command %llu)\n", name_action(acted->kind, acted->flag), name_refusal(acted->why),
               (ull)reply->acted.command_seq);
        return;
    }
    printf("done: %s", name_action(acted->kind, acted->flag));
    if (reply->told.kind == EVENT_INSTRUMENT_ADDED)
        printf(", it is number %u", reply->acted.instrument);
    if (reply->canceled > 0)
        printf(", %u orders canceled", reply->canceled);
    if (reply->trades > 0)
        printf(", %u trades", reply->trades);
    printf(" (command %llu, event %llu)\n", (ull)reply->acted.command_seq, (ull)reply->acted.event_seq);
}

static int show_reloaded(const struct admin_reply *reply, bool json)
{
    if (json)
        printf("{\"done\":%u,\"refused\":%u}\n", reply->done, reply->refused);
    else
        printf("reloaded: %u instruments and firms as the configuration has them, %u refused\n", reply->done,
               reply->refused);
    if (reply->refused > 0)
        fprintf(stderr, "ringside admin: the first that was refused: %s: %s (command %llu)\n",
                name_action(reply->acted.acted.kind, 0), name_refusal(reply->acted.acted.why),
                (ull)reply->acted.command_seq);
    return reply->refused > 0 ? EXIT_ADMIN_REFUSED : EXIT_STAGE_OK;
}

int admin_show(const struct admin_reply *reply, bool json)
{
    switch ((enum admin_status)reply->status) {
    case ADMIN_ANSWERED:
        if (json)
            show_json(reply);
        else
            show_line(reply);
        return reply->acted.acted.why == 0 ? EXIT_STAGE_OK : EXIT_ADMIN_REFUSED;
    case ADMIN_RELOADED:
        return show_reloaded(reply, json);
    case ADMIN_DENIED:
        fprintf(stderr, "ringside admin: %s\n", reply->text);
        return EXIT_ADMIN_DENIED;
    case ADMIN_INVALID:
        fprintf(stderr, "ringside admin: %s\n", reply->text);
        return EXIT_STAGE_USAGE;
    case ADMIN_BUSY:
    case ADMIN_FAILED:
    default:
        fprintf(stderr, "ringside admin: %s\n", reply->text);
        return EXIT_STAGE_FAILED;
    }
}
