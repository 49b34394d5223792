#include "contactor_wire.h"

#include <string.h>

enum { ALL_VALID = 0, NOT_AVAILABLE = 1, CONSTANT = 4, MAX_VEHICLE = 64, MAX_PATH = 255, MAX_REASON = 200 };

static void put(ct_message *m, const void *bytes, size_t size)
{
    if (m->is_too_large || size > m->room - m->size) {
        m->is_too_large = 1;
        return;
    }
    memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
}

/* The lowest `size` bytes of a number, the lowest first. */
static void put_number(ct_message *m, uint64_t number, unsigned size)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(number >> 8 * i);
    put(m, bytes, size);
}

static uint32_t crc32(const uint8_t *bytes, size_t size)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}

void ct_begin(ct_message *m, uint8_t *bytes, size_t room, enum ct_kind kind, const char *vehicle,
              uint64_t stream, uint64_t sequence)
{
    size_t length = strlen(vehicle);
    *m = (ct_message){.bytes = bytes, .room = room};
    if (length < 1 || length > MAX_VEHICLE)
        m->is_too_large = 1;
    put(m, "CT\x02", 3);
    put_number(m, kind, 1);
    put_number(m, stream, 8);
    put_number(m, sequence, 8);
    put_number(m, length, 1);
    put(m, vehicle, length);
    m->body = m->size;
}

void ct_codebook(ct_message *m, uint16_t signals)
{
    put_number(m, 0, 4); /* the id, known at the end */
    put_number(m, signals, 2);
}

void ct_signal(ct_message *m, uint8_t datatype, const char *path)
{
    size_t length = strlen(path);
    if (length < 1 || length > MAX_PATH)
        m->is_too_large = 1;
    put_number(m, datatype, 1);
    put_number(m, length, 1);
    put(m, path, length);
}

uint32_t ct_codebook_end(ct_message *m)
{
    if (m->is_too_large)
        return 0;
    uint32_t id = crc32(m->bytes + m->body + 4, m->size - m->body - 4);
    for (unsigned i = 0; i < 4; i++)
        m->bytes[m->body + i] = (uint8_t)(id >> 8 * i);
    return id;
}

void ct_record(ct_message *m, uint32_t codebook_id, uint8_t blocks)
{
    put_number(m, codebook_id, 4);
    put_number(m, blocks, 1);
}

void ct_block(ct_message *m, enum ct_group group, uint16_t columns, uint32_t rows,
              int64_t first_ns, enum ct_unit unit, uint64_t step)
{
    put_number(m, group, 1);
    put_number(m, unit, 1);
    put_number(m, columns, 2);
    put_number(m, rows, 4);
    put_number(m, (uint64_t)first_ns, 8);
    put_number(m, step, 8);
}

static void put_column(ct_message *m, uint16_t code, uint8_t form)
{
    put_number(m, code, 2);
    put_number(m, form, 1);
}

void ct_float(ct_message *m, uint16_t code, const float *cells, uint32_t rows)
{
    put_column(m, code, ALL_VALID);
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t bits;
        memcpy(&bits, &cells[row], sizeof bits);
        put_number(m, bits, 4);
    }
}

void ct_int8(ct_message *m, uint16_t code, const int8_t *cells, uint32_t rows)
{
    put_column(m, code, ALL_VALID);
    put(m, cells, rows);
}

void ct_bool(ct_message *m, uint16_t code, const uint8_t *cells, uint32_t rows)
{
    put_column(m, code, ALL_VALID);
    for (uint32_t row = 0; row < rows; row++)
        put_number(m, cells[row] != 0, 1);
}

void ct_all_alike_int8(ct_message *m, uint16_t code, int8_t cell)
{
    put_column(m, code, ALL_VALID | CONSTANT);
    put(m, &cell, 1);
}

void ct_not_available(ct_message *m, uint16_t code)
{
    put_column(m, code, NOT_AVAILABLE);
}

void ct_gap(ct_message *m, uint64_t last, int64_t first_ns, int64_t last_ns, uint64_t rows,
            const char *reason)
{
    size_t length = strlen(reason);
    if (length > MAX_REASON)
        m->is_too_large = 1;
    put_number(m, last, 8);
    put_number(m, (uint64_t)first_ns, 8);
    put_number(m, (uint64_t)last_ns, 8);
    put_number(m, rows, 8);
    put_number(m, length, 2);
    put(m, reason, length);
}

size_t ct_size(const ct_message *m)
{
    return m->is_too_large ? 0 : m->size;
}
