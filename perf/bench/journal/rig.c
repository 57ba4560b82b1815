#include "rig.h"

#include "base/units.h"
#include "env/clock.h"
#include "journal/segments.h"
#include "journal/trim.h"
#include "journaler/journaler.h"
#include "perf/machine/cores.h"
#include "stage/stage.h"
#include "topology/topology.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 20
#define STARTED_MS    10000

#define TRIM_INTERVAL_US 100000

#define SETTLE_LIMIT_NS     (60 * (uint64_t)NS_PER_SECOND)
#define SETTLE_LOOK_NS      (5 * (uint64_t)NS_PER_MS)
#define SETTLE_SEGMENTS     8 /* by then as many are in turn as trimming needs */
#define SETTLE_BURST        512u
#define SETTLE_IDLE_US      200000
#define SETTLE_BYTES_PER_US 300 /* a slow disk */

/* ---- the journaler ------------------------------------------------------------------------------------------------
 */

struct arguments {
    char text[8][400];
    char *list[ARGUMENTS_MAX];
    int count;
};

static void add(struct arguments *arguments, int number, const char *name, const char *value)
{
    static char set[] = "--set";
    snprintf(arguments->text[number], sizeof(arguments->text[number]), "%s=%s", name, value);
    arguments->list[arguments->count++] = set;
    arguments->list[arguments->count++] = arguments->text[number];
}

_Noreturn static void be_journaler(const struct rig *rig, const struct rig_form *form)
{
    static char name[] = "ringside-journaler";
    static struct arguments arguments = {.list = {name}, .count = 1};
    char path[320];
    char number[32];
    add(&arguments, 0, "exchange.rings_directory", rig->rings);
    snprintf(path, sizeof(path), "%s/journal", rig->directory);
    add(&arguments, 1, "journal.directory", path);
    snprintf(path, sizeof(path), "%s/events", rig->directory);
    add(&arguments, 2, "events.directory", path);
    add(&arguments, 3, "journal.durability", form->durability);
    snprintf(number, sizeof(number), "%llu", (unsigned long long)form->segment_bytes);
    add(&arguments, 4, "journal.segment_bytes", number);
    add(&arguments, 5, "exchange.wait", form->spin ? "spin" : "park");
    add(&arguments, 6, "exchange.log_level", "warning");
    core_pin(1);
    _exit(stage_main(arguments.count, arguments.list, &journaler_stage));
}

/* Beside the others, on whichever core has time, as `ringside journal trim` is when a timer starts it. */
_Noreturn static void be_trimmer(const struct rig *rig, const struct rig_form *form)
{
    char directory[300];
    snprintf(directory, sizeof(directory), "%s/journal", rig->directory);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        struct journal_trim trim = {
            .directory = directory, .needed_seq = UINT64_MAX, .recycled_bytes = form->segment_bytes};
        (void)journal_trim(&trim, NULL); /* it may not be there yet */
        usleep(TRIM_INTERVAL_US);
    }
}

/* ---- this side ----------------------------------------------------------------------------------------------------
 */

static int join(struct rig *rig, struct error *error)
{
    rig->run = (struct run){.run_fd = -1, .role_fd = -1};
    int result = run_take_role(&rig->run, rig->rings, PROCESS_SEQUENCER, 0, error);
    if (result < 0)
        return result;
    result = ERROR_NOT_YET;
    for (int i = 0; i < STARTED_MS && result == ERROR_NOT_YET; i++) {
        result = run_join(&rig->run, error);
        if (result == ERROR_NOT_YET)
            usleep(1000);
    }
    return result;
}

static int open_ring(struct rig *rig, uint32_t slots, struct error *error)
{
    char path[RUN_PATH_BYTES];
    struct ring_parameters parameters;
    run_ring_path(&rig->run, RING_NAME_COMMAND, path);
    run_ring_parameters(&rig->run, RING_NAME_COMMAND, &parameters);
    parameters.record_hash = command_layout_hash();
    parameters.capacity = slots;
    parameters.base_seq = rig->run.base.command_seq_next;
    parameters.gating_count = 2;
    parameters.gating_names[0] = LINE_JOURNALER;
    parameters.gating_names[1] = LINE_MATCHER;
    int result = ring_create(&rig->ring, path, &parameters, error);
    if (result == 0)
        result = ring_producer_open(&rig->producer, &rig->ring, topology_doorbell(PROCESS_SEQUENCER, 0), error);
    if (result == 0)
        result =
            ring_consumer_open(&rig->matcher, &rig->ring, LINE_MATCHER, topology_doorbell(PROCESS_MATCHER, 0), error);
    if (result == 0)
        rig->durable = &rig->ring.file->consumers[0].cursor;
    return result;
}

