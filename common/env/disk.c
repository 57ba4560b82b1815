/* Which disk is in use. */
#include "env/disk.h"

#include "env/disk_real.h"

static struct disk_side real_side;
static const struct disk_side *side_in_use = &real_side;

__attribute__((constructor)) static void fill_real_side(void)
{
    disk_files_fill(&real_side);
    disk_queue_fill(&real_side);
}

const struct disk_side *disk(void)
{
    return side_in_use;
}

const struct disk_side *disk_real(void)
{
    return &real_side;
}

void disk_replace(const struct disk_side *side)
{
    side_in_use = side ? side : &real_side;
}
