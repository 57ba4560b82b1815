/*
 * The stage of the operators, alone: a run made as the journaler makes one, an event ring that the test writes, and
 * clients on the real socket. What the engine would say is said by the test, so that a life of the stage can end at any
 * moment between a request and its answer.
 */
#include "admin.h"
#include "admin_wire.h"
#include "eventlog/eventlog.h"
#include "ring/ring.h"
#include "run/run.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MUST(call)                                                                                                     \
    do {                                                                                                               \
        int must_code = (call);                                                                                        \
        cr_assert_geq(must_code, 0, "%s: %s: %s", #call, world.error.where, world.error.what);                         \
    } while (0)

static struct {
    char directory[64];
    struct config config;
    struct run journaler_run, admin_run;
    struct stage_context context;
    void *stage;
    struct ring event_ring, inbound;
    struct ring_producer events;
    struct ring_consumer event_log_line, sequencer;
    struct eventlog_writer *log;
    struct error error;
    uint64_t now_ns;
} world;

static void event_ring_make(void)
{
    char path[RUN_PATH_BYTES];
    uint64_t next = 0;
    struct ring_parameters parameters = {0};
    run_ring_path(&world.journaler_run, RING_NAME_EVENT, path);
    run_ring_parameters(&world.journaler_run, RING_NAME_EVENT, &parameters);
    parameters.capacity = 256;
    parameters.base_seq = 1;
    parameters.record_hash = event_layout_hash();
    parameters.gating_count = 1;
    parameters.gating_names[0] = LINE_EVENT_LOG;
    MUST(ring_create(&world.event_ring, path, &parameters, &world.error));
    MUST(ring_producer_open(&world.events, &world.event_ring, 2, &world.error));
    MUST(ring_consumer_open(&world.event_log_line, &world.event_ring, LINE_EVENT_LOG, 0, &world.error));
    MUST(eventlog_writer_open(&world.log, world.config.events_directory, UINT64_MAX, &next, &world.error));
}

static void start(void)
{
    memset(&world.admin_run, 0, sizeof(world.admin_run));
    MUST(run_take_role(&world.admin_run, world.directory, PROCESS_ADMIN, 0, &world.error));
    world.context = (struct stage_context){.config = &world.config, .run = &world.admin_run};
    MUST(admin_stage.open(&world.stage, &world.context, &world.error));
}

/* It writes nothing at its end, so this is what a kill leaves. */
static void stop(void)
{
    admin_stage.close(world.stage);
    run_leave(&world.admin_run);
    world.stage = NULL;
}

static void polls(int count)
{
    for (int i = 0; i < count; i++)
        MUST(admin_stage.poll(world.stage, world.now_ns += 1000000, &world.error));
}

static void setup(void)
{
    const struct run_base base = {.command_seq_next = 1, .event_seq_next = 1, .epoch = 1, .gateway_count = 1};
    memset(&world, 0, sizeof(world));
    snprintf(world.directory, sizeof(world.directory), "/dev/shm/ringside-test.XXXXXX");
    cr_assert(mkdtemp(world.directory));
    config_init(&world.config);
    snprintf(world.config.exchange_rings_directory, CONFIG_TEXT_BYTES, "%s", world.directory);
    snprintf(world.config.events_directory, CONFIG_TEXT_BYTES, "%s/events", world.directory);
    cr_assert_eq(mkdir(world.config.events_directory, 0770), 0);
    MUST(run_take_role(&world.journaler_run, world.directory, PROCESS_JOURNALER, 0, &world.error));
    MUST(run_join_or_lock(&world.journaler_run, &world.error));
    MUST(run_create(&world.journaler_run, &base, &world.error));
    event_ring_make();
    start();
    for (int i = 0; i < 20 && !admin_stage.ready(world.stage); i++)
        polls(1);
    cr_assert(admin_stage.ready(world.stage));
    char path[RUN_PATH_BYTES];
    struct ring_parameters any = {0};
    run_ring_path(&world.journaler_run, RING_NAME_ADMIN, path);
    MUST(ring_attach(&world.inbound, path, true, &any, &world.error));
    MUST(ring_consumer_open(&world.sequencer, &world.inbound, LINE_SEQUENCER, 1, &world.error));
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void teardown(void)
{
    if (world.stage)
        stop();
    eventlog_writer_close(world.log);
    ring_detach(&world.inbound);
    ring_detach(&world.event_ring);
    run_leave(&world.journaler_run);
    config_finish(&world.config);
    nftw(world.directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(admin, .init = setup, .fini = teardown, .timeout = 20);

/* ---- clients ------------------------------------------------------------------------------------------------------
 */

static int client_new(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", world.directory, ADMIN_SOCKET_NAME);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0, "%m");
    return fd;
}

static struct admin_request kick(uint32_t number)
{
    struct admin_request request = {.magic = ADMIN_MAGIC, .verb = ADMIN_COMMAND};
    request.command.kind = COMMAND_SESSION_KICK;
    request.command.user_ref = number;
    memcpy(request.command.act.user, "USER01", USER_BYTES);
    return request;
}

static void ask(int fd, const struct admin_request *request)
{
    cr_assert_eq(send(fd, request, sizeof(*request), 0), (ssize_t)sizeof(*request));
    polls(4);
}

static bool answered(int fd, struct admin_reply *reply)
{
    return recv(fd, reply, sizeof(*reply), MSG_DONTWAIT) == (ssize_t)sizeof(*reply);
}

/* ---- the rest of the exchange -------------------------------------------------------------------------------------
 */

/* The next command as the sequencer takes it; false: there is none. */
static bool take(struct command *ret)
{
    const struct command *command = ring_next(&world.sequencer);
    if (!command)
        return false;
    *ret = *command;
    ring_release(&world.sequencer, world.sequencer.next);
    return true;
}

static void say(const struct command *cause, uint8_t why)
{
    struct event event = {.event_seq = world.events.next,
                          .command_seq = world.events.next,
                          .kind = EVENT_OPERATOR_ACTED,
                          .flags = EVENT_LAST_OF_COMMAND,
                          .user_ref = cause->user_ref};
    event.acted = (struct event_acted){.inbound_seq = cause->inbound_seq,
                                       .tenure = cause->tenure,
                                       .operator_id = cause->admin.operator_id,
                                       .kind = cause->kind,
                                       .why = why};
    cr_assert(ring_put(&world.events, &event));
    ring_flush(&world.events);
    const struct event *written = ring_next(&world.event_log_line);
    cr_assert(written);
    MUST(eventlog_writer_append(world.log, &written, 1, &world.error));
    ring_release(&world.event_log_line, world.event_log_line.next);
}

static void live_again(void)
{
    stop();
    start();
    for (int i = 0; i < 20 && !admin_stage.ready(world.stage); i++)
        polls(1);
    cr_assert(admin_stage.ready(world.stage));
}

/* ---- tests --------------------------------------------------------------------------------------------------------
 */

Test(admin, a_request_says_who_asked_and_gets_what_came_of_it)
{
    struct admin_reply reply;
    struct command command;
    struct admin_request request = kick(77);
    int fd = client_new();
    request.command.gateway = 3; /* what a client says of itself counts nothing */
    request.command.admin.operator_id = 12345;
    ask(fd, &request);
    cr_assert(take(&command));
    cr_expect_eq(command.gateway, OPERATOR_GATEWAY);
    cr_expect_eq(command.admin.operator_id, getuid());
    cr_expect_neq(command.admin.operator_name[0], '\0');
    cr_expect_eq(command.inbound_seq, 1u);
    cr_expect_null(command_invalid(&command), "%s", command_invalid(&command));
    cr_expect_not(answered(fd, &reply), "nothing has come of it yet");
    say(&command, 12);
    polls(4);
    cr_assert(answered(fd, &reply));
    cr_expect_eq(reply.status, (uint32_t)ADMIN_ANSWERED);
    cr_expect_eq(reply.acted.acted.why, 12);
    close(fd);
}

Test(admin, the_same_number_again_is_the_same_request)
{
    struct admin_reply reply;
    struct command command;
    const struct admin_request request = kick(5);
    int first = client_new();
    int second = client_new();
    ask(first, &request);
    ask(second, &request); /* under way */
    cr_assert(take(&command));
    cr_expect_not(take(&command), "asked for once");
    say(&command, 0);
    polls(4);
    cr_assert(answered(second, &reply));
    ask(second, &request); /* done */
    cr_assert(answered(second, &reply));
    cr_expect_eq(reply.acted.user_ref, 5u);
    cr_expect_not(take(&command));
    close(first);
    close(second);
}

Test(admin, killed_before_the_answer_it_knows_the_request_again)
{
    struct admin_reply reply;
    struct command command;
    const struct admin_request request = kick(9);
    int fd = client_new();
    ask(fd, &request);
    close(fd);
    live_again();
    fd = client_new();
    ask(fd, &request);
    cr_assert(take(&command));
    cr_expect_eq(command.tenure, 1u);
    say(&command, 0);
    polls(4);
    cr_assert(answered(fd, &reply));
    cr_expect_not(take(&command), "not asked for twice");
    close(fd);
}

Test(admin, killed_after_the_answer_it_knows_what_came_of_it)
{
    struct admin_reply reply;
    struct command command;
    const struct admin_request request = kick(9);
    int fd = client_new();
    ask(fd, &request);
    cr_assert(take(&command));
    close(fd);
    stop();
    say(&command, 1); /* while nobody follows */
    start();
    polls(10);
    fd = client_new();
    ask(fd, &request);
    cr_assert(answered(fd, &reply));
    cr_expect_eq(reply.acted.acted.why, 1);
    cr_expect_not(take(&command));
    const struct admin_request another = kick(10);
    ask(fd, &another);
    cr_assert(take(&command));
    cr_expect_eq(command.tenure, 2u);
    close(fd);
}

Test(admin, what_makes_no_sense_is_answered_and_not_published)
{
    struct admin_reply reply;
    struct command command;
    struct admin_request request = kick(1);
    int fd = client_new();
    request.command.act.user[0] = ' ';
    ask(fd, &request);
    cr_assert(answered(fd, &reply));
    cr_expect_eq(reply.status, (uint32_t)ADMIN_INVALID);
    cr_expect_str_eq(reply.text, "user is empty");
    request = kick(0);
    ask(fd, &request);
    cr_assert(answered(fd, &reply));
    cr_expect_eq(reply.status, (uint32_t)ADMIN_INVALID);
    request = kick(1);
    request.command.kind = COMMAND_LOGIN;
    ask(fd, &request);
    cr_assert(answered(fd, &reply));
    cr_expect_eq(reply.status, (uint32_t)ADMIN_INVALID);
    request.magic++;
    ask(fd, &request);
    cr_assert(answered(fd, &reply));
    cr_expect_eq(reply.status, (uint32_t)ADMIN_INVALID);
    cr_expect_not(take(&command));
    close(fd);
}

Test(admin, a_reload_without_a_file_changes_nothing)
{
    struct admin_reply reply;
    struct command command;
    const struct admin_request request = {.magic = ADMIN_MAGIC, .verb = ADMIN_RELOAD};
    int fd = client_new();
    ask(fd, &request);
    cr_assert(answered(fd, &reply));
    cr_expect_eq(reply.status, (uint32_t)ADMIN_FAILED);
    cr_expect_not(take(&command));
    close(fd);
}
