//! A Unicorn handle: opening, registers, memory map, caches. The only calls of Unicorn's C interface, but for the hooks.

#![expect(unsafe_code, reason = "Unicorn is a C library")]

use std::ffi::{c_int, c_void};

use unicorn_engine::hook::sys::{
    Arch, ControlType, HookType, Mode, RegisterARM64, RegisterARM64CP, RegisterX86, TlbType, uc_close, uc_context,
    uc_context_alloc, uc_context_free, uc_context_restore, uc_context_save, uc_ctl, uc_emu_start, uc_emu_stop,
    uc_engine, uc_error, uc_hook_add, uc_mem_map_ptr, uc_open, uc_reg_read, uc_reg_read_batch, uc_reg_write,
    uc_reg_write_batch, uc_x86_mmr, uc_x86_msr,
};

use super::aarch64::SysReg;
use crate::Error;
use crate::mem::PAGE_SIZE;

/// Unicorn's guest-physical addresses are sevm's own host addresses, all of them; what a guest reaches is decided by the
/// TLB-fill hook alone. These are the ends of the user half of a host address space.
const HOST_START: u64 = 0x1_0000;
const HOST_END: u64 = (1 << 47) - 0x1_0000;

/// Where fields lie in Unicorn's `struct uc_struct`, relative to its `target_page_size`, which is found by what
/// surrounds it (see [`Engine::find_fields`]). Version 2.1.5, `include/uc_priv.h`.
mod field {
    pub const INVALID_ADDR: isize = -568;
    pub const USE_EXITS: isize = -556;
    pub const HOOK_INSERT: isize = 48;
    pub const NO_EXIT_REQUEST: isize = 50;
    pub const INIT_DONE: isize = 51;
}

/// An open Unicorn engine. Closed when dropped.
pub(super) struct Engine {
    handle: *mut uc_engine,
    /// The `target_page_size` field inside the handle.
    fields: *mut u8,
    /// The CPU's whole state as it was once kept; null before that.
    kept: *mut uc_context,
}

/// The meaning of an error number.
fn failed(what: &str, error: uc_error) -> Error {
    Error::Cpu { backend: "unicorn", reason: format!("{what}: {error:?}") }
}

fn check(what: &str, error: uc_error) -> Result<(), Error> {
    if error == uc_error::OK { Ok(()) } else { Err(failed(what, error)) }
}

const fn write(control: ControlType) -> ControlType {
    ControlType(control.0 | ControlType::IO_WRITE.0)
}

impl Engine {
    /// Opens an engine of the given CPU model with the virtual TLB and all host memory mapped.
    pub(super) fn open(arch: Arch, mode: Mode, model: c_int) -> Result<Engine, Error> {
        let mut handle = std::ptr::null_mut();
        // SAFETY: `handle` is a place for the result.
        check("cannot open", unsafe { uc_open(arch, mode, &mut handle) })?;
        let mut engine = Engine { handle, fields: std::ptr::null_mut(), kept: std::ptr::null_mut() };
        // SAFETY: for each of these, the handle is open, and each control gets the arguments that unicorn.h gives it.
        unsafe {
            if arch == Arch::ARM64 {
                // The default granule is 1 KiB; fill-hook addresses would then be masked at 1 KiB.
                check("page size", uc_ctl(handle, write(ControlType::UC_PAGE_SIZE), PAGE_SIZE as u32))?;
            }
            check("model", uc_ctl(handle, write(ControlType::CPU_MODEL), model))?;
            check("tlb", uc_ctl(handle, write(ControlType::TLB_TYPE), TlbType::VIRTUAL as c_int))?;
            check("exits", uc_ctl(handle, write(ControlType::UC_USE_EXITS), 1 as c_int))?;
            let all = 7;
            let start = HOST_START as *mut c_void;
            check("memory map", uc_mem_map_ptr(handle, HOST_START, HOST_END - HOST_START, all, start))?;
        }
        engine.find_fields()?;
        Ok(engine)
    }

