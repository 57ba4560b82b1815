#include "scratch.h"

#include "base/require.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_FOLDERS 16 /* at most, while it is gone over */

static char path[64];

const char *scratch_make(void)
{
    static const char template[] = "/dev/shm/ringside-scratch-XXXXXX";
    memcpy(path, template, sizeof(template));
    REQUIRE(mkdtemp(path));
    return path;
}

static int remove_entry(const char *name, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(name);
}

void scratch_remove(void)
{
    (void)nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}
