/* Making accounts: what `ringside account add` and tests need, and the gateway does not. */
#include "accounts.h"

#include "base/require.h"

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 512

/* 1,000 is the least that sha512crypt takes: the gateway checks in the thread that serves everybody (accounts.h). */
#define HASH_ROUNDS 1000

int account_hash(const char *password, char hash[ACCOUNT_HASH_BYTES], struct error *error)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    if (!crypt_gensalt_rn("$6$", HASH_ROUNDS, NULL, 0, setting, (int)sizeof(setting)))
        return error_system(error, errno, "password", "crypt(3) cannot make a salt");
    struct crypt_data *memory = calloc(1, sizeof(*memory));
    if (!memory)
        return error_system(error, ENOMEM, "password", "no memory");
    const char *made = crypt_rn(password, setting, memory, (int)sizeof(*memory));
    int code = 0;
    if (!made || strlen(made) >= ACCOUNT_HASH_BYTES)
        code = error_system(error, errno, "password", "crypt(3) cannot hash it");
    else
        memcpy(hash, made, strlen(made) + 1);
    explicit_bzero(memory, sizeof(*memory));
    free(memory);
    return code;
}

static bool line_is_of(const char *line, const struct account_entry *entries, uint32_t count)
{
    const char *start = line + strspn(line, " \t");
    for (uint32_t i = 0; i < count; i++) {
        size_t bytes = strlen(entries[i].user);
        if (strncmp(start, entries[i].user, bytes) == 0 && strchr(" \t", start[bytes]))
            return true;
    }
    return false;
}

/* Copies all lines but those of the users that get new ones. */
static void lines_copy(FILE *from, FILE *to, const struct account_entry *entries, uint32_t count)
{
    char *line = NULL;
    size_t line_bytes = 0;
    while (getline(&line, &line_bytes, from) >= 0) {
        if (!line_is_of(line, entries, count))
            fprintf(to, "%s%s", line, line[strlen(line) - 1] == '\n' ? "" : "\n");
    }
    free(line);
}

static int lines_add(FILE *to, const struct account_entry *entries, uint32_t count, struct error *error)
{
    for (uint32_t i = 0; i < count; i++) {
        char hash[ACCOUNT_HASH_BYTES];
        int code = account_hash(entries[i].password, hash, error);
        if (code < 0)
            return code;
        fprintf(to, "%s %s %s\n", entries[i].user, entries[i].firm, hash);
    }
    return 0;
}

static int file_fill(FILE *to, const char *path, const struct account_entry *entries, uint32_t count,
                     struct error *error)
{
    FILE *from = fopen(path, "re");
    if (!from && errno != ENOENT)
        return error_system(error, errno, path, "cannot read the accounts");
    if (from) {
        lines_copy(from, to, entries, count);
        fclose(from);
    } else {
        fputs("# user firm hash: who may log in at the gateways. Change with ringside account.\n", to);
    }
    int code = lines_add(to, entries, count, error);
    if (code == 0 && (fflush(to) != 0 || ferror(to) || fsync(fileno(to)) != 0))
        code = error_system(error, errno, path, "cannot write the accounts");
    return code;
}

/*
 * A file that is replaced stays readable for whom it was: the gateways, where root changes it. Unless everybody could
 * read it: then it is its owner's alone from now on.
 */
static int permissions_take(int fd, const char *path, struct error *error)
{
    struct stat old;
    if (stat(path, &old) < 0)
        return errno == ENOENT ? 0 : error_system(error, errno, path, "cannot look at the accounts");
    mode_t mode = old.st_mode & S_IRWXO ? S_IRUSR | S_IWUSR : old.st_mode & 07777;
    if (fchown(fd, old.st_uid, old.st_gid) < 0 || fchmod(fd, mode) < 0)
        return error_system(error, errno, path, "cannot give the new file the owner and mode of the old one");
    return 0;
}

int accounts_put(const char *path, const struct account_entry *entries, uint32_t count, struct error *error)
{
    for (uint32_t i = 0; i < count; i++) {
        const char *broken = account_invalid(entries[i].user, entries[i].firm, entries[i].password);
        if (broken)
            return error_set(error, ERROR_INVALID, entries[i].user, "%s", broken);
    }
    char temporary[PATH_BYTES];
    if ((size_t)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= sizeof(temporary))
        return error_set(error, ERROR_INVALID, "accounts", "the path is longer than %d bytes", PATH_BYTES - 8);
    int fd = mkstemp(temporary); /* made with mode 0600 */
    if (fd < 0)
        return error_system(error, errno, temporary, "cannot make a new file beside the accounts");
    FILE *to = fdopen(fd, "w");
    int code;
    if (to) {
        code = permissions_take(fd, path, error);
        if (code == 0)
            code = file_fill(to, path, entries, count, error);
        fclose(to);
    } else {
        code = error_system(error, errno, temporary, "cannot write the accounts");
        close(fd);
    }
    if (code == 0 && rename(temporary, path) < 0)
        code = error_system(error, errno, path, "cannot replace the accounts");
    if (code < 0)
        unlink(temporary);
    return code;
}
