/* `ringside persister check`: see check.h. */
#include "check.h"
#include "log/log.h"
#include "stage/command_line.h"
#include "stage/stage.h"
#include "tools.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RESULTS_MAX 16

static void print_text(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar(*text < ' ' ? ' ' : *text);
    }
    putchar('"');
}

static void print_result(const struct check_result *result, bool json, bool is_first)
{
    if (json) {
        printf("%s{\"what\": ", is_first ? "" : ", ");
        print_text(result->what);
        printf(", \"agree\": %s, \"rows\": %" PRIu64, result->differs ? "false" : "true", result->row_count);
        if (result->differs) {
            printf(", \"difference\": ");
            print_text(result->difference);
        }
        printf("}");
    } else if (result->differs) {
        printf("%-36s DIFFERS: %s\n", result->what, result->difference);
    } else {
        printf("%-36s agrees, %" PRIu64 " rows\n", result->what, result->row_count);
    }
}

/* Both stores, or those that are configured. Returns how many results, or a negative error. */
static int check_all(const struct config *config, struct check_result *results, struct error *error)
{
    int count = 0;
    if (*config->postgres_connection != '\0')
        count = check_postgres_all(config, results, RESULTS_MAX, error);
    if (count < 0 || *config->redis_address == '\0')
        return count;
    int more = check_redis_all(config, results + count, RESULTS_MAX - (uint32_t)count, error);
    return more < 0 ? more : count + more;
}

int check_main(int argc, char **argv)
{
    static const struct command_line_form form = {
        .program = "ringside persister check",
        .summary = "compares PostgreSQL and Redis with the event log, and names the first difference",
        .takes_json = true,
        .brief = true,
        .extra = "\nExit codes: 0 they agree; 65 they do not; 1 it could not be told; 64 usage; 78 configuration.\n"};
    static struct check_result results[RESULTS_MAX];
    struct command_line line;
    struct error error = {0};
    bool differs = false;
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    int count = check_all(&line.config, results, &error);
    if (line.json)
        printf("{\"tables\": [");
    for (int i = 0; i < count; i++) {
        print_result(&results[i], line.json, i == 0);
        differs = differs || results[i].differs;
    }
    if (line.json)
        printf("], \"agree\": %s}\n", count < 0 ? "null" : (differs ? "false" : "true"));
    if (count < 0)
        log_error(&error, "cannot compare");
    else if (count == 0)
        log_failure("no store is configured: nothing to compare");
    config_finish(&line.config);
    return count <= 0 ? EXIT_STAGE_FAILED : (differs ? EXIT_STAGE_DATA : EXIT_STAGE_OK);
}
