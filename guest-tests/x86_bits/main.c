// The intrinsics of BMI1, BMI2, LZCNT, POPCNT and MOVBE, as gcc names them.
#include "intrinsics.h"

int main(void) {
    A1(__tzcnt_u16, ushort, ushort)
    A1(_tzcnt_u16, ushort, ushort)
    A2(__andn_u32, uint, uint, uint)
    A2(_andn_u32, uint, uint, uint)
    A2(__bextr_u32, uint, uint, uint)
    A3(_bextr_u32, uint, uint, uint, uint)
    A1(__blsi_u32, uint, uint)
    A1(_blsi_u32, uint, uint)
    A1(__blsmsk_u32, uint, uint)
    A1(_blsmsk_u32, uint, uint)
    A1(__blsr_u32, uint, uint)
    A1(_blsr_u32, uint, uint)
    A1(__tzcnt_u32, uint, uint)
    A1(_tzcnt_u32, uint, uint)
    A2(__andn_u64, ullong, ullong, ullong)
    A2(_andn_u64, ullong, ullong, ullong)
    A2(__bextr_u64, ullong, ullong, ullong)
    A3(_bextr_u64, ullong, ullong, uint, uint)
    A1(__blsi_u64, ullong, ullong)
    A1(_blsi_u64, ullong, ullong)
    A1(__blsmsk_u64, ullong, ullong)
    A1(_blsmsk_u64, ullong, ullong)
    A1(__blsr_u64, ullong, ullong)
    A1(_blsr_u64, ullong, ullong)
    A1(__tzcnt_u64, ullong, ullong)
    A1(_tzcnt_u64, ullong, ullong)
    A2(_bzhi_u32, uint, uint, uint)
    A2(_pdep_u32, uint, uint, uint)
    A2(_pext_u32, uint, uint, uint)
    A2(_bzhi_u64, ullong, ullong, ullong)
    A2(_pdep_u64, ullong, ullong, ullong)
    A2(_pext_u64, ullong, ullong, ullong)
    A1(__lzcnt16, ushort, ushort)
    A1(__lzcnt32, uint, uint)
    A1(_lzcnt_u32, uint, uint)
    A1(__lzcnt64, ullong, ullong)
    A1(_lzcnt_u64, ullong, ullong)
    A1(_mm_popcnt_u32, int, uint)
    A1(_mm_popcnt_u64, llong, ullong)
    for (int i = 0; i < INPUTS; i++) {
        // movbe, both ways and in three sizes.
        uint64_t memory = integers[i], value = 0;
        __asm__ volatile("movbe %1, %0" : "=r"(value) : "m"(memory));
        MIX(ullong, value);
        __asm__ volatile("movbe %k1, %0" : "=m"(memory) : "r"(value));
        MIX(ullong, memory);
        __asm__ volatile("movbe %1, %w0" : "+r"(value) : "m"(memory));
        MIX(ullong, value);
        // Carries of adcx and adox are apart; mulx changes none.
        uint64_t low = integers[i], high = integers[i + 1], sum = value;
        __asm__ volatile("mulx %1, %0, %1" : "+r"(sum), "+r"(low) : "d"(high));
        MIX(ullong, sum);
        MIX(ullong, low);
    }
    done("movbe and mulx");
    return 0;
}
