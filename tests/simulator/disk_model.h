/*
 * The simulated disk: files and their names, each twice: as processes see them now, and as the medium has them.
 *
 * Fault model
 *   1. A write changes what is seen. It reaches the medium when it is durable itself, when a sync that began after it
 *      completes, or at any time on its own account, sector by sector of 512 bytes, in any order.
 *   2. A power cut leaves the medium: of each file, any subset of the sectors that were not synced; its old or its new
 *      size; of each directory, any first part of the changes since it was synced. A sync of a file says nothing about
 *      its name.
 *   3. A write in flight when its process is killed lands later, as a whole, in part (a first part) or not at all; when
 *      the power goes, any subset of its sectors has landed.
 *   4. A sync that fails forgets what it should have written: the pages count as clean, are seen until the power goes,
 *      and are not on the medium.
 *   5. Damage, where a plan asks for it: a bit flips, a durable write is lost or goes to another place of its file.
 *
 * Recovery must survive 1 to 4 without losing what was acknowledged. It cannot always survive 5, but must notice.
 */
#ifndef RINGSIDE_SIMULATOR_DISK_MODEL_H
#define RINGSIDE_SIMULATOR_DISK_MODEL_H

#include "env/disk.h"
#include "process.h"

#include <stdbool.h>
#include <stdint.h>

#define SECTOR_BYTES   512u
#define DISK_FILES_MAX 4096

struct disk_file {
    uint8_t *now;
    uint8_t *medium;
    uint8_t *dirty; /* by sector: 0, DIRTY, or DIRTY_SINCE a sync that is in flight began */
    uint64_t bytes;
    uint64_t medium_bytes;
    uint64_t room; /* allocated; what lies beyond `bytes` is zero */
    uint32_t syncs_in_flight;
};

enum { DIRTY = 1, DIRTY_SINCE = 2 };

/* Empties it. */
void disk_model_begin(void);

/* ---- names ---- */

/* The file of that name, or -1. */
int disk_name_find(const char *path);
/* A new empty file under a name that is free. */
int disk_name_create(const char *path);
void disk_name_remove(const char *path);
void disk_name_rename(const char *from, const char *to);
/* The names in a directory, in an order of chance. */
void disk_name_list(const char *directory, disk_visitor *visitor, void *argument);

/* How many changes of names there have been; a sync that began then makes those durable when it completes. */
uint64_t disk_names_mark(void);
void disk_names_sync(const char *directory, uint64_t mark);

/* ---- contents ---- */

struct disk_file *disk_file_of(int index);

/* Makes the file at least so long. false: no space. */
bool disk_file_grow(struct disk_file *file, uint64_t bytes);
/* The caller has grown it. */
void disk_file_write(struct disk_file *file, uint64_t offset, const uint8_t *from, uint64_t bytes, bool durable);
void disk_file_truncate(struct disk_file *file, uint64_t bytes);
void disk_file_sync_begin(struct disk_file *file);
void disk_file_sync_end(struct disk_file *file, bool failed);

/* ---- the whole ---- */

/* Bytes of all files together, and how many there may be. */
uint64_t disk_used_bytes(void);
void disk_capacity_set(uint64_t bytes);
uint64_t disk_free_bytes(void);

/* What is left when the power goes; sectors in flight have been written or not by then. */
void disk_model_power_cut(void);

/* Flips a bit of some file whose name has `part` in it, now and on the medium. false: there is none. */
bool disk_model_flip(const char *part);

#endif
