#include "books.h"

#include "base/require.h"

int books_open(struct books *books, const struct config *config, struct error *error)
{
    *books = (struct books){.limits = {
                                .orders_max = (uint32_t)config->engine_orders_max,
                                .instruments_max = (uint32_t)config->engine_instruments_max,
                                .sessions_max = (uint32_t)config->engine_sessions_max,
                                .levels_max = (uint32_t)config->engine_levels_max,
                                .report_tops = 1,
                            }};
    const char *rule = engine_limits_invalid(&books->limits);
    if (rule)
        return error_set(error, ERROR_INVALID, "[engine]", "%s", rule);
    return books_empty(books, error);
}

int books_empty(struct books *books, struct error *error)
{
    books_close(books);
    int result = memory_open(&books->memory, engine_bytes(&books->limits), error);
    if (result < 0)
        return result;
    books->engine = engine_create(books->memory.start, &books->limits);
    REQUIRE(books->engine);
    return 0;
}

void books_close(struct books *books)
{
    memory_close(&books->memory);
    books->engine = NULL;
}
