#include "run/run.h"

#include "base/checksum.h"
#include "env/clock.h"
#include "ring/hook.h"
#include "ring/owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(struct run_file) == 72, "the run file's layout");

static void path_in(const struct run *run, const char *name, char path[RUN_PATH_BYTES])
{
    snprintf(path, RUN_PATH_BYTES, "%s/%s", run->directory, name);
}

/* ---- roles ------------------------------------------------------------------------------------------------------- */

static int make_directory(const char *directory, struct error *error)
{
    char path[RUN_PATH_BYTES];
    snprintf(path, sizeof(path), "%s", directory);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0770) < 0 && errno != EEXIST)
            return error_system(error, errno, path, "cannot make the directory of the rings");
        *slash = '/';
    }
    if (mkdir(path, 0770) < 0 && errno != EEXIST)
        return error_system(error, errno, path, "cannot make the directory of the rings");
    return 0;
}

static void role_name(enum process_kind kind, uint32_t gateway, char *name, size_t name_bytes)
{
    if (kind == PROCESS_GATEWAY)
        snprintf(name, name_bytes, "gateway-%u", gateway);
    else
        snprintf(name, name_bytes, "%s", topology_process_name(kind));
}

static int held_by(int fd, const char *path, const char *role, struct error *error)
{
    char text[64] = "";
    ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    text[strcspn(text, " \n")] = '\0';
    return error_set(error, ERROR_HELD, path, "the role of %s is held by process %s; stop it first", role,
                     text[0] ? text : "unknown");
}

/* A second lock, of the kind that can be asked for without taking it: run_view, from whatever PID namespace. */
static void show_lock(int fd)
{
    const struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    (void)fcntl(fd, F_OFD_SETLK, &whole); /* the first one is what counts */
}

int run_take_role(struct run *run, const char *directory, enum process_kind kind, uint32_t gateway, struct error *error)
{
    *run = (struct run){.run_fd = -1, .role_fd = -1, .kind = kind, .gateway = gateway};
    run->doorbells.own_fifo = -1;
    if ((size_t)snprintf(run->directory, sizeof(run->directory), "%s", directory) >= sizeof(run->directory))
        return error_set(error, ERROR_INVALID, directory, "longer than %zu bytes", sizeof(run->directory) - 1);
    int result = make_directory(directory, error);
    if (result < 0)
        return result;
    char role[32], file[48], path[RUN_PATH_BYTES];
    role_name(kind, gateway, role, sizeof(role));
    snprintf(file, sizeof(file), "%s.lock", role);
    path_in(run, file, path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
    if (fd < 0)
        return error_system(error, errno, path, "cannot open the role's lock");
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        result = errno == EWOULDBLOCK ? held_by(fd, path, role, error)
                                      : error_system(error, errno, path, "cannot lock the role");
        close(fd);
        return result;
    }
    show_lock(fd);
    char text[64];
    int length = snprintf(text, sizeof(text), "%d %llu\n", (int)getpid(), (unsigned long long)owner_start_time());
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)length, 0) != length) {
        result = error_system(error, errno, path, "cannot write who holds the role");
        close(fd);
        return result;
    }
    run->role_fd = fd;
    return 0;
}

/* ---- the run file ------------------------------------------------------------------------------------------------ */

static uint32_t run_checksum(const struct run_file *file)
{
    struct run_file copy;
    memcpy(&copy, file, sizeof(copy));
    atomic_store_explicit(&copy.magic, 0, memory_order_relaxed);
    copy.checksum = 0;
    return crc32c(0, &copy, sizeof(copy));
}

static int read_run_file(int fd, const char *path, struct run_file *ret_file, struct error *error)
{
    struct run_file file;
    ssize_t length = pread(fd, &file, sizeof(file), 0);
    if (length < 0)
        return error_system(error, errno, path, "cannot read the run file");
    if (length < (ssize_t)sizeof(file) || file.magic == 0)
        return error_set(error, ERROR_NOT_YET, path, "the run is still being made");
    if (file.magic != RUN_MAGIC)
        return error_set(error, ERROR_MISMATCH, path, "not a run file");
    if (file.version != RUN_VERSION)
        return error_set(error, ERROR_MISMATCH, path, "version %u, this program has %u", file.version, RUN_VERSION);
    if (file.checksum != run_checksum(&file))
        return error_set(error, ERROR_CORRUPT, path, "the checksum does not match");
    memcpy(ret_file, &file, sizeof(file));
    return 0;
}

