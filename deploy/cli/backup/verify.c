/* `ringside backup verify DIR`: every byte against SHA256SUMS. What the bytes mean is for `ringside journal verify`. */
#include "backup_cli.h"
#include "log/log.h"
#include "stage/command_line.h"
#include "stage/stage.h"

#include <stdio.h>

static const struct command_line_form form = {
    .program = "ringside backup verify",
    .summary = "whether every byte of a backup is what was backed up",
    .takes_json = true,
    .operand = "DIR",
    .operand_count_max = 1,
    .brief = true,
    .extra =
        "\nWhat the journal says of the books is checked by ringside journal verify, before a restore by\n"
        "  ringside journal verify --config DIR/etc/ringside.conf --set journal.directory=DIR/journal\n"
        "      --set events.directory=DIR/events --set snapshots.directory=DIR/snapshots\n"
        "and with a rings directory in which nothing runs (--set exchange.rings_directory=/none).\n"
        "\nExit codes: 0 whole; 1 failed; 64 usage; 65 not what was backed up; 66 no backup; 74 a device failed.\n",
};

static int verify(struct backup_set *set, const char *directory, struct error *error)
{
    char about[BACKUP_DIGEST_BYTES];
    struct backup_copy copy = {0};
    int result = backup_sums_read(set, directory, about, error);
    if (result == 0)
        result = backup_copy_begin(&copy, "verifying", set->bytes_total, 0, error);
    if (result == 0)
        result = backup_sums_check(set, directory, about, &copy, error);
    backup_copy_end(&copy);
    return result;
}

int backup_verify_main(int argc, char **argv)
{
    struct command_line line;
    struct error error = {0};
    struct backup_set set = {0};
    log_open("backup", LOG_LEVEL_INFO);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    int result = line.operand ? verify(&set, line.operand, &error)
                              : error_set(&error, ERROR_INVALID, "DIR", "which backup? --help tells more");
    if (result < 0)
        code = command_refused("backup verify", &error, line.json);
    else if (line.json)
        printf("{\"whole\":true,\"files\":%u,\"bytes\":%llu}\n", set.count, (ull)set.bytes_total);
    else
        printf("%s: whole, %u files, %.1f MB\n", line.operand, set.count, (double)set.bytes_total / 1e6);
    backup_set_finish(&set);
    config_finish(&line.config);
    return result < 0 ? code : EXIT_STAGE_OK;
}
