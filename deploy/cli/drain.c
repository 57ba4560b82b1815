/*
 * `ringside drain`: the exchange is stopped so that nothing is left in its rings. Stages are ended from the clients on,
 * each when what came before it has passed; so the rings can be of another layout when it starts again.
 *
 *   gateways, admin --> inbound rings empty --> sequencer --> command ring empty --> matcher --> event ring empty
 *   --> persister --> journaler
 *
 * A stage that is a service of systemd is stopped by systemctl, which would start it again otherwise; others get
 * SIGTERM. Where all stages are one process (`ringside run`) there is one signal, and a look at the rings behind it.
 */
#include "cli.h"
#include "log/log.h"
#include "stage/command_line.h"
#include "stage/stage.h"
#include "view/run_view.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_US           20000
#define TIMEOUT_S_DEFAULT 60
#define UNIT_BYTES        128

enum { OPTION_TIMEOUT };

struct drain {
    struct run_view *view;
    const struct config *config;
    time_t deadline;
};

static void look(struct drain *drain)
{
    run_view_read(drain->view, drain->config);
}

/* ---- one process --------------------------------------------------------------------------------------------------
 */

/* The unit of systemd that a process belongs to; false: none. */
static bool unit_of(pid_t pid, char unit[UNIT_BYTES])
{
    char path[64];
    char line[512];
    bool found = false;
    snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
    FILE *file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        const char *last = strrchr(line, '/');
        size_t bytes = last ? strlen(last + 1) : 0;
        found = bytes > 8 && bytes < UNIT_BYTES && strncmp(last + 1, "ringside", 8) == 0 &&
                strcmp(last + 1 + bytes - 8, ".service") == 0;
        if (found)
            memcpy(unit, last + 1, bytes + 1);
    }
    if (file)
        fclose(file);
    return found;
}

static bool systemctl_stop(const char *unit)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        execlp("systemctl", "systemctl", "stop", unit, (char *)NULL);
        _exit(127);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool end_process(const struct process_view *process)
{
    char unit[UNIT_BYTES];
    if (process->pid <= 0) {
        fprintf(stderr, "ringside drain: %s is alive, but its process is not to be seen from here\n", process->name);
        return false;
    }
    if (unit_of(process->pid, unit) && systemctl_stop(unit))
        return true;
    if (kill(process->pid, SIGTERM) == 0 || errno == ESRCH)
        return true;
    fprintf(stderr, "ringside drain: cannot end %s, process %d: %s\n", process->name, (int)process->pid,
            strerror(errno));
    return false;
}

/* Whether a process is of this step: "gateway" is all of them. */
static bool is_of(const struct process_view *process, const char *name)
{
    return strncmp(process->name, name, strlen(name)) == 0;
}

static bool alive(const struct drain *drain, const char *name)
{
    for (uint32_t i = 0; i < drain->view->process_count; i++)
        if (is_of(&drain->view->processes[i], name) && drain->view->processes[i].held)
            return true;
    return false;
}

/* A process that has several roles is asked once: asked twice, it leaves what is in flight. */
static bool is_first_of_its_process(const struct drain *drain, uint32_t index)
{
    const struct process_view *processes = drain->view->processes;
    for (uint32_t i = 0; i < index; i++)
        if (processes[i].held && processes[i].pid == processes[index].pid)
            return false;
    return true;
}

/* Ends the processes of that name and waits until they are gone. */
static bool end_all(struct drain *drain, const char *name)
{
    look(drain);
    bool any = alive(drain, name);
    for (uint32_t i = 0; i < drain->view->process_count; i++)
        if (is_of(&drain->view->processes[i], name) && drain->view->processes[i].held &&
            is_first_of_its_process(drain, i) && !end_process(&drain->view->processes[i]))
            return false;
    for (; alive(drain, name); look(drain)) {
        if (time(NULL) > drain->deadline) {
            fprintf(stderr, "ringside drain: %s has not ended in time\n", name);
            return false;
        }
        usleep(LOOK_US);
    }
    if (any)
        printf("%s has ended\n", *name ? name : "ringside run");
    return true;
}

/* ---- one ring -----------------------------------------------------------------------------------------------------
 */

/* Records that some gating line has not taken yet, in the rings of that name. */
static uint64_t left_in(const struct drain *drain, const char *name)
{
    uint64_t left = 0;
    for (uint32_t i = 0; i < drain->view->ring_count; i++) {
        const struct ring_view *ring = &drain->view->rings[i];
        if (ring->present && strncmp(ring->name, name, strlen(name)) == 0)
            left += ring->fill_records;
    }
    return left;
}

static bool wait_empty(struct drain *drain, const char *name)
{
    look(drain);
    for (; left_in(drain, name) > 0; look(drain)) {
        if (time(NULL) > drain->deadline) {
            fprintf(stderr,
                    "ringside drain: %llu records are left in %s, and nobody takes them; ringside status tells "
                    "who is missing\n",
                    (unsigned long long)left_in(drain, name), *name ? name : "the rings");
            return false;
        }
        usleep(LOOK_US);
    }
    return true;
}

/* ---- all of it ----------------------------------------------------------------------------------------------------
 */

static bool in_one_process(const struct drain *drain)
{
    pid_t pid = 0;
    uint32_t same = 0;
    for (uint32_t i = 0; i < drain->view->process_count; i++) {
        const struct process_view *process = &drain->view->processes[i];
        same += process->held && process->pid > 0 && process->pid == pid;
        pid = process->held && process->pid > 0 ? process->pid : pid;
    }
    return same > 0;
}

static bool drain_all(struct drain *drain)
{
    look(drain);
    if (in_one_process(drain))
        return end_all(drain, "") && wait_empty(drain, "");
    return end_all(drain, "gateway") && end_all(drain, "admin") && wait_empty(drain, "inbound") &&
           end_all(drain, "sequencer") && wait_empty(drain, RING_NAME_COMMAND) && end_all(drain, "matcher") &&
           wait_empty(drain, RING_NAME_EVENT) && end_all(drain, "persister") && end_all(drain, "journaler");
}

int drain_main(int argc, char **argv)
{
    static const struct command_line_option options[] = {
        [OPTION_TIMEOUT] = {"timeout", "SECONDS", "when to give up, all together (60)"},
    };
    static const struct command_line_form form = {.program = "ringside drain",
                                                  .summary = "stops the exchange with nothing left in its rings",
                                                  .options = options,
                                                  .option_count = 1,
                                                  .brief = true};
    struct command_line line;
    log_open("drain", LOG_LEVEL_WARNING);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    const char *timeout = line.values[OPTION_TIMEOUT];
    long seconds = timeout ? strtol(timeout, NULL, 10) : TIMEOUT_S_DEFAULT;
    struct drain drain = {.view = calloc(1, sizeof(*drain.view)), .config = &line.config};
    drain.deadline = time(NULL) + (seconds > 0 ? seconds : TIMEOUT_S_DEFAULT);
    bool drained = drain.view && drain_all(&drain);
    if (drained)
        printf("nothing is left in the rings of %s\n", line.config.exchange_rings_directory);
    free(drain.view);
    config_finish(&line.config);
    return drained ? EXIT_STAGE_OK : EXIT_STAGE_FAILED;
}
