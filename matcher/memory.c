#include "memory.h"

#include "base/units.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#define HUGE_PAGE_BYTES ((size_t)2 * MIB)

static int too_much(size_t bytes, struct error *error)
{
    return error_set(error, ERROR_FULL, "[engine]", "no memory for %zu bytes: the limits ask for too much", bytes);
}

int memory_open(struct memory *memory, size_t bytes, struct error *error)
{
    size_t rounded = (bytes + HUGE_PAGE_BYTES - 1) & ~(HUGE_PAGE_BYTES - 1);
    size_t mapped_bytes = rounded + HUGE_PAGE_BYTES;
    void *mapped = mmap(NULL, mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        return too_much(mapped_bytes, error);
    uintptr_t start = ((uintptr_t)mapped + HUGE_PAGE_BYTES - 1) & ~(uintptr_t)(HUGE_PAGE_BYTES - 1);
    *memory = (struct memory){
        .mapped = mapped, .mapped_bytes = mapped_bytes, .start = (void *)start, .absent_bytes = rounded};
    (void)madvise(memory->start, rounded, MADV_HUGEPAGE); /* may be refused */
    return 0;
}

int memory_populate(struct memory *memory, size_t bytes, struct error *error)
{
    size_t part = (bytes + HUGE_PAGE_BYTES - 1) & ~(HUGE_PAGE_BYTES - 1);
    part = part < memory->absent_bytes ? part : memory->absent_bytes;
    if (part == 0)
        return 0;
    size_t rounded = memory->mapped_bytes - HUGE_PAGE_BYTES;
    uint8_t *from = (uint8_t *)memory->start + (rounded - memory->absent_bytes);
    memory->absent_bytes -= part;
    if (madvise(from, part, MADV_POPULATE_WRITE) == 0)
        return 1;
    memory->absent_bytes = 0; /* refused (an older kernel): then pages come as they are touched */
    return errno == ENOMEM ? too_much(rounded, error) : 0;
}

void memory_close(struct memory *memory)
{
    if (memory->mapped)
        munmap(memory->mapped, memory->mapped_bytes);
    *memory = (struct memory){0};
}
