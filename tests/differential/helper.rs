//! Programs that run cases outside sevm: built once, talked to by pipes.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

/// A running helper; ended when dropped.
pub struct Helper {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Helper {
    /// Compiles `tests/differential/SOURCE` with `compiler`, static and away from where cases stand, once in this process.
    ///
    /// # Errors
    /// The compiler is not there, or does not take it.
    pub fn build(compiler: &str, source: &str) -> Result<PathBuf, String> {
        static BUILT: Mutex<Vec<String>> = Mutex::new(Vec::new());
        let mut built = BUILT.lock().unwrap_or_else(|e| e.into_inner());
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential").join(source);
        let name = format!("differential-{}", source.replace(['/', '.'], "-"));
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if !built.iter().any(|b| b == source) {
            let mut command = Command::new(compiler);
            command.args(["-O2", "-static", "-fno-stack-protector", "-Wl,-Ttext-segment=0x10000000", "-o"]);
            if !command.arg(&program).arg(&path).status().is_ok_and(|s| s.success()) {
                return Err(format!("{compiler} cannot build {source}"));
            }
            built.push(source.to_owned());
        }
        Ok(program)
    }

    /// Starts a command and sends `first`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start<S: AsRef<OsStr>>(command: &[S], first: &[u8]) -> Result<Helper, String> {
        let name = command[0].as_ref().display().to_string();
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{name}: {e}"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("{name} without pipes"));
        };
        let mut helper = Helper { child, input, output };
        helper.input.write_all(first).map_err(|e| e.to_string())?;
        Ok(helper)
    }

    /// Sends a request and gives the answer of `len` bytes.
    ///
    /// # Errors
    /// The helper has ended.
    pub fn ask(&mut self, request: &[u8], len: usize) -> Result<Vec<u8>, String> {
        let mut answer = vec![0; len];
        let talked = self.input.write_all(request).and_then(|()| self.output.read_exact(&mut answer));
        talked.map_err(|e| format!("the helper has ended: {e}"))?;
        Ok(answer)
    }
}

/// The 64-bit word at a place of an answer.
pub fn long(answer: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(answer[at..at + 8].try_into().expect("eight bytes"))
}
