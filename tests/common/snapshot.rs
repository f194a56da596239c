//! The files below a directory as text: two runs left the same when the texts are equal.

use std::fmt::Write;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// Name, kind, mode, owner, size and a hash of the content of every file below `dir`, in order of name.
pub fn of(dir: &Path) -> io::Result<String> {
    let mut out = String::new();
    list(dir, "", &mut out)?;
    Ok(out)
}

fn list(dir: &Path, prefix: &str, out: &mut String) -> io::Result<()> {
    let mut names: Vec<_> = fs::read_dir(dir)?.map(|e| e.map(|e| e.file_name())).collect::<Result<_, _>>()?;
    names.sort();
    for name in names {
        let path = dir.join(&name);
        let meta = fs::symlink_metadata(&path)?;
        let kind = meta.file_type();
        let shown = format!("{prefix}{}", name.to_string_lossy());
        let owner = format!("{}:{}", meta.uid(), meta.gid());
        let _ = write!(out, "{shown} {:o} {owner} links {}", meta.mode(), if kind.is_dir() { 0 } else { meta.nlink() });
        if kind.is_symlink() {
            let _ = writeln!(out, " -> {}", fs::read_link(&path)?.to_string_lossy());
        } else if kind.is_dir() {
            out.push('\n');
            list(&path, &format!("{shown}/"), out)?;
        } else if kind.is_file() {
            let content = fs::read(&path)?;
            let _ = writeln!(out, " size {} hash {:016x}", meta.len(), hash(&content));
        } else {
            let what = if kind.is_fifo() { "fifo" } else { "special" };
            let _ = writeln!(out, " {what} {:x}", meta.rdev());
        }
    }
    Ok(())
}

/// FNV-1a over eight bytes at a time: enough to tell files apart.
pub fn hash(bytes: &[u8]) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325u64 ^ bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let word = chunk.iter().rev().fold(0u64, |n, b| n << 8 | u64::from(*b));
        h = (h ^ word).wrapping_mul(0x0000_0100_0000_01b3);
        h ^= h >> 29;
    }
    h
}
