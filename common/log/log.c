/*
 * The log's two ends: systemd's journal, and stderr for everything else.
 *
 * Rules
 *   1. The journal is used where $JOURNAL_STREAM names stderr's own device and inode, as systemd.exec(5) has it: it is
 *      then certain that whoever reads stderr reads the journal.
 *   2. A line on stderr is one write, so that processes that share it never mix theirs.
 *   3. A line that cannot be written is lost: the log never stops a stage.
 */
#include "log/log.h"

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES     1536
#define FIELDS_MAX     24
#define FIELD_BYTES    1024
#define JOURNAL_PREFIX "RINGSIDE_"

static struct {
    const char *stage;
    enum config_log_level level;
    bool to_journal;
} log_state = {.stage = "ringside", .level = LOG_LEVEL_INFO};

static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat status;
    char own[64];
    if (!stream || fstat(STDERR_FILENO, &status) != 0)
        return false;
    snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);
    return strcmp(stream, own) == 0;
}

void log_open(const char *stage, enum config_log_level level)
{
    log_state.stage = stage;
    log_state.level = level;
    log_state.to_journal = stderr_is_journal();
}

void log_set_level(enum config_log_level level)
{
    log_state.level = level;
}

void log_set_stage(const char *stage)
{
    log_state.stage = stage;
}

/* ---- the journal --------------------------------------------------------------------------------------------------
 */

struct fields {
    char text[FIELD_BYTES];
    size_t used;
    struct iovec vector[FIELDS_MAX];
    int count;
};

/* Ends the field that begins at `from`. What does not fit is left out. */
static void fields_add(struct fields *fields, const char *name, size_t name_bytes, const char *value,
                       size_t value_bytes)
{
    size_t bytes = name_bytes + 1 + value_bytes;
    if (fields->count == FIELDS_MAX || fields->used + bytes > sizeof(fields->text))
        return;
    char *at = fields->text + fields->used;
    memcpy(at, name, name_bytes);
    at[name_bytes] = '=';
    memcpy(at + name_bytes + 1, value, value_bytes);
    fields->vector[fields->count++] = (struct iovec){.iov_base = at, .iov_len = bytes};
    fields->used += bytes;
}

/* One of ours: RINGSIDE_NAME=value, the name in capitals as the journal wants it. */
static void fields_add_own(struct fields *fields, const char *field, size_t field_bytes)
{
    char name[64] = JOURNAL_PREFIX;
    const char *equals = memchr(field, '=', field_bytes);
    if (!equals)
        return;
    size_t prefix_bytes = sizeof(JOURNAL_PREFIX) - 1;
    size_t name_bytes = (size_t)(equals - field);
    if (name_bytes == 0 || prefix_bytes + name_bytes >= sizeof(name))
        return;
    for (size_t i = 0; i < name_bytes; i++) {
        char c = field[i];
        name[prefix_bytes + i] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    fields_add(fields, name, prefix_bytes + name_bytes, equals + 1, field_bytes - name_bytes - 1);
}

static void write_journal(enum config_log_level level, const char *text, const char *own)
{
    static const char *const priorities[] = {"3", "4", "6", "7"}; /* err, warning, info, debug */
    struct fields fields = {.used = 0};
    char identifier[64];
    int identifier_bytes = snprintf(identifier, sizeof(identifier), "ringside-%.40s", log_state.stage);
    fields_add(&fields, "PRIORITY", 8, priorities[level], 1);
    fields_add(&fields, "SYSLOG_IDENTIFIER", 17, identifier, (size_t)identifier_bytes);
    fields_add(&fields, "RINGSIDE_STAGE", 14, log_state.stage, strlen(log_state.stage));
    for (size_t bytes; own && *own; own += bytes + strspn(own + bytes, " ")) {
        bytes = strcspn(own, " ");
        fields_add_own(&fields, own, bytes);
    }
    char message[LINE_BYTES + 16];
    int message_bytes = snprintf(message, sizeof(message), "MESSAGE=%s", text);
    if (fields.count < FIELDS_MAX)
        fields.vector[fields.count++] = (struct iovec){.iov_base = message, .iov_len = (size_t)message_bytes};
    (void)sd_journal_sendv(fields.vector, fields.count);
}

/* ---- stderr -------------------------------------------------------------------------------------------------------
 */

static void write_stderr(enum config_log_level level, const char *text, const char *own)
{
    static const char *const names[] = {"ERROR", "WARN ", "INFO ", "DEBUG"};
    char line[LINE_BYTES + FIELD_BYTES];
    char second[32];
    struct timespec now = {0};
    struct tm broken = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &broken);
    strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &broken);
    int bytes = snprintf(line, sizeof(line) - 1, "%s.%03ldZ %s %s: %s%s%s", second, now.tv_nsec / 1000000, names[level],
                         log_state.stage, text, own && *own ? " " : "", own ? own : "");
    if (bytes < 0)
        return;
    size_t length = (size_t)bytes < sizeof(line) - 1 ? (size_t)bytes : sizeof(line) - 2;
    line[length++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, length);
    (void)written;
}

static void write_line(enum config_log_level level, const char *text, const char *own)
{
    int saved = errno; /* so that logging in the middle of error handling changes nothing */
    if (log_state.to_journal)
        write_journal(level, text, own);
    else
        write_stderr(level, text, own);
    errno = saved;
}

void log_line(enum config_log_level level, const char *fields, const char *format, ...)
{
    if (level > log_state.level)
        return;
    char text[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    write_line(level, text, fields);
}

void log_error(const struct error *error, const char *format, ...)
{
    char doing[512];
    char text[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(doing, sizeof(doing), format, arguments);
    va_end(arguments);
    bool placed = error->where[0] != '\0';
    snprintf(text, sizeof(text), "%s: %s%s%s", doing, error->where, placed ? ": " : "", error->what);
    write_line(LOG_LEVEL_ERROR, text, NULL);
}
