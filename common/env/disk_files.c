/* The kernel's files. */
#include "env/disk_real.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FILE_MODE      0640
#define DIRECTORY_MODE 0750

static bool is_full(int errno_value)
{
    return errno_value == ENOSPC || errno_value == EDQUOT || errno_value == EFBIG;
}

int disk_error(struct error *error, int errno_value, const char *where, const char *doing)
{
    int code = is_full(errno_value) ? ERROR_FULL : ERROR_IO;
    int result = error_set(error, code, where, "%s: %s", doing, strerrordesc_np(errno_value));
    if (error)
        error->system = errno_value;
    return result;
}

/* The path of an open file, for messages. */
static const char *path_of(int file, char path[DISK_PATH_BYTES])
{
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, DISK_PATH_BYTES - 1);
    if (length < 0)
        return "a file";
    path[length] = '\0';
    return path;
}

static int fail(struct error *error, int errno_value, int file, const char *doing)
{
    char path[DISK_PATH_BYTES];
    return disk_error(error, errno_value, path_of(file, path), doing);
}

static int open_file(const char *path, unsigned flags, struct error *error)
{
    int mode = O_CLOEXEC | (flags & DISK_WRITABLE ? O_RDWR : O_RDONLY);
    if (flags & DISK_CREATE)
        mode |= O_CREAT | O_EXCL;
    int file = -1;
    if (flags & DISK_DIRECT)
        file = open(path, mode | O_DIRECT, FILE_MODE);
    if (file < 0 && (!(flags & DISK_DIRECT) || errno == EINVAL || errno == EEXIST)) {
        /* O_DIRECT is refused after the file has been created. */
        if ((flags & DISK_DIRECT) && errno == EINVAL)
            mode &= ~O_EXCL;
        file = open(path, mode, FILE_MODE);
    }
    if (file >= 0)
        return file;
    if (errno == ENOENT)
        return error_set(error, ERROR_NOT_YET, path, "is not there");
    if (is_full(errno))
        return disk_error(error, errno, path, "cannot create the file");
    return error_system(error, errno, path, "cannot open the file");
}

static int open_directory(const char *path, struct error *error)
{
    int file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file >= 0)
        return file;
    if (errno == ENOENT)
        return error_set(error, ERROR_NOT_YET, path, "is not there");
    return error_system(error, errno, path, "cannot open the directory");
}

static void close_file(int file)
{
    if (file >= 0)
        close(file);
}

static bool is_direct(int file)
{
    int flags = fcntl(file, F_GETFL);
    return flags >= 0 && (flags & O_DIRECT) != 0;
}

static int file_size(int file, uint64_t *ret_bytes, struct error *error)
{
    struct stat status;
    if (fstat(file, &status) != 0)
        return fail(error, errno, file, "cannot ask for its size");
    *ret_bytes = (uint64_t)status.st_size;
    return 0;
}

static int read_file(int file, uint64_t offset, void *to, size_t bytes, size_t *ret_count, struct error *error)
{
    size_t count = 0;
    while (count < bytes) {
        ssize_t length = pread(file, (uint8_t *)to + count, bytes - count, (off_t)(offset + count));
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return fail(error, errno, file, "cannot read");
        if (length == 0)
            break;
        count += (size_t)length;
        if ((size_t)length % DISK_BLOCK_BYTES != 0)
            break; /* the end of the file; a direct read may not go on from here */
    }
    *ret_count = count;
    return 0;
}

static int write_file(int file, uint64_t offset, const void *from, size_t bytes, struct error *error)
{
    ssize_t length = pwrite(file, from, bytes, (off_t)offset);
    if (length == (ssize_t)bytes)
        return 0;
    return fail(error, length < 0 ? errno : ENOSPC, file, length < 0 ? "cannot write" : "a part was written only");
}

static int sync_file(int file, struct error *error)
{
    return fdatasync(file) == 0 ? 0 : fail(error, errno, file, "cannot sync");
}

static int truncate_file(int file, uint64_t bytes, struct error *error)
{
    return ftruncate(file, (off_t)bytes) == 0 ? 0 : fail(error, errno, file, "cannot truncate");
}

static int reserve(int file, uint64_t bytes, struct error *error)
{
    if (fallocate(file, 0, 0, (off_t)bytes) == 0 || errno == EOPNOTSUPP)
        return 0;
    return fail(error, errno, file, "cannot reserve space");
}

static int remove_file(const char *path, struct error *error)
{
    return unlink(path) == 0 || errno == ENOENT ? 0 : error_system(error, errno, path, "cannot remove");
}

static int rename_file(const char *from, const char *to, struct error *error)
{
    return rename(from, to) == 0 ? 0 : error_system(error, errno, from, "cannot rename to %s", to);
}

/* Where the file system has no locks, files count as held: they are never written anew. */
static int hold_file(int file, const char *path)
{
    struct stat own, named;
    if (flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return ERROR_NOT_YET;
    bool same =
        fstat(file, &own) == 0 && stat(path, &named) == 0 && own.st_dev == named.st_dev && own.st_ino == named.st_ino;
    return same ? 0 : ERROR_NOT_YET;
}

/* Who holds it from now on finds that its name is gone; so the lock need not be kept. */
static bool is_held(int file)
{
    if (flock(file, LOCK_EX | LOCK_NB) != 0)
        return true;
    flock(file, LOCK_UN);
    return false;
}

static int space_left(const char *directory, uint64_t *ret_free_bytes, struct error *error)
{
    struct statvfs status;
    if (statvfs(directory, &status) != 0)
        return error_system(error, errno, directory, "cannot ask for its space");
    *ret_free_bytes = (uint64_t)status.f_bavail * status.f_frsize;
    if (status.f_blocks == 0) /* a file system that does not say */
        *ret_free_bytes = UINT64_MAX;
    return 0;
}

static int make_directory(const char *path, struct error *error)
{
    char part[DISK_PATH_BYTES];
    if ((size_t)snprintf(part, sizeof(part), "%s", path) >= sizeof(part))
        return error_set(error, ERROR_INVALID, path, "the path is too long");
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, DIRECTORY_MODE) != 0 && errno != EEXIST)
            return error_system(error, errno, part, "cannot make the directory");
        *slash = '/';
    }
    if (mkdir(part, DIRECTORY_MODE) != 0 && errno != EEXIST)
        return error_system(error, errno, path, "cannot make the directory");
    return 0;
}

static int list_directory(const char *directory, disk_visitor *visitor, void *argument, struct error *error)
{
    DIR *stream = opendir(directory);
    if (!stream && errno == ENOENT)
        return error_set(error, ERROR_NOT_YET, directory, "is not there");
    if (!stream)
        return error_system(error, errno, directory, "cannot list the directory");
    errno = 0;
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL; errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            visitor(argument, entry->d_name);
    int errno_value = errno;
    closedir(stream);
    return errno_value == 0 ? 0 : error_system(error, errno_value, directory, "cannot list the directory");
}

void disk_files_fill(struct disk_side *side)
{
    side->open = open_file;
    side->open_directory = open_directory;
    side->close = close_file;
    side->direct = is_direct;
    side->size = file_size;
    side->read = read_file;
    side->write = write_file;
    side->sync = sync_file;
    side->truncate = truncate_file;
    side->reserve = reserve;
    side->remove = remove_file;
    side->rename = rename_file;
    side->make_directory = make_directory;
    side->hold = hold_file;
    side->held = is_held;
    side->space = space_left;
    side->list = list_directory;
}