/* Until the journaler has found the ring. */
static int wait_attached(struct rig *rig, struct error *error)
{
    const struct ring_consumer_line *line = &rig->ring.file->consumers[0];
    for (int i = 0; i < STARTED_MS; i++) {
        if (atomic_load_explicit(&line->pid, memory_order_acquire) != 0)
            return 0;
        rig_flush(rig);
        usleep(1000);
    }
    return error_set(error, ERROR_TIMEOUT, rig->directory, "the journaler does not take up its ring");
}

int rig_open(struct rig *rig, const struct rig_form *form, struct error *error)
{
    *rig = (struct rig){.journaler = -1, .trimmer = -1};
    snprintf(rig->directory, sizeof(rig->directory), "%.200s/ringside-bench-XXXXXX", form->directory);
    snprintf(rig->rings, sizeof(rig->rings), "/dev/shm/ringside-bench-XXXXXX");
    if (!mkdtemp(rig->directory) || !mkdtemp(rig->rings))
        return error_system(error, errno, form->directory, "cannot make a directory for the bench");
    fflush(NULL);
    rig->journaler = fork();
    if (rig->journaler == 0)
        be_journaler(rig, form);
    rig->trimmer = form->trims ? fork() : -1;
    if (rig->trimmer == 0)
        be_trimmer(rig, form);
    core_pin(0);
    int result = join(rig, error);
    if (result == 0)
        result = open_ring(rig, form->slots, error);
    return result == 0 ? wait_attached(rig, error) : result;
}

/* The newest segment that has begun; its number is 0 if there is none. */
static struct journal_segment_header newest_segment(const struct rig *rig)
{
    char directory[300];
    struct journal_segment_header header = {0};
    struct journal_segments segments;
    int state = SEGMENT_NONE;
    snprintf(directory, sizeof(directory), "%s/journal", rig->directory);
    if (journal_segments_list(&segments, directory, NULL) < 0)
        return header;
    for (uint32_t i = segments.count; i-- > 0 && state >= 0 && state != SEGMENT_BEGUN;) {
        const char *why;
        int file = -1;
        state = journal_segment_open(directory, segments.numbers[i], &file, &header, &why, NULL);
        if (file >= 0)
            close(file);
    }
    journal_segments_finish(&segments);
    return state == SEGMENT_BEGUN ? header : (struct journal_segment_header){0};
}

static bool is_settled(const struct rig *rig, const struct rig_form *form)
{
    struct journal_segment_header newest = newest_segment(rig);
    bool recycled = (newest.compatible_flags & JOURNAL_FLAG_RECYCLED) != 0;
    uint32_t least = form->trims ? SETTLE_SEGMENTS : 1;
    return newest.segment_bytes == form->segment_bytes && recycled == form->trims && newest.segment >= least;
}

int rig_settle(struct rig *rig, const struct rig_form *form, const struct command *command, struct error *error)
{
    uint64_t give_up_ns = clock_monotonic_ns() + SETTLE_LIMIT_NS;
    uint64_t look_ns = 0;
    bool settled = false;
    while (!settled) {
        for (uint32_t i = 0; i < SETTLE_BURST && rig_put(rig, command); i++) {
        }
        rig_flush(rig);
        rig_durable(rig);
        uint64_t now_ns = clock_monotonic_ns();
        if (now_ns > give_up_ns)
            return error_set(error, ERROR_TIMEOUT, rig->directory, "the journal does not reach a segment of full size");
        if (now_ns < look_ns)
            continue;
        look_ns = now_ns + SETTLE_LOOK_NS;
        settled = is_settled(rig, form);
    }
    while (rig_durable(rig) < rig->producer.next)
        core_relax();
    usleep(SETTLE_IDLE_US + (useconds_t)(form->segment_bytes / SETTLE_BYTES_PER_US));
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

int rig_end(struct rig *rig, struct error *error)
{
    int status = 0;
    if (rig->trimmer > 0) {
        kill(rig->trimmer, SIGKILL);
        waitpid(rig->trimmer, NULL, 0);
        rig->trimmer = -1;
    }
    if (rig->journaler <= 0)
        return 0;
    bool alone = waitpid(rig->journaler, &status, WNOHANG) > 0;
    if (!alone) {
        kill(rig->journaler, SIGTERM);
        waitpid(rig->journaler, &status, 0);
    }
    rig->journaler = -1;
    ring_detach(&rig->ring);
    run_leave(&rig->run);
    return alone ? error_set(error, ERROR_CLOSED, rig->directory, "the journaler ended by itself") : 0;
}

int rig_close(struct rig *rig, struct error *error)
{
    int result = rig_end(rig, error);
    (void)nftw(rig->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    (void)nftw(rig->rings, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return result;
}

uint32_t rig_segment(const struct rig *rig)
{
    return newest_segment(rig).segment;
}
