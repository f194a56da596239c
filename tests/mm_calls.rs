//! The memory calls as a guest makes them, without a CPU: raw numbers and arguments in, results and errors out. Each
//! expected result is what `guest-tests/mm_*` print on Linux.

#![cfg(target_arch = "x86_64")]

use sevm::abi::Errno;
use sevm::arch::{Arch, RawCall, Regs};
use sevm::host::RealHost;
use sevm::kernel::exec::Processor;
use sevm::kernel::{Config, Kernel, Outcome, Program};
use sevm::mem::{GuestAddr, Windows};
use std::os::unix::ffi::OsStringExt;

const P: u64 = 4096;
const RW: u64 = 3;
const ANON: u64 = 0x22;
const FIXED: u64 = 0x10;
const NO_FD: u64 = u64::MAX;

const MMAP: u64 = 9;
const MPROTECT: u64 = 10;
const MUNMAP: u64 = 11;
const BRK: u64 = 12;
const MREMAP: u64 = 25;
const MSYNC: u64 = 26;
const MINCORE: u64 = 27;
const MADVISE: u64 = 28;
const MLOCK: u64 = 149;
const MUNLOCK: u64 = 150;
const MLOCKALL: u64 = 151;
const MUNLOCKALL: u64 = 152;
const REMAP_FILE_PAGES: u64 = 216;
const MBIND: u64 = 237;
const SET_MEMPOLICY: u64 = 238;
const GET_MEMPOLICY: u64 = 239;
const MEMBARRIER: u64 = 324;
const MLOCK2: u64 = 325;
const PKEY_MPROTECT: u64 = 329;
const PKEY_ALLOC: u64 = 330;
const PKEY_FREE: u64 = 331;
const MSEAL: u64 = 462;

/// A process of the test's own program, whose calls the test makes in its place.
struct Guest {
    kernel: Kernel,
    pid: i32,
}

impl Guest {
    fn new() -> Guest {
        let windows = Windows::new(40).unwrap();
        let mut kernel = Kernel::new(Box::new(RealHost::new()), windows, Config::default());
        let path = std::env::current_exe().unwrap().into_os_string().into_vec();
        let program = Program { argv: vec![path.clone()], path, envp: vec![], cwd: None };
        let pid = kernel.boot(&program, |_| Ok(Processor { hwcap: (0, 0), cpuid: None })).unwrap();
        Guest { kernel, pid }
    }

    fn call(&mut self, nr: u64, args: &[u64]) -> Result<u64, Errno> {
        let mut all = [0; 6];
        all[..args.len()].copy_from_slice(args);
        let mut port = Regs::new(Arch::X86_64);
        match self.kernel.syscall(self.pid, RawCall { nr, args: all }, &mut port) {
            Outcome::Done(result) => result,
            other => panic!("call {nr}: {other:?}"),
        }
    }

    fn map(&mut self, pages: u64, prot: u64, flags: u64) -> u64 {
        self.call(MMAP, &[0, pages * P, prot, flags, NO_FD, 0]).unwrap()
    }

    fn byte(&self, addr: u64) -> Result<u8, Errno> {
        self.kernel.threads.get(&self.pid).unwrap().space.borrow().copy_in(GuestAddr(addr))
    }

    fn set(&self, addr: u64, bytes: &[u8]) {
        self.kernel.threads.get(&self.pid).unwrap().space.borrow_mut().write(GuestAddr(addr), bytes).unwrap();
    }

    /// Makes calls and compares: (number, arguments, 0 or the error).
    fn expect(&mut self, calls: &[(u64, &[u64], Option<Errno>)]) {
        for (i, (nr, args, error)) in calls.iter().enumerate() {
            assert_eq!(self.call(*nr, args).err(), *error, "step {i}: call {nr} {args:x?}");
        }
    }
}

const EINVAL: Option<Errno> = Some(Errno::EINVAL);
const ENOMEM: Option<Errno> = Some(Errno::ENOMEM);
const EPERM: Option<Errno> = Some(Errno::EPERM);
const EFAULT: Option<Errno> = Some(Errno::EFAULT);

