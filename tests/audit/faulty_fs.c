/*
 * A file system on FUSE that passes everything on to a folder, and fails when told to.
 *
 * usage: ringside-faulty-fs FOLDER MOUNTPOINT
 *
 *   1. Writing "write N", "batch N" or "sync N" to MOUNTPOINT/.fail makes the N-th write, write of a batch of the
 * journal or sync from then on fail with EIO, once; reads and everything else go on. The medium is back at once:
 * whoever tries again succeeds.
 *   2. What was written to a file and not synced when its sync fails is gone, as with Linux's page cache: the bytes
 * that were there before come back. A write that fails has written half of what it should.
 *   3. Nothing is cached by the kernel, so every write and sync of the exchange arrives here.
 */
#define FUSE_USE_VERSION 31

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTROL "/.fail"

/* What a write that is not synced yet has overwritten. */
struct undo {
    struct undo *before;
    ino_t inode;
    off_t offset;
    size_t bytes;
    uint8_t old[];
};

static int root;
static struct undo *undos; /* the newest first */
static uint64_t fail_write_in, fail_batch_in, fail_sync_in;

static const char *inside(const char *path)
{
    return path[1] == '\0' ? "." : path + 1;
}

static int answer(int result)
{
    return result < 0 ? -errno : result;
}

static ino_t inode_of(int file)
{
    struct stat status;
    return fstat(file, &status) == 0 ? status.st_ino : 0;
}

/* ---- what is not synced ---- */

static void remember(int file, off_t offset, size_t bytes)
{
    struct undo *undo = calloc(1, sizeof(*undo) + bytes);
    if (!undo)
        abort();
    *undo = (struct undo){.before = undos, .inode = inode_of(file), .offset = offset, .bytes = bytes};
    if (pread(file, undo->old, bytes, offset) < 0)
        memset(undo->old, 0, bytes);
    undos = undo;
}

/* The newest come first, so the oldest bytes are those that stay. */
static void forget(int file, bool lost)
{
    ino_t inode = inode_of(file);
    for (struct undo **at = &undos; *at;) {
        struct undo *undo = *at;
        if (undo->inode != inode) {
            at = &undo->before;
            continue;
        }
        if (lost && pwrite(file, undo->old, undo->bytes, undo->offset) < 0)
            perror("undo");
        *at = undo->before;
        free(undo);
    }
}

static bool fails_now(uint64_t *in)
{
    return *in > 0 && --*in == 0;
}

/* ---- what is passed on ---- */

static int do_getattr(const char *path, struct stat *status, struct fuse_file_info *info)
{
    (void)info;
    if (strcmp(path, CONTROL) == 0) {
        *status = (struct stat){.st_mode = S_IFREG | 0600, .st_nlink = 1};
        return 0;
    }
    return answer(fstatat(root, inside(path), status, AT_SYMLINK_NOFOLLOW));
}

static int do_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset, struct fuse_file_info *info,
                      enum fuse_readdir_flags flags)
{
    (void)offset;
    (void)info;
    (void)flags;
    int folder = openat(root, inside(path), O_RDONLY | O_DIRECTORY);
    DIR *entries = folder < 0 ? NULL : fdopendir(folder);
    if (!entries)
        return -errno;
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;)
        fill(buffer, entry->d_name, NULL, 0, (enum fuse_fill_dir_flags)0);
    closedir(entries);
    return 0;
}

static int open_file(const char *path, int flags, mode_t mode, struct fuse_file_info *info)
{
    int file = openat(root, inside(path), flags & ~(O_DIRECT | O_APPEND), mode);
    if (file < 0)
        return -errno;
    info->fh = (uint64_t)file;
    info->direct_io = 1;
    return 0;
}

static int do_open(const char *path, struct fuse_file_info *info)
{
    if (strcmp(path, CONTROL) == 0)
        return 0;
    return open_file(path, info->flags & O_ACCMODE ? (info->flags & ~O_ACCMODE) | O_RDWR : info->flags, 0, info);
}

static int do_create(const char *path, mode_t mode, struct fuse_file_info *info)
{
    return open_file(path, (info->flags & ~O_ACCMODE) | O_RDWR | O_CREAT, mode, info);
}

static int do_release(const char *path, struct fuse_file_info *info)
{
    return strcmp(path, CONTROL) == 0 ? 0 : answer(close((int)info->fh));
}