/* Keeps fd as the run's lock and takes over what the file says. */
static int adopt(struct run *run, int fd, const struct run_file *file, struct error *error)
{
    struct stat status;
    char path[RUN_PATH_BYTES];
    path_in(run, "run", path);
    if (fstat(fd, &status) < 0)
        return error_system(error, errno, path, "cannot look at the run file");
    memcpy(run->run_id, file->run_id, sizeof(run->run_id));
    run->base = file->base;
    run->run_inode = status.st_ino;
    run->run_fd = fd;
    run->listeners = topology_listeners(run->kind, file->base.gateway_count);
    bool pollable = run->kind == PROCESS_GATEWAY || run->kind == PROCESS_JOURNALER || run->kind == PROCESS_PERSISTER ||
                    run->kind == PROCESS_ADMIN;
    return doorbells_open(&run->doorbells, run->directory, topology_doorbell(run->kind, run->gateway), pollable, error);
}

/* True if the path still names the file behind fd: it was not replaced between opening and locking. */
static bool same_file(int fd, const char *path)
{
    struct stat opened, named;
    return fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

/* The journaler itself makes the new one, as soon as nobody is left of the old one. */
static uint64_t patience_ns(const struct run *run)
{
    return run->kind == PROCESS_JOURNALER ? RUN_SURVIVORS_NS : RUN_UNWANTED_NS;
}

/* Looked at without the lock: held for a moment, it would be a survivor's. */
static bool may_be_replaced(struct run *run, int fd, const char *path)
{
    struct run_file file = {0};
    if (run->gateways_wanted == 0 || read_run_file(fd, path, &file, NULL) < 0 ||
        file.base.gateway_count == run->gateways_wanted) {
        run->unwanted_since_ns = 0;
        return false;
    }
    uint64_t now_ns = clock_monotonic_ns();
    if (run->unwanted_since_ns == 0)
        run->unwanted_since_ns = now_ns;
    return now_ns - run->unwanted_since_ns < patience_ns(run);
}

int run_join(struct run *run, struct error *error)
{
    char path[RUN_PATH_BYTES];
    path_in(run, "run", path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? error_set(error, ERROR_NOT_YET, path, "no run yet: the journaler makes it")
                               : error_system(error, errno, path, "cannot open the run file");
    RING_HOOK("join: opened");
    int result = 0;
    struct run_file file = {0};
    if (may_be_replaced(run, fd, path))
        result = error_set(error, ERROR_NOT_YET, path, "it is for another number of gateways: a new one may come");
    else if (flock(fd, LOCK_SH | LOCK_NB) < 0)
        result = error_set(error, ERROR_NOT_YET, path, "a new run is being made");
    else if (!same_file(fd, path))
        result = error_set(error, ERROR_NOT_YET, path, "the run was replaced just now");
    else
        result = read_run_file(fd, path, &file, error);
    RING_HOOK("join: looked");
    if (result == 0)
        result = adopt(run, fd, &file, error);
    if (result < 0) {
        close(fd);
        run->run_fd = -1;
    }
    return result;
}

int run_join_or_lock(struct run *run, struct error *error)
{
    char path[RUN_PATH_BYTES];
    path_in(run, "run", path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
    if (fd < 0)
        return error_system(error, errno, path, "cannot open the run file");
    RING_HOOK("lock: opened");
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        if (!same_file(fd, path)) {
            close(fd);
            return error_set(error, ERROR_NOT_YET, path, "the run file was replaced just now");
        }
        run->run_fd = fd;
        return 0;
    }
    int system = errno;
    close(fd);
    if (system != EWOULDBLOCK)
        return error_system(error, system, path, "cannot lock the run file");
    int result = run_join(run, error);
    return result < 0 ? result : 1;
}

/* ---- making a run ------------------------------------------------------------------------------------------------ */

static bool ends_with(const char *name, const char *ending)
{
    size_t name_length = strlen(name), ending_length = strlen(ending);
    return name_length > ending_length && strcmp(name + name_length - ending_length, ending) == 0;
}

static int remove_old_files(const struct run *run, struct error *error)
{
    DIR *directory = opendir(run->directory);
    if (!directory)
        return error_system(error, errno, run->directory, "cannot list the directory");
    for (const struct dirent *entry; (entry = readdir(directory));) {
        const char *name = entry->d_name;
        if (!ends_with(name, ".ring") && !ends_with(name, ".ring.new") && !ends_with(name, ".fifo") &&
            strcmp(name, "doorbells") != 0)
            continue;
        if (unlinkat(dirfd(directory), name, 0) < 0 && errno != ENOENT) {
            int result = error_system(error, errno, name, "cannot remove what an earlier run left");
            closedir(directory);
            return result;
        }
    }
    closedir(directory);
    return 0;
}

static int make_doorbells(const struct run *run, struct error *error)
{
    char path[RUN_PATH_BYTES];
    path_in(run, "doorbells", path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
    if (fd < 0)
        return error_system(error, errno, path, "cannot create the doorbells");
    int allocated = posix_fallocate(fd, 0, DOORBELLS_MAX * sizeof(struct doorbell));
    close(fd);
    return allocated ? error_system(error, allocated, path, "no memory for the doorbells") : 0;
}

int run_create(struct run *run, const struct run_base *base, struct error *error)
{
    REQUIRE(run->run_fd >= 0 && run->kind == PROCESS_JOURNALER);
    char path[RUN_PATH_BYTES];
    path_in(run, "run", path);
    int fd = run->run_fd;
    /* First the run file says "not yet", so that a half-made run is never taken for a whole one. */
    if (ftruncate(fd, 0) < 0)
        return error_system(error, errno, path, "cannot clear the run file");
    RING_HOOK("create: cleared");
    int result = remove_old_files(run, error);
    RING_HOOK("create: old files removed");
    if (result == 0)
        result = make_doorbells(run, error);
    if (result < 0)
        return result;
    RING_HOOK("create: doorbells made");
    struct run_file file = {.version = RUN_VERSION, .base = *base, .created_ns = clock_realtime_ns()};
    if (getrandom(file.run_id, sizeof(file.run_id), 0) != (ssize_t)sizeof(file.run_id))
        return error_system(error, errno, path, "no random bytes for the run's identity");
    file.checksum = run_checksum(&file);
    atomic_store_explicit(&file.magic, RUN_MAGIC, memory_order_relaxed);
    if (pwrite(fd, &file, sizeof(file), 0) != (ssize_t)sizeof(file))
        return error_system(error, errno, path, "cannot write the run file");
    RING_HOOK("create: written");
    if (flock(fd, LOCK_SH) < 0)
        return error_system(error, errno, path, "cannot share the run file's lock");
    return adopt(run, fd, &file, error);
}

/* ---- in a run ---------------------------------------------------------------------------------------------------- */

int run_check(const struct run *run, struct error *error)
{
    char path[RUN_PATH_BYTES];
    path_in(run, "run", path);
    struct stat status;
    struct run_file file;
    if (stat(path, &status) < 0 || status.st_ino != run->run_inode)
        return error_set(error, ERROR_MISMATCH, path, "the run this process belongs to is gone");
    int result = read_run_file(run->run_fd, path, &file, error);
    if (result < 0 || memcmp(file.run_id, run->run_id, sizeof(file.run_id)) != 0)
        return error_set(error, ERROR_MISMATCH, path, "another run has begun");
    return 0;
}

void run_notes_path(const struct run *run, const char *name, char path[RUN_PATH_BYTES])
{
    snprintf(path, RUN_PATH_BYTES, "%s/%s.notes", run->directory, name);
}

void run_ring_path(const struct run *run, const char *name, char path[RUN_PATH_BYTES])
{
    snprintf(path, RUN_PATH_BYTES, "%s/%s.ring", run->directory, name);
}

void run_ring_parameters(const struct run *run, const char *name, struct ring_parameters *parameters)
{
    *parameters = (struct ring_parameters){.name = name, .topology_hash = topology_hash(run->base.gateway_count)};
    memcpy(parameters->run_id, run->run_id, sizeof(parameters->run_id));
}

void run_leave(struct run *run)
{
    if (!run)
        return;
    doorbells_close(&run->doorbells);
    if (run->run_fd >= 0)
        close(run->run_fd);
    if (run->role_fd >= 0)
        close(run->role_fd);
    run->run_fd = run->role_fd = -1;
}