#[test]
fn mapping_and_protection() {
    let mut g = Guest::new();
    let a = g.map(16, RW, ANON);
    let b = g.map(16, RW, ANON);
    assert_eq!(b + 16 * P, a, "mappings go downwards");
    g.expect(&[
        (MMAP, &[0, 0, RW, ANON, NO_FD, 0], EINVAL),
        (MMAP, &[0, P, RW, ANON, NO_FD, 1], EINVAL),
        (MMAP, &[0, P, RW, 0x20, NO_FD, 0], EINVAL),
        (MMAP, &[0, P, RW, 0x23, NO_FD, 0], EINVAL),
        (MMAP, &[0, P, RW, 2, NO_FD, 0], Some(Errno::EBADF)),
        (MMAP, &[1, P, RW, ANON | FIXED, NO_FD, 0], EINVAL),
        (MMAP, &[P.wrapping_neg(), P, RW, ANON | FIXED, NO_FD, 0], ENOMEM),
        (MMAP, &[a + 6 * P, P, RW, ANON | 0x10_0000, NO_FD, 0], Some(Errno::EEXIST)),
        (MUNMAP, &[a + 1, P], EINVAL),
        (MUNMAP, &[a, 0], EINVAL),
        (MUNMAP, &[a + 2 * P, P], None),
        (MUNMAP, &[a + 2 * P, P], None),
        (MPROTECT, &[a + 3 * P, 2 * P, 1], None),
        (MPROTECT, &[a, 4 * P, 0], ENOMEM),
        (MPROTECT, &[a + 1, P, RW], EINVAL),
        (MPROTECT, &[a + 2 * P, 0, RW], None),
        (MPROTECT, &[a, P, 0x40], EINVAL),
        (MPROTECT, &[a, u64::MAX, RW], ENOMEM),
        (MPROTECT, &[a, P, RW | 0x100_0000], EINVAL),
        (MPROTECT, &[a, P, RW | 0x200_0000], EINVAL),
        (PKEY_MPROTECT, &[a, P, 1, u64::MAX], None),
        (PKEY_MPROTECT, &[a, P, RW, 5], EINVAL),
        (PKEY_ALLOC, &[1, 0], EINVAL),
        (PKEY_ALLOC, &[0, 0xf0], EINVAL),
        (PKEY_ALLOC, &[0, 0], Some(Errno::ENOSPC)),
        (PKEY_FREE, &[3], EINVAL),
        (MREMAP, &[b, 4 * P, 8 * P, 8, 0], EINVAL),
        (MREMAP, &[b, 4 * P, 8 * P, 2, a], EINVAL),
        (MREMAP, &[b, P, 1 << 62, 1, 0], EINVAL),
        (MREMAP, &[b, P, 2 * P, 0, 0], ENOMEM),
        (MREMAP, &[b, P, 2 * P, 1 << 40, 0], EINVAL),
    ]);
    let brk = g.call(BRK, &[0]).unwrap();
    assert_eq!(g.call(BRK, &[brk + 3 * P + 5]), Ok(brk + 3 * P + 5));
    assert_eq!(g.call(BRK, &[16]), Ok(brk + 3 * P + 5));
    assert_eq!(g.call(BRK, &[brk]), Ok(brk));
}

#[test]
fn advice_sync_and_locks() {
    let mut g = Guest::new();
    let a = g.map(6, RW, ANON);
    g.set(a, &[b'a'; 6 * 4096]);
    g.expect(&[
        (MUNMAP, &[a + 4 * P, P], None),
        (MADVISE, &[a, P, 999], EINVAL),
        (MADVISE, &[a, P, 5], EINVAL),
        (MADVISE, &[a + 1, P, 0], EINVAL),
        (MADVISE, &[a, 0, 4], None),
        (MADVISE, &[a, u64::MAX, 0], EINVAL),
        (MADVISE, &[a, P, 4], None),
        (MADVISE, &[a + 3 * P, 3 * P, 4], ENOMEM),
        (MADVISE, &[a, P, 8], None),
        (MADVISE, &[a, P, 9], EINVAL),
        (MADVISE, &[a, 6 * P, 23], ENOMEM),
        (MADVISE, &[a, P, 102], EINVAL),
        (MSYNC, &[a, P, 5], EINVAL),
        (MSYNC, &[a, P, 8], EINVAL),
        (MSYNC, &[a, 6 * P, 1], ENOMEM),
        (MSYNC, &[a, 0, 4], None),
        (MLOCK2, &[a, P, 2], EINVAL),
        (MLOCKALL, &[0], EINVAL),
        (MLOCKALL, &[4], EINVAL),
        (MLOCKALL, &[8], EINVAL),
    ]);
    assert_eq!([g.byte(a), g.byte(a + P), g.byte(a + 5 * P)], [Ok(0), Ok(b'a'), Ok(0)]);
    let vec = a + P;
    g.expect(&[
        (MINCORE, &[a + 1, P, vec], EINVAL),
        (MINCORE, &[a, 2 * P + 1, vec], None),
        (MINCORE, &[a, 6 * P, vec], ENOMEM),
        (MINCORE, &[a, P, 8], EFAULT),
        (MINCORE, &[a, 0, 8], None),
        (MINCORE, &[a, u64::MAX, vec], ENOMEM),
        (MLOCK, &[a + P, P], None),
        (MADVISE, &[a + P, P, 4], EINVAL),
        (MADVISE, &[a + P, P, 24], None),
        (MSYNC, &[a + P, P, 2], Some(Errno::EBUSY)),
        (MUNLOCK, &[a, 2 * P], None),
        (MLOCK, &[a, 6 * P], ENOMEM),
        (MUNLOCKALL, &[], None),
        (MADVISE, &[a + P, P, 4], None),
    ]);
}

