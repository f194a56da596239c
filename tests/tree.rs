//! Runs the dynamic programs of trees of Debian's arm64 packages, listed in `tree.toml` and `jits.toml`, under `sevm run --root`, and
//! compares what they print with the text in the list, which is what the same programs print on amd64. Those that start
//! no other program are also run by qemu-aarch64, whose output must be the same.

mod common;

use common::{Arch, Missing};
use serde::Deserialize;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

/// The list.
#[derive(Deserialize)]
struct List {
    /// Packages that the tree is made of, with all they depend on.
    packages: Vec<String>,
    case: Vec<Case>,
}

/// One invocation.
#[derive(Clone, Deserialize)]
struct Case {
    name: String,
    /// The program, found in the tree's PATH, and its arguments.
    run: Vec<String>,
    /// What it prints to standard output.
    stdout: String,
    /// Lines are only to be contained in the output, in this order.
    #[serde(default)]
    contained: bool,
    /// qemu-user can run it too: no other program is started.
    #[serde(default)]
    qemu: bool,
    /// Files made before.
    #[serde(default)]
    files: std::collections::BTreeMap<String, String>,
    seconds: Option<u64>,
}

impl Case {
    fn check(&self, tree: &Path) -> Result<(), String> {
        let bind = |work: &Path| [OsString::from("--bind"), format!("{}:/work", work.display()).into()];
        let mut sevm: Vec<OsString> = common::sevm_run::<&str>(&[]);
        let work = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).map_err(|e| e.to_string())?;
        sevm.extend(["--root".into(), tree.into()]);
        sevm.extend(bind(work.path()));
        sevm.extend(["--cwd".into(), "/work".into()]);
        sevm.push(self.run[0].clone().into());
        self.compare(&sevm, work.path())?;
        if !self.qemu {
            return Ok(());
        }
        let work = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).map_err(|e| e.to_string())?;
        let mut qemu = Arch::Aarch64.reference().map_err(|m| m.0)?;
        qemu.extend(["-L".into(), tree.into(), tree.join("usr/bin").join(&self.run[0]).into()]);
        self.compare(&qemu, work.path()).map_err(|e| format!("qemu-aarch64: {e}"))
    }

    /// Runs it with `command` in front of its arguments.
    fn compare(&self, command: &[OsString], work: &Path) -> Result<(), String> {
        for (name, content) in &self.files {
            std::fs::write(work.join(name), content).map_err(|e| e.to_string())?;
        }
        let mut run = Command::new("timeout");
        let limit = self.seconds.map_or(Duration::from_secs(120), Duration::from_secs);
        run.args(["-s", "KILL", &limit.as_secs().to_string()]).args(command).args(&self.run[1..]);
        run.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/work");
        run.env("LC_ALL", "C.UTF-8").env("TZ", "UTC0").env("TERM", "vt100");
        run.current_dir(work).stdin(Stdio::null());
        let out = run.output().map_err(|e| e.to_string())?;
        let got = String::from_utf8_lossy(&out.stdout);
        let is_right = if self.contained {
            let mut lines = got.lines();
            self.stdout.lines().all(|want| lines.any(|line| line.contains(want)))
        } else {
            got == self.stdout
        };
        if is_right && out.status.success() {
            return Ok(());
        }
        let difference = common::difference(self.stdout.as_bytes(), &out.stdout);
        let stderr = common::excerpt(&out.stderr);
        Err(format!("{}\n{difference}\nstandard error:\n{stderr}", common::status(out.status)))
    }
}

/// The tree with these packages.
fn tree(name: &str, packages: &[String]) -> Result<PathBuf, Missing> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/fetch-arm64.sh");
    let out = Command::new(script).args(["--tree", name]).args(packages).output();
    match out {
        Ok(out) if out.status.success() => Ok(PathBuf::from(String::from_utf8_lossy(&out.stdout).trim())),
        Ok(out) => Err(Missing(String::from_utf8_lossy(&out.stderr).trim().to_owned())),
        Err(e) => Err(Missing(e.to_string())),
    }
}

/// Names of trees, and their lists.
const LISTS: [(&str, &str); 2] = [("tools", include_str!("tree.toml")), ("jits", include_str!("jits.toml"))];

fn main() -> ExitCode {
    let trials = LISTS.iter().flat_map(|(name, list)| {
        let list: List = toml::from_str(list).unwrap_or_else(|e| panic!("the list of {name}: {e}"));
        let tree = Arch::Aarch64.reference().and_then(|_| tree(name, &list.packages));
        let needs = tree.as_ref().map(|_| ()).map_err(Clone::clone);
        let tree = tree.unwrap_or_default();
        list.case.into_iter().map(move |case| {
            let tree = tree.clone();
            common::trial(case.name.clone(), needs.clone(), move || case.check(&tree))
        })
    });
    common::run_trials(trials.collect())
}
