/* What a probe has seen, as a table for a person or an object for a program. */
#include "perf/probe/probe.h"

#include "base/units.h"
#include "view/json_text.h"

typedef unsigned long long ull;

static const struct {
    const char *name;
    const char *key;
    double fraction;
} quantiles[] = {{"p50", "p50_ns", 0.5},      {"p90", "p90_ns", 0.9},         {"p99", "p99_ns", 0.99},
                 {"p99.9", "p999_ns", 0.999}, {"p99.99", "p9999_ns", 0.9999}, {"max", "max_ns", 1}};
#define QUANTILES (sizeof(quantiles) / sizeof(quantiles[0]))

/* ---- for a person -------------------------------------------------------------------------------------------------
 */

static const char *duration_text(uint64_t ns, char text[16])
{
    if (ns < 10000)
        snprintf(text, 16, "%.2f us", (double)ns / 1e3);
    else if (ns < 10 * (uint64_t)NS_PER_MS)
        snprintf(text, 16, "%.0f us", (double)ns / 1e3);
    else if (ns < 10 * (uint64_t)NS_PER_SECOND)
        snprintf(text, 16, "%.0f ms", (double)ns / 1e6);
    else
        snprintf(text, 16, "%.0f s", (double)ns / 1e9);
    return text;
}

static void print_rings(const struct probe *probe, double seconds)
{
    printf("%-12s %12s %10s %9s %9s %9s %10s %9s %7s\n", "ring", "records", "/s", "batch p50", "p99", "max", "left out",
           "missed", "gaps");
    for (uint32_t i = 0; i < probe->tap_count; i++) {
        const struct tap *tap = &probe->taps[i];
        const struct histogram *sizes = &probe->batches[i].sizes;
        if (!tap->ring.file) {
            printf("%-12s not there\n", tap->name);
            continue;
        }
        printf("%-12s %12llu %10.0f %9llu %9llu %9llu %10llu %9llu %7llu\n", tap->name, (ull)tap_published(tap),
               (double)tap_published(tap) / seconds, (ull)histogram_quantile(sizes, 0.5),
               (ull)histogram_quantile(sizes, 0.99), (ull)sizes->max, (ull)tap->passed_count, (ull)tap->missed_count,
               (ull)tap->gap_count);
    }
}

static void print_row(const char *name, uint64_t count, const uint64_t values[QUANTILES])
{
    char text[16];
    printf("%-22s %12llu", name, (ull)count);
    for (size_t q = 0; q < QUANTILES; q++)
        printf(" %9s", count > 0 ? duration_text(values[q], text) : "-");
    putchar('\n');
}

static void quantiles_of(const struct histogram *histogram, uint64_t values[QUANTILES])
{
    for (size_t q = 0; q < QUANTILES; q++)
        values[q] = histogram_quantile(histogram, quantiles[q].fraction);
}

static void quantiles_of_told(const struct metrics_distribution *distribution, uint64_t values[QUANTILES])
{
    for (size_t q = 0; q < QUANTILES; q++)
        values[q] = metrics_quantile(distribution, quantiles[q].fraction);
}

static void print_hops(struct probe *probe)
{
    uint64_t values[QUANTILES];
    printf("\n%-22s %12s", "", "commands");
    for (size_t q = 0; q < QUANTILES; q++)
        printf(" %9s", quantiles[q].name);
    putchar('\n');
    for (enum hop hop = 0; hop < HOP_COUNT; hop++) {
        quantiles_of(&probe->hops.hops[hop], values);
        print_row(hop_name(hop), probe->hops.hops[hop].count, values);
    }
    for (enum told_part part = 0; part < TOLD_PARTS; part++) {
        const struct metrics_distribution *told = told_since(&probe->told, part);
        quantiles_of_told(told, values);
        if (told->count > 0)
            print_row(told_name(part), told->count, values);
    }
}

static void print_table(struct probe *probe, double seconds)
{
    printf("%.1f s, durability %s\n\n", seconds, config_durability_name(probe->config->journal_durability));
    print_rings(probe, seconds);
    print_hops(probe);
    for (uint32_t i = 0; i < probe->tap_count; i++)
        if (probe->taps[i].gap_count > 0)
            printf("ring %s: record %llu bears another number\n", probe->taps[i].name,
                   (ull)probe->taps[i].first_gap_seq);
}

/* ---- for a program ------------------------------------------------------------------------------------------------
 */

static void json_ring(const struct tap *tap, const struct batches *batches, double seconds)
{
    const struct histogram *sizes = &batches->sizes;
    printf("{\"name\":\"%s\",\"present\":%s,\"records\":%llu,\"records_per_s\":%.1f,\"read\":%llu,\"left_out\":%llu,"
           "\"missed\":%llu,\"overruns\":%llu,\"gaps\":%llu,\"batches\":%llu,\"batch_p50\":%llu,\"batch_p99\":%llu,"
           "\"batch_max\":%llu}",
           tap->name, tap->ring.file ? "true" : "false", (ull)tap_published(tap), (double)tap_published(tap) / seconds,
           (ull)tap->read_count, (ull)tap->passed_count, (ull)tap->missed_count, (ull)tap->overrun_count,
           (ull)tap->gap_count, (ull)sizes->count, (ull)histogram_quantile(sizes, 0.5),
           (ull)histogram_quantile(sizes, 0.99), (ull)sizes->max);
}

static void json_hop(const char *key, uint64_t count, const uint64_t values[QUANTILES])
{
    printf("{\"name\":\"%s\",\"count\":%llu", key, (ull)count);
    for (size_t q = 0; q < QUANTILES; q++)
        printf(",\"%s\":%llu", quantiles[q].key, (ull)values[q]);
    printf("}");
}

static void json_hops(struct probe *probe)
{
    uint64_t values[QUANTILES];
    for (enum hop hop = 0; hop < HOP_COUNT; hop++) {
        if (hop > 0)
            putchar(',');
        quantiles_of(&probe->hops.hops[hop], values);
        json_hop(hop_key(hop), probe->hops.hops[hop].count, values);
    }
    for (enum told_part part = 0; part < TOLD_PARTS; part++) {
        const struct metrics_distribution *told = told_since(&probe->told, part);
        if (told->count == 0)
            continue;
        putchar(',');
        quantiles_of_told(told, values);
        json_hop(told_key(part), told->count, values);
    }
}

static void print_json(struct probe *probe, double seconds)
{
    printf("{\"seconds\":%.3f,\"durability\":\"%s\",\"rings_directory\":", seconds,
           config_durability_name(probe->config->journal_durability));
    json_text_print(stdout, probe->config->exchange_rings_directory);
    printf(",\"rings\":[");
    for (uint32_t i = 0; i < probe->tap_count; i++) {
        if (i > 0)
            putchar(',');
        json_ring(&probe->taps[i], &probe->batches[i], seconds);
    }
    printf("],\"hops\":[");
    json_hops(probe);
    printf("]}\n");
}

void report_probe(struct probe *probe, double seconds)
{
    if (probe->json)
        print_json(probe, seconds);
    else
        print_table(probe, seconds);
    fflush(stdout);
}
