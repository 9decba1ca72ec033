/* Unpack one LZ4 block, every read and write checked against its buffer: onebin wrote the data,
 * but a disk may damage it.
 *
 * Source: LZ4 Block Format Description.
 */
#ifndef ONEBIN_LZ4_BLOCK_H
#define ONEBIN_LZ4_BLOCK_H

#include <stdint.h>
#include <string.h>

enum { SHORTEST_MATCH = 4, NIBBLE_FULL = 15, BYTE_FULL = 255 };

/* Read the rest of a length whose first four bits were all ones; -1 where the input ends. */
static int64_t
long_length(const uint8_t **in, const uint8_t *end)
{
    int64_t length = NIBBLE_FULL;
    uint8_t byte;
    do {
        if (*in == end) {
            return -1;
        }
        byte = *(*in)++;
        length += byte;
    } while (byte == BYTE_FULL);
    return length;
}

/* Unpack one block; true where exactly *size* bytes came out of it. */
static int
unpack(const uint8_t *in, const uint8_t *end, uint8_t *out, int64_t size)
{
    uint8_t *const start = out;
    uint8_t *const full = out + size;
    while (in < end) {
        uint8_t token = *in++;
        int64_t literals = token >> 4;
        if (literals == NIBBLE_FULL && (literals = long_length(&in, end)) < 0) {
            return 0;
        }
        if (literals > end - in || literals > full - out) {
            return 0;
        }
        memcpy(out, in, (size_t)literals);
        in += literals;
        out += literals;
        if (in == end) {
            break; /* the last sequence has no match */
        }
        if (end - in < 2) {
            return 0;
        }
        int64_t back = in[0] | in[1] << 8;
        in += 2;
        int64_t match = token & NIBBLE_FULL;
        if (match == NIBBLE_FULL && (match = long_length(&in, end)) < 0) {
            return 0;
        }
        match += SHORTEST_MATCH;
        if (back == 0 || back > out - start || match > full - out) {
            return 0;
        }
        /* Byte by byte where they overlap: a match may repeat what it has just written. */
        if (back >= match) {
            memcpy(out, out - back, (size_t)match);
            out += match;
        } else {
            for (const uint8_t *from = out - back; match > 0; match--) {
                *out++ = *from++;
            }
        }
    }
    return out == full;
}

#endif
