/* CRC-32 by a table. */
#include "kernel.h"
uint64_t work(long n) {
    static uint32_t table[256];
    static unsigned char data[65536];
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int k = 0; k < 8; k++) table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
    }
    for (unsigned i = 0; i < sizeof data; i++) data[i] = i * 167 >> 2;
    uint32_t crc = ~0u;
    for (long r = 0; r < n; r++)
        for (unsigned i = 0; i < sizeof data; i++) crc = crc >> 8 ^ table[(crc ^ data[i]) & 255];
    return ~crc;
}
