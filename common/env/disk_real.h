/* The parts of the real disk. Private to common/env. */
#ifndef RINGSIDE_ENV_DISK_REAL_H
#define RINGSIDE_ENV_DISK_REAL_H

#include "env/disk.h"

/* The code for an errno of a read, write or sync. */
int disk_error(struct error *error, int errno_value, const char *where, const char *doing);

void disk_files_fill(struct disk_side *side);
void disk_queue_fill(struct disk_side *side);

#endif
