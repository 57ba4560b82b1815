#include "process.h"

#include "base/require.h"
#include "random.h"
#include "ring/hook.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#define ARENA_BYTES   ((size_t)64 << 20)
#define FILL_BYTES    4096 /* as much of a block gets the pattern */
#define FILL          0xa5
#define HEAD_BYTES    16
#define PROCESSES_MAX 16

struct process *process_current;
void (*process_interlude)(void);

static uint8_t *arenas; /* all of them, one behind the other */
static uint32_t arena_count;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *block, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void __real_free(void *block);
void *__real_mmap64(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *start, size_t bytes);
int __real_open64(const char *path, int flags, ...);
int __real_close(int fd);
ssize_t __real_getrandom(void *to, size_t bytes, unsigned flags);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *block, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
void __wrap_free(void *block);
void *__wrap_mmap64(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *start, size_t bytes);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_close(int fd);
ssize_t __wrap_getrandom(void *to, size_t bytes, unsigned flags);

/* ---- running and dying --------------------------------------------------------------------------------------------
 */

bool process_run(struct process *process, void (*work)(void *argument), void *argument)
{
    REQUIRE(!process_current && !process->running);
    process_current = process;
    process->running = true;
    bool survived = setjmp(process->out) == 0;
    if (survived)
        work(argument);
    process_current = NULL;
    process->running = false;
    return survived;
}

static void let_others(struct process *process)
{
    if (!process_interlude || process->interlude_countdown == 0 || --process->interlude_countdown > 0)
        return;
    process_current = NULL;
    process_interlude();
    process_current = process;
}

void process_kill_point(const char *place)
{
    struct process *process = process_current;
    if (!process)
        return;
    let_others(process);
    if (process->kill_countdown == 0 || --process->kill_countdown > 0)
        return;
    process->killed_at = place;
    longjmp(process->out, 1);
}

void ring_hook(const char *place)
{
    process_kill_point(place);
}

void process_drop(struct process *process)
{
    for (uint32_t i = 0; i < process->map_count; i++)
        __real_munmap(process->maps[i].start, process->maps[i].bytes);
    for (uint32_t i = 0; i < process->descriptor_count; i++)
        __real_close(process->descriptors[i]);
    process->map_count = 0;
    process->descriptor_count = 0;
    process->arena_used = 0;
    process->kill_countdown = process->interlude_countdown = 0;
    process->running = false;
}

/* ---- memory -------------------------------------------------------------------------------------------------------
 */

struct block_head {
    uint64_t bytes;
    uint64_t before; /* arena_used before it */
};
_Static_assert(sizeof(struct block_head) == HEAD_BYTES, "keeps blocks aligned");

static void arena_make(struct process *process)
{
    if (!arenas) {
        arenas = __real_mmap64(NULL, PROCESSES_MAX * ARENA_BYTES, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        REQUIRE(arenas != MAP_FAILED);
    }
    REQUIRE(arena_count < PROCESSES_MAX);
    process->arena = arenas + ARENA_BYTES * arena_count++;
}

static void *take(struct process *process, size_t alignment, size_t bytes)
{
    if (!process->arena)
        arena_make(process);
    size_t start = (process->arena_used + HEAD_BYTES + alignment - 1) & ~(alignment - 1);
    REQUIRE(start + bytes <= ARENA_BYTES);
    uint8_t *block = process->arena + start;
    const struct block_head head = {.bytes = bytes, .before = process->arena_used};
    memcpy(block - HEAD_BYTES, &head, sizeof(head));
    process->arena_used = start + bytes;
    memset(block, FILL, bytes < FILL_BYTES ? bytes : FILL_BYTES);
    return block;
}

static bool in_arenas(const void *block)
{
    const uint8_t *byte = block;
    return arenas && byte >= arenas && byte < arenas + PROCESSES_MAX * ARENA_BYTES;
}

static struct block_head head_of(const void *block)
{
    struct block_head head;
    memcpy(&head, (const uint8_t *)block - HEAD_BYTES, sizeof(head));
    return head;
}

/* The last block goes back; others wait for the end of the process. */
static void give(struct process *process, const uint8_t *block)
{
    struct block_head head = head_of(block);
    if (process && block >= process->arena && block + head.bytes == process->arena + process->arena_used)
        process->arena_used = head.before;
}

void *process_outer_realloc(void *block, size_t bytes)
{
    void *larger = __real_realloc(block, bytes);
    REQUIRE(larger);
    return larger;
}

void *__wrap_malloc(size_t bytes)
{
    return process_current ? take(process_current, HEAD_BYTES, bytes) : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    if (!process_current)
        return __real_calloc(count, bytes);
    void *block = take(process_current, HEAD_BYTES, count * bytes);
    return memset(block, 0, count * bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return process_current ? take(process_current, alignment, bytes) : __real_aligned_alloc(alignment, bytes);
}

void *__wrap_realloc(void *block, size_t bytes)
{
    if (!process_current)
        return __real_realloc(block, bytes);
    void *larger = take(process_current, HEAD_BYTES, bytes);
    if (block) {
        size_t before = head_of(block).bytes;
        memcpy(larger, block, before < bytes ? before : bytes);
    }
    return larger;
}

void __wrap_free(void *block)
{
    if (in_arenas(block))
        give(process_current, block);
    else
        __real_free(block);
}

/* ---- mappings and descriptors -------------------------------------------------------------------------------------
 */

void *__wrap_mmap64(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    void *start = __real_mmap64(at, bytes, protection, flags, fd, offset);
    struct process *process = process_current;
    if (process && start != MAP_FAILED) {
        REQUIRE(process->map_count < PROCESS_MAPS_MAX);
        process->maps[process->map_count++] = (struct process_map){.start = start, .bytes = bytes};
    }
    return start;
}

int __wrap_munmap(void *start, size_t bytes)
{
    struct process *process = process_current;
    for (uint32_t i = 0; process && i < process->map_count; i++) {
        if (process->maps[i].start != start)
            continue;
        process->maps[i] = process->maps[--process->map_count];
        break;
    }
    return __real_munmap(start, bytes);
}

int __wrap_open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    int fd = __real_open64(path, flags, mode);
    struct process *process = process_current;
    if (process && fd >= 0) {
        REQUIRE(process->descriptor_count < PROCESS_DESCRIPTORS_MAX);
        process->descriptors[process->descriptor_count++] = fd;
    }
    return fd;
}

int __wrap_close(int fd)
{
    struct process *process = process_current;
    for (uint32_t i = 0; process && i < process->descriptor_count; i++) {
        if (process->descriptors[i] != fd)
            continue;
        process->descriptors[i] = process->descriptors[--process->descriptor_count];
        break;
    }
    return __real_close(fd);
}

/* ---- what would differ from one simulation to the next ------------------------------------------------------------
 */

ssize_t __wrap_getrandom(void *to, size_t bytes, unsigned flags)
{
    if (!process_current)
        return __real_getrandom(to, bytes, flags);
    for (size_t i = 0; i < bytes; i++)
        ((uint8_t *)to)[i] = (uint8_t)random_next();
    return (ssize_t)bytes;
}
