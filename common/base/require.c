#include "base/require.h"

#include <stdio.h>
#include <stdlib.h>

void require_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "ringside: %s:%d: a guarantee of the program does not hold: %s\n", file, line, expression);
    abort();
}
