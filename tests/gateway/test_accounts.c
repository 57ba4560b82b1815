/* Accounts: the file, its rules, and checking passwords. */
#include "account_tool.h"
#include "accounts.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/ringside-accounts-XXXXXX";
static char path[128];

static void make_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/accounts", folder);
}

static void remove_folder(void)
{
    unlink(path);
    rmdir(folder);
}

TestSuite(accounts, .init = make_folder, .fini = remove_folder);

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static int put(const char *user, const char *firm, const char *password)
{
    const struct account_entry entry = {user, firm, password};
    struct error error;
    return accounts_put(path, &entry, 1, &error);
}

Test(accounts, right_and_wrong_passwords)
{
    struct accounts accounts;
    struct error error;
    cr_assert_eq(put("alice", "FRMA", "secret"), 0);
    cr_assert_eq(put("bob", "B", "0123456789"), 0);
    cr_assert_eq(accounts_open(&accounts, path, &error), 0, "%s", error.what);
    cr_assert_eq(accounts.count, 2u);

    struct account *alice = account_find(&accounts, "alice ");
    cr_assert_not_null(alice);
    cr_assert_eq(memcmp(alice->firm, "FRMA", 4), 0);
    cr_assert_not(account_quick(&accounts, alice, "secret    "), "not known before it was checked");
    cr_assert_not(account_slow(&accounts, alice, "Secret    "));
    cr_assert_not(account_quick(&accounts, alice, "Secret    "));
    cr_assert(account_slow(&accounts, alice, "secret    "));
    cr_assert(account_quick(&accounts, alice, "secret    "), "known after");
    cr_assert_not(account_quick(&accounts, alice, "secret1   "));

    struct account *bob = account_find(&accounts, "bob   ");
    cr_assert(account_slow(&accounts, bob, "0123456789"), "all ten characters count");
    cr_assert_not(account_slow(&accounts, bob, "012345678 "));
    cr_assert_not(account_quick(&accounts, bob, "secret    "));

    cr_assert_null(account_find(&accounts, "carol "));
    cr_assert_not(account_quick(&accounts, NULL, "secret    "));
    cr_assert_not(account_slow(&accounts, NULL, "secret    "));
    cr_assert_not(account_slow(&accounts, NULL, "          "));
    accounts_close(&accounts);
    accounts_close(NULL);
}

Test(accounts, putting_again_replaces_and_keeps_the_others)
{
    struct accounts accounts;
    struct error error;
    write_file("# made by hand\n");
    cr_assert_eq(put("al", "A", "one"), 0);
    cr_assert_eq(put("ala", "A", "two"), 0);
    cr_assert_eq(put("al", "AL", "three"), 0);
    cr_assert_eq(accounts_open(&accounts, path, &error), 0, "%s", error.what);
    cr_assert_eq(accounts.count, 2u);
    struct account *al = account_find(&accounts, "al    ");
    cr_assert(account_slow(&accounts, al, "three     "));
    cr_assert_not(account_slow(&accounts, al, "one       "));
    cr_assert_eq(memcmp(al->firm, "AL  ", 4), 0);
    cr_assert(account_slow(&accounts, account_find(&accounts, "ala   "), "two       "));
    accounts_close(&accounts);

    struct stat status;
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_eq(status.st_mode & 0777u, 0600u, "nobody else may read it");
}

Test(accounts, a_file_that_is_replaced_keeps_owner_and_mode)
{
    struct error error;
    struct stat status;
    const struct account_entry entry = {"USER", "FIRM", "SECRET"};
    cr_assert_eq(accounts_put(path, &entry, 1, &error), 0);
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0600);
    cr_assert_eq(chmod(path, 0640), 0);
    if (geteuid() == 0)
        cr_assert_eq(chown(path, 0, 65534), 0);
    cr_assert_eq(accounts_put(path, &entry, 1, &error), 0);
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0640);
    if (geteuid() == 0)
        cr_expect_eq(status.st_gid, 65534u);
}

Test(accounts, the_file_holds_no_password)
{
    char line[512];
    cr_assert_eq(put("alice", "FRMA", "visible"), 0);
    FILE *file = fopen(path, "r");
    while (fgets(line, sizeof(line), file))
        cr_assert_null(strstr(line, "visible"));
    fclose(file);
}

