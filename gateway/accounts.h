/*
 * Who may log in: a file of lines "user firm hash", read at start. The hash is crypt(3)'s, salted; passwords are
 * nowhere but in the login packets themselves.
 *
 * Rules
 *   1. user: 1 to 6 letters, digits, '_', '-' or '.'; firm: 1 to 4 capital letters or digits; a user has one line.
 *      '#' begins a comment. A line that breaks a rule refuses the whole file, with its number.
 *   2. Checking a hash takes a third of a millisecond with what account_hash makes (sha512crypt, 1,000 rounds), which
 * is long for the thread that serves everybody else. So it is split: account_quick knows at once a password that was
 *      right before, by a keyed digest; account_slow does the work, and the caller does one at a time between polls.
 *   3. An unknown user costs the same work as a wrong password, so that answers do not tell which users exist.
 *   4. Because of 2 no hash may cost more: one of another method, or of more rounds, refuses the file.
 *
 * Allocates at open only.
 */
#ifndef RINGSIDE_GATEWAY_ACCOUNTS_H
#define RINGSIDE_GATEWAY_ACCOUNTS_H

#include "base/error.h"
#include "record/command.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACCOUNT_PASSWORD_BYTES 10
#define ACCOUNT_HASH_BYTES     160
#define ACCOUNTS_MAX           65536u
#define ACCOUNT_SETTING        "$6$rounds=1000$" /* what every hash begins with: sha512crypt and its least cost */

struct account {
    char user[USER_BYTES]; /* space-padded */
    char firm[FIRM_BYTES];
    bool verified; /* digest is of the right password */
    bool came_before;
    uint64_t came_from; /* came_before: key of the address that it last logged in from, anywhere (login.c) */
    uint64_t digest;    /* keyed with a number that only this process knows */
    char hash[ACCOUNT_HASH_BYTES];
};

struct accounts {
    struct account *accounts;
    uint32_t *places; /* hash table of indexes + 1; 0: empty */
    uint32_t count;
    uint32_t place_mask;
    uint64_t key[2];
    void *crypt_memory;
};

int accounts_open(struct accounts *accounts, const char *path, struct error *error);
void accounts_close(struct accounts *accounts);

/* Takes over from earlier accounts what was found out of users whose lines are the same. */
void accounts_remember(struct accounts *accounts, const struct accounts *earlier);

/* NULL if there is no such user. */
struct account *account_find(const struct accounts *accounts, const char user[USER_BYTES]);

/* true: the password is right, and was before. false: account_slow must tell. account may be NULL. */
bool account_quick(const struct accounts *accounts, const struct account *account,
                   const char password[ACCOUNT_PASSWORD_BYTES]);

/* Is the password right? Remembers it if so. account may be NULL: false, after the same work. */
bool account_slow(struct accounts *accounts, struct account *account, const char password[ACCOUNT_PASSWORD_BYTES]);

/* NULL, or the rule that the user, firm or password breaks. */
const char *account_invalid(const char *user, const char *firm, const char *password);

/* A hash of the password, with a salt of its own, as a line of the file has it. */
int account_hash(const char *password, char hash[ACCOUNT_HASH_BYTES], struct error *error);

/* A user to be, as C strings. */
struct account_entry {
    const char *user;
    const char *firm;
    const char *password;
};

/*
 * Adds these users to the file at path, or gives them another firm and password; the file is made if need be, readable
 * by its owner alone, and replaced as a whole.
 */
int accounts_put(const char *path, const struct account_entry *entries, uint32_t count, struct error *error);

#endif