#[test]
fn barriers_policies_and_seals() {
    let mut g = Guest::new();
    let a = g.map(4, RW, ANON);
    assert_eq!(g.call(MEMBARRIER, &[0, 0, 0]).unwrap() & 0x7f, 0x7f);
    let (mode, nodes) = (a, a + 8);
    g.set(nodes, &[0xff; 128]);
    g.expect(&[
        (MEMBARRIER, &[0, 1, 0], EINVAL),
        (MEMBARRIER, &[3, 0, 0], EINVAL),
        (MEMBARRIER, &[8, 0, 0], EPERM),
        (MEMBARRIER, &[16, 0, 0], None),
        (MEMBARRIER, &[8, 0, 0], None),
        (MEMBARRIER, &[32, 0, 0], EPERM),
        (GET_MEMPOLICY, &[mode, nodes, 1024, 0, 0], None),
        (GET_MEMPOLICY, &[0, nodes, 1024, 0, 4], None),
        (GET_MEMPOLICY, &[mode, 0, 0, a, 3], None),
        (GET_MEMPOLICY, &[mode, 0, 0, a, 0], EINVAL),
        (GET_MEMPOLICY, &[mode, 0, 0, 0, 1], EINVAL),
        (GET_MEMPOLICY, &[mode, 0, 0, 8, 2], EFAULT),
        (GET_MEMPOLICY, &[mode, 0, 0, 0, 8], EINVAL),
        (GET_MEMPOLICY, &[mode, 0, 0, 0, 5], EINVAL),
    ]);
    assert_eq!(g.byte(nodes), Ok(1));
    g.expect(&[
        (SET_MEMPOLICY, &[2, nodes, 64], None),
        (SET_MEMPOLICY, &[3, 0, 0], EINVAL),
        (SET_MEMPOLICY, &[1, 0, 0], None),
        (SET_MEMPOLICY, &[99, 0, 0], EINVAL),
        (SET_MEMPOLICY, &[0, nodes, 64], EINVAL),
        (SET_MEMPOLICY, &[2, 8, 64], EFAULT),
        (SET_MEMPOLICY, &[0xc002, nodes, 64], EINVAL),
        (MBIND, &[a, P, 2, nodes, 64, 0], None),
        (MBIND, &[a, P, 2, nodes, 64, 16], EINVAL),
        (MBIND, &[a + 1, P, 2, nodes, 64, 0], EINVAL),
        (MBIND, &[a + P, 1 << 30, 2, nodes, 64, 0], EFAULT),
        (REMAP_FILE_PAGES, &[a, P, 0, 2, 0], EINVAL),
        (MSEAL, &[a, P, 1], EINVAL),
        (MSEAL, &[a + 1, P, 0], EINVAL),
        (MSEAL, &[a, 1 << 30, 0], ENOMEM),
        (MSEAL, &[a, P, 0], None),
        (MPROTECT, &[a, P, 1], EPERM),
        (MUNMAP, &[a, 2 * P], EPERM),
        (MMAP, &[a, P, RW, ANON | FIXED, NO_FD, 0], EPERM),
        (MREMAP, &[a, P, 2 * P, 1, 0], EPERM),
        (MUNMAP, &[a + P, P], None),
    ]);
    g.set(nodes, &[2]);
    g.expect(&[(SET_MEMPOLICY, &[2, nodes, 64], EINVAL)]);
}
