/* Tables of few rows, read whole, row by row against what the events make, in the order of their keys (check.h). */
#include "check.h"

#include <inttypes.h>
#include <string.h>

int check_small_open(struct check_small *small, const struct check_postgres *postgres, const struct check_table *table,
                     struct check_result *result, struct error *error)
{
    *small = (struct check_small){.table = table, .result = result};
    return check_rows_ask(&small->rows, postgres, result->what, table->query, error);
}

static int read_found(struct check_small *small, struct error *error)
{
    int code = small->has_found ? 0 : check_rows_next(small->rows, &small->found, error);
    small->has_found = code == 0;
    return code;
}

static void differs(struct check_small *small, uint64_t key, const char *how)
{
    check_differs(small->result, "%s %" PRIu64 ": %s", small->table->key, key, how);
}

static void compare_row(struct check_small *small, const struct check_row *expected, uint64_t key)
{
    char text[512];
    bool same_size = small->found.bytes && small->found.size == expected->size;
    if (same_size && memcmp(small->found.bytes, expected->bytes, expected->size) == 0) {
        small->result->row_count++;
        return;
    }
    check_fields_compare(small->table->columns, &small->found, expected, text, sizeof(text));
    differs(small, key, text);
}

int check_small_expect(struct check_small *small, const uint8_t *bytes, struct error *error)
{
    const struct check_row expected = {.bytes = bytes, .size = check_row_size(bytes)};
    uint64_t key = check_row_number(bytes, small->table->key_field);
    if (small->result->differs)
        return 0;
    int code = read_found(small, error);
    if (code < 0)
        return code;
    uint64_t found_key =
        small->found.bytes ? check_row_number(small->found.bytes, small->table->key_field) : UINT64_MAX;
    if (found_key > key)
        differs(small, key, "its row is missing");
    else if (found_key < key)
        differs(small, found_key, "there is a row that the events do not have");
    else
        compare_row(small, &expected, key);
    small->has_found = false;
    return 0;
}

int check_small_end(struct check_small *small, struct error *error)
{
    int code = small->result->differs ? 0 : read_found(small, error);
    if (code == 0 && small->has_found && small->found.bytes)
        differs(small, check_row_number(small->found.bytes, small->table->key_field),
                "there is a row that the events do not have");
    return code;
}

void check_small_close(struct check_small *small)
{
    check_rows_close(small->rows);
    small->rows = NULL;
}
