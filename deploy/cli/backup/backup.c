/* `ringside backup DIR`, `ringside backup verify DIR`, `ringside backup restore DIR`. */
#include "../cli.h"
#include "backup_cli.h"
#include "stage/stage.h"

#include <stdlib.h>
#include <string.h>

static const char *const folders[BACKUP_KINDS] = {
    [BACKUP_JOURNAL] = "journal", [BACKUP_EVENTS] = "events", [BACKUP_SNAPSHOTS] = "snapshots", [BACKUP_ETC] = "etc"};

const char *backup_folder(enum backup_kind kind)
{
    return folders[kind];
}

int backup_set_add(struct backup_set *set, enum backup_kind kind, const char *name, int file, uint64_t bytes,
                   struct error *error)
{
    int result = 0;
    if (set->count == set->room) {
        uint32_t room = set->room ? 2 * set->room : 64;
        struct backup_item *items = realloc(set->items, room * sizeof(*items));
        if (items) {
            set->items = items;
            set->room = room;
        } else {
            result = error_set(error, ERROR_SYSTEM, name, "no memory for the list of files");
        }
    }
    if (result == 0 && strlen(name) >= BACKUP_NAME_BYTES)
        result = error_set(error, ERROR_INVALID, name, "the name is too long");
    if (result < 0) {
        disk()->close(file);
        return result;
    }
    struct backup_item *item = &set->items[set->count++];
    *item = (struct backup_item){.kind = kind, .file = file, .bytes = bytes};
    memcpy(item->name, name, strlen(name) + 1);
    set->bytes_total += bytes;
    return 0;
}

void backup_set_finish(struct backup_set *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        disk()->close(set->items[i].file);
    free(set->items);
    *set = (struct backup_set){0};
}

int backup_main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "verify") == 0)
        return backup_verify_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "restore") == 0)
        return backup_restore_main(argc - 1, argv + 1);
    return backup_make_main(argc, argv);
}
