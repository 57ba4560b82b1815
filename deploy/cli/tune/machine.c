/* What there is: cores, memory, huge pages, and who takes the interrupts of the journal's disk. */
#include "tune.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define MACHINE_PATH_BYTES 1024

/* The first line of a file, without its end; false if there is none. */
static bool read_line(char *text, size_t text_bytes, const char *root, const char *path)
{
    char whole[MACHINE_PATH_BYTES];
    snprintf(whole, sizeof(whole), "%s%s", root, path);
    FILE *file = fopen(whole, "re");
    bool read = file && fgets(text, (int)text_bytes, file);
    if (file)
        fclose(file);
    if (!read)
        text[0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return read;
}

/* ---- cores ---------------------------------------------------------------------------------------------------------
 */

static void add_cpu(struct tune_machine *machine, const char *root, uint32_t cpu)
{
    char path[128];
    char siblings[TUNE_CPUS_BYTES];
    machine->cpu_count++;
    snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", cpu);
    if (!read_line(siblings, sizeof(siblings), root, path))
        snprintf(siblings, sizeof(siblings), "%u", cpu);
    bool is_first = strtoul(siblings, NULL, 10) == cpu; /* of the threads of its core */
    if (!is_first || machine->core_count == TUNE_CORES_MAX)
        return;
    struct tune_core *core = &machine->cores[machine->core_count++];
    core->first = cpu;
    memcpy(core->cpus, siblings, sizeof(core->cpus));
}

/* "0-7,16" */
static int read_cores(struct tune_machine *machine, const char *root, struct error *error)
{
    static const char path[] = "/sys/devices/system/cpu/online";
    char online[512];
    if (!read_line(online, sizeof(online), root, path))
        return error_set(error, ERROR_NOT_YET, path, "cannot be read: is /sys mounted?");
    for (char *at = online; *at;) {
        unsigned long first = strtoul(at, &at, 10);
        unsigned long last = *at == '-' ? strtoul(at + 1, &at, 10) : first;
        for (unsigned long cpu = first; cpu <= last && cpu < 4096; cpu++)
            add_cpu(machine, root, (uint32_t)cpu);
        if (*at != ',')
            break;
        at++;
    }
    return machine->core_count > 0 ? 0 : error_set(error, ERROR_INVALID, path, "names no processor: '%s'", online);
}

/* ---- memory --------------------------------------------------------------------------------------------------------
 */

static void read_memory(struct tune_machine *machine, const char *root)
{
    char path[MACHINE_PATH_BYTES];
    char line[256];
    snprintf(path, sizeof(path), "%s/proc/meminfo", root);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, "MemTotal:", 9) == 0)
            machine->memory_bytes = strtoull(line + 9, NULL, 10) << 10;
        else if (strncmp(line, "SwapTotal:", 10) == 0)
            machine->swaps = strtoull(line + 10, NULL, 10) > 0;
    if (file)
        fclose(file);
    read_line(line, sizeof(line), root, "/sys/kernel/mm/transparent_hugepage/shmem_enabled");
    (void)sscanf(line, "%*[^[][%15[a-z_]]", machine->huge);
    if (*line == '[')
        (void)sscanf(line, "[%15[a-z_]]", machine->huge);
    read_line(line, sizeof(line), root, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    snprintf(machine->governor, sizeof(machine->governor), "%.20s", line);
}

/* ---- the disk ------------------------------------------------------------------------------------------------------
 */

static void add_irq(struct tune_machine *machine, const char *root, const char *name)
{
    char path[64];
    char cpus[TUNE_CPUS_BYTES];
    unsigned long number = strtoul(name, NULL, 10);
    snprintf(path, sizeof(path), "/proc/irq/%lu/smp_affinity_list", number);
    if (machine->irq_count == TUNE_IRQS_MAX || !read_line(cpus, sizeof(cpus), root, path))
        return;
    struct tune_irq *irq = &machine->irqs[machine->irq_count++];
    irq->number = (uint32_t)number;
    memcpy(irq->cpus, cpus, sizeof(irq->cpus));
}

static bool add_irqs_of(struct tune_machine *machine, const char *root, const char *device)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/msi_irqs", device);
    DIR *irqs = opendir(path);
    if (!irqs)
        return false;
    for (const struct dirent *entry; (entry = readdir(irqs));)
        if (*entry->d_name != '.')
            add_irq(machine, root, entry->d_name);
    closedir(irqs);
    return true;
}

/* From the file system's block device up to the one on the bus, which has the interrupts. */
static void read_disk(struct tune_machine *machine, const char *root, const char *directory)
{
    struct stat status;
    char path[MACHINE_PATH_BYTES];
    char device[PATH_MAX]; /* realpath wants so much */
    snprintf(path, sizeof(path), "%s", directory);
    while (stat(path, &status) != 0 && strrchr(path, '/') && strrchr(path, '/') != path)
        *strrchr(path, '/') = '\0';
    if (stat(path, &status) != 0)
        return;
    snprintf(path, sizeof(path), "%s/sys/dev/block/%u:%u", root, major(status.st_dev), minor(status.st_dev));
    if (!realpath(path, device))
        return;
    while (strlen(device) > strlen(root) + 1 && !add_irqs_of(machine, root, device))
        *strrchr(device, '/') = '\0';
}

int tune_machine_read(struct tune_machine *machine, const char *root, const struct config *config, struct error *error)
{
    memset(machine, 0, sizeof(*machine));
    int result = read_cores(machine, root, error);
    if (result < 0)
        return result;
    read_memory(machine, root);
    read_disk(machine, root, config->journal_directory);
    return 0;
}