    /// Finds the part of the handle's struct that holds what the interface does not give: the exact address of a fault,
    /// and the switch that leaves out a helper call after every memory access (it serves memory hooks, of which there
    /// are none here; without it compute loops run up to twice as fast).
    fn find_fields(&mut self) -> Result<(), Error> {
        let start = self.handle.cast::<u8>();
        for offset in (1024..8192).step_by(8) {
            // SAFETY: the struct is larger than 16 KiB (it holds 64 jump buffers of 200 bytes behind these fields), so
            // all of these reads stay inside it.
            unsafe {
                let at = start.add(offset);
                let word = |by: isize| at.offset(by).cast::<u32>().read_unaligned();
                let long = |by: isize| at.offset(by).cast::<u64>().read_unaligned();
                let byte = |by: isize| at.offset(by).read();
                let page = PAGE_SIZE as u32;
                let sizes = word(0) == page && word(4) == page - 1 && long(8) == PAGE_SIZE && long(16) == PAGE_SIZE;
                if sizes
                    && word(field::USE_EXITS) == 1
                    && byte(field::HOOK_INSERT) == 0
                    && byte(field::NO_EXIT_REQUEST) == 0
                    && byte(field::INIT_DONE) == 1
                {
                    self.fields = at;
                    at.offset(field::NO_EXIT_REQUEST).write(1);
                    return Ok(());
                }
            }
        }
        Err(Error::Cpu { backend: "unicorn", reason: "this is not the expected version of Unicorn".into() })
    }

    /// Keeps the CPU's whole state, hidden parts included, for [`Engine::back_to_kept`].
    pub(super) fn keep(&mut self) -> Result<(), Error> {
        // SAFETY: the handle is open; the context is the one that it has just allocated, and is freed with it.
        unsafe {
            if self.kept.is_null() {
                check("context", uc_context_alloc(self.handle, &mut self.kept))?;
            }
            check("context", uc_context_save(self.handle, self.kept))
        }
    }

    /// Puts the kept state back, registers included.
    pub(super) fn back_to_kept(&mut self) {
        if !self.kept.is_null() {
            // SAFETY: the context was saved from this very handle.
            unsafe { uc_context_restore(self.handle, self.kept) };
        }
    }

    /// The raw handle, for hooks.
    pub(super) fn handle(&self) -> *mut uc_engine {
        self.handle
    }

    /// The address of the last refused access.
    pub(super) fn fault_addr(&self) -> u64 {
        // SAFETY: `find_fields` found the field; it lies inside the open handle.
        unsafe { self.fields.offset(field::INVALID_ADDR).cast::<u64>().read_unaligned() }
    }

    /// Installs a hook that gets `data`.
    ///
    /// # Safety
    /// `callback` must be a function of the type that unicorn.h gives for `kind`, must not unwind, and `data` must be
    /// valid for it as long as the engine is open.
    pub(super) unsafe fn hook(
        &mut self,
        kind: HookType,
        callback: *mut c_void,
        data: *mut c_void,
        instruction: c_int,
    ) -> Result<(), Error> {
        let mut hook = Default::default();
        // SAFETY: the handle is open; begin > end means everywhere; only instruction hooks read the last argument.
        let error =
            unsafe { uc_hook_add(self.handle, &mut hook, kind.0 as c_int, callback, data, 1u64, 0u64, instruction) };
        check("hook", error)
    }

    /// Runs from `pc` until something stops the engine.
    pub(super) fn start(&mut self, pc: u64) -> uc_error {
        // SAFETY: the handle is open; the end address is not used because exits are.
        unsafe { uc_emu_start(self.handle, pc, 0, 0, 0) }
    }

    /// Makes the engine stop where the given address would be translated as an instruction, until called again.
    pub(super) fn set_exit(&mut self, exit: Option<u64>) -> Result<(), Error> {
        let exits = [exit.unwrap_or(0)];
        let count = usize::from(exit.is_some());
        // SAFETY: the handle is open; the array holds at least `count` addresses, which Unicorn copies.
        check("exits", unsafe { uc_ctl(self.handle, write(ControlType::UC_EXITS), exits.as_ptr(), count) })
    }

    /// Forgets all address translations.
    pub(super) fn flush_tlb(&mut self) {
        flush_tlb(self.handle);
    }

    /// Reads one register into the integer or byte array `T`.
    pub(super) fn read<T: Plain>(&self, register: c_int) -> T {
        let mut value = T::default();
        // SAFETY: the handle is open; callers name registers of at most the size of `T`, which is plain data.
        unsafe { uc_reg_read(self.handle, register, (&raw mut value).cast()) };
        value
    }

