/* Prints a codebook, two records and a gap as hex: the vectors of docs/reference/wire.md.
 *
 *     cc -std=c99 -o wire main.c contactor_wire.c && ./wire
 */
#include "contactor_wire.h"

#include <stdio.h>

static const char vehicle[] = "van-7";
static const uint64_t stream = 0x0123456789ABCDEFu;
static const int64_t noon_ns = 1767268800LL * 1000000000; /* 2026-01-01T12:00:00Z */
static const int64_t second_ns = 1000000000;

static void print(const char *name, const ct_message *m)
{
    printf("%s: ", name);
    for (size_t i = 0; i < ct_size(m); i++)
        printf("%02x", m->bytes[i]);
    printf("\n");
}

int main(void)
{
    uint8_t bytes[512];
    ct_message m;

    ct_begin(&m, bytes, sizeof bytes, CT_CODEBOOK, vehicle, stream, 0);
    ct_codebook(&m, 5);
    ct_signal(&m, CT_FLOAT, "Vehicle.Speed");
    ct_signal(&m, CT_BOOLEAN, "Vehicle.IsMoving");
    ct_signal(&m, CT_INT8, "Vehicle.Powertrain.Transmission.CurrentGear");
    ct_signal(&m, CT_STRING, "Vehicle.LowVoltageSystemState");
    ct_signal(&m, CT_ARRAY + CT_FLOAT,
              "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages");
    uint32_t codebook_id = ct_codebook_end(&m);
    print("Codebook", &m);

    const float speed_kmh[] = {41.5f, 42.0f, 42.25f, 42.5f};
    const uint8_t is_moving = 1;
    ct_begin(&m, bytes, sizeof bytes, CT_RECORD, vehicle, stream, 1);
    ct_record(&m, codebook_id, 1);
    ct_block(&m, CT_DRIVE, 2, 1, noon_ns, CT_NS, 0);
    ct_float(&m, 0, speed_kmh, 1);
    ct_bool(&m, 1, &is_moving, 1);
    print("One row", &m);

    ct_begin(&m, bytes, sizeof bytes, CT_RECORD, vehicle, stream, 2);
    ct_record(&m, codebook_id, 1);
    ct_block(&m, CT_DRIVE, 2, 4, noon_ns, CT_S, 1);
    ct_float(&m, 0, speed_kmh, 4);
    ct_all_alike_int8(&m, 2, 1);
    print("Even instants", &m);

    ct_begin(&m, bytes, sizeof bytes, CT_GAP, vehicle, stream, 8);
    ct_gap(&m, 9, noon_ns, noon_ns + 24 * second_ns, 25, "outbox full");
    print("Gap", &m);
    return 0;
}
