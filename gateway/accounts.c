#include "accounts.h"

#include "base/bytes.h"
#include "base/require.h"

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define LINE_BYTES_MAX 512

/* What an unknown user's password is compared with: a hash that account_hash could have made, of nothing in particular.
 */
static const char hash_of_nobody[] = ACCOUNT_SETTING "nobodynobodynobo$";

static bool user_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
}

static bool firm_character(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool password_character(char c)
{
    return c > ' ' && c <= '~';
}

static bool text_is(const char *text, size_t bytes_max, bool (*character)(char))
{
    size_t length = strlen(text);
    if (length == 0 || length > bytes_max)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!character(text[i]))
            return false;
    }
    return true;
}

const char *account_invalid(const char *user, const char *firm, const char *password)
{
    if (!text_is(user, USER_BYTES, user_character))
        return "a user is 1 to 6 letters, digits, '_', '-' or '.'";
    if (!text_is(firm, FIRM_BYTES, firm_character))
        return "a firm is 1 to 4 capital letters or digits";
    if (password && !text_is(password, ACCOUNT_PASSWORD_BYTES, password_character))
        return "a password is 1 to 10 printable characters without spaces";
    return NULL;
}

/* ---- the keyed digest of a password: SipHash-2-4 (Aumasson and Bernstein 2012) ---- */

