/*
 * All segments of a journal at a glance: what their headers say and how large their files are. Reads headers only and
 * verifies nothing but them; a segment that is taken away meanwhile is left out.
 */
#ifndef RINGSIDE_JOURNAL_SURVEY_H
#define RINGSIDE_JOURNAL_SURVEY_H

#include "base/error.h"
#include "journal/segments.h"

#include <stdint.h>

struct journal_segment_info {
    uint32_t number;
    enum journal_segment_state state;
    uint64_t file_bytes;
    uint64_t used_bytes; /* up to where the next segment says that it was cut; the file's, if there is none */

    /* of the header; zero unless the segment has begun */
    uint32_t epoch;
    uint64_t first_seq;
    uint64_t seq_end; /* the next segment's first number; 0: there is none */
    uint64_t created_ns;
    uint64_t previous_end;
};

struct journal_survey {
    uint32_t count;
    uint32_t begun_count;
    struct journal_segment_info *segments; /* by number */
};

/* ERROR_NOT_YET: no such directory. journal_survey_finish is due after success. */
int journal_survey_make(struct journal_survey *ret, const char *directory, struct error *error);
void journal_survey_finish(struct journal_survey *survey);

/* Bytes of the segments that have begun, as far as they are in use; of the last one all of its file. */
uint64_t journal_survey_bytes(const struct journal_survey *survey);

#endif
