/*
 * Copying at a pace, a megabyte at a time: what is synced at the end would otherwise stand in the way of the journal's
 * own writes all at once. What was read is not kept in the page cache.
 */
#include "backup_cli.h"
#include "base/units.h"
#include "env/clock.h"
#include "env/disk_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COPY_BYTES      ((size_t)MIB)
#define WRITE_OUT_BYTES (UINT64_C(16) * MIB) /* on the medium before more is written */
#define SHA256_BYTES    32

int backup_copy_begin(struct backup_copy *copy, const char *doing, uint64_t bytes_total, uint64_t rate_mib_s,
                      struct error *error)
{
    *copy = (struct backup_copy){.rate_bytes_s = rate_mib_s * MIB, .buffer = malloc(COPY_BYTES)};
    progress_begin(&copy->progress, doing, bytes_total);
    return copy->buffer ? 0 : error_system(error, ENOMEM, "backup", "no memory to copy");
}

void backup_copy_end(struct backup_copy *copy)
{
    progress_end(&copy->progress);
    free(copy->buffer);
    copy->buffer = NULL;
}

/* Sleeps as long as more was done than the pace allows. */
static void keep_pace(const struct backup_copy *copy)
{
    if (copy->rate_bytes_s == 0)
        return;
    double ahead_s = (double)copy->done_bytes / (double)copy->rate_bytes_s - progress_seconds(&copy->progress);
    if (ahead_s <= 0)
        return;
    const struct timespec pause = {.tv_sec = (time_t)ahead_s,
                                   .tv_nsec = (long)((ahead_s - (double)(time_t)ahead_s) * NS_PER_SECOND)};
    nanosleep(&pause, NULL);
}

static int copy_bytes(struct backup_copy *copy, int from, uint64_t bytes, int to, EVP_MD_CTX *digest,
                      struct error *error)
{
    for (uint64_t at = 0; at < bytes;) {
        size_t want = bytes - at < COPY_BYTES ? (size_t)(bytes - at) : COPY_BYTES;
        size_t count = 0;
        int result = disk()->read(from, at, copy->buffer, want, &count, error);
        if (result == 0 && count != want)
            result = error_set(error, ERROR_CORRUPT, "backup", "a file is shorter than it was when it was opened");
        if (result == 0 && to >= 0)
            result = disk()->write(to, at, copy->buffer, count, error);
        if (result == 0 && to >= 0 && (at + count) % WRITE_OUT_BYTES == 0)
            result = disk()->sync(to, error);
        if (result < 0)
            return result;
        EVP_DigestUpdate(digest, copy->buffer, count);
        (void)posix_fadvise(from, (off_t)at, (off_t)count, POSIX_FADV_DONTNEED);
        at += count;
        copy->done_bytes += count;
        progress_bytes(&copy->progress, copy->done_bytes);
        keep_pace(copy);
    }
    return to >= 0 ? disk()->sync(to, error) : 0;
}

static void digest_text(EVP_MD_CTX *digest, char ret_text[BACKUP_DIGEST_BYTES])
{
    uint8_t bytes[EVP_MAX_MD_SIZE];
    EVP_DigestFinal_ex(digest, bytes, NULL);
    for (size_t i = 0; i < SHA256_BYTES; i++)
        snprintf(ret_text + 2 * i, 3, "%02x", bytes[i]);
}

int backup_copy_file(struct backup_copy *copy, int from, uint64_t bytes, const char *to_path,
                     char ret_digest[BACKUP_DIGEST_BYTES], struct error *error)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    int to = to_path ? disk()->open(to_path, DISK_WRITABLE | DISK_CREATE, error) : -1;
    int result = to_path && to < 0 ? to : 0;
    if (result == 0 && (!digest || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1))
        result = error_set(error, ERROR_SYSTEM, "SHA-256", "OpenSSL does not have it");
    if (result == 0)
        result = copy_bytes(copy, from, bytes, to, digest, error);
    if (result == 0)
        digest_text(digest, ret_digest);
    disk()->close(to);
    EVP_MD_CTX_free(digest);
    return result;
}
