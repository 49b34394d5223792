/* Writes version 2 of Contactor's wire: docs/reference/wire.md. C99, no allocation.
 *
 *     uint8_t bytes[512];
 *     ct_message m;
 *     ct_begin(&m, bytes, sizeof bytes, CT_RECORD, "van-7", stream, sequence);
 *     ct_record(&m, codebook_id, 1);
 *     ct_block(&m, CT_DRIVE, 2, 1, now_ns, CT_S, 0);
 *     ct_float(&m, 0, &speed, 1);
 *     ct_bool(&m, 1, &is_moving, 1);
 *     if (ct_size(&m) == 0) ...       it did not fit
 */
#ifndef CONTACTOR_WIRE_H
#define CONTACTOR_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum ct_kind { CT_RECORD = 1, CT_GAP = 2, CT_CODEBOOK = 3 };
enum ct_group { CT_DRIVE, CT_FAST, CT_SLOW, CT_CELLS, CT_EVENTS };
enum ct_datatype {
    CT_BOOLEAN, CT_INT8, CT_INT16, CT_INT32, CT_INT64, CT_UINT8, CT_UINT16, CT_UINT32, CT_UINT64,
    CT_FLOAT, CT_DOUBLE, CT_STRING,
    CT_ARRAY = 16 /* added to one of these: an array of it */
};
/* A unit of time: 10^k ns. */
enum ct_unit { CT_NS = 0, CT_US = 3, CT_MS = 6, CT_S = 9 };

typedef struct {
    uint8_t *bytes;
    size_t room, size;
    size_t body;      /* where the body begins */
    int is_too_large; /* something did not fit: the message is void */
} ct_message;

/* Begins a message; `sequence` counts 1, 2, 3, ... in a stream and is 0 for a codebook. */
void ct_begin(ct_message *m, uint8_t *bytes, size_t room, enum ct_kind kind, const char *vehicle,
              uint64_t stream, uint64_t sequence);

/* A codebook: its head, each signal (code 0, 1, 2, ...), its end, which gives its id. */
void ct_codebook(ct_message *m, uint16_t signals);
void ct_signal(ct_message *m, uint8_t datatype, const char *path);
uint32_t ct_codebook_end(ct_message *m);

/* A record: its head, then blocks of rows of one group, each with its columns. */
void ct_record(ct_message *m, uint32_t codebook_id, uint8_t blocks);
void ct_block(ct_message *m, enum ct_group group, uint16_t columns, uint32_t rows,
              int64_t first_ns, enum ct_unit unit, uint64_t step);
void ct_float(ct_message *m, uint16_t code, const float *cells, uint32_t rows);
void ct_int8(ct_message *m, uint16_t code, const int8_t *cells, uint32_t rows);
void ct_bool(ct_message *m, uint16_t code, const uint8_t *cells, uint32_t rows);
void ct_all_alike_int8(ct_message *m, uint16_t code, int8_t cell);
void ct_not_available(ct_message *m, uint16_t code);

/* The body of a gap: what the device had to drop, up to the sequence `last`. */
void ct_gap(ct_message *m, uint64_t last, int64_t first_ns, int64_t last_ns, uint64_t rows,
            const char *reason);

/* The bytes written; 0 if they did not fit. */
size_t ct_size(const ct_message *m);

#endif
