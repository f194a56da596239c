//! Manual pages and completions tell what the command line takes.

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn sevm(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sevm")).args(args).stdin(Stdio::null()).output().expect("sevm runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

fn pages(dir: &Path) -> Vec<(String, String)> {
    let out = sevm(&["man", &dir.to_string_lossy()]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let mut pages: Vec<_> = std::fs::read_dir(dir)
        .expect("pages")
        .flatten()
        .map(|e| (e.file_name().to_string_lossy().into_owned(), std::fs::read_to_string(e.path()).expect("a page")))
        .collect();
    pages.sort();
    pages
}

/// Long and short options in a text, as a reader finds them.
fn options(text: &str) -> Vec<String> {
    let plain = text.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "").replace("\\fI", "");
    let words = plain.split(|c: char| c.is_whitespace() || "=,[]()|'".contains(c));
    let is_option =
        |w: &&str| w.starts_with('-') && w.trim_start_matches('-').starts_with(|c: char| c.is_ascii_alphabetic());
    words.filter(is_option).map(|w| w.trim_end_matches(['.', ':', ';']).to_string()).collect()
}

#[test]
fn pages_name_every_option() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let pages = pages(dir.path());
    let names: Vec<&str> = pages.iter().map(|p| p.0.as_str()).collect();
    for name in ["sevm.1", "sevm-run.1", "sevm-trace.1", "sevm-syscalls.1", "sevm-doctor.1", "sevm-binfmt.1"] {
        assert!(names.contains(&name), "{names:?}");
    }
    for (page, help) in [("sevm-trace.1", &["trace", "-h"][..]), ("sevm-run.1", &["run", "--help"])] {
        let page = &pages.iter().find(|p| p.0 == page).expect("a page").1;
        let (told, help) = (options(page), text(&sevm(help).stdout));
        let missing: Vec<String> = options(&help).into_iter().filter(|o| !told.contains(o)).collect();
        assert!(missing.is_empty() && told.len() > 20, "not in the page: {missing:?}");
    }
}

#[test]
fn pages_are_well_formed() {
    if !has("groff") {
        eprintln!("left out: groff is not installed");
        return;
    }
    let dir = tempfile::tempdir().expect("temporary folder");
    for (name, _) in pages(dir.path()) {
        let out = Command::new("groff")
            .args(["-man", "-Tascii", "-ww", "-z"])
            .arg(dir.path().join(&name))
            .output()
            .expect("groff runs");
        assert!(out.status.success() && out.stderr.is_empty(), "{name}: {}", text(&out.stderr));
    }
}

#[test]
fn completions_know_the_options_of_trace() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = text(&sevm(&["completions", shell]).stdout);
        for option in ["chaos-shrink", "summary-sort-by", "deterministic"] {
            assert!(script.contains(option), "{shell}: {option}");
        }
        if has(shell) && matches!(shell, "bash" | "zsh" | "fish") {
            let dir = tempfile::tempdir().expect("temporary folder");
            let path = dir.path().join("script");
            std::fs::write(&path, &script).expect("file");
            let out = Command::new(shell).arg("-n").arg(&path).output().expect("the shell runs");
            assert!(out.status.success(), "{shell}: {}", text(&out.stderr));
        }
    }
}

/// The bash completion as bash uses it.
#[test]
fn bash_completes() {
    if !has("bash") {
        return;
    }
    let dir = tempfile::tempdir().expect("temporary folder");
    let path = dir.path().join("sevm.bash");
    std::fs::write(&path, sevm(&["completions", "bash"]).stdout).expect("file");
    let complete = |line: &str| {
        let script = format!(
            "source {}; COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); \
             _sevm sevm \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; echo \"${{COMPREPLY[@]}}\"",
            path.display()
        );
        text(&Command::new("bash").args(["-c", &script]).output().expect("bash runs").stdout)
    };
    assert_eq!(complete("sevm trace --chaos-s").trim(), "--chaos-shrink");
    assert!(complete("sevm tr").contains("trace"));
}
