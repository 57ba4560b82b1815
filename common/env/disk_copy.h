/* Whole files, for who moves them to another file system. Slow, and never on a stage's path. */
#ifndef RINGSIDE_ENV_DISK_COPY_H
#define RINGSIDE_ENV_DISK_COPY_H

#include "base/error.h"

/*
 * Under another name (".new") until it is whole and synced; what an earlier attempt left is written over. The directory
 * is for the caller to sync.
 */
int disk_copy(const char *from_path, const char *to_path, struct error *error);

/* Whether a file holds what another one does. 1, 0, or a negative error. */
int disk_same(const char *left_path, const char *right_path, struct error *error);

/* Syncs what names are in a directory. */
int disk_sync_directory(const char *directory, struct error *error);

#endif
