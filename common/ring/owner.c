#include "ring/owner.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELD_OF_NAME       2
#define FIELD_OF_START_TIME 22

static uint64_t start_time_in(const char *path)
{
    char text[1024];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t length = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    const char *at = strrchr(text, ')'); /* the name may hold spaces and brackets */
    for (int field = FIELD_OF_NAME; at && field < FIELD_OF_START_TIME; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

uint64_t owner_start_time(void)
{
    return start_time_in("/proc/self/stat");
}

uint64_t owner_start_time_of(pid_t pid)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    return start_time_in(path);
}
