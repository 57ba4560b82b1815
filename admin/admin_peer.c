/* Users and groups of the machine. A user database that has no answer leaves numbers. */
#include "admin_state.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GROUPS_MAX 256

int admin_peer_group_find(const char *name, int64_t *ret_group, struct error *error)
{
    char *end = NULL;
    *ret_group = -1;
    if (*name == '\0')
        return 0;
    unsigned long number = strtoul(name, &end, 10);
    const struct group *group = *end == '\0' ? NULL : getgrnam(name);
    if (!group && *end != '\0')
        return error_set(error, ERROR_INVALID, "admin.group", "there is no group '%s'", name);
    *ret_group = group ? (int64_t)group->gr_gid : (int64_t)number;
    return 0;
}

static bool is_member(uid_t uid, gid_t gid, gid_t wanted)
{
    gid_t groups[GROUPS_MAX];
    int count = GROUPS_MAX;
    const struct passwd *user = getpwuid(uid);
    if (gid == wanted)
        return true;
    if (!user || getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
        return false;
    for (int i = 0; i < count; i++)
        if (groups[i] == wanted)
            return true;
    return false;
}

bool admin_peer_may(uid_t uid, gid_t gid, int64_t group)
{
    return uid == 0 || uid == geteuid() || (group >= 0 && is_member(uid, gid, (gid_t)group));
}

void admin_peer_name(uid_t uid, char name[OPERATOR_NAME_BYTES + 1])
{
    const struct passwd *user = getpwuid(uid);
    memset(name, 0, OPERATOR_NAME_BYTES + 1);
    if (!user || user->pw_name[0] <= ' ') {
        snprintf(name, OPERATOR_NAME_BYTES + 1, "uid-%u", (unsigned)uid);
        return;
    }
    for (size_t i = 0; i < OPERATOR_NAME_BYTES && user->pw_name[i] != '\0'; i++)
        name[i] = (char)(user->pw_name[i] > ' ' && user->pw_name[i] <= '~' ? user->pw_name[i] : '?');
}
