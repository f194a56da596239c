//! Building guest programs: one static executable for each source, architecture, C library and set of flags, kept in
//! the target directory under a hash of all that goes into it.

use super::{Arch, Missing, arm64_cache, snapshot, tool};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The C library to link with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Libc {
    Glibc,
    Musl,
    Diet,
    /// Nothing at all: assembly with its own `_start`.
    None,
}

impl Libc {
    pub fn name(self) -> &'static str {
        match self {
            Libc::Glibc => "glibc",
            Libc::Musl => "musl",
            Libc::Diet => "diet",
            Libc::None => "none",
        }
    }
}

/// The language of a source, by its file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    C,
    Cxx,
    Assembly,
}

/// A program to be built.
#[derive(Debug, Clone)]
pub struct Build {
    pub source: PathBuf,
    pub arch: Arch,
    pub libc: Libc,
    pub flags: Vec<String>,
}

impl Build {
    pub fn language(&self) -> Language {
        match self.source.extension().and_then(|e| e.to_str()) {
            Some("cpp") => Language::Cxx,
            Some("S") => Language::Assembly,
            _ => Language::C,
        }
    }

    /// The compiler and the flags that choose the library, before and after the source.
    fn compiler(&self) -> Result<(Vec<OsString>, Vec<OsString>), Missing> {
        let cross = |which: &str| match self.arch {
            Arch::X86_64 if cfg!(target_arch = "x86_64") => tool(which, "gcc g++"),
            Arch::X86_64 => tool(&format!("x86_64-linux-gnu-{which}"), "gcc-x86-64-linux-gnu g++-x86-64-linux-gnu"),
            Arch::Aarch64 => tool(&format!("aarch64-linux-gnu-{which}"), "gcc-aarch64-linux-gnu g++-aarch64-linux-gnu"),
        };
        let plain = |path: PathBuf| vec![path.into_os_string()];
        Ok(match (self.libc, self.arch) {
            (Libc::None, _) => (plain(cross("gcc")?), vec!["-nostdlib".into(), "-Wl,--build-id=none".into()]),
            (Libc::Glibc, _) if self.language() == Language::Cxx => (plain(cross("g++")?), vec!["-lm".into()]),
            (Libc::Glibc, _) => (plain(cross("gcc")?), vec!["-lm".into()]),
            (Libc::Musl, Arch::X86_64) => (plain(tool("musl-gcc", "musl-tools")?), vec![]),
            (Libc::Musl, Arch::Aarch64) => musl_aarch64(cross("gcc")?)?,
            (Libc::Diet, Arch::X86_64) => (vec![tool("diet", "dietlibc-dev")?.into(), "gcc".into()], vec![]),
            (Libc::Diet, Arch::Aarch64) => return Err(Missing("no dietlibc for aarch64 is packaged".into())),
        })
    }

    /// Whether what it takes is there.
    pub fn needs(&self) -> Result<(), Missing> {
        self.compiler().map(|_| ())
    }

    /// Builds the program unless it is there already, and gives its path.
    pub fn get(&self) -> Result<PathBuf, String> {
        let (compiler, libraries) = self.compiler().map_err(|m| m.0)?;
        let source = fs::read(&self.source).map_err(|e| format!("{}: {e}", self.source.display()))?;
        let headers = self.headers()?;
        let key = format!("{compiler:?} {libraries:?} {:?} {:x}", self.flags, snapshot::hash(&headers));
        let hash = snapshot::hash(&[key.as_bytes(), &source].concat());
        let stem = self.source.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guest").join(format!("{stem}-{hash:016x}"));
        let program = dir.join(&stem);
        if program.exists() {
            return Ok(program);
        }
        fs::create_dir_all(&dir).map_err(|e| e.to_string())?;
        // Another test may build the same program: each builds its own file, and the last rename wins.
        let temporary = tempfile::Builder::new().tempfile_in(&dir).map_err(|e| e.to_string())?.into_temp_path();
        let output = Command::new(&compiler[0])
            .args(&compiler[1..])
            .arg("-static")
            .args(&self.flags)
            .arg("-o")
            .arg(&temporary)
            .arg(&self.source)
            .args(&libraries)
            .current_dir(self.source.parent().unwrap_or(Path::new(".")))
            // Guests are linked with the compiler's own linker, whichever links sevm.
            .env_remove("COMPILER_PATH")
            .output()
            .map_err(|e| format!("{:?}: {e}", compiler[0]))?;
        if !output.status.success() {
            return Err(format!("{:?} failed:\n{}", compiler[0], String::from_utf8_lossy(&output.stderr)));
        }
        fs::rename(&temporary, &program).map_err(|e| e.to_string())?;
        Ok(program)
    }

