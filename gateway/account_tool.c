#include "account_tool.h"

#include "accounts.h"
#include "members.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define USERS_MAX  10000
#define NAME_BYTES 32

static const char usage[] =
    "usage: ringside account add FILE USER FIRM [--password PASSWORD] [--count N]\n"
    "       ringside account check FILE [MEMBERS]\n"
    "\n"
    "add: adds USER (up to 6 characters) of FIRM (up to 4 capital letters) to the accounts in FILE, which "
    "gateway.accounts\n"
    "names, or gives it another firm and password. FILE is made if need be. Without --password it is read from the\n"
    "terminal or the first line of standard input. Gateways read the file when they start, and again at SIGHUP.\n"
    "\n"
    "check: reads FILE, and the members' settings in MEMBERS (gateway.members), as a gateway does, and names the line\n"
    "that it would refuse; settings of users that FILE does not have are named too.\n"
    "\n"
    "  --password PASSWORD  1 to 10 printable characters; others on this machine can see it while this runs\n"
    "  --count N            N users, for load tests: USER followed by 1 to N in as many digits as N has\n";

/* A line of standard input, without echo if a person types it. */
static bool password_ask(char *password, size_t password_bytes)
{
    struct termios before;
    bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        struct termios silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
        fputs("Password: ", stderr);
    }
    bool read = fgets(password, (int)password_bytes, stdin) != NULL;
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    if (read)
        password[strcspn(password, "\r\n")] = '\0';
    return read;
}

/* count 0: the user as given; else count users with numbers behind the name. */
static int users_put(const char *path, const struct account_entry *given, uint32_t count)
{
    uint32_t entry_count = count > 0 ? count : 1;
    struct account_entry *entries = calloc(entry_count, sizeof(*entries));
    char(*names)[NAME_BYTES] = calloc(entry_count, sizeof(*names));
    struct error error = {.what = "no memory"};
    int code = ERROR_SYSTEM;
    if (entries && names) {
        int digits = snprintf(NULL, 0, "%u", count);
        for (uint32_t i = 0; i < entry_count; i++) {
            if (count > 0)
                snprintf(names[i], NAME_BYTES, "%.16s%0*u", given->user, digits, i + 1);
            else
                snprintf(names[i], NAME_BYTES, "%.16s", given->user);
            entries[i] = (struct account_entry){names[i], given->firm, given->password};
        }
        code = accounts_put(path, entries, entry_count, &error);
    }
    if (code < 0)
        fprintf(stderr, "ringside account: %s: %s\n", error.where, error.what);
    free(entries);
    free(names);
    return code < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Settings for nobody are no error for a gateway, and most often a slip. Returns how many. */
static uint32_t strangers_name(const struct accounts *accounts, const struct members *members)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < members->count; i++) {
        const struct member *member = &members->users[i];
        if (account_find(accounts, member->user))
            continue;
        fprintf(stderr, "ringside account: line %u: no account has the user %.6s\n", member->line, member->user);
        count++;
    }
    return count;
}

static int check(const char *accounts_path, const char *members_path)
{
    struct accounts accounts = {0};
    struct members members = {0};
    struct error error = {.what = "?"};
    uint32_t strangers = 0;
    int code = accounts_open(&accounts, accounts_path, &error);
    if (code == 0)
        code = members_open(&members, members_path, true, &error);
    if (code < 0) {
        fprintf(stderr, "ringside account: %s: %s\n", error.where, error.what);
    } else {
        strangers = strangers_name(&accounts, &members);
        printf("%u accounts, %u users with settings of their own\n", accounts.count, members.count);
    }
    accounts_close(&accounts);
    members_close(&members);
    return code < 0 || strangers > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int account_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"password", required_argument, NULL, 'p'},
        {"count", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    char password[64] = "";
    bool given = false;
    long count = 0;
    int option;
    optind = 0;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
        switch (option) {
        case 'p':
            snprintf(password, sizeof(password), "%s", optarg);
            memset(optarg, '*', strlen(optarg)); /* shortens the time that others can see it */
            given = true;
            break;
        case 'c':
            count = strtol(optarg, NULL, 10);
            if (count < 1 || count > USERS_MAX) {
                fprintf(stderr, "ringside account: --count is from 1 to %d\n", USERS_MAX);
                return 64;
            }
            break;
        case 'h':
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        default:
            fputs(usage, stderr);
            return 64;
        }
    }
    if ((argc - optind == 2 || argc - optind == 3) && strcmp(argv[optind], "check") == 0)
        return check(argv[optind + 1], argc - optind == 3 ? argv[optind + 2] : "");
    if (argc - optind != 4 || strcmp(argv[optind], "add") != 0) {
        fputs(usage, stderr);
        return 64;
    }
    if (!given && !password_ask(password, sizeof(password))) {
        fputs("ringside account: no password\n", stderr);
        return EXIT_FAILURE;
    }
    const struct account_entry entry = {argv[optind + 2], argv[optind + 3], password};
    return users_put(argv[optind + 1], &entry, (uint32_t)count);
}
