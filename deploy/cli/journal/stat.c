/*
 * `ringside journal stat`: what a journal consists of. Reads all of it, and so says of a damaged one where it is
 * damaged instead.
 */
#include "base/histogram.h"
#include "base/units.h"
#include "journal/journal_layout.h"
#include "journal/journal_read.h"
#include "journal/survey.h"
#include "journal_cli.h"
#include "log/log.h"
#include "stage/stage.h"
#include "view/json_text.h"

#include <errno.h>
#include <stdlib.h>

#define TAKEN_COMMANDS 64

static const struct command_line_form form = {
    .program = "ringside journal stat",
    .summary = "segments, sizes, times, kinds and batches of a journal",
    .takes_json = true,
    .operand = "DIRECTORY",
    .brief = true,
    .extra = "\nOf a journal that is being written, what is durable when this begins is counted.\n",
};

struct stat_run {
    struct journal_place place;
    struct journal_survey survey;
    struct journal_position end;
    struct histogram records; /* of batches that have any */
    struct histogram bytes;   /* of the same, on disk */
    uint64_t seq_first;
    uint64_t empty_batch_count; /* at openings, and seals */
    uint64_t payload_bytes;
    uint64_t time_first_ns;
    uint64_t kinds[256];
    struct progress progress;
};

/* ---- counting -----------------------------------------------------------------------------------------------------
 */

static int count_records(struct stat_run *run, struct journal_reader *reader, struct error *error)
{
    struct command commands[TAKEN_COMMANDS];
    int count;
    while ((count = journal_reader_records(reader, commands, TAKEN_COMMANDS, error)) > 0) {
        if (run->time_first_ns == 0)
            run->time_first_ns = commands[0].time_ns;
        for (int i = 0; i < count; i++)
            run->kinds[commands[i].kind]++;
    }
    return count;
}

static void count_batch(struct stat_run *run, const struct journal_batch_header *header)
{
    run->empty_batch_count += header->count == 0;
    run->payload_bytes += header->payload_bytes;
    if (header->count == 0)
        return;
    histogram_record(&run->records, header->count);
    histogram_record(&run->bytes, journal_batch_bytes(header->payload_bytes));
}

static int count_all(struct stat_run *run, struct error *error)
{
    struct journal_reader *reader;
    const struct journal_batch_header *header;
    int result = journal_reader_open_oldest(&reader, run->place.directory, error);
    if (result < 0)
        return result;
    run->seq_first = journal_reader_segment(reader)->first_seq;
    result = journal_reader_read_ahead(reader, error);
    uint64_t bytes = 0;
    while (result >= 0 && (result = journal_reader_batch(reader, run->place.durable_end, &header, error)) > 0) {
        count_batch(run, header);
        bytes += journal_batch_bytes(header->payload_bytes);
        progress_show(&run->progress, bytes, run->records.sum);
        result = count_records(run, reader, error);
    }
    journal_reader_position(reader, &run->end);
    journal_reader_close(reader);
    return result;
}

static int stat_go(struct stat_run *run, struct error *error)
{
    histogram_clear(&run->records);
    histogram_clear(&run->bytes);
    int result = journal_survey_make(&run->survey, run->place.directory, error);
    if (result < 0)
        return result;
    progress_begin(&run->progress, "counting", journal_survey_bytes(&run->survey));
    result = count_all(run, error);
    progress_end(&run->progress);
    return result;
}

/* ---- printing -----------------------------------------------------------------------------------------------------
 */

/* The end of a segment's numbers: of the last one it is where the reading ended. */
static uint64_t seq_end_of(const struct stat_run *run, const struct journal_segment_info *info)
{
    return info->number == run->end.segment || info->seq_end == 0 ? run->end.command_seq_next : info->seq_end;
}

static uint64_t used_of(const struct stat_run *run, const struct journal_segment_info *info)
{
    return info->number == run->end.segment ? run->end.segment_offset : info->used_bytes;
}

static const char *state_name(const struct stat_run *run, const struct journal_segment_info *info)
{
    if (info->state == SEGMENT_BLANK)
        return "prepared";
    if (info->state == SEGMENT_DAMAGED)
        return "torn"; /* or the reading had been refused */
    if (info->number > run->end.segment)
        return "new";
    return info->number == run->end.segment ? "last" : "done";
}

static double bytes_per_record(const struct stat_run *run)
{
    return run->records.sum > 0 ? (double)run->payload_bytes / (double)run->records.sum : 0;
}

static void print_segments(const struct stat_run *run)
{
    char made[TIME_TEXT_BYTES];
    printf("\n%10s %6s %14s %12s %14s %14s  %-9s %s\n", "segment", "epoch", "first", "commands", "bytes used",
           "file bytes", "state", "made");
    for (uint32_t i = 0; i < run->survey.count; i++) {
        const struct journal_segment_info *info = &run->survey.segments[i];
        if (info->state != SEGMENT_BEGUN) {
            printf("%10u %6s %14s %12s %14s %14llu  %s\n", info->number, "-", "-", "-", "-", (ull)info->file_bytes,
                   state_name(run, info));
            continue;
        }
        uint64_t end = seq_end_of(run, info);
        printf("%10u %6u %14llu %12llu %14llu %14llu  %-9s %s\n", info->number, info->epoch, (ull)info->first_seq,
               (ull)(end > info->first_seq ? end - info->first_seq : 0), (ull)used_of(run, info), (ull)info->file_bytes,
               state_name(run, info), time_text(info->created_ns, made));
    }
}

