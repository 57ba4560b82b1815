/*
 * The log. Goal: one line a write on stderr, fields of their own in systemd's journal, nothing below its level.
 * Method: stderr is a socket that keeps writes apart; the journal is a socket at its place in a mount namespace of the
 * test's own (skipped where that is not allowed).
 */
#include "log/log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int ends[2];

static void setup(void)
{
    unsetenv("JOURNAL_STREAM");
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
    dup2(ends[1], STDERR_FILENO);
}

TestSuite(log, .init = setup, .timeout = 10);

/* One write, or empty. */
static const char *next_line(void)
{
    static char text[8192];
    ssize_t bytes = recv(ends[0], text, sizeof(text) - 1, 0);
    text[bytes > 0 ? bytes : 0] = '\0';
    return text;
}

Test(log, a_line_is_one_write)
{
    log_open("sequencer", LOG_LEVEL_INFO);
    log_line(LOG_LEVEL_WARNING, "count=3 place=here", "%s happened", "something");
    const char *line = next_line();
    cr_expect(strstr(line, "Z WARN  sequencer: something happened count=3 place=here\n"), "%s", line);
    cr_expect_eq(line[4], '-');
    cr_expect_eq(line[10], 'T');
    cr_expect_str_empty(next_line());
}

Test(log, leaves_out_what_is_below_its_level)
{
    log_open("sequencer", LOG_LEVEL_WARNING);
    log_info("not this");
    cr_expect_str_empty(next_line());
    log_failure("but this");
    cr_expect(strstr(next_line(), "ERROR sequencer: but this\n"));
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("and this");
    cr_expect(strstr(next_line(), "DEBUG sequencer: and this\n"));
}

Test(log, an_error_says_where_and_what)
{
    struct error error;
    log_open("journaler", LOG_LEVEL_ERROR);
    log_set_stage("matcher");
    error_set(&error, ERROR_CORRUPT, "segment-7", "batch %d is torn", 3);
    log_error(&error, "cannot open %s", "the journal");
    cr_expect(strstr(next_line(), "ERROR matcher: cannot open the journal: segment-7: batch 3 is torn\n"));
}

Test(log, a_line_too_long_is_cut_and_ended)
{
    static char text[4000];
    memset(text, 'x', sizeof(text) - 1);
    log_open("gateway-1", LOG_LEVEL_INFO);
    errno = EINTR;
    log_line(LOG_LEVEL_INFO, text, "%s", text);
    cr_expect_eq(errno, EINTR);
    const char *line = next_line();
    cr_expect_eq(line[strlen(line) - 1], '\n');
    cr_expect_geq(strlen(line), 1500);
}

Test(log, is_not_fooled_by_the_stream_of_a_parent)
{
    setenv("JOURNAL_STREAM", "1:2", 1);
    log_open("sequencer", LOG_LEVEL_INFO);
    log_info("here");
    cr_expect(strstr(next_line(), "INFO  sequencer: here\n"));
}

/* A journal in a /run of our own; -1 if that is not allowed. */
static int journal_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", "/run", "tmpfs", 0, NULL) != 0)
        return -1;
    cr_assert(mkdir("/run/systemd", 0755) == 0 && mkdir("/run/systemd/journal", 0755) == 0);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

Test(log, writes_fields_to_the_journal)
{
    char stream[64];
    char text[4096] = "";
    struct stat status;
    int journal = journal_socket();
    if (journal < 0)
        cr_skip_test("a mount namespace is not allowed here");
    fstat(STDERR_FILENO, &status);
    snprintf(stream, sizeof(stream), "%lu:%lu", (unsigned long)status.st_dev, (unsigned long)status.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_open("sequencer", LOG_LEVEL_INFO);
    log_line(LOG_LEVEL_WARNING, "count=3 cycle_us_max=17", "something happened");
    cr_expect_str_empty(next_line(), "not on stderr too");
    cr_assert_gt(recv(journal, text, sizeof(text) - 1, 0), 0);
    static const char *const fields[] = {
        "MESSAGE=something happened\n", "PRIORITY=4\n",       "SYSLOG_IDENTIFIER=ringside-sequencer\n",
        "RINGSIDE_STAGE=sequencer\n",   "RINGSIDE_COUNT=3\n", "RINGSIDE_CYCLE_US_MAX=17\n"};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        cr_expect(strstr(text, fields[i]), "no %s in %s", fields[i], text);
}
