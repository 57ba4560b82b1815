#include "journal/survey.h"

#include <errno.h>
#include <stdlib.h>

/* SEGMENT_NONE: it is not there any more. */
static int look_at(struct journal_segment_info *info, const char *directory, uint32_t number, struct error *error)
{
    struct journal_segment_header header;
    const char *why;
    int file = -1;
    int state = journal_segment_open(directory, number, &file, &header, &why, error);
    if (state <= SEGMENT_NONE)
        return state;
    *info = (struct journal_segment_info){.number = number, .state = (enum journal_segment_state)state};
    if (state == SEGMENT_BEGUN) {
        info->epoch = header.epoch;
        info->first_seq = header.first_seq;
        info->created_ns = header.created_ns;
        info->previous_end = header.previous_end;
    }
    int result = disk()->size(file, &info->file_bytes, error);
    disk()->close(file);
    info->used_bytes = info->file_bytes;
    return result < 0 ? result : state;
}

/* What each segment's successor says of it. */
static void join(struct journal_survey *survey)
{
    for (uint32_t i = 0; i + 1 < survey->count; i++) {
        struct journal_segment_info *info = &survey->segments[i];
        const struct journal_segment_info *next = info + 1;
        if (next->state != SEGMENT_BEGUN || next->number != info->number + 1)
            continue;
        info->used_bytes = next->previous_end;
        info->seq_end = next->first_seq;
    }
}

int journal_survey_make(struct journal_survey *ret, const char *directory, struct error *error)
{
    struct journal_segments names;
    struct journal_survey survey = {0};
    int result = journal_segments_list(&names, directory, error);
    if (result < 0)
        return result;
    survey.segments = calloc(names.count + 1, sizeof(*survey.segments));
    if (!survey.segments) {
        journal_segments_finish(&names);
        return error_system(error, ENOMEM, directory, "no memory for its list of segments");
    }
    for (uint32_t i = 0; i < names.count && result >= 0; i++) {
        result = look_at(&survey.segments[survey.count], directory, names.numbers[i], error);
        survey.count += result > SEGMENT_NONE;
        survey.begun_count += result == SEGMENT_BEGUN;
    }
    journal_segments_finish(&names);
    if (result < 0) {
        journal_survey_finish(&survey);
        return result;
    }
    join(&survey);
    *ret = survey;
    return 0;
}

void journal_survey_finish(struct journal_survey *survey)
{
    free(survey->segments);
    *survey = (struct journal_survey){0};
}

uint64_t journal_survey_bytes(const struct journal_survey *survey)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < survey->count; i++)
        bytes += survey->segments[i].state == SEGMENT_BEGUN ? survey->segments[i].used_bytes : 0;
    return bytes;
}