    /// The headers beside the source and those shared by all.
    fn headers(&self) -> Result<Vec<u8>, String> {
        let mut all = vec![];
        let dir = self.source.parent().unwrap_or(Path::new("."));
        for dir in [dir, &dir.join("..").join("include")] {
            let mut paths: Vec<_> = fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()).collect();
            paths.sort();
            for path in paths.iter().filter(|p| p.extension().is_some_and(|e| e == "h")) {
                all.extend(fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?);
            }
        }
        Ok(all)
    }
}

/// Writes the source of a program whole: tests that make the same program at the same time never see a part of it.
pub fn write_source(path: &Path, text: &str) -> Result<(), String> {
    let dir = path.parent().ok_or("a source lies in a folder")?;
    fs::create_dir_all(dir).map_err(|e| e.to_string())?;
    let mut file = tempfile::Builder::new().tempfile_in(dir).map_err(|e| e.to_string())?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(|e| e.to_string())?;
    file.persist(path).map_err(|e| e.to_string())?;
    Ok(())
}

/// The cross compiler with musl's headers and library in place of its own: no distribution packages such a compiler,
/// but the library for arm64 is there to be fetched.
fn musl_aarch64(gcc: PathBuf) -> Result<(Vec<OsString>, Vec<OsString>), Missing> {
    let root = arm64_cache().join("root/usr");
    let (include, lib) = (root.join("include/aarch64-linux-musl"), root.join("lib/aarch64-linux-musl"));
    if !lib.join("libc.a").exists() {
        return Err(Missing(format!("needs {} (scripts/fetch-arm64.sh musl-dev fetches it)", lib.display())));
    }
    let own = Command::new(&gcc).arg("-print-file-name=include").output().map(|o| o.stdout).unwrap_or_default();
    let own = String::from_utf8_lossy(&own).trim().to_owned();
    let before = vec![
        gcc.into(),
        "-nostdinc".into(),
        "-isystem".into(),
        include.into(),
        "-isystem".into(),
        own.into(),
        "-nostdlib".into(),
        "-nostartfiles".into(),
        // The atomics helpers of libgcc ask glibc for the processor's features.
        "-mno-outline-atomics".into(),
        "-fno-stack-protector".into(),
        lib.join("crt1.o").into(),
        lib.join("crti.o").into(),
    ];
    let after = ["-Wl,--start-group".into(), lib.join("libc.a").into(), "-lgcc".into(), "-lgcc_eh".into()]
        .into_iter()
        .chain(["-Wl,--end-group".into(), lib.join("crtn.o").into()])
        .collect();
    Ok((before, after))
}

/// Builds the Go program in `dir`, outside the source tree; Go's own cache notices what is unchanged.
pub fn go(dir: &Path, arch: Arch) -> Result<PathBuf, String> {
    let go = super::tool("go", "golang-go").map_err(|m| m.0)?;
    let name = dir.file_name().unwrap_or_default();
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go").join(arch.name());
    fs::create_dir_all(&out).map_err(|e| e.to_string())?;
    let program = out.join(name);
    let cache = super::cache().join("go");
    let output = Command::new(go)
        .args(["build", "-trimpath", "-o"])
        .arg(&program)
        .arg("main.go")
        .current_dir(dir)
        .envs([("CGO_ENABLED", "0"), ("GO111MODULE", "off"), ("GOOS", "linux"), ("GOFLAGS", "-p=2")])
        .env("GOARCH", if arch == Arch::X86_64 { "amd64" } else { "arm64" })
        .env("GOCACHE", &cache)
        .env("GOPATH", cache.join("path"))
        .output()
        .map_err(|e| e.to_string())?;
    if output.status.success() {
        Ok(program)
    } else {
        Err(format!("go build: {}", String::from_utf8_lossy(&output.stderr)))
    }
}