static int do_read(const char *path, char *to, size_t bytes, off_t offset, struct fuse_file_info *info)
{
    if (strcmp(path, CONTROL) == 0)
        return 0;
    return answer((int)pread((int)info->fh, to, bytes, offset));
}

static int take_order(const char *text, size_t bytes)
{
    char order[64] = "";
    memcpy(order, text, bytes < sizeof(order) - 1 ? bytes : sizeof(order) - 1);
    if (strncmp(order, "write ", 6) == 0)
        fail_write_in = strtoull(order + 6, NULL, 10);
    else if (strncmp(order, "batch ", 6) == 0)
        fail_batch_in = strtoull(order + 6, NULL, 10);
    else if (strncmp(order, "sync ", 5) == 0)
        fail_sync_in = strtoull(order + 5, NULL, 10);
    else
        return -EINVAL;
    return (int)bytes;
}

static int do_write(const char *path, const char *from, size_t bytes, off_t offset, struct fuse_file_info *info)
{
    int file = (int)info->fh;
    if (strcmp(path, CONTROL) == 0)
        return take_order(from, bytes);
    bool is_batch = strstr(path, ".seg") && bytes > 0 && from[0] != 0; /* else zeros, written ahead */
    bool fails = fails_now(&fail_write_in) || (is_batch && fails_now(&fail_batch_in));
    if (strstr(path, "/events-"))
        remember(file, offset, bytes);
    ssize_t count = pwrite(file, from, fails ? bytes / 2 : bytes, offset);
    if ((info->flags & (O_DSYNC | O_SYNC)) != 0)
        forget(file, false);
    return fails ? -EIO : answer((int)count);
}

static int do_fsync(const char *path, int data_alone, struct fuse_file_info *info)
{
    (void)path;
    (void)data_alone;
    bool fails = fails_now(&fail_sync_in);
    forget((int)info->fh, fails);
    return fails ? -EIO : answer(fdatasync((int)info->fh));
}

static int do_fsyncdir(const char *path, int data_alone, struct fuse_file_info *info)
{
    (void)path;
    (void)data_alone;
    (void)info;
    return 0;
}

static int do_fallocate(const char *path, int mode, off_t offset, off_t bytes, struct fuse_file_info *info)
{
    (void)path;
    return answer(fallocate((int)info->fh, mode, offset, bytes));
}

static int do_truncate(const char *path, off_t bytes, struct fuse_file_info *info)
{
    if (strcmp(path, CONTROL) == 0)
        return 0;
    if (info)
        return answer(ftruncate((int)info->fh, bytes));
    int file = openat(root, inside(path), O_WRONLY);
    int result = file < 0 ? -errno : answer(ftruncate(file, bytes));
    if (file >= 0)
        close(file);
    return result;
}

static int do_unlink(const char *path)
{
    return answer(unlinkat(root, inside(path), 0));
}

static int do_rmdir(const char *path)
{
    return answer(unlinkat(root, inside(path), AT_REMOVEDIR));
}

static int do_mkdir(const char *path, mode_t mode)
{
    return answer(mkdirat(root, inside(path), mode));
}

static int do_rename(const char *from, const char *to, unsigned flags)
{
    return flags != 0 ? -EINVAL : answer(renameat(root, inside(from), root, inside(to)));
}

static void *do_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
    (void)connection;
    config->direct_io = 1;
    config->attr_timeout = 0;
    config->entry_timeout = 0;
    config->negative_timeout = 0;
    return NULL;
}

int main(int argc, char **argv)
{
    const struct fuse_operations operations = {.init = do_init,
                                               .getattr = do_getattr,
                                               .readdir = do_readdir,
                                               .open = do_open,
                                               .create = do_create,
                                               .release = do_release,
                                               .read = do_read,
                                               .write = do_write,
                                               .fsync = do_fsync,
                                               .fsyncdir = do_fsyncdir,
                                               .fallocate = do_fallocate,
                                               .truncate = do_truncate,
                                               .unlink = do_unlink,
                                               .rmdir = do_rmdir,
                                               .mkdir = do_mkdir,
                                               .rename = do_rename};
    char single[] = "-s";
    char foreground[] = "-f";
    if (argc != 3 || (root = open(argv[1], O_PATH | O_DIRECTORY)) < 0) {
        fprintf(stderr, "usage: ringside-faulty-fs FOLDER MOUNTPOINT\n");
        return 64;
    }
    char *arguments[] = {argv[0], single, foreground, argv[2], NULL};
    return fuse_main(4, arguments, &operations, NULL);
}
