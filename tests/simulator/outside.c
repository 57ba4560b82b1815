#include "outside.h"

#include "base/require.h"
#include "base/units.h"
#include "env/clock.h"
#include "log/log.h"
#include "process.h"
#include "random.h"
#include "ringside_engine.h"

#include <crypt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct outside outside;

/* ---- chance -------------------------------------------------------------------------------------------------------
 */

static uint64_t random_state;

uint64_t random_next(void)
{
    random_state += 0x9e3779b97f4a7c15u;
    uint64_t z = random_state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Neighbouring seeds must not be the same stream, a few steps on: so their bits are mixed first. */
void random_seed(uint64_t seed)
{
    random_state = seed * 0xd1342543de82ef95u + 0x2545f4914f6cdd1du;
    random_state = random_next() ^ seed << 32;
}

/* ---- clocks -------------------------------------------------------------------------------------------------------
 */

uint64_t clock_thread_ns(void)
{
    return 0; /* steps take no time here */
}

uint64_t clock_monotonic_ns(void)
{
    return outside.now_ns;
}

uint64_t clock_realtime_ns(void)
{
    return outside.now_ns + (uint64_t)outside.realtime_ns;
}

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
    (void)left;
    outside.now_ns += (uint64_t)wanted->tv_sec * NS_PER_SECOND + (uint64_t)wanted->tv_nsec;
    return 0;
}

/* ---- trace and log ------------------------------------------------------------------------------------------------
 */

static void print_line(const char *who, const char *text)
{
    fprintf(stderr, "%12.6f %-12s %s\n", (double)outside.now_ns / (double)NS_PER_SECOND, who, text);
}

void trace_line(const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    print_line(process_current ? process_current->name : "-", text);
}

void violation(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(outside.violation, sizeof(outside.violation), format, arguments);
    va_end(arguments);
    process_current = NULL;
    TRACE("violation: %s", outside.violation);
    longjmp(outside.found, 1);
}

void noticed(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    process_current = NULL;
    outside.noticed = true;
    TRACE("noticed: %s", text);
    longjmp(outside.found, 1);
}

void require_failed(const char *expression, const char *file, int line)
{
    const char *name = strrchr(file, '/');
    violation("%s: an assertion fails, %s:%d: %s", process_current ? process_current->name : "simulator",
              name ? name + 1 : file, line, expression);
}

void log_open(const char *stage, enum config_log_level level)
{
    (void)stage;
    (void)level;
}

void log_set_level(enum config_log_level level)
{
    (void)level;
}

void log_set_stage(const char *stage)
{
    (void)stage;
}

void log_line(enum config_log_level level, const char *fields, const char *format, ...)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    if (!outside.tracing)
        return;
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    trace_line("%s: %s %s", names[level], text, fields ? fields : "");
}

void log_error(const struct error *error, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    snprintf(outside.last_error, sizeof(outside.last_error), "%.100s: %.120s: %.280s", text, error->where, error->what);
    TRACE("error: %s", outside.last_error);
}

/* ---- passwords: a hash that takes no time -------------------------------------------------------------------------
 */

char *__wrap_crypt_rn(const char *phrase, const char *setting, void *data, int size);
char *__wrap_crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
    (void)setting;
    snprintf(data, (size_t)size, "%s", strcmp(phrase, OUTSIDE_PASSWORD) == 0 ? OUTSIDE_PASSWORD_HASH : "*wrong");
    return data;
}

/* ---- engines: small ones, which are made quickly ------------------------------------------------------------------
 */

size_t __real_engine_bytes(const struct engine_limits *limits);
struct engine *__real_engine_create(void *memory, const struct engine_limits *limits);
size_t __wrap_engine_bytes(const struct engine_limits *limits);
struct engine *__wrap_engine_create(void *memory, const struct engine_limits *limits);

static struct engine_limits smaller(const struct engine_limits *limits)
{
    struct engine_limits small = *limits;
    small.trades_max = 1024;
    small.checkpoint_commands = outside.checkpoint_commands;
    return small;
}

size_t __wrap_engine_bytes(const struct engine_limits *limits)
{
    const struct engine_limits small = smaller(limits);
    return __real_engine_bytes(&small);
}

struct engine *__wrap_engine_create(void *memory, const struct engine_limits *limits)
{
    const struct engine_limits small = smaller(limits);
    struct engine *engine = __real_engine_create(memory, &small);
    if (process_current && strcmp(process_current->name, "matcher") == 0)
        outside.engine = engine;
    return engine;
}
