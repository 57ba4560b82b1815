/* `ringside journal PART`: looks at a journal, checks it, plays it again, puts it in order. */
#include "../cli.h"
#include "journal_cli.h"
#include "stage/stage.h"
#include "view/json_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    const char *summary;
    int (*main)(int argc, char **argv);
} parts[] = {
    {"verify", "checks every byte, and by replay what the journal says of the books and the event log",
     journal_verify_main},
    {"dump", "prints commands, for a person or as JSON", journal_dump_main},
    {"replay", "applies the commands to a new engine, or sends them to a test instance", journal_replay_main},
    {"stat", "segments, sizes, times, kinds and batches", journal_stat_main},
    {"trim", "removes or archives segments that nothing needs any more", journal_trim_main},
    {"repair", "cuts a torn tail, and nothing else", journal_repair_main},
};

#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

static void print_parts(FILE *to)
{
    fprintf(to, "usage: ringside journal PART [options] [DIRECTORY]\n\n");
    for (size_t i = 0; i < PART_COUNT; i++)
        fprintf(to, "  %-8s %s\n", parts[i].name, parts[i].summary);
    fprintf(to, "\nThe journal is that of --config, or the one in DIRECTORY. ringside journal PART --help tells more.\n"
                "\nExit codes: 0 done, or whole; 1 failed; 2 whole but for a torn tail; 64 usage; 65 corrupt, or not "
                "what\nwas recorded; 66 no journal; 69 in use; 74 a device failed; 78 configuration.\n");
}

int journal_main(int argc, char **argv)
{
    const char *wanted = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < PART_COUNT; i++)
        if (strcmp(parts[i].name, wanted) == 0)
            return parts[i].main(argc - 1, argv + 1);
    bool helped = strcmp(wanted, "--help") == 0 || strcmp(wanted, "-h") == 0;
    if (!helped && *wanted)
        fprintf(stderr, "ringside journal: there is no part '%s'\n", wanted);
    print_parts(helped ? stdout : stderr);
    return helped ? EXIT_STAGE_OK : EXIT_STAGE_USAGE;
}

int journal_exit_of(int code)
{
    switch (code) {
    case ERROR_NOT_YET:
        return EXIT_JOURNAL_ABSENT;
    case ERROR_CORRUPT:
    case ERROR_MISMATCH:
        return EXIT_STAGE_DATA;
    case ERROR_HELD:
        return EXIT_STAGE_HELD;
    case ERROR_INVALID:
        return EXIT_STAGE_USAGE;
    case ERROR_IO:
        return EXIT_STAGE_IO;
    default:
        return EXIT_STAGE_FAILED;
    }
}

int command_refused(const char *command, const struct error *error, bool json)
{
    fprintf(stderr, "ringside %s: %s: %s\n", command, error->where, error->what);
    if (json) {
        printf("{\"error\":\"%s\",\"where\":", error_name(error->code));
        json_text_print(stdout, error->where);
        printf(",\"what\":");
        json_text_print(stdout, error->what);
        printf("}\n");
    }
    return journal_exit_of(error->code);
}

int journal_refused(const char *part, const struct error *error, bool json)
{
    char command[32];
    snprintf(command, sizeof(command), "journal %s", part);
    return command_refused(command, error, json);
}
