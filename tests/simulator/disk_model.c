#include "disk_model.h"

#include "base/require.h"
#include "outside.h"
#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX   256
#define CHANGES_MAX 1024
#define PATH_BYTES  160
#define HALF        500000 /* in a million */

struct names {
    uint32_t count;
    struct name {
        char path[PATH_BYTES];
        int file;
    } all[NAMES_MAX];
};

enum change_kind { CHANGE_CREATE, CHANGE_REMOVE, CHANGE_RENAME };

struct change {
    enum change_kind kind;
    uint64_t number;
    int file;
    char path[PATH_BYTES];
    char to[PATH_BYTES];
};

static struct {
    struct disk_file *files[DISK_FILES_MAX];
    uint32_t file_count;
    uint64_t capacity;
    struct names now;
    struct names medium;
    struct change changes[CHANGES_MAX]; /* those that the medium lacks */
    uint32_t change_count;
    uint64_t change_number;
} model;

void disk_model_begin(void)
{
    for (uint32_t i = 0; i < model.file_count; i++) {
        free(model.files[i]->now);
        free(model.files[i]->medium);
        free(model.files[i]->dirty);
        free(model.files[i]);
    }
    model.file_count = model.now.count = model.medium.count = model.change_count = 0;
    model.change_number = 0;
    model.capacity = UINT64_MAX;
}

/* ---- names --------------------------------------------------------------------------------------------------------
 */

static struct name *find(struct names *names, const char *path)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (strcmp(names->all[i].path, path) == 0)
            return &names->all[i];
    return NULL;
}

static void apply(struct names *names, const struct change *change)
{
    struct name *name = find(names, change->path);
    if (change->kind == CHANGE_CREATE) {
        REQUIRE(!name && names->count < NAMES_MAX);
        name = &names->all[names->count++];
        memcpy(name->path, change->path, PATH_BYTES);
        name->file = change->file;
        return;
    }
    REQUIRE(name);
    if (change->kind == CHANGE_RENAME) {
        struct name *taken = find(names, change->to);
        memcpy(name->path, change->to, PATH_BYTES);
        name = taken;
    }
    if (name)
        *name = names->all[--names->count];
}

static struct change *change_new(enum change_kind kind, const char *path)
{
    REQUIRE(model.change_count < CHANGES_MAX && strlen(path) < PATH_BYTES);
    struct change *change = &model.changes[model.change_count++];
    *change = (struct change){.kind = kind, .number = model.change_number++};
    snprintf(change->path, PATH_BYTES, "%s", path);
    return change;
}

int disk_name_find(const char *path)
{
    const struct name *name = find(&model.now, path);
    return name ? name->file : -1;
}

int disk_name_create(const char *path)
{
    REQUIRE(model.file_count < DISK_FILES_MAX);
    struct disk_file *file = process_outer_realloc(NULL, sizeof(*file));
    *file = (struct disk_file){0};
    model.files[model.file_count] = file;
    struct change *change = change_new(CHANGE_CREATE, path);
    change->file = (int)model.file_count++;
    apply(&model.now, change);
    return change->file;
}

void disk_name_remove(const char *path)
{
    apply(&model.now, change_new(CHANGE_REMOVE, path));
}

void disk_name_rename(const char *from, const char *to)
{
    struct change *change = change_new(CHANGE_RENAME, from);
    snprintf(change->to, PATH_BYTES, "%s", to);
    apply(&model.now, change);
}

static bool lies_in(const char *path, const char *directory)
{
    size_t bytes = strlen(directory);
    return strncmp(path, directory, bytes) == 0 && path[bytes] == '/' && !strchr(path + bytes + 1, '/');
}

void disk_name_list(const char *directory, disk_visitor *visitor, void *argument)
{
    uint32_t count = model.now.count;
    uint32_t first = count > 0 ? (uint32_t)random_below(count) : 0;
    for (uint32_t i = 0; i < count; i++) {
        const char *path = model.now.all[(first + i) % count].path;
        if (lies_in(path, directory))
            visitor(argument, path + strlen(directory) + 1);
    }
}

uint64_t disk_names_mark(void)
{
    return model.change_number;
}

/* The medium takes the changes of a directory for which `wanted` is left, in their order. */
static void take_changes(const char *directory, uint64_t mark, uint32_t most)
{
    uint32_t kept = 0;
    uint32_t taken = 0;
    for (uint32_t i = 0; i < model.change_count; i++) {
        struct change *change = &model.changes[i];
        if (change->number < mark && taken < most && lies_in(change->path, directory)) {
            apply(&model.medium, change);
            taken++;
        } else {
            if (lies_in(change->path, directory))
                most = 0; /* what follows builds on it */
            model.changes[kept++] = *change;
        }
    }
    model.change_count = kept;
}

void disk_names_sync(const char *directory, uint64_t mark)
{
    take_changes(directory, mark, UINT32_MAX);
}

/* ---- contents -----------------------------------------------------------------------------------------------------
 */

struct disk_file *disk_file_of(int index)
{
    REQUIRE(index >= 0 && (uint32_t)index < model.file_count);
    return model.files[index];
}

static uint8_t *longer(uint8_t *bytes, uint64_t before, uint64_t after)
{
    uint8_t *larger = process_outer_realloc(bytes, after);
    memset(larger + before, 0, after - before);
    return larger;
}

static void make_room(struct disk_file *file, uint64_t bytes)
{
    uint64_t room = (bytes + DISK_BLOCK_BYTES - 1) / DISK_BLOCK_BYTES * DISK_BLOCK_BYTES;
    if (room <= file->room)
        return;
    if (room < 2 * file->room)
        room = 2 * file->room;
    file->now = longer(file->now, file->room, room);
    file->medium = longer(file->medium, file->room, room);
    file->dirty = longer(file->dirty, file->room / SECTOR_BYTES, room / SECTOR_BYTES);
    file->room = room;
}

