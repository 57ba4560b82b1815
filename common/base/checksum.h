/*
 * CRC32C (Castagnoli, RFC 3720 appendix B.4), by the processor's instruction where it has one.
 * crc32c(0, "123456789", 9) is 0xE3069283. Chain by passing the previous result as seed.
 */
#ifndef RINGSIDE_BASE_CHECKSUM_H
#define RINGSIDE_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t seed, const void *bytes, size_t count);

/* The table-driven version, for machines without the instruction and for the test that compares the two. */
uint32_t crc32c_portable(uint32_t seed, const void *bytes, size_t count);

/* 64-bit FNV-1a of a C string: layout hashes and the like, never integrity. */
static inline uint64_t fnv1a64(uint64_t seed, const char *text)
{
    uint64_t hash = seed ? seed : 0xcbf29ce484222325u;
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    return hash;
}

#endif