    /// Writes one register.
    pub(super) fn write<T: Plain>(&mut self, register: c_int, value: T) {
        // SAFETY: as in `read`.
        unsafe { uc_reg_write(self.handle, register, (&raw const value).cast()) };
    }

    /// Reads a model-specific register (x86_64).
    pub(super) fn read_msr(&self, number: u32) -> u64 {
        let mut msr = uc_x86_msr { rid: number, value: 0 };
        // SAFETY: the handle is open; this register is read into such a struct.
        unsafe { uc_reg_read(self.handle, RegisterX86::MSR as c_int, (&raw mut msr).cast()) };
        msr.value
    }

    /// Writes a model-specific register (x86_64).
    pub(super) fn write_msr(&mut self, number: u32, value: u64) {
        let msr = uc_x86_msr { rid: number, value };
        // SAFETY: as in `read_msr`.
        unsafe { uc_reg_write(self.handle, RegisterX86::MSR as c_int, (&raw const msr).cast()) };
    }

    /// Sets a segment to one that holds nothing (x86_64): of limit 0 and not present.
    pub(super) fn clear_segment(&mut self, register: RegisterX86) {
        let segment = uc_x86_mmr { selector: 0, base: 0, limit: 0, flags: 0 };
        // SAFETY: the handle is open; descriptor tables and the task register are written from such a struct.
        unsafe { uc_reg_write(self.handle, register as c_int, (&raw const segment).cast()) };
    }

    /// Writes a system register (aarch64).
    pub(super) fn write_sysreg(&mut self, register: SysReg, value: u64) {
        let SysReg(op0, op1, crn, crm, op2) = register;
        let place = RegisterARM64CP { crn, crm, op0, op1, op2, val: value };
        // SAFETY: the handle is open; this register is written from such a struct.
        unsafe { uc_reg_write(self.handle, RegisterARM64::CP_REG as c_int, (&raw const place).cast()) };
    }

    /// Reads many 64-bit registers at once.
    pub(super) fn read_all<const N: usize>(&self, registers: &[c_int; N]) -> [u64; N] {
        let mut values = [0u64; N];
        let mut places: [*mut c_void; N] = values.each_mut().map(|v| std::ptr::from_mut(v).cast());
        // SAFETY: both arrays have N elements, and each place takes the 8 bytes of a 64-bit register.
        unsafe { uc_reg_read_batch(self.handle, registers.as_ptr(), places.as_mut_ptr(), N as c_int) };
        values
    }

    /// Writes many 64-bit registers at once.
    pub(super) fn write_all<const N: usize>(&mut self, registers: &[c_int; N], values: &[u64; N]) {
        let places: [*mut c_void; N] = values.each_ref().map(|v| std::ptr::from_ref(v).cast_mut().cast());
        // SAFETY: as in `read_all`; Unicorn only reads the values.
        unsafe { uc_reg_write_batch(self.handle, registers.as_ptr(), places.as_ptr(), N as c_int) };
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // SAFETY: the handle is open, the context is its own, and neither is used afterwards.
        unsafe {
            if !self.kept.is_null() {
                uc_context_free(self.kept);
            }
            uc_close(self.handle);
        }
    }
}

/// Values that Unicorn copies as plain bytes.
pub(super) trait Plain: Copy + Default {}
impl Plain for u16 {}
impl Plain for u32 {}
impl Plain for u64 {}
impl Plain for u128 {}

/// Stops the running engine; for hooks.
pub(super) fn stop(handle: *mut uc_engine) {
    // SAFETY: hooks get the handle of the engine that runs them.
    unsafe { uc_emu_stop(handle) };
}

/// Forgets all address translations; for hooks as well.
pub(super) fn flush_tlb(handle: *mut uc_engine) {
    // SAFETY: the handle is open wherever this module hands it out. The engine allows a flush inside the fill hook:
    // it looks the entry up anew afterwards.
    unsafe { uc_ctl(handle, write(ControlType::TLB_FLUSH)) };
}

/// Drops translated blocks that overlap `len` bytes at `addr`, an address that the fill hook maps for execution.
pub(super) fn drop_blocks(handle: *mut uc_engine, addr: u64, len: u64) {
    // SAFETY: as above; Unicorn unlinks the blocks but does not free the one that is running.
    unsafe { uc_ctl(handle, write(ControlType::TB_REMOVE_CACHE), addr, addr + len) };
}
