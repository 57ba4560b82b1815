/*
 * ringside-generator: what units cannot say by themselves, because it is in the configuration. systemd runs it at boot
 * and at `systemctl daemon-reload`, with the directories to write to as arguments (systemd.generator(7)).
 *
 *   1. For each gateway beyond the first, a unit that the exchange's target wants and takes along when it stops:
 *      ringside-gateway@N, or ringside-gateway@NAME:N for /etc/ringside/NAME.conf.
 *   2. Directories elsewhere than in /var/lib become writable to those who write them.
 *   3. A configuration that cannot be read says nothing here: the stages refuse it, with the reason. It never fails.
 */
#include "config/config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_DIRECTORY "/etc/ringside"
#define ENDING           ".conf"
#define NAME_BYTES       64
#define PATH_BYTES       512

struct instance {
    const char *units;       /* the directory to write to */
    const char *own;         /* where the program's own units are */
    char name[NAME_BYTES];   /* "" or "blue" */
    char at[NAME_BYTES + 1]; /* "" or "@blue" */
    const struct config *config;
};

/* A drop-in for one unit; what cannot be written is left out. */
static void write_drop_in(const struct instance *instance, const char *unit, const char *text)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/%s.d", instance->units, unit);
    (void)mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/%s.d/50-configuration.conf", instance->units, unit);
    FILE *file = fopen(path, "we");
    if (!file)
        return;
    fprintf(file, "# Written by ringside-generator from %s.\n%s", instance->config->path, text);
    fclose(file);
}

/* ---- gateways ------------------------------------------------------------------------------------------------------
 */

static void want_gateway(const struct instance *instance, unsigned gateway)
{
    char unit[PATH_BYTES / 4];
    char path[PATH_BYTES];
    char target[PATH_BYTES];
    char text[4 * PATH_BYTES];
    snprintf(unit, sizeof(unit), "ringside-gateway@%s%s%u.service", instance->name, *instance->name ? ":" : "",
             gateway);
    snprintf(path, sizeof(path), "%s/ringside%s.target.wants", instance->units, instance->at);
    (void)mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/ringside%s.target.wants/%s", instance->units, instance->at, unit);
    snprintf(target, sizeof(target), "%s/ringside-gateway@.service", instance->own);
    (void)symlink(target, path);
    const char *at = instance->at;
    snprintf(text, sizeof(text),
             "[Unit]\nPartOf=ringside%s.target\nAfter=ringside-journaler%s.service ringside-sequencer%s.service "
             "ringside-matcher%s.service ringside-persister%s.service\n",
             at, at, at, at, at);
    write_drop_in(instance, unit, text);
}

/* ---- directories ---------------------------------------------------------------------------------------------------
 */

static bool is_own(const struct instance *instance, const char *path)
{
    char own[NAME_BYTES + 32];
    int bytes = snprintf(own, sizeof(own), "/var/lib/ringside%s%s", *instance->name ? "-" : "", instance->name);
    return *path != '/' || (strncmp(path, own, (size_t)bytes) == 0 && (path[bytes] == '/' || path[bytes] == '\0'));
}

/* Only those that are there already: a unit's own view of the files is made when it starts. */
static void make_writable(const struct instance *instance, const char *stage, const char *const paths[], size_t count)
{
    char unit[PATH_BYTES / 4];
    char text[PATH_BYTES * 4] = "[Service]\n";
    size_t used = strlen(text);
    size_t empty = used;
    for (size_t i = 0; i < count; i++)
        if (!is_own(instance, paths[i]) && used + strlen(paths[i]) + 32 < sizeof(text))
            used += (size_t)snprintf(text + used, sizeof(text) - used, "ReadWritePaths=-%s\n", paths[i]);
    snprintf(unit, sizeof(unit), "ringside-%s%s.service", stage, instance->at);
    if (used > empty)
        write_drop_in(instance, unit, text);
}

static void make_directories_writable(const struct instance *instance)
{
    const struct config *config = instance->config;
    const char *const journaler[] = {config->journal_directory, config->events_directory};
    const char *const snapshot[] = {config->snapshots_directory};
    const char *const persister[] = {config->events_directory}; /* how far the stores are */
    const char *const trim[] = {config->journal_directory, config->events_directory, config->retention_archive_path};
    make_writable(instance, "journaler", journaler, 2);
    make_writable(instance, "snapshot", snapshot, 1);
    make_writable(instance, "persister", persister, 1);
    make_writable(instance, "trim", trim, *config->retention_archive_path ? 3 : 2);
}

/* ---- each file -----------------------------------------------------------------------------------------------------
 */

/* NAME of NAME.conf; "" for ringside.conf, whose units have no name. */
static bool instance_name(const char *file, char name[NAME_BYTES])
{
    size_t bytes = strlen(file);
    size_t ending = strlen(ENDING);
    if (bytes <= ending || bytes - ending >= NAME_BYTES || strcmp(file + bytes - ending, ENDING) != 0)
        return false;
    snprintf(name, NAME_BYTES, "%.*s", (int)(bytes - ending), file);
    if (strcmp(name, "ringside") == 0)
        name[0] = '\0';
    return true;
}

static void read_instance(const char *units, const char *own, const char *directory, const char *file)
{
    struct instance instance = {.units = units, .own = own};
    struct config config;
    struct error error;
    char path[PATH_BYTES];
    if (!instance_name(file, instance.name))
        return;
    if (*instance.name)
        snprintf(instance.at, sizeof(instance.at), "@%s", instance.name);
    snprintf(path, sizeof(path), "%s/%s", directory, file);
    config_init(&config);
    if (config_read(&config, path, &error) == 0 && config_check(&config, &error) == 0) {
        instance.config = &config;
        for (unsigned gateway = 2; gateway <= config.exchange_gateways; gateway++)
            want_gateway(&instance, gateway);
        make_directories_writable(&instance);
    }
    config_finish(&config);
}

int main(int argc, char **argv)
{
    const char *directory = getenv("RINGSIDE_GENERATOR_CONFIG"); /* of a test */
    if (argc < 2) {
        fprintf(stderr, "usage: ringside-generator DIRECTORY ...   (systemd runs it, see systemd.generator(7))\n");
        return EXIT_FAILURE;
    }
    directory = directory ? directory : CONFIG_DIRECTORY;
    DIR *files = opendir(directory);
    if (!files)
        return EXIT_SUCCESS;
    for (const struct dirent *entry; (entry = readdir(files));)
        read_instance(argv[1], RINGSIDE_UNIT_DIRECTORY, directory, entry->d_name);
    closedir(files);
    return EXIT_SUCCESS;
}
