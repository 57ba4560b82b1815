#include "books.h"

#include "base/require.h"
#include "config_limits.h"

int books_open(struct books *books, const struct config *config, struct error *error)
{
    *books = (struct books){0};
    int result = matcher_limits(&books->limits, config, error);
    return result < 0 ? result : books_empty(books, error);
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
