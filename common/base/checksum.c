#include "base/checksum.h"

#include <string.h>

#define CRC32C_POLYNOMIAL_REVERSED 0x82f63b78u

/* Eight tables of 256 (slicing by eight), made at compile time would need generated source; made once at load. */
static uint32_t crc_table[8][256];

__attribute__((constructor)) static void crc_table_fill(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ CRC32C_POLYNOMIAL_REVERSED : crc >> 1;
        crc_table[0][byte] = crc;
    }
    for (uint32_t byte = 0; byte < 256; byte++)
        for (int slice = 1; slice < 8; slice++)
            crc_table[slice][byte] = crc_table[slice - 1][byte] >> 8 ^ crc_table[0][crc_table[slice - 1][byte] & 0xff];
}

uint32_t crc32c_portable(uint32_t seed, const void *bytes, size_t count)
{
    const uint8_t *at = bytes;
    uint32_t crc = ~seed;
    for (; count >= 8; count -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        word ^= crc;
        crc = crc_table[7][word & 0xff] ^ crc_table[6][word >> 8 & 0xff] ^ crc_table[5][word >> 16 & 0xff] ^
              crc_table[4][word >> 24 & 0xff] ^ crc_table[3][word >> 32 & 0xff] ^ crc_table[2][word >> 40 & 0xff] ^
              crc_table[1][word >> 48 & 0xff] ^ crc_table[0][word >> 56];
    }
    for (; count > 0; count--, at++)
        crc = crc >> 8 ^ crc_table[0][(crc ^ *at) & 0xff];
    return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t crc32c_instruction(uint32_t seed, const void *bytes, size_t count)
{
    const uint8_t *at = bytes;
    uint64_t crc = ~seed;
    for (; count >= 8; count -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        crc = _mm_crc32_u64(crc, word);
    }
    uint32_t tail = (uint32_t)crc;
    for (; count > 0; count--, at++)
        tail = _mm_crc32_u8(tail, *at);
    return ~tail;
}

uint32_t crc32c(uint32_t seed, const void *bytes, size_t count)
{
    return __builtin_cpu_supports("sse4.2") ? crc32c_instruction(seed, bytes, count)
                                            : crc32c_portable(seed, bytes, count);
}
#else
uint32_t crc32c(uint32_t seed, const void *bytes, size_t count)
{
    return crc32c_portable(seed, bytes, count);
}
#endif
