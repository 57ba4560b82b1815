#include "memory.h"

#include "base/units.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#define HUGE_PAGE_BYTES ((size_t)2 * MIB)

int memory_open(struct memory *memory, size_t bytes, struct error *error)
{
    size_t rounded = (bytes + HUGE_PAGE_BYTES - 1) & ~(HUGE_PAGE_BYTES - 1);
    size_t mapped_bytes = rounded + HUGE_PAGE_BYTES;
    void *mapped = mmap(NULL, mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        return error_system(error, errno, "[engine]", "no memory for %zu bytes: the limits ask for too much",
                            mapped_bytes);
    uintptr_t start = ((uintptr_t)mapped + HUGE_PAGE_BYTES - 1) & ~(uintptr_t)(HUGE_PAGE_BYTES - 1);
    *memory = (struct memory){.mapped = mapped, .mapped_bytes = mapped_bytes, .start = (void *)start};
    /* Both may be refused (an older kernel); then pages come as they are touched. */
    (void)madvise(memory->start, rounded, MADV_HUGEPAGE);
    if (madvise(memory->start, rounded, MADV_POPULATE_WRITE) != 0 && errno == ENOMEM) {
        memory_close(memory);
        return error_set(error, ERROR_FULL, "[engine]", "no memory for %zu bytes: the limits ask for too much",
                         rounded);
    }
    return 0;
}

void memory_close(struct memory *memory)
{
    if (memory->mapped)
        munmap(memory->mapped, memory->mapped_bytes);
    *memory = (struct memory){0};
}
