#include "lobster_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define EMPTY_PRICE 9999999999 /* of a level that is not there; negative on the bid side */

int lobster_open(struct lobster_file *file, const char *messages, const char *answers)
{
    *file = (struct lobster_file){0};
    file->messages = fopen(messages, "re");
    if (!file->messages)
        fprintf(stderr, "ringside load: %s: %s\n", messages, strerror(errno));
    file->answers = file->messages ? fopen(answers, "re") : NULL;
    if (file->messages && !file->answers)
        fprintf(stderr, "ringside load: %s: %s\n", answers, strerror(errno));
    if (file->answers)
        return 0;
    lobster_close(file);
    return -1;
}

void lobster_close(struct lobster_file *file)
{
    if (file->messages)
        fclose(file->messages);
    if (file->answers)
        fclose(file->answers);
    free(file->line);
    *file = (struct lobster_file){0};
}

/* One integer and what separates it from the next; false at the end or where there is none. */
static bool take_integer(const char **at, int64_t *ret)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(*at, &end, 10);
    if (end == *at || errno != 0)
        return false;
    *ret = value;
    *at = *end == ',' ? end + 1 : end;
    return true;
}

static bool read_event(const char *line, struct lobster_event *event)
{
    const char *at = strchr(line, ',');
    int64_t direction = 0;
    if (!at)
        return false;
    at++;
    if (!take_integer(&at, &event->type) || !take_integer(&at, &event->id) || !take_integer(&at, &event->quantity) ||
        !take_integer(&at, &event->price_ticks) || !take_integer(&at, &direction))
        return false;
    event->side = direction == 1 ? LOBSTER_BID : LOBSTER_ASK;
    return true;
}

static bool read_row(const char *line, struct lobster_row *row)
{
    const char *at = line;
    row->shown = 0;
    row->count[LOBSTER_ASK] = row->count[LOBSTER_BID] = 0;
    while (*at && *at != '\n' && *at != '\r') {
        if (row->shown == LOBSTER_LEVELS_MAX)
            return false;
        for (int side = 0; side < LOBSTER_SIDES; side++) {
            struct lobster_level level;
            if (!take_integer(&at, &level.price_ticks) || !take_integer(&at, &level.quantity))
                return false;
            if (level.quantity > 0 && llabs(level.price_ticks) != EMPTY_PRICE)
                row->levels[side][row->count[side]++] = level;
        }
        row->shown++;
    }
    return row->shown > 0;
}

int lobster_next(struct lobster_file *file, struct lobster_event *event, struct lobster_row *row)
{
    ssize_t bytes = getline(&file->line, &file->line_room, file->messages);
    file->line_number++;
    if (bytes <= 0)
        return 0;
    const char *wrong = NULL;
    if (!read_event(file->line, event))
        wrong = "the message file's line is not time,type,id,size,price,direction";
    else if (getline(&file->line, &file->line_room, file->answers) <= 0)
        wrong = "the orderbook file ends before the message file";
    else if (!read_row(file->line, row))
        wrong = "the orderbook file's line is not four numbers a level";
    if (!wrong)
        return 1;
    fprintf(stderr, "ringside load: line %llu: %s\n", (unsigned long long)file->line_number, wrong);
    return -1;
}
