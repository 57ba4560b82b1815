/* Prints the fields of each kind of event in a payload as a table for docs/stores.md. */
#include "encode_payload.h"

#include <stdio.h>

int main(void)
{
    printf("| kind | number | fields |\n|---|---:|---|\n");
#define X(kind, list) printf("| %s | %d | %s |\n", #kind, EVENT_##kind, payload_fields(EVENT_##kind));
    PAYLOAD_KINDS(X)
#undef X
    return 0;
}
