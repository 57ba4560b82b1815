/* The kernel's queue where the kernel refuses what is submitted: nobody waits for what it never got. */
#include "env/disk.h"
#include "scratch.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

Test(disk_queue, nothing_is_waited_for_that_was_not_submitted)
{
    char path[128];
    const char byte = 'x';
    struct disk_queue *queue = NULL;
    struct disk_completion completion;
    struct error error = {0};
    snprintf(path, sizeof(path), "%s/file", scratch_make());
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_geq(file, 0);
    cr_assert_eq(disk_real()->queue_create(&queue, NULL, 0, &error), 0, "%s", error.what);
    const struct disk_request request = {.action = DISK_WRITE, .file = file, .bytes = 1, .data = &byte, .tag = 7};
    cr_assert_eq(disk_real()->queue_submit(queue, &request, 1, &error), 0, "%s", error.what);
    cr_assert_eq(disk_real()->queue_wait(queue, &error), 0, "%s", error.what);
    cr_assert_eq(disk_real()->queue_reap(queue, &completion, 1, &error), 1, "%s", error.what);
    cr_assert_eq(completion.tag, 7);
    if (disk_real()->queue_asynchronous(queue)) {
        cr_assert_eq(close(disk_real()->queue_descriptor(queue)), 0); /* from now on every call is refused */
        for (int tries = 0; tries < 2; tries++)
            cr_assert_lt(disk_real()->queue_submit(queue, &request, 1, &error), 0);
        cr_assert_eq(disk_real()->queue_wait(queue, &error), 0, "%s", error.what);
        cr_assert_eq(disk_real()->queue_reap(queue, &completion, 1, &error), 0);
    }
    disk_real()->queue_destroy(queue);
    close(file);
    scratch_remove();
}
