/*
 * What passes between the simulated libpq and the simulated PostgreSQL: messages of a letter, a length and so many
 * bytes.
 *
 *   to the server   S: a connection begins   Q: statements   d: rows of a COPY   c: its end
 *   from it         Z: ready for more   G: a COPY may begin   E: state and message of an error, each ending with a zero
 *                   R: a result: its tag, columns (a byte), their names, rows (a byte), their values, texts that end
 *                      with a zero
 */
#ifndef RINGSIDE_SIMULATOR_POSTGRES_WIRE_H
#define RINGSIDE_SIMULATOR_POSTGRES_WIRE_H

#include "base/bytes.h"

#include <stddef.h>
#include <stdint.h>

#define WIRE_HEAD_BYTES 5

/* Bytes of the message there, head included; 0: it is not whole. */
static inline size_t wire_whole(const uint8_t *at, size_t bytes)
{
    if (bytes < WIRE_HEAD_BYTES || bytes < WIRE_HEAD_BYTES + (size_t)load_be32(at + 1))
        return 0;
    return WIRE_HEAD_BYTES + (size_t)load_be32(at + 1);
}

static inline void wire_head(uint8_t head[WIRE_HEAD_BYTES], char type, size_t bytes)
{
    head[0] = (uint8_t)type;
    store_be32(head + 1, (uint32_t)bytes);
}

#endif
