/*
 * `ringside backup`: a copy of a running exchange's files that fit together, and its way back.
 *
 *   DIR/journal/ events/ snapshots/   as in the directories of the configuration
 *   DIR/etc/                          ringside.conf, accounts, members: for a person to put in place
 *   DIR/backup.json                   what it is of, and up to where
 *   DIR/SHA256SUMS                    every file but itself; written last, so a folder without it is no backup
 *
 * Rules
 *   1. All that was durable when it began is in it, and nothing that was not. So no order that somebody was told of
 *      before is missing.
 *   2. What is copied is held open before the first byte is: no trimming or pruning takes it away, and nobody waits.
 *   3. The event log goes as far as the journal does, so that neither knows of more than the other.
 *   4. Nothing is written over: a backup goes into an empty folder, a restore into empty directories.
 */
#ifndef RINGSIDE_CLI_BACKUP_H
#define RINGSIDE_CLI_BACKUP_H

#include "../journal/journal_cli.h"
#include "config/config.h"
#include "env/disk.h"

#define BACKUP_NAME_BYTES   96
#define BACKUP_DIGEST_BYTES 65 /* as hexadecimal text */
#define BACKUP_SUMS         "SHA256SUMS"
#define BACKUP_ABOUT        "backup.json"
#define BACKUP_RATE_MIB     100 /* a second, unless the user says otherwise */

enum backup_kind { BACKUP_JOURNAL, BACKUP_EVENTS, BACKUP_SNAPSHOTS, BACKUP_ETC, BACKUP_KINDS };

/* The folder of a kind in a backup. */
const char *backup_folder(enum backup_kind kind);

struct backup_item {
    enum backup_kind kind;
    char name[BACKUP_NAME_BYTES]; /* in its folder */
    int file;                     /* open; -1: not */
    uint64_t bytes;               /* so many of it belong to the backup */
    char digest[BACKUP_DIGEST_BYTES];
};

struct backup_set {
    struct backup_item *items;
    uint32_t count;
    uint32_t room;
    uint64_t bytes_total;
    uint64_t command_seq_end; /* the first command that is not in it */
    uint64_t event_seq_end;
    uint32_t snapshot_count;
};

void backup_set_finish(struct backup_set *set);

/* Takes the file, also on failure. */
int backup_set_add(struct backup_set *set, enum backup_kind kind, const char *name, int file, uint64_t bytes,
                   struct error *error);

/* ---- what belongs to it (collect.c) ---- */

int backup_collect(struct backup_set *set, const struct config *config, const struct journal_place *place,
                   struct error *error);

/* ---- copying (copy.c) ---- */

struct backup_copy {
    struct progress progress;
    uint64_t rate_bytes_s; /* 0: as fast as it goes */
    uint64_t done_bytes;
    uint8_t *buffer;
};

int backup_copy_begin(struct backup_copy *copy, const char *doing, uint64_t bytes_total, uint64_t rate_mib_s,
                      struct error *error);
void backup_copy_end(struct backup_copy *copy);

/* Reads `bytes` of `from` into its digest, and into a new file at to_path if that is not NULL; synced. */
int backup_copy_file(struct backup_copy *copy, int from, uint64_t bytes, const char *to_path,
                     char ret_digest[BACKUP_DIGEST_BYTES], struct error *error);

/* ---- SHA256SUMS (sums.c) ---- */

/* As sha256sum writes it; in place when whole and synced. */
int backup_sums_write(const struct backup_set *set, const char *directory, const char *about_digest,
                      struct error *error);

/* The items and their digests, files open. *ret_about: the digest of backup.json. ERROR_NOT_YET: there is none. */
int backup_sums_read(struct backup_set *ret_set, const char *directory, char ret_about[BACKUP_DIGEST_BYTES],
                     struct error *error);

/* Every byte against its digest. */
int backup_sums_check(struct backup_set *set, const char *directory, const char *about_digest, struct backup_copy *copy,
                      struct error *error);

/* ---- parts ---- */

int backup_make_main(int argc, char **argv);
int backup_verify_main(int argc, char **argv);
int backup_restore_main(int argc, char **argv);

#endif