static void print_distribution(const char *name, const struct histogram *histogram)
{
    if (histogram->count > 0)
        printf("%-18s %10llu %10llu %10llu %10llu %10.1f\n", name, (ull)histogram->min,
               (ull)histogram_quantile(histogram, 0.5), (ull)histogram_quantile(histogram, 0.99), (ull)histogram->max,
               (double)histogram->sum / (double)histogram->count);
}

static void print_person(const struct stat_run *run)
{
    char from[TIME_TEXT_BYTES];
    char to[TIME_TEXT_BYTES];
    const struct journal_position *end = &run->end;
    printf("%s\n  instance  ", run->place.directory);
    for (size_t i = 0; i < sizeof(end->instance); i++)
        printf("%02x", end->instance[i]);
    printf("\n  commands  %llu to %llu, epoch %u\n  times     %s to %s\n  records   %.1f bytes each, %llu in all\n",
           (ull)run->seq_first, (ull)end->command_seq_next - 1, end->epoch, time_text(run->time_first_ns, from),
           time_text(end->last_time_ns, to), bytes_per_record(run), (ull)run->payload_bytes);
    if (end->torn_bytes > 0)
        printf("  torn tail %llu bytes at offset %llu of segment %u\n", (ull)end->torn_bytes, (ull)end->segment_offset,
               end->segment);
    print_segments(run);
    printf("\n%-18s %10s %10s %10s %10s %10s\n", "batches", "min", "p50", "p99", "max", "mean");
    print_distribution("records", &run->records);
    print_distribution("bytes on disk", &run->bytes);
    printf("%llu batches with records, %llu without (at openings, and seals)\n", (ull)run->records.count,
           (ull)run->empty_batch_count);
    printf("\n%-18s %12s\n", "kind", "records");
    for (uint32_t kind = 0; kind < 256; kind++)
        if (run->kinds[kind] > 0)
            printf("%-18s %12llu\n", command_kind_name((uint8_t)kind), (ull)run->kinds[kind]);
}

static void print_json_distribution(const char *name, const struct histogram *histogram)
{
    bool some = histogram->count > 0;
    printf(",\"%s\":{\"count\":%llu,\"sum\":%llu,\"min\":%llu,\"p50\":%llu,\"p99\":%llu,\"max\":%llu}", name,
           (ull)histogram->count, (ull)histogram->sum, some ? (ull)histogram->min : 0,
           (ull)histogram_quantile(histogram, 0.5), (ull)histogram_quantile(histogram, 0.99), (ull)histogram->max);
}

static void print_json_segments(const struct stat_run *run)
{
    printf(",\"segments\":[");
    for (uint32_t i = 0; i < run->survey.count; i++) {
        const struct journal_segment_info *info = &run->survey.segments[i];
        bool begun = info->state == SEGMENT_BEGUN;
        printf("%s{\"segment\":%u,\"state\":\"%s\",\"file_bytes\":%llu", i > 0 ? "," : "", info->number,
               state_name(run, info), (ull)info->file_bytes);
        if (begun)
            printf(",\"epoch\":%u,\"command_seq_first\":%llu,\"command_seq_next\":%llu,\"used_bytes\":%llu,"
                   "\"created_ns\":%llu",
                   info->epoch, (ull)info->first_seq, (ull)seq_end_of(run, info), (ull)used_of(run, info),
                   (ull)info->created_ns);
        printf("}");
    }
    printf("]");
}

static void print_json(const struct stat_run *run)
{
    const struct journal_position *end = &run->end;
    bool first = true;
    printf("{\"journal\":");
    json_text_print(stdout, run->place.directory);
    printf(",\"live\":%s,\"instance\":\"", run->place.live ? "true" : "false");
    for (size_t i = 0; i < sizeof(end->instance); i++)
        printf("%02x", end->instance[i]);
    printf("\",\"epoch\":%u,\"command_seq_first\":%llu,\"command_seq_next\":%llu,\"time_first_ns\":%llu,"
           "\"time_last_ns\":%llu,\"payload_bytes\":%llu,\"bytes_per_record\":%.2f,\"empty_batches\":%llu,"
           "\"torn_bytes\":%llu",
           end->epoch, (ull)run->seq_first, (ull)end->command_seq_next, (ull)run->time_first_ns, (ull)end->last_time_ns,
           (ull)run->payload_bytes, bytes_per_record(run), (ull)run->empty_batch_count, (ull)end->torn_bytes);
    print_json_distribution("batch_records", &run->records);
    print_json_distribution("batch_bytes", &run->bytes);
    print_json_segments(run);
    printf(",\"kinds\":{");
    for (uint32_t kind = 0; kind < 256; kind++) {
        if (run->kinds[kind] == 0)
            continue;
        printf("%s\"%s\":%llu", first ? "" : ",", command_kind_name((uint8_t)kind), (ull)run->kinds[kind]);
        first = false;
    }
    printf("}}\n");
}

int journal_stat_main(int argc, char **argv)
{
    struct command_line line;
    struct error error = {0};
    log_open("journal", LOG_LEVEL_INFO);
    int code = command_line_read(&line, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    struct stat_run *run = calloc(1, sizeof(*run));
    REQUIRE(run);
    int result = journal_place_find(&run->place, &line, &error);
    if (result == 0)
        result = stat_go(run, &error);
    if (result < 0)
        code = journal_refused("stat", &error, line.json);
    else if (line.json)
        print_json(run);
    else
        print_person(run);
    journal_survey_finish(&run->survey);
    free(run);
    config_finish(&line.config);
    return result < 0 ? code : EXIT_STAGE_OK;
}
