/*
 * Prints the field tables of the contract structs as the documents hold them, from the same macros that pin the
 * offsets:
 *
 *   print_fields           every table, each between its marks; the kinds too
 *
 * check_docs.py compares the documents with what this prints, and rewrites them when asked to.
 */
#include "eventlog/eventlog.h"
#include "metrics/metrics_layout.h"
#include "metrics/values.h"
#include "record/command.h"
#include "record/event.h"
#include "ring/ring_layout.h"
#include "snapshot_layout.h"
#if __has_include("journal/journal_layout.h")
#include "journal/journal_layout.h"
#endif

#include <stdio.h>
#include <string.h>

#define X(type, field, offset, bytes)                                                                                  \
    printf("| %s | %s | %u | %u |\n", #type, #field, (unsigned)(offset), (unsigned)(bytes));
#define TABLE(name, FIELDS)                                                                                            \
    static void print_##name(void)                                                                                     \
    {                                                                                                                  \
        printf("<!-- fields:" #name " -->\n| struct | field | offset | bytes |\n|---|---|---:|---:|\n");               \
        FIELDS(X)                                                                                                      \
        printf("<!-- /fields -->\n");                                                                                  \
    }

TABLE(COMMAND_FIELDS, COMMAND_FIELDS)
TABLE(EVENT_FIELDS, EVENT_FIELDS)
TABLE(RING_FIELDS, RING_FIELDS)
TABLE(METRICS_FIELDS, METRICS_FIELDS)
#ifdef JOURNAL_FIELDS
TABLE(JOURNAL_FIELDS, JOURNAL_FIELDS)
#endif
TABLE(SNAPSHOT_FIELDS, SNAPSHOT_FIELDS)
#ifdef EVENTLOG_FIELDS
TABLE(EVENTLOG_FIELDS, EVENTLOG_FIELDS)
#endif
#undef X

static void print_command_kinds(void)
{
    printf("<!-- fields:COMMAND_KINDS -->\n| kind | number | what it asks for |\n|---|---:|---|\n");
#define X(name, number, meaning) printf("| %s | %u | %s |\n", #name, (unsigned)(number), meaning);
    COMMAND_KINDS(X)
#undef X
    printf("<!-- /fields -->\n");
}

static void print_event_kinds(void)
{
    printf("<!-- fields:EVENT_KINDS -->\n| kind | number | what it says | OUCH message |\n|---|---:|---|---|\n");
#define X(name, number, meaning, message)                                                                              \
    printf("| %s | %u | %s | %s |\n", #name, (unsigned)(number), meaning, message);
    EVENT_KINDS(X)
#undef X
    printf("<!-- /fields -->\n");
}

static const char *type_name(enum metrics_type type)
{
    static const char *const names[] = {[METRICS_COUNTER] = "counter",
                                        [METRICS_GAUGE] = "gauge",
                                        [METRICS_HISTOGRAM] = "histogram",
                                        [METRICS_STAMPS] = "stamps"};
    return names[type];
}

/* Of values that differ in a label alone, one line with the labels behind each other. */
static void print_row(const struct metrics_row *row)
{
    const char *before = "{";
    printf("| `%s", row->name);
    for (uint32_t i = 0; i < row->count && *row->label; i++) {
        char label[48];
        if (!metrics_row_has(row, i))
            continue;
        metrics_row_label(row, i, label);
        printf("%s%s", before, label);
        before = ", ";
    }
    printf("%s` | %s | %s | %s |\n", *row->label ? "}" : "", type_name(row->type), metrics_unit_text(row->unit),
           row->help);
}

static void print_values(const struct metrics_table *table)
{
    printf("<!-- fields:%s -->\n| value | type | stored as | what it says |\n|---|---|---|---|\n", table->name);
    for (uint32_t i = 0; i < table->row_count; i++)
        print_row(&table->rows[i]);
    printf("<!-- /fields -->\n");
}

int main(void)
{
    print_COMMAND_FIELDS();
    print_EVENT_FIELDS();
    print_RING_FIELDS();
    print_METRICS_FIELDS();
#ifdef JOURNAL_FIELDS
    print_JOURNAL_FIELDS();
#endif
    print_SNAPSHOT_FIELDS();
#ifdef EVENTLOG_FIELDS
    print_EVENTLOG_FIELDS();
#endif
    print_command_kinds();
    print_event_kinds();
    for (uint32_t i = 0; i < values_table_count; i++)
        print_values(values_tables[i]);
    return 0;
}
