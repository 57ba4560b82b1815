#include "show/names.h"

#include <stdlib.h>
#include <string.h>

static int put(struct name_list *list, uint32_t number, const char *name, uint32_t name_bytes)
{
    if (number >= list->room) {
        uint32_t room = number < 512 ? 1024 : 2 * number;
        char(*grown)[NAME_BYTES] = realloc(list->names, room * sizeof(*grown));
        if (!grown)
            return -1;
        memset(grown + list->room, 0, (room - list->room) * sizeof(*grown));
        list->names = grown;
        list->room = room;
    }
    while (name_bytes > 0 && name[name_bytes - 1] == ' ')
        name_bytes--;
    memcpy(list->names[number], name, name_bytes);
    list->names[number][name_bytes] = '\0';
    return 0;
}

int names_note(struct names *names, const struct event *event)
{
    if (event->kind == EVENT_INSTRUMENT_ADDED)
        return put(&names->instruments, event->instrument, event->admin.symbol, sizeof(event->admin.symbol));
    if (event->kind == EVENT_LOGIN_ACCEPTED)
        return put(&names->sessions, event->session, event->login.user, sizeof(event->login.user));
    return 0;
}

static const char *get(const struct name_list *list, uint32_t number)
{
    return number < list->room ? list->names[number] : "";
}

const char *names_instrument(const struct names *names, uint32_t instrument)
{
    return get(&names->instruments, instrument);
}

const char *names_user(const struct names *names, uint32_t session)
{
    return get(&names->sessions, session);
}

void names_finish(struct names *names)
{
    free(names->instruments.names);
    free(names->sessions.names);
    *names = (struct names){0};
}