bool disk_file_grow(struct disk_file *file, uint64_t bytes)
{
    if (bytes <= file->bytes)
        return true;
    if (disk_used_bytes() + bytes - file->bytes > model.capacity)
        return false;
    make_room(file, bytes);
    file->bytes = bytes;
    return true;
}

static void settle_sector(struct disk_file *file, uint64_t sector)
{
    memcpy(file->medium + sector * SECTOR_BYTES, file->now + sector * SECTOR_BYTES, SECTOR_BYTES);
    file->dirty[sector] = 0;
}

void disk_file_write(struct disk_file *file, uint64_t offset, const uint8_t *from, uint64_t bytes, bool durable)
{
    if (bytes == 0)
        return;
    REQUIRE(offset + bytes <= file->bytes);
    uint64_t first = offset / SECTOR_BYTES, last = (offset + bytes - 1) / SECTOR_BYTES;
    for (uint64_t sector = first; sector <= last; sector++) {
        /* What a sync that has begun will have written is there; else it may be there by itself. */
        bool owed = file->dirty[sector] == DIRTY && file->syncs_in_flight > 0;
        if (file->dirty[sector] != 0 && (owed || random_chance(HALF)))
            settle_sector(file, sector);
    }
    memcpy(file->now + offset, from, bytes);
    for (uint64_t sector = first; sector <= last; sector++) {
        file->dirty[sector] = file->syncs_in_flight > 0 ? DIRTY_SINCE : DIRTY;
        if (durable)
            settle_sector(file, sector);
    }
    if (durable && file->medium_bytes < offset + bytes)
        file->medium_bytes = offset + bytes;
}

void disk_file_truncate(struct disk_file *file, uint64_t bytes)
{
    if (bytes < file->bytes)
        memset(file->now + bytes, 0, file->bytes - bytes);
    else
        make_room(file, bytes);
    file->bytes = bytes;
}

void disk_file_sync_begin(struct disk_file *file)
{
    for (uint64_t sector = 0; sector < file->room / SECTOR_BYTES; sector++)
        if (file->dirty[sector] != 0)
            file->dirty[sector] = DIRTY;
    file->syncs_in_flight++;
}

void disk_file_sync_end(struct disk_file *file, bool failed)
{
    REQUIRE(file->syncs_in_flight > 0);
    file->syncs_in_flight--;
    for (uint64_t sector = 0; sector < file->room / SECTOR_BYTES; sector++) {
        if (file->dirty[sector] != DIRTY)
            continue;
        if (failed && random_chance(HALF))
            file->dirty[sector] = 0; /* forgotten */
        else if (!failed)
            settle_sector(file, sector);
    }
    if (!failed)
        file->medium_bytes = file->bytes;
}

/* ---- the whole ----------------------------------------------------------------------------------------------------
 */

uint64_t disk_used_bytes(void)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < model.now.count; i++)
        bytes += model.files[model.now.all[i].file]->bytes;
    return bytes;
}

uint64_t disk_free_bytes(void)
{
    uint64_t used = disk_used_bytes();
    return used < model.capacity ? model.capacity - used : 0;
}

void disk_capacity_set(uint64_t bytes)
{
    model.capacity = bytes;
}

static void file_power_cut(struct disk_file *file)
{
    uint64_t bytes = random_chance(HALF) ? file->bytes : file->medium_bytes;
    uint32_t survive = random_chance(HALF) ? (uint32_t)random_below(1000001) : random_chance(HALF) ? 0 : 1000000;
    for (uint64_t sector = 0; sector < file->room / SECTOR_BYTES; sector++) {
        if (file->dirty[sector] != 0 && random_chance(survive))
            settle_sector(file, sector);
        file->dirty[sector] = 0;
    }
    if (bytes < file->room)
        memset(file->medium + bytes, 0, file->room - bytes);
    if (file->room > 0)
        memcpy(file->now, file->medium, file->room);
    file->bytes = file->medium_bytes = bytes;
    file->syncs_in_flight = 0;
}

static void names_power_cut(void)
{
    while (model.change_count > 0) {
        char directory[PATH_BYTES];
        memcpy(directory, model.changes[0].path, PATH_BYTES);
        *strrchr(directory, '/') = '\0';
        take_changes(directory, UINT64_MAX, (uint32_t)random_below(model.change_count + 1));
        uint32_t kept = 0; /* the rest is lost */
        for (uint32_t i = 0; i < model.change_count; i++)
            if (!lies_in(model.changes[i].path, directory))
                model.changes[kept++] = model.changes[i];
        model.change_count = kept;
    }
    model.now = model.medium;
}

void disk_model_power_cut(void)
{
    for (uint32_t i = 0; i < model.file_count; i++)
        file_power_cut(model.files[i]);
    names_power_cut();
}

bool disk_model_flip(const char *part)
{
    struct disk_file *candidates[NAMES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < model.now.count; i++)
        if (strstr(model.now.all[i].path, part) && model.files[model.now.all[i].file]->bytes > 0)
            candidates[count++] = model.files[model.now.all[i].file];
    if (count == 0)
        return false;
    struct disk_file *file = candidates[random_below(count)];
    uint64_t used = file->bytes;
    while (used > SECTOR_BYTES && file->now[used - 1] == 0) /* most of what is prepared is zeros: hit the rest */
        used--;
    uint64_t offset = random_below(used);
    uint8_t bit = (uint8_t)(1u << random_below(8));
    file->now[offset] ^= bit;
    file->medium[offset] ^= bit;
    TRACE("a bit flips at %llu of a file of %llu bytes", (unsigned long long)offset, (unsigned long long)file->bytes);
    return true;
}
