#include "stage/lock_memory.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

static bool limit_is_infinite(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
}

int lock_memory(enum config_lock_memory wanted, bool *ret_locked, struct error *error)
{
    *ret_locked = false;
    if (wanted == LOCK_MEMORY_NO || (wanted == LOCK_MEMORY_AUTO && !limit_is_infinite()))
        return 0;
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0) {
        *ret_locked = true;
        return 0;
    }
    if (wanted == LOCK_MEMORY_AUTO)
        return 0;
    return error_system(error, errno, "exchange.lock_memory", "cannot lock memory; raise LimitMEMLOCK to infinity");
}