static inline uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void sip_rounds(uint64_t v[4], unsigned count)
{
    while (count-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32) + v[3];
        v[2] += v[1];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

/* Of user and password, 16 bytes, which are two words of the message; the third holds its length. */
static uint64_t digest_of(const struct accounts *accounts, const struct account *account,
                          const char password[ACCOUNT_PASSWORD_BYTES])
{
    uint8_t bytes[USER_BYTES + ACCOUNT_PASSWORD_BYTES];
    memcpy(bytes, account->user, USER_BYTES);
    memcpy(bytes + USER_BYTES, password, ACCOUNT_PASSWORD_BYTES);
    uint64_t words[3] = {0, 0, (uint64_t)sizeof(bytes) << 56};
    memcpy(words, bytes, sizeof(bytes));
    uint64_t v[4] = {accounts->key[0] ^ 0x736f6d6570736575u, accounts->key[1] ^ 0x646f72616e646f6du,
                     accounts->key[0] ^ 0x6c7967656e657261u, accounts->key[1] ^ 0x7465646279746573u};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        v[3] ^= words[i];
        sip_rounds(v, 2);
        v[0] ^= words[i];
    }
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- the table ---- */

static uint32_t place_of(const struct accounts *accounts, const char user[USER_BYTES])
{
    uint64_t word = 0;
    memcpy(&word, user, USER_BYTES);
    word *= 0x9e3779b97f4a7c15u;
    return (uint32_t)(word >> 32) & accounts->place_mask;
}

struct account *account_find(const struct accounts *accounts, const char user[USER_BYTES])
{
    for (uint32_t place = place_of(accounts, user);; place = (place + 1) & accounts->place_mask) {
        uint32_t index = accounts->places[place];
        if (index == 0)
            return NULL;
        struct account *account = &accounts->accounts[index - 1];
        if (memcmp(account->user, user, USER_BYTES) == 0)
            return account;
    }
}

static void account_place(struct accounts *accounts, uint32_t index)
{
    uint32_t place = place_of(accounts, accounts->accounts[index].user);
    while (accounts->places[place] != 0)
        place = (place + 1) & accounts->place_mask;
    accounts->places[place] = index + 1;
}

static int line_take(struct accounts *accounts, const char *where, char *line, struct error *error)
{
    char *comment = strchr(line, '#');
    if (comment)
        *comment = '\0';
    char *rest = NULL;
    const char *user = strtok_r(line, " \t\r\n", &rest);
    if (!user)
        return 0;
    const char *firm = strtok_r(NULL, " \t\r\n", &rest);
    const char *hash = strtok_r(NULL, " \t\r\n", &rest);
    if (!firm || !hash || strtok_r(NULL, " \t\r\n", &rest))
        return error_set(error, ERROR_INVALID, where,
                         "a line is \"user firm hash\"; make one with ringside account add");
    const char *broken = account_invalid(user, firm, NULL);
    if (broken)
        return error_set(error, ERROR_INVALID, where, "%s", broken);
    if (strlen(hash) >= ACCOUNT_HASH_BYTES || crypt_checksalt(hash) == CRYPT_SALT_INVALID ||
        strncmp(hash, ACCOUNT_SETTING, strlen(ACCOUNT_SETTING)) != 0)
        return error_set(error, ERROR_INVALID, where,
                         "the hash is none that begins with " ACCOUNT_SETTING "; make one with ringside account add");
    if (accounts->count == ACCOUNTS_MAX)
        return error_set(error, ERROR_FULL, where, "more than %u accounts", ACCOUNTS_MAX);

    REQUIRE(accounts->accounts);
    struct account *account = &accounts->accounts[accounts->count];
    text_pad(account->user, USER_BYTES, user);
    text_pad(account->firm, FIRM_BYTES, firm);
    memcpy(account->hash, hash, strlen(hash) + 1);
    if (account_find(accounts, account->user))
        return error_set(error, ERROR_INVALID, where, "user %s has an earlier line", user);
    account_place(accounts, accounts->count++);
    return 0;
}

static int file_take(struct accounts *accounts, const char *path, FILE *file, struct error *error)
{
    char line[LINE_BYTES_MAX];
    uint32_t line_no = 0;
    int code = 0;
    while (code == 0 && fgets(line, sizeof(line), file)) {
        char where[ERROR_WHERE_BYTES];
        snprintf(where, sizeof(where), "%.100s:%u", path, ++line_no);
        code = line_take(accounts, where, line, error);
    }
    if (code == 0 && ferror(file))
        code = error_system(error, errno, path, "cannot read the accounts");
    return code;
}

static uint32_t lines_count(FILE *file)
{
    uint32_t count = 1;
    int c;
    while ((c = fgetc(file)) != EOF)
        count += c == '\n';
    rewind(file);
    return count < ACCOUNTS_MAX ? count : ACCOUNTS_MAX;
}

static int memory_take(struct accounts *accounts, uint32_t count, struct error *error)
{
    uint32_t places = 64;
    while (places < 2 * count + 1)
        places *= 2;
    accounts->place_mask = places - 1;
    accounts->places = calloc(places, sizeof(*accounts->places));
    accounts->accounts = calloc(count, sizeof(*accounts->accounts));
    accounts->crypt_memory = calloc(1, sizeof(struct crypt_data));
    if (!accounts->places || !accounts->accounts || !accounts->crypt_memory)
        return error_system(error, ENOMEM, "accounts", "no memory for %u accounts", count);
    if (getrandom(accounts->key, sizeof(accounts->key), 0) != (ssize_t)sizeof(accounts->key))
        return error_system(error, errno, "accounts", "no random numbers");
    return 0;
}

int accounts_open(struct accounts *accounts, const char *path, struct error *error)
{
    memset(accounts, 0, sizeof(*accounts));
    FILE *file = fopen(path, "re");
    if (!file)
        return error_system(error, errno, path,
                            "cannot open the accounts (gateway.accounts); make them with ringside account add");
    int code = memory_take(accounts, lines_count(file), error);
    if (code == 0)
        code = file_take(accounts, path, file, error);
    fclose(file);
    if (code < 0)
        accounts_close(accounts);
    return code;
}

void accounts_close(struct accounts *accounts)
{
    if (!accounts)
        return;
    free(accounts->accounts);
    free(accounts->places);
    free(accounts->crypt_memory);
    memset(accounts, 0, sizeof(*accounts));
}

void accounts_remember(struct accounts *accounts, const struct accounts *earlier)
{
    memcpy(accounts->key, earlier->key, sizeof(accounts->key));
    for (uint32_t i = 0; i < accounts->count; i++) {
        struct account *account = &accounts->accounts[i];
        const struct account *before = account_find(earlier, account->user);
        if (!before || strcmp(before->hash, account->hash) != 0)
            continue;
        account->verified = before->verified;
        account->digest = before->digest;
        account->came_before = before->came_before;
        account->came_from = before->came_from;
    }
}

bool account_quick(const struct accounts *accounts, const struct account *account,
                   const char password[ACCOUNT_PASSWORD_BYTES])
{
    return account && account->verified && digest_of(accounts, account, password) == account->digest;
}

bool account_slow(struct accounts *accounts, struct account *account, const char password[ACCOUNT_PASSWORD_BYTES])
{
    const char *setting = account ? account->hash : hash_of_nobody;
    char text[ACCOUNT_PASSWORD_BYTES + 1];
    text_trim(text, password, ACCOUNT_PASSWORD_BYTES);
    const char *hash = crypt_rn(text, setting, accounts->crypt_memory, (int)sizeof(struct crypt_data));
    explicit_bzero(text, sizeof(text));
    if (!account || !hash || strcmp(hash, account->hash) != 0)
        return false;
    account->digest = digest_of(accounts, account, password);
    account->verified = true;
    return true;
}
