//! The conformance suite of CPU backends: each numbered point of the contract in `sevm::cpu::Cpu`, on both
//! architectures, for every backend that this build has. The code stands in `tests/cpu/*.s`.

#[path = "cpu/bench.rs"]
mod bench;
#[path = "cpu/code.rs"]
mod code;
#[path = "cpu/counting.rs"]
mod counting;
#[allow(dead_code, reason = "the differential test uses the rest")]
#[path = "differential/a64/encodings.rs"]
mod encodings;
#[path = "cpu/escape.rs"]
mod escape;
#[path = "cpu/exits.rs"]
mod exits;
#[path = "cpu/features.rs"]
mod features;
#[path = "cpu/memory.rs"]
mod memory;
#[path = "cpu/registers.rs"]
mod registers;
#[path = "cpu/wild.rs"]
mod wild;