Test(accounts, same_password_other_hash)
{
    char one[ACCOUNT_HASH_BYTES];
    char two[ACCOUNT_HASH_BYTES];
    struct error error;
    cr_assert_eq(account_hash("secret", one, &error), 0);
    cr_assert_eq(account_hash("secret", two, &error), 0);
    cr_assert_str_neq(one, two);
}

Test(accounts, a_line_that_breaks_a_rule_is_named)
{
    static const struct {
        const char *text;
        const char *where;
    } cases[] = {
        {"alice FRMA\n", ":1"},
        {"\n# nothing\nalice FRMA notahash extra\n", ":3"},
        {"toolong FRMA $6$rounds=1000$abc$def\n", ":1"},
        {"alice firm $6$rounds=1000$abc$def\n", ":1"},
        {"alice FRMAX $6$rounds=1000$abc$def\n", ":1"},
        {"alice FRMA *\n", ":1"},
        {"al FRMA $6$rounds=1000$abc$def\nal FRMA $6$rounds=1000$abc$def\n", ":2"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct accounts accounts;
        struct error error;
        write_file(cases[i].text);
        cr_assert_eq(accounts_open(&accounts, path, &error), ERROR_INVALID, "case %zu", i);
        cr_assert_not_null(strstr(error.where, cases[i].where), "case %zu: %s", i, error.where);
    }
}

Test(accounts, no_file_is_an_error_that_says_what_to_do)
{
    struct accounts accounts;
    struct error error;
    cr_assert_eq(accounts_open(&accounts, path, &error), ERROR_SYSTEM);
    cr_assert_not_null(strstr(error.what, "ringside account add"));
}

Test(accounts, names_and_passwords_have_rules)
{
    cr_assert_null(account_invalid("a-b_c.", "FRM1", "p!"));
    cr_assert_not_null(account_invalid("", "FRM1", "p"));
    cr_assert_not_null(account_invalid("seven77", "FRM1", "p"));
    cr_assert_not_null(account_invalid("a b", "FRM1", "p"));
    cr_assert_not_null(account_invalid("a", "frm", "p"));
    cr_assert_not_null(account_invalid("a", "FRM", ""));
    cr_assert_not_null(account_invalid("a", "FRM", "elevenchars"));
    cr_assert_not_null(account_invalid("a", "FRM", "with space"));
}

Test(accounts, the_tool_checks_both_files)
{
    char members[160];
    char *argv[] = {"account", "check", path, members, NULL};
    snprintf(members, sizeof(members), "%s.members", path);
    cr_assert_eq(put("alice", "FRMA", "secret"), 0);
    static const struct {
        const char *text;
        int code;
    } cases[] = {{"[user alice]\nquantity_max = 5\n", 0}, {"[user bob]\n", 1}, {"[user alice]\nquantity_max\n", 1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        FILE *file = fopen(members, "w");
        cr_assert_not_null(file);
        fputs(cases[i].text, file);
        fclose(file);
        cr_expect_eq(account_main(4, argv), cases[i].code, "case %zu", i);
    }
    unlink(members);
    cr_expect_eq(account_main(4, argv), 1, "no file");
    cr_expect_eq(account_main(3, argv), 0, "accounts alone");
    write_file("alice FRMA nohash\n");
    cr_expect_eq(account_main(3, argv), 1);
}

Test(accounts, the_tool_adds_many)
{
    struct accounts accounts;
    struct error error;
    char password[] = "secret";
    char *argv[] = {"account", "add", path, "u", "FRM", "--password", password, "--count", "25", NULL};
    cr_assert_eq(account_main(9, argv), 0);
    cr_assert_str_eq(password, "******", "gone from the process list");
    cr_assert_eq(accounts_open(&accounts, path, &error), 0, "%s", error.what);
    cr_assert_eq(accounts.count, 25u);
    cr_assert(account_slow(&accounts, account_find(&accounts, "u01   "), "secret    "));
    cr_assert(account_slow(&accounts, account_find(&accounts, "u25   "), "secret    "));
    accounts_close(&accounts);
}
