//! The layouts of signal frames, siginfo_t, struct sigaction and stack_t against the kernel's headers of both
//! architectures: a C compiler checks what Rust says.

use sevm::abi::sigframe::{aarch64, x86_64};
use sevm::abi::siginfo::{RawSigAction, RawSigInfo, RawStack};
use std::io::Write as _;
use std::mem::{offset_of, size_of};
use std::process::{Command, Stdio};

/// Pairs of a C expression and its value here.
type Facts = Vec<(&'static str, usize)>;

fn common() -> Facts {
    vec![
        ("sizeof(siginfo_t)", size_of::<RawSigInfo>()),
        ("offsetof(siginfo_t, si_errno)", offset_of!(RawSigInfo, errno)),
        ("offsetof(siginfo_t, si_code)", offset_of!(RawSigInfo, code)),
        ("offsetof(siginfo_t, si_addr)", offset_of!(RawSigInfo, union)),
        ("offsetof(siginfo_t, si_uid)", offset_of!(RawSigInfo, union) + 4),
        ("offsetof(siginfo_t, si_value)", offset_of!(RawSigInfo, union) + 8),
        ("offsetof(siginfo_t, si_status)", offset_of!(RawSigInfo, union) + 8),
        ("offsetof(siginfo_t, si_utime)", offset_of!(RawSigInfo, union) + 16),
        ("offsetof(siginfo_t, si_stime)", offset_of!(RawSigInfo, union) + 24),
        ("offsetof(siginfo_t, si_fd)", offset_of!(RawSigInfo, union) + 8),
        ("offsetof(siginfo_t, si_syscall)", offset_of!(RawSigInfo, union) + 8),
        ("offsetof(siginfo_t, si_arch)", offset_of!(RawSigInfo, union) + 12),
        ("sizeof(struct sigaction)", size_of::<RawSigAction>()),
        ("offsetof(struct sigaction, sa_flags)", offset_of!(RawSigAction, flags)),
        ("offsetof(struct sigaction, sa_restorer)", offset_of!(RawSigAction, restorer)),
        ("offsetof(struct sigaction, sa_mask)", offset_of!(RawSigAction, mask)),
        ("sizeof(stack_t)", size_of::<RawStack>()),
        ("offsetof(stack_t, ss_flags)", offset_of!(RawStack, flags)),
        ("offsetof(stack_t, ss_size)", offset_of!(RawStack, size)),
    ]
}

/// Has the C compiler check the facts, if it is installed.
fn check(compiler: &str, facts: Facts) {
    let mut source = String::from(
        "#include <stddef.h>\n#include <linux/types.h>\n#include <asm/signal.h>\n#include <asm/siginfo.h>\n\
         #include <asm/sigcontext.h>\n#include <asm/ucontext.h>\n",
    );
    for (expression, value) in facts.into_iter().chain(common()) {
        source.push_str(&format!("_Static_assert({expression} == {value}, \"{expression} is not {value}\");\n"));
    }
    let mut command = Command::new(compiler);
    command.args(["-xc", "-fsyntax-only", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        assert!(std::env::var("CI").is_err(), "{compiler} is not installed");
        eprintln!("left out: {compiler} is not installed");
        return;
    };
    child.stdin.take().expect("a pipe").write_all(source.as_bytes()).expect("the compiler reads its input");
    let output = child.wait_with_output().expect("the compiler ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn x86_64_layouts_are_those_of_linux() {
    use x86_64::*;
    let facts = vec![
        ("sizeof(struct sigcontext)", size_of::<SigContext>()),
        ("offsetof(struct sigcontext, rdi)", offset_of!(SigContext, low)),
        ("offsetof(struct sigcontext, rsp)", offset_of!(SigContext, low) + 7 * 8),
        ("offsetof(struct sigcontext, rip)", offset_of!(SigContext, ip)),
        ("offsetof(struct sigcontext, eflags)", offset_of!(SigContext, flags)),
        ("offsetof(struct sigcontext, cs)", offset_of!(SigContext, cs)),
        ("offsetof(struct sigcontext, ss)", offset_of!(SigContext, ss)),
        ("offsetof(struct sigcontext, err)", offset_of!(SigContext, err)),
        ("offsetof(struct sigcontext, trapno)", offset_of!(SigContext, trapno)),
        ("offsetof(struct sigcontext, oldmask)", offset_of!(SigContext, oldmask)),
        ("offsetof(struct sigcontext, cr2)", offset_of!(SigContext, cr2)),
        ("offsetof(struct sigcontext, fpstate)", offset_of!(SigContext, fpstate)),
        ("sizeof(struct ucontext)", size_of::<UContext>()),
        ("offsetof(struct ucontext, uc_stack)", offset_of!(UContext, stack)),
        ("offsetof(struct ucontext, uc_mcontext)", offset_of!(UContext, mcontext)),
        ("offsetof(struct ucontext, uc_sigmask)", offset_of!(UContext, sigmask)),
        ("sizeof(struct _fpstate)", size_of::<FxState>()),
        ("offsetof(struct _fpstate, mxcsr)", offset_of!(FxState, mxcsr)),
        ("offsetof(struct _fpstate, xmm_space)", offset_of!(FxState, xmm)),
        ("offsetof(struct _fpstate, sw_reserved)", offset_of!(FxState, magic1)),
        ("offsetof(struct _fpstate, sw_reserved.xfeatures)", offset_of!(FxState, xfeatures)),
        ("offsetof(struct _fpstate, sw_reserved.xstate_size)", offset_of!(FxState, xstate_size)),
        ("sizeof(struct _header)", size_of::<XstateHeader>()),
        ("FP_XSTATE_MAGIC1", FP_XSTATE_MAGIC1 as usize),
        ("FP_XSTATE_MAGIC2", FP_XSTATE_MAGIC2 as usize),
        ("UC_FP_XSTATE", UC_FP_XSTATE as usize),
        ("UC_SIGCONTEXT_SS", UC_SIGCONTEXT_SS as usize),
        ("UC_STRICT_RESTORE_SS", UC_STRICT_RESTORE_SS as usize),
    ];
    check("x86_64-linux-gnu-gcc", facts);
}

#[test]
fn aarch64_layouts_are_those_of_linux() {
    use aarch64::*;
    let facts = vec![
        ("sizeof(struct sigcontext)", size_of::<SigContext>() + RESERVED),
        ("offsetof(struct sigcontext, regs)", offset_of!(SigContext, regs)),
        ("offsetof(struct sigcontext, sp)", offset_of!(SigContext, sp)),
        ("offsetof(struct sigcontext, pc)", offset_of!(SigContext, pc)),
        ("offsetof(struct sigcontext, pstate)", offset_of!(SigContext, pstate)),
        ("offsetof(struct sigcontext, __reserved)", size_of::<SigContext>()),
        ("sizeof(struct ucontext)", size_of::<UContext>() + RESERVED),
        ("offsetof(struct ucontext, uc_stack)", offset_of!(UContext, stack)),
        ("offsetof(struct ucontext, uc_sigmask)", offset_of!(UContext, sigmask)),
        ("offsetof(struct ucontext, uc_mcontext)", offset_of!(UContext, mcontext)),
        ("sizeof(struct fpsimd_context)", size_of::<FpsimdContext>()),
        ("offsetof(struct fpsimd_context, fpsr)", offset_of!(FpsimdContext, fpsr)),
        ("offsetof(struct fpsimd_context, fpcr)", offset_of!(FpsimdContext, fpcr)),
        ("offsetof(struct fpsimd_context, vregs)", offset_of!(FpsimdContext, vregs)),
        ("sizeof(struct esr_context)", size_of::<EsrContext>()),
        ("FPSIMD_MAGIC", FPSIMD_MAGIC as usize),
        ("ESR_MAGIC", ESR_MAGIC as usize),
        ("EXTRA_MAGIC", EXTRA_MAGIC as usize),
    ];
    check("aarch64-linux-gnu-gcc", facts);
}
